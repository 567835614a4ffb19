-- Statements of worker characters. The tables, and the three states of a row, are drawn in
-- migrations/0001_characters.sql; the absence brake in 0005_absence.sql.
-- 172800 s = 48 h: how long a denial must stand before data is purged.

-- name: characters_context
-- Always one row: also an unknown character may already be a member of guilds that we know.
SELECT c.id, c.guild_id, c.last_login_at, c.gone_since, c.absent_at, c.status_success_at, c.summary_success_at,
       c.pets_login_at, c.mounts_login_at, c.media_login_at,
       (SELECT json_group_array(m.region || '/' || m.realm || '/' || m.name) FROM guild_members m
         WHERE m.region = :region AND m.member_realm = :realm AND m.member_name = :name) AS member_of
  FROM (SELECT 1) LEFT JOIN characters c ON c.region = :region AND c.realm = :realm AND c.name = :name;

-- name: characters_stale
-- Oldest first. What failed lately waits an hour, what was denied 48 h: neither may eat the quota.
SELECT region || '/' || realm || '/' || name AS entity
  FROM characters
 WHERE summary_success_at IS NOT NULL
   AND last_login_at >= :seen_after AND last_login_at < :seen_before
   AND summary_success_at <= :due_before
   AND (last_attempt_at = summary_success_at OR last_attempt_at <= :now - 3600)
   AND (gone_since IS NULL OR absent_at <= :now - 172800)
 ORDER BY summary_success_at
 LIMIT :limit;

-- name: characters_ages
SELECT last_login_at AS seen_at, summary_success_at AS success_at
  FROM characters
 WHERE summary_success_at IS NOT NULL AND gone_since IS NULL;

-- name: characters_brake
SELECT braked_since AS since FROM absence WHERE kind = 'characters' AND braked_since IS NOT NULL;

-- name: characters_show
SELECT display_name AS name, realm, region, id, level, race, class, spec, gender, faction, guild_name, guild,
       achievement_points, average_item_level, equipped_item_level, last_login_at, pets_count, mounts_count,
       avatar_url, summary_success_at, pets_success_at, mounts_success_at, media_success_at
  FROM characters
 WHERE region = :region AND realm = :realm AND name = :name
   AND summary_success_at IS NOT NULL AND gone_since IS NULL;

-- name: characters_show_history
SELECT kind, before, after, seen_from, seen_until FROM events
 WHERE entity = :entity AND EXISTS (
    SELECT 1 FROM characters WHERE region = :region AND realm = :realm AND name = :name AND gone_since IS NULL)
 ORDER BY seen_until DESC
 LIMIT 20;

-- name: characters_show_same_account
SELECT a.region || '/' || a.realm || '/' || a.name AS entity, a.level, a.class, a.guild, a.last_login_at
  FROM characters c JOIN characters a ON a.pets_fingerprint = c.pets_fingerprint AND a.region = c.region
 WHERE c.region = :region AND c.realm = :realm AND c.name = :name AND c.gone_since IS NULL
   AND NOT (a.realm = c.realm AND a.name = c.name) AND a.gone_since IS NULL
 ORDER BY a.level DESC
 LIMIT 50;

-- name: character_seen
-- 1. One more check of a living entity (last_attempt_at: a replay does not count again).
INSERT INTO absence_counts (kind, slot, at, checked, missed)
SELECT 'characters', CAST(:now / 600 AS INTEGER), :now, 1, 0 FROM characters
 WHERE region = :region AND realm = :realm AND name = :name
   AND summary_success_at IS NOT NULL AND gone_since IS NULL AND last_attempt_at < :now
ON CONFLICT (kind, slot) DO UPDATE SET at = excluded.at, checked = checked + 1;
-- 2. The name belongs to somebody else now: what is stored is not about this character.
DELETE FROM events WHERE entity = :entity AND EXISTS (
    SELECT 1 FROM characters WHERE region = :region AND realm = :realm AND name = :name AND id <> :id);
DELETE FROM profiles WHERE region = :region AND realm = :realm AND name = :name AND EXISTS (
    SELECT 1 FROM characters WHERE region = :region AND realm = :realm AND name = :name AND id <> :id);
DELETE FROM characters WHERE region = :region AND realm = :realm AND name = :name AND (id IS NULL OR id <> :id);
-- 3. The same character under its former name. Numbers are unique on a realm; across realms the old
--    row must be denied already and of the same class, or two strangers would be merged.
UPDATE characters SET renamed_to = :entity
 WHERE region = :region AND id = :id AND NOT (realm = :realm AND name = :name) AND summary_success_at IS NOT NULL
   AND (realm = :realm OR (gone_since IS NOT NULL AND class_id = :class_id));
UPDATE OR IGNORE events SET entity = :entity WHERE entity IN (
    SELECT region || '/' || realm || '/' || name FROM characters
     WHERE region = :region AND id = :id AND renamed_to = :entity);
INSERT OR IGNORE INTO events (entity, kind, before, after, seen_from, seen_until, job, lease)
SELECT :entity, 'NAME', display_name, :display_name, summary_success_at, :now, :job, :lease FROM characters
 WHERE region = :region AND id = :id AND renamed_to = :entity AND name <> :name
UNION ALL
SELECT :entity, 'REALM', realm, :realm, summary_success_at, :now, :job, :lease FROM characters
 WHERE region = :region AND id = :id AND renamed_to = :entity AND realm <> :realm;
UPDATE OR IGNORE profiles SET realm = :realm, name = :name WHERE (region, realm, name) IN (
    SELECT region, realm, name FROM characters WHERE region = :region AND id = :id AND renamed_to = :entity);
DELETE FROM profiles WHERE (region, realm, name) IN (
    SELECT region, realm, name FROM characters WHERE region = :region AND id = :id AND renamed_to = :entity);
UPDATE OR IGNORE characters SET realm = :realm, name = :name, renamed_to = NULL
 WHERE region = :region AND id = :id AND renamed_to = :entity;
DELETE FROM characters WHERE region = :region AND id = :id AND renamed_to = :entity;
-- 4. What changed since the last scan; the first sight of a character is not a change.
INSERT OR IGNORE INTO events (entity, kind, before, after, seen_from, seen_until, job, lease)
SELECT :entity, 'RACE', race, :race, summary_success_at, :now, :job, :lease FROM characters
 WHERE region = :region AND realm = :realm AND name = :name AND race_id <> :race_id
UNION ALL
SELECT :entity, 'GENDER', gender, :gender, summary_success_at, :now, :job, :lease FROM characters
 WHERE region = :region AND realm = :realm AND name = :name AND gender <> :gender
UNION ALL
SELECT :entity, 'FACTION', faction, :faction, summary_success_at, :now, :job, :lease FROM characters
 WHERE region = :region AND realm = :realm AND name = :name AND faction <> :faction
UNION ALL
SELECT :entity, 'GUILD', coalesce(guild, ''), coalesce(:guild, ''), summary_success_at, :now, :job, :lease FROM characters
 WHERE region = :region AND realm = :realm AND name = :name AND guild_id IS NOT :guild_id;
-- 5. What is so now.
INSERT INTO characters (region, realm, name, id, display_name, gender, faction, race_id, race, class_id, class, spec_id,
    spec, guild_id, guild, guild_name, level, achievement_points, average_item_level, equipped_item_level,
    last_login_at, last_attempt_at, summary_success_at, status_success_at)
VALUES (:region, :realm, :name, :id, :display_name, :gender, :faction, :race_id, :race, :class_id, :class, :spec_id,
    :spec, :guild_id, :guild, :guild_name, :level, :achievement_points, :average_item_level, :equipped_item_level,
    :last_login_at, :now, :now, CASE WHEN :status_checked THEN :now END)
ON CONFLICT (region, realm, name) DO UPDATE SET
    id = excluded.id, display_name = excluded.display_name, gender = excluded.gender, faction = excluded.faction,
    race_id = excluded.race_id, race = excluded.race, class_id = excluded.class_id, class = excluded.class,
    spec_id = excluded.spec_id, spec = excluded.spec, guild_id = excluded.guild_id, guild = excluded.guild,
    guild_name = excluded.guild_name, level = excluded.level, achievement_points = excluded.achievement_points,
    average_item_level = excluded.average_item_level, equipped_item_level = excluded.equipped_item_level,
    last_login_at = excluded.last_login_at, last_attempt_at = excluded.last_attempt_at,
    summary_success_at = excluded.summary_success_at, gone_since = NULL, absent_at = NULL,
    status_success_at = coalesce(excluded.status_success_at, status_success_at);

-- name: character_pets
-- found = 0: the API has no list for this character now; what was known stays, and is not fresh.
UPDATE characters SET pets_login_at = :login_at,
       pets_count = CASE WHEN :found THEN :count ELSE pets_count END,
       pets_fingerprint = CASE WHEN :found THEN :fingerprint ELSE pets_fingerprint END,
       pets_success_at = CASE WHEN :found THEN :now ELSE pets_success_at END
 WHERE region = :region AND realm = :realm AND name = :name;

-- name: character_mounts
UPDATE characters SET mounts_login_at = :login_at,
       mounts_count = CASE WHEN :found THEN :count ELSE mounts_count END,
       mounts_fingerprint = CASE WHEN :found THEN :fingerprint ELSE mounts_fingerprint END,
       mounts_success_at = CASE WHEN :found THEN :now ELSE mounts_success_at END
 WHERE region = :region AND realm = :realm AND name = :name;

-- name: character_media
UPDATE characters SET media_login_at = :login_at,
       avatar_url = CASE WHEN :found THEN :avatar_url ELSE avatar_url END,
       inset_url = CASE WHEN :found THEN :inset_url ELSE inset_url END,
       main_url = CASE WHEN :found THEN :main_url ELSE main_url END,
       media_success_at = CASE WHEN :found THEN :now ELSE media_success_at END
 WHERE region = :region AND realm = :realm AND name = :name;

-- name: character_attempt
-- Tried in vain: moves nothing that means fresh.
UPDATE characters SET last_attempt_at = :now,
       status_success_at = CASE WHEN :status_checked THEN :now ELSE status_success_at END
 WHERE region = :region AND realm = :realm AND name = :name;

-- name: character_missing
-- 1. One more check of a living entity, denied.
INSERT INTO absence_counts (kind, slot, at, checked, missed)
SELECT 'characters', CAST(:now / 600 AS INTEGER), :now, 1, 1 FROM characters
 WHERE region = :region AND realm = :realm AND name = :name
   AND summary_success_at IS NOT NULL AND gone_since IS NULL AND last_attempt_at < :now
ON CONFLICT (kind, slot) DO UPDATE SET at = excluded.at, checked = checked + 1, missed = missed + 1;
-- 2. A name never seen alive: remember only that it is dead.
INSERT INTO characters (region, realm, name, gone_since, last_attempt_at)
VALUES (:region, :realm, :name, :now, :now)
ON CONFLICT (region, realm, name) DO UPDATE SET last_attempt_at = excluded.last_attempt_at;
UPDATE characters SET absent_at = :now WHERE region = :region AND realm = :realm AND name = :name;
-- 3. It lives on under another name: its history moves there, and this row ends. Not the brake's business,
--    because the proof is a character seen, not one denied.
UPDATE characters SET renamed_to = (
    SELECT n.region || '/' || n.realm || '/' || n.name FROM characters n
     WHERE n.region = :region AND n.id = characters.id AND NOT (n.realm = :realm AND n.name = :name)
       AND n.summary_success_at > characters.summary_success_at AND n.gone_since IS NULL
       AND (n.realm = :realm OR n.class_id = characters.class_id)
     LIMIT 1)
 WHERE region = :region AND realm = :realm AND name = :name AND summary_success_at IS NOT NULL;
UPDATE OR IGNORE events SET entity = (
    SELECT renamed_to FROM characters WHERE region = :region AND realm = :realm AND name = :name)
 WHERE entity = :entity AND EXISTS (
    SELECT 1 FROM characters WHERE region = :region AND realm = :realm AND name = :name AND renamed_to IS NOT NULL);
INSERT OR IGNORE INTO events (entity, kind, before, after, seen_from, seen_until, job, lease)
SELECT o.renamed_to, 'NAME', o.display_name, n.display_name, o.summary_success_at, :now, :job, :lease
  FROM characters o JOIN characters n
    ON n.region = :region AND n.id = o.id AND n.region || '/' || n.realm || '/' || n.name = o.renamed_to
 WHERE o.region = :region AND o.realm = :realm AND o.name = :name AND n.name <> o.name
UNION ALL
SELECT o.renamed_to, 'REALM', o.realm, n.realm, o.summary_success_at, :now, :job, :lease
  FROM characters o JOIN characters n
    ON n.region = :region AND n.id = o.id AND n.region || '/' || n.realm || '/' || n.name = o.renamed_to
 WHERE o.region = :region AND o.realm = :realm AND o.name = :name AND n.realm <> o.realm;
DELETE FROM profiles WHERE region = :region AND realm = :realm AND name = :name AND EXISTS (
    SELECT 1 FROM characters WHERE region = :region AND realm = :realm AND name = :name AND renamed_to IS NOT NULL);
INSERT OR REPLACE INTO characters (region, realm, name, gone_since, absent_at, last_attempt_at)
SELECT region, realm, name, :now, :now, :now FROM characters
 WHERE region = :region AND realm = :realm AND name = :name AND renamed_to IS NOT NULL;
-- 4. First denial: hide. Denied again after 48 h: purge, and keep only the tombstone.
UPDATE characters SET gone_since = :now
 WHERE region = :region AND realm = :realm AND name = :name AND gone_since IS NULL
   AND 'characters' NOT IN (SELECT kind FROM absence_braked);
DELETE FROM events WHERE entity = :entity AND EXISTS (
    SELECT 1 FROM characters WHERE region = :region AND realm = :realm AND name = :name
       AND gone_since <= :now - 172800 AND summary_success_at IS NOT NULL)
   AND 'characters' NOT IN (SELECT kind FROM absence_braked);
DELETE FROM profiles WHERE region = :region AND realm = :realm AND name = :name AND EXISTS (
    SELECT 1 FROM characters WHERE region = :region AND realm = :realm AND name = :name
       AND gone_since <= :now - 172800 AND summary_success_at IS NOT NULL)
   AND 'characters' NOT IN (SELECT kind FROM absence_braked);
INSERT OR REPLACE INTO characters (region, realm, name, gone_since, absent_at, last_attempt_at)
SELECT region, realm, name, gone_since, :now, :now FROM characters
 WHERE region = :region AND realm = :realm AND name = :name
   AND gone_since <= :now - 172800 AND summary_success_at IS NOT NULL
   AND 'characters' NOT IN (SELECT kind FROM absence_braked);

-- name: tombstones_retention
DELETE FROM characters WHERE rowid IN (
    SELECT rowid FROM characters WHERE summary_success_at IS NULL AND absent_at < :before LIMIT 500);
