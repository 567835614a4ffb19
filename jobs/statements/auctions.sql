-- Auction houses. Parameters that always exist here: :region, :house ("509" or "commodities"), :now.
-- A reading goes ahead of its finish in chunks (auction_upsert, price_upsert) that no reader sees
-- until auction_publish writes the house's new latest snapshot.

-- name: auctions_context
-- What the house's latest published snapshot was.
SELECT snapshot, last_modified, sha256, auctions, checked_at, doubted_at
FROM auction_snapshots
WHERE region = :region AND realm = :house
ORDER BY snapshot DESC
LIMIT 1;

-- name: auction_upsert
-- :auctions is a JSON array of arrays [auction_id, item_id, quantity, time_left, unit_price, buyout,
-- bid, context, bonus_lists, modifiers, pet], ends left out when null. One parameter for hundreds of
-- rows: half the time of binding each (measured, 100,000 commodities). :published is the latest
-- snapshot that readers see: an auction that was not in it starts anew, or it would show up there.
INSERT INTO market.auctions (
    region, realm, auction_id, item_id, quantity, time_left, unit_price, buyout, bid,
    context, bonus_lists, modifiers, pet, first_snapshot, last_snapshot
)
SELECT
    :region, :house, value ->> 0, value ->> 1, value ->> 2, value ->> 3, value ->> 4, value ->> 5, value ->> 6,
    value ->> 7, value ->> 8, value ->> 9, value ->> 10, :snapshot, :snapshot
FROM json_each(:auctions)
WHERE true
ON CONFLICT (region, realm, auction_id) DO UPDATE SET
    quantity = excluded.quantity,
    time_left = excluded.time_left,
    bid = excluded.bid,
    first_snapshot = iif(last_snapshot < :published, excluded.first_snapshot, first_snapshot),
    last_snapshot = max(last_snapshot, excluded.last_snapshot);

-- name: price_upsert
-- :prices is a JSON array [[item_id, min_price, market_price, quantity, auctions], …] of ALL items on
-- sale with numbers from :first_item to :last_item. Only what differs from the item's newest older row
-- is written; an item that is no longer on sale gets a row of zeros.
INSERT INTO item_prices (region, realm, item_id, snapshot, min_price, market_price, quantity, auctions)
SELECT :region, :house, value ->> 0, :snapshot, value ->> 1, value ->> 2, value ->> 3, value ->> 4
FROM json_each(:prices)
WHERE NOT EXISTS (
    SELECT 1
    FROM (
        SELECT min_price, market_price, quantity, auctions
        FROM item_prices
        WHERE region = :region AND realm = :house AND item_id = json_each.value ->> 0 AND snapshot < :snapshot
        ORDER BY snapshot DESC
        LIMIT 1
    ) AS newest
    WHERE newest.min_price IS json_each.value ->> 1 AND newest.market_price IS json_each.value ->> 2
        AND newest.quantity = json_each.value ->> 3 AND newest.auctions = json_each.value ->> 4
)
ON CONFLICT (region, realm, item_id, snapshot) DO UPDATE SET
    min_price = excluded.min_price,
    market_price = excluded.market_price,
    quantity = excluded.quantity,
    auctions = excluded.auctions;

-- max() makes the bare columns those of each item's newest row.
INSERT INTO item_prices (region, realm, item_id, snapshot, quantity, auctions)
SELECT :region, :house, item_id, :snapshot, 0, 0
FROM (
    SELECT item_id, auctions, max(snapshot)
    FROM item_prices
    WHERE region = :region AND realm = :house AND item_id BETWEEN :first_item AND :last_item AND snapshot < :snapshot
    GROUP BY item_id
)
WHERE auctions > 0 AND item_id NOT IN (SELECT value ->> 0 FROM json_each(:prices))
ON CONFLICT (region, realm, item_id, snapshot) DO NOTHING;

-- An item nobody has read yet becomes known by its number; auctions_follow_ups and items_stale find it.
INSERT INTO items (id, region, seen_at)
SELECT value ->> 0, :region, :now
FROM json_each(:prices)
WHERE NOT EXISTS (SELECT 1 FROM items WHERE id = json_each.value ->> 0)
ON CONFLICT (id) DO NOTHING;

-- name: auction_publish
INSERT INTO auction_snapshots (
    region, realm, snapshot, last_modified, sha256, auctions, items, body_bytes, published_at, checked_at
)
VALUES (:region, :house, :snapshot, :last_modified, :sha256, :auctions, :items, :body_bytes, :now, :now)
ON CONFLICT (region, realm, snapshot) DO UPDATE SET
    last_modified = excluded.last_modified,
    sha256 = excluded.sha256,
    auctions = excluded.auctions,
    items = excluded.items,
    body_bytes = excluded.body_bytes,
    checked_at = excluded.checked_at,
    doubted_at = NULL;

-- name: auction_checked
-- The API has nothing newer than :snapshot. :last_modified is the date to ask with next time (the same
-- content may be served again under a newer one).
UPDATE auction_snapshots
SET checked_at = :now, doubted_at = NULL, last_modified = :last_modified
WHERE region = :region AND realm = :house AND snapshot = :snapshot;

-- name: auction_doubted
UPDATE auction_snapshots
SET doubted_at = coalesce(doubted_at, :now)
WHERE region = :region AND realm = :house AND snapshot = :snapshot;

-- name: auctions_follow_ups
-- Run inside the finish, after its effects: items that nobody has asked for yet become background jobs,
-- a few hundred at a time, each at most once a day until it has been tried.
UPDATE items
SET wanted_at = :now
WHERE id IN (
    SELECT id
    FROM items
    WHERE last_attempt_at = 0 AND (wanted_at IS NULL OR wanted_at < :now - 86400)
    ORDER BY wanted_at
    LIMIT 500
)
RETURNING 'items' AS worker, region || '/' || id AS entity;

-- name: auctions_stale
-- "Seen" is when the house last changed; due when it was last compared with the API before :due_before.
WITH house AS (
    SELECT DISTINCT region, connected_realm_id AS realm FROM realms WHERE gone_since IS NULL
    UNION
    SELECT DISTINCT region, 'commodities' FROM realms WHERE gone_since IS NULL
),
latest AS (
    SELECT region, realm, max(snapshot) AS snapshot, checked_at FROM auction_snapshots GROUP BY region, realm
)
SELECT house.region || '/' || house.realm AS entity
FROM house
LEFT JOIN latest ON latest.region = house.region AND latest.realm = house.realm
WHERE coalesce(latest.checked_at, 0) <= :due_before
    AND coalesce(latest.snapshot, :now) >= :seen_after
    AND coalesce(latest.snapshot, :now) < :seen_before
ORDER BY coalesce(latest.checked_at, 0)
LIMIT :limit;

-- name: auctions_ages
-- A house is known when the realm index names it; fresh when it was last compared with the API.
WITH house AS (
    SELECT DISTINCT region, connected_realm_id AS realm FROM realms WHERE gone_since IS NULL
    UNION
    SELECT DISTINCT region, 'commodities' FROM realms WHERE gone_since IS NULL
)
SELECT
    max(coalesce(s.snapshot, 0)) AS seen_at,
    max(coalesce(s.checked_at, 0)) AS success_at
FROM house
LEFT JOIN auction_snapshots AS s ON s.region = house.region AND s.realm = house.realm
GROUP BY house.region, house.realm;

-- name: auctions_show
SELECT region, realm, snapshot, last_modified, auctions, items, body_bytes, published_at, checked_at, doubted_at
FROM auction_snapshots
WHERE region = :region AND realm = :house
ORDER BY snapshot DESC
LIMIT 24;
