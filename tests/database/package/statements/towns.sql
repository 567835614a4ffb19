-- name: towns_context
SELECT weather, success_at FROM towns WHERE region = :region AND town = :town;

-- name: towns_stale
SELECT region || '/' || town AS entity FROM towns
WHERE seen_at >= :seen_after AND seen_at < :seen_before AND success_at < :due_before
ORDER BY success_at LIMIT :limit;

-- name: towns_ages
SELECT seen_at, success_at FROM towns WHERE success_at IS NOT NULL;

-- name: towns_brake
SELECT at AS since FROM town_events WHERE what = 'brake';

-- name: towns_show
SELECT * FROM towns WHERE region = :region AND town = :town;

-- name: towns_show_events
SELECT what, at FROM town_events WHERE town = :town ORDER BY at;

-- name: town_weather
INSERT INTO towns (region, town, weather, seen_at, success_at) VALUES (:region, :town, :weather, :now, :now)
ON CONFLICT DO UPDATE SET weather = excluded.weather, success_at = excluded.success_at;

-- name: town_event
-- Two statements: the event, and when the town was last seen.
INSERT OR IGNORE INTO town_events (town, what, at) VALUES (:town, :what || ';', :now);
UPDATE towns SET seen_at = :now WHERE region = :region AND town = :town;

-- name: events_retention
DELETE FROM town_events WHERE rowid IN (SELECT rowid FROM town_events WHERE at < :before LIMIT 500);
