-- Realms, read by worker `index`.

-- name: realm_upsert
-- Rows name their own region, because the job's entity ("realms") has none.
INSERT INTO realms (
    region, id, slug, name, names, connected_realm_id, locale, timezone, type, population, status, seen_at
)
VALUES (
    :realm_region, :id, :slug, :name, :names, :connected_realm_id, :locale, :timezone, :type, :population, :status,
    :now
)
ON CONFLICT (region, id) DO UPDATE SET
    slug = excluded.slug,
    name = excluded.name,
    names = json_patch(names, excluded.names),
    connected_realm_id = excluded.connected_realm_id,
    locale = excluded.locale,
    timezone = excluded.timezone,
    type = excluded.type,
    population = excluded.population,
    status = excluded.status,
    seen_at = excluded.seen_at,
    gone_since = NULL;

-- name: realms_gone
-- :connected_realms is the JSON array of all numbers in the index. Hidden, never deleted: a connected
-- realm that comes back is itself again.
UPDATE realms
SET gone_since = :now
WHERE region = :realm_region AND gone_since IS NULL
    AND connected_realm_id NOT IN (SELECT value FROM json_each(:connected_realms));
