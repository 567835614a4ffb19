-- Statements of worker profile. Table: migrations/0004_profiles.sql; the absence brake: 0005_absence.sql.
-- 172800 s = 48 h: how long a denial must stand before data is purged.

-- name: profile_context
SELECT gone_since, absent_at, equipment_success_at, specializations_success_at, keystones_success_at,
       raids_success_at, professions_success_at
  FROM profiles WHERE region = :region AND realm = :realm AND name = :name;

-- name: profile_stale
-- "Seen" is the character's last login; see characters_stale.
SELECT p.region || '/' || p.realm || '/' || p.name AS entity
  FROM profiles p LEFT JOIN characters c USING (region, realm, name)
 WHERE p.success_at <= :due_before
   AND coalesce(c.last_login_at, 0) >= :seen_after AND coalesce(c.last_login_at, 0) < :seen_before
   AND (p.last_attempt_at = p.success_at OR p.last_attempt_at <= :now - 3600)
   AND (p.gone_since IS NULL OR p.absent_at <= :now - 172800)
 ORDER BY p.success_at
 LIMIT :limit;

-- name: profile_ages
SELECT coalesce(c.last_login_at, 0) AS seen_at, p.success_at AS success_at
  FROM profiles p LEFT JOIN characters c USING (region, realm, name)
 WHERE p.gone_since IS NULL;

-- name: profile_brake
SELECT braked_since AS since FROM absence WHERE kind = 'profile' AND braked_since IS NOT NULL;

-- name: profile_show
SELECT item_level, main_role, spec_id, rating, best_runs, raid_progress, raids, professions, equipment_success_at,
       specializations_success_at, keystones_success_at, raids_success_at, professions_success_at
  FROM profiles
 WHERE region = :region AND realm = :realm AND name = :name AND gone_since IS NULL
   AND NOT EXISTS (
    SELECT 1 FROM characters WHERE region = :region AND realm = :realm AND name = :name AND gone_since IS NOT NULL);

-- name: profile_seen
-- Some part was found. One more check of a living entity (last_attempt_at: a replay does not count again).
INSERT INTO absence_counts (kind, slot, at, checked, missed)
SELECT 'profile', CAST(:now / 600 AS INTEGER), :now, 1, 0 FROM profiles
 WHERE region = :region AND realm = :realm AND name = :name AND gone_since IS NULL AND last_attempt_at < :now
ON CONFLICT (kind, slot) DO UPDATE SET at = excluded.at, checked = checked + 1;
INSERT INTO profiles (region, realm, name, last_attempt_at) VALUES (:region, :realm, :name, :now)
ON CONFLICT (region, realm, name) DO UPDATE SET
    last_attempt_at = excluded.last_attempt_at, gone_since = NULL, absent_at = NULL;

-- name: profile_attempt
-- Tried in vain: moves nothing that means fresh.
UPDATE profiles SET last_attempt_at = :now WHERE region = :region AND realm = :realm AND name = :name;

-- name: profile_equipment
-- found = 0: the API has none for this character now; what was known stays.
UPDATE profiles SET equipment_success_at = :now,
       item_level = CASE WHEN :found THEN :item_level ELSE item_level END
 WHERE region = :region AND realm = :realm AND name = :name;

-- name: profile_specializations
UPDATE profiles SET specializations_success_at = :now,
       spec_id = CASE WHEN :found THEN :spec_id ELSE spec_id END,
       spec_role = CASE WHEN :found THEN :spec_role ELSE spec_role END
 WHERE region = :region AND realm = :realm AND name = :name;

-- name: profile_keystones
UPDATE profiles SET keystones_success_at = :now,
       rating = CASE WHEN :found THEN :rating ELSE rating END,
       best_runs = CASE WHEN :found THEN :best_runs ELSE best_runs END,
       played_role = CASE WHEN :found THEN :played_role ELSE played_role END
 WHERE region = :region AND realm = :realm AND name = :name;

-- name: profile_raids
UPDATE profiles SET raids_success_at = :now,
       raids = CASE WHEN :found THEN :raids ELSE raids END,
       raid_progress = CASE WHEN :found THEN :raid_progress ELSE raid_progress END
 WHERE region = :region AND realm = :realm AND name = :name;

-- name: profile_professions
UPDATE profiles SET professions_success_at = :now,
       professions = CASE WHEN :found THEN :professions ELSE professions END
 WHERE region = :region AND realm = :realm AND name = :name;

-- name: profile_missing
-- One more check of a living entity, denied; then as in character_missing: hide, and after 48 h purge.
INSERT INTO absence_counts (kind, slot, at, checked, missed)
SELECT 'profile', CAST(:now / 600 AS INTEGER), :now, 1, 1 FROM profiles
 WHERE region = :region AND realm = :realm AND name = :name AND gone_since IS NULL AND last_attempt_at < :now
ON CONFLICT (kind, slot) DO UPDATE SET at = excluded.at, checked = checked + 1, missed = missed + 1;
UPDATE profiles SET last_attempt_at = :now, absent_at = :now
 WHERE region = :region AND realm = :realm AND name = :name;
UPDATE profiles SET gone_since = :now
 WHERE region = :region AND realm = :realm AND name = :name AND gone_since IS NULL
   AND 'profile' NOT IN (SELECT kind FROM absence_braked);
DELETE FROM profiles
 WHERE region = :region AND realm = :realm AND name = :name AND gone_since <= :now - 172800
   AND 'profile' NOT IN (SELECT kind FROM absence_braked);
