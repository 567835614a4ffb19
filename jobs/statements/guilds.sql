-- Statements of worker guilds. Tables: migrations/0002_guilds.sql and 0003_events.sql; the absence
-- brake: 0005_absence.sql. 172800 s = 48 h: how long a denial must stand before data is purged.

-- name: guilds_context
-- members: "realm/number" of each, so that the job can tell which ones are new.
SELECT g.id, g.gone_since, g.absent_at, g.summary_success_at, g.roster_success_at,
       (SELECT json_group_array(m.member_realm || '/' || m.member_id) FROM guild_members m
         WHERE m.region = :region AND m.realm = :realm AND m.name = :name) AS members
  FROM guilds g
 WHERE g.region = :region AND g.realm = :realm AND g.name = :name;

-- name: guilds_stale
-- Guilds do not log in: "seen" is when the roster last changed. Oldest first; see characters_stale.
SELECT region || '/' || realm || '/' || name AS entity
  FROM guilds
 WHERE summary_success_at IS NOT NULL
   AND changed_at >= :seen_after AND changed_at < :seen_before
   AND coalesce(roster_success_at, 0) <= :due_before
   AND (last_attempt_at = roster_success_at OR last_attempt_at <= :now - 3600)
   AND (gone_since IS NULL OR absent_at <= :now - 172800)
 ORDER BY coalesce(roster_success_at, 0)
 LIMIT :limit;

-- name: guilds_ages
SELECT changed_at AS seen_at, coalesce(roster_success_at, 0) AS success_at
  FROM guilds
 WHERE summary_success_at IS NOT NULL AND gone_since IS NULL;

-- name: guilds_brake
SELECT braked_since AS since FROM absence WHERE kind = 'guilds' AND braked_since IS NOT NULL;

-- name: guilds_show
SELECT g.display_name AS name, g.realm, g.region, g.id, g.faction, g.achievement_points, g.member_count, g.created_at,
       (SELECT m.region || '/' || m.member_realm || '/' || m.member_name FROM guild_members m
         WHERE m.region = g.region AND m.realm = g.realm AND m.name = g.name AND m.rank = 0 LIMIT 1) AS master,
       g.changed_at, g.summary_success_at, g.roster_success_at
  FROM guilds g
 WHERE g.region = :region AND g.realm = :realm AND g.name = :name
   AND g.summary_success_at IS NOT NULL AND g.gone_since IS NULL;

-- name: guilds_show_history
SELECT kind, subject, before, after, seen_from, seen_until FROM events
 WHERE entity = :entity AND EXISTS (
    SELECT 1 FROM guilds WHERE region = :region AND realm = :realm AND name = :name AND gone_since IS NULL)
 ORDER BY seen_until DESC
 LIMIT 20;

-- name: guilds_show_members
SELECT m.rank, m.region || '/' || m.member_realm || '/' || m.member_name AS entity, m.level, m.joined_at
  FROM guild_members m JOIN guilds g USING (region, realm, name)
 WHERE m.region = :region AND m.realm = :realm AND m.name = :name AND g.gone_since IS NULL
 ORDER BY m.rank, m.member_name;

-- name: guild_seen
-- 1. One more check of a living entity (last_attempt_at: a replay does not count again).
INSERT INTO absence_counts (kind, slot, at, checked, missed)
SELECT 'guilds', CAST(:now / 600 AS INTEGER), :now, 1, 0 FROM guilds
 WHERE region = :region AND realm = :realm AND name = :name
   AND summary_success_at IS NOT NULL AND gone_since IS NULL AND last_attempt_at < :now
ON CONFLICT (kind, slot) DO UPDATE SET at = excluded.at, checked = checked + 1;
-- 2. Another guild has taken the name: members and history are not this guild's.
DELETE FROM events WHERE entity = :entity AND EXISTS (
    SELECT 1 FROM guilds WHERE region = :region AND realm = :realm AND name = :name AND id <> :id);
DELETE FROM guild_members WHERE region = :region AND realm = :realm AND name = :name AND EXISTS (
    SELECT 1 FROM guilds WHERE region = :region AND realm = :realm AND name = :name AND id <> :id);
DELETE FROM guilds WHERE region = :region AND realm = :realm AND name = :name AND (id IS NULL OR id <> :id);
-- 3. The same guild under its former name; on another realm its moment of creation must agree too.
UPDATE guilds SET renamed_to = :entity
 WHERE region = :region AND id = :id AND NOT (realm = :realm AND name = :name) AND summary_success_at IS NOT NULL
   AND (realm = :realm OR created_at = :created_at);
UPDATE OR IGNORE events SET entity = :entity WHERE entity IN (
    SELECT region || '/' || realm || '/' || name FROM guilds
     WHERE region = :region AND id = :id AND renamed_to = :entity);
INSERT OR IGNORE INTO events (entity, kind, before, after, seen_from, seen_until, job, lease)
SELECT :entity, 'NAME', display_name, :display_name, summary_success_at, :now, :job, :lease FROM guilds
 WHERE region = :region AND id = :id AND renamed_to = :entity AND name <> :name
UNION ALL
SELECT :entity, 'REALM', realm, :realm, summary_success_at, :now, :job, :lease FROM guilds
 WHERE region = :region AND id = :id AND renamed_to = :entity AND realm <> :realm;
UPDATE OR IGNORE guild_members SET realm = :realm, name = :name WHERE (region, realm, name) IN (
    SELECT region, realm, name FROM guilds WHERE region = :region AND id = :id AND renamed_to = :entity);
DELETE FROM guild_members WHERE (region, realm, name) IN (
    SELECT region, realm, name FROM guilds WHERE region = :region AND id = :id AND renamed_to = :entity);
UPDATE OR IGNORE guilds SET realm = :realm, name = :name, renamed_to = NULL
 WHERE region = :region AND id = :id AND renamed_to = :entity;
DELETE FROM guilds WHERE region = :region AND id = :id AND renamed_to = :entity;
-- 4. What changed, and what is so now.
INSERT OR IGNORE INTO events (entity, kind, before, after, seen_from, seen_until, job, lease)
SELECT :entity, 'FACTION', faction, :faction, summary_success_at, :now, :job, :lease FROM guilds
 WHERE region = :region AND realm = :realm AND name = :name AND faction <> :faction;
INSERT INTO guilds (region, realm, name, id, display_name, faction, achievement_points, member_count, created_at,
    changed_at, last_attempt_at, summary_success_at)
VALUES (:region, :realm, :name, :id, :display_name, :faction, :achievement_points, :member_count, :created_at,
    :now, :now, :now)
ON CONFLICT (region, realm, name) DO UPDATE SET
    id = excluded.id, display_name = excluded.display_name, faction = excluded.faction,
    achievement_points = excluded.achievement_points, member_count = excluded.member_count,
    created_at = excluded.created_at, last_attempt_at = excluded.last_attempt_at,
    summary_success_at = excluded.summary_success_at, gone_since = NULL, absent_at = NULL;

-- name: guild_roster
-- members: JSON [[realm, number, name, level, class, race, rank], …], a whole roster.
-- 1. History, against the last accepted roster. The first one is not a change. The master's ranks are
--    told by MASTER alone, so that one handover is one line and not three.
INSERT OR IGNORE INTO events (entity, kind, subject, before, after, seen_from, seen_until, job, lease)
WITH roster (realm, id, name, rank) AS MATERIALIZED (
    SELECT value ->> 0, value ->> 1, value ->> 2, value ->> 6 FROM json_each(:members)),
known AS NOT MATERIALIZED (
    SELECT * FROM guild_members WHERE region = :region AND realm = :realm AND name = :name),
happened (kind, subject, before, after) AS (
    SELECT 'JOIN', :region || '/' || r.realm || '/' || r.name, '', r.rank FROM roster r
     WHERE NOT EXISTS (SELECT 1 FROM known k WHERE k.member_realm = r.realm AND k.member_id = r.id)
    UNION ALL
    SELECT 'LEAVE', :region || '/' || member_realm || '/' || member_name, rank, '' FROM known
     WHERE (member_realm, member_id) NOT IN (SELECT realm, id FROM roster)
    UNION ALL
    SELECT CASE WHEN r.rank < k.rank THEN 'PROMOTE' ELSE 'DEMOTE' END, :region || '/' || r.realm || '/' || r.name, k.rank, r.rank
      FROM roster r JOIN known k ON k.member_realm = r.realm AND k.member_id = r.id
     WHERE r.rank <> k.rank AND r.rank > 0 AND k.rank > 0
    UNION ALL
    SELECT 'MASTER', '', :region || '/' || k.member_realm || '/' || k.member_name, :region || '/' || r.realm || '/' || r.name
      FROM roster r CROSS JOIN known k
     WHERE r.rank = 0 AND k.rank = 0 AND NOT (r.realm = k.member_realm AND r.id = k.member_id))
SELECT :entity, kind, subject, before, after, g.roster_success_at, :now, :job, :lease
  FROM guilds g, happened
 WHERE g.region = :region AND g.realm = :realm AND g.name = :name AND g.roster_success_at IS NOT NULL;
-- 2. The members now. Unchanged rows are not written.
INSERT INTO guild_members (region, realm, name, member_realm, member_id, member_name, level, class_id, race_id, rank, joined_at)
SELECT :region, :realm, :name, value ->> 0, value ->> 1, value ->> 2, value ->> 3, value ->> 4, value ->> 5, value ->> 6, :now
  FROM json_each(:members) WHERE true
ON CONFLICT (region, realm, name, member_realm, member_id) DO UPDATE SET
    member_name = excluded.member_name, level = excluded.level, class_id = excluded.class_id,
    race_id = excluded.race_id, rank = excluded.rank
 WHERE (member_name, level, class_id, race_id, rank)
    IS NOT (excluded.member_name, excluded.level, excluded.class_id, excluded.race_id, excluded.rank);
DELETE FROM guild_members
 WHERE region = :region AND realm = :realm AND name = :name
   AND (member_realm, member_id) NOT IN (SELECT value ->> 0, value ->> 1 FROM json_each(:members));
-- 3. The roster is fresh.
UPDATE guilds SET roster_success_at = :now,
       changed_at = CASE WHEN EXISTS (SELECT 1 FROM events WHERE entity = :entity AND seen_until = :now)
                         THEN :now ELSE changed_at END
 WHERE region = :region AND realm = :realm AND name = :name;

-- name: guild_attempt
-- Tried in vain: moves nothing that means fresh.
UPDATE guilds SET last_attempt_at = :now WHERE region = :region AND realm = :realm AND name = :name;

-- name: guild_missing
-- 1. One more check of a living entity, denied.
INSERT INTO absence_counts (kind, slot, at, checked, missed)
SELECT 'guilds', CAST(:now / 600 AS INTEGER), :now, 1, 1 FROM guilds
 WHERE region = :region AND realm = :realm AND name = :name
   AND summary_success_at IS NOT NULL AND gone_since IS NULL AND last_attempt_at < :now
ON CONFLICT (kind, slot) DO UPDATE SET at = excluded.at, checked = checked + 1, missed = missed + 1;
-- 2. A name never seen alive: remember only that it is dead.
INSERT INTO guilds (region, realm, name, gone_since, last_attempt_at)
VALUES (:region, :realm, :name, :now, :now)
ON CONFLICT (region, realm, name) DO UPDATE SET last_attempt_at = excluded.last_attempt_at;
UPDATE guilds SET absent_at = :now WHERE region = :region AND realm = :realm AND name = :name;
-- 3. First denial: hide. Denied again after 48 h: purge, and keep only the tombstone. (A renamed guild
--    is found by guild_seen under its new name, which takes the members and the history along.)
UPDATE guilds SET gone_since = :now
 WHERE region = :region AND realm = :realm AND name = :name AND gone_since IS NULL
   AND 'guilds' NOT IN (SELECT kind FROM absence_braked);
DELETE FROM events WHERE entity = :entity AND EXISTS (
    SELECT 1 FROM guilds WHERE region = :region AND realm = :realm AND name = :name
       AND gone_since <= :now - 172800 AND summary_success_at IS NOT NULL)
   AND 'guilds' NOT IN (SELECT kind FROM absence_braked);
DELETE FROM guild_members WHERE region = :region AND realm = :realm AND name = :name AND EXISTS (
    SELECT 1 FROM guilds WHERE region = :region AND realm = :realm AND name = :name
       AND gone_since <= :now - 172800 AND summary_success_at IS NOT NULL)
   AND 'guilds' NOT IN (SELECT kind FROM absence_braked);
INSERT OR REPLACE INTO guilds (region, realm, name, gone_since, absent_at, last_attempt_at)
SELECT region, realm, name, gone_since, :now, :now FROM guilds
 WHERE region = :region AND realm = :realm AND name = :name
   AND gone_since <= :now - 172800 AND summary_success_at IS NOT NULL
   AND 'guilds' NOT IN (SELECT kind FROM absence_braked);
