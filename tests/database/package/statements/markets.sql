-- name: market_stall
INSERT INTO stalls (region, number, stall, price, lease) VALUES (:region, :number, :stall, :price, :lease)
ON CONFLICT DO UPDATE SET price = excluded.price, lease = excluded.lease;
