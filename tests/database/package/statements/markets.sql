-- name: market_stall
INSERT INTO stalls (region, number, stall, price, lease) VALUES (:region, :number, :stall, :price, :lease)
ON CONFLICT DO UPDATE SET price = excluded.price, lease = excluded.lease;

-- name: markets_follow_ups
SELECT 'towns' AS worker, region || '/' || town AS entity FROM towns WHERE weather = 'unknown';
