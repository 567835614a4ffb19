-- What is deleted when it is old. A turn looks at a stretch of all houses laid end to end (:turn walks
-- on and begins again), so that it reads some 100,000 neighbouring rows at most, whatever it finds
-- (10 to 18 ms, measured). A house's ends move as rows go: what one round misses the next one finds.
-- A house that was not checked since :before is old as a whole: what it shows is no longer known.

-- name: auctions_retention
-- Offered now = still in the newest snapshot, however long the house has stood still.
WITH house AS (
    SELECT region, realm, max(snapshot) AS snapshot, checked_at, auctions + 1 AS size
    FROM auction_snapshots
    GROUP BY region, realm
),
laid AS (
    SELECT
        *,
        sum(size) OVER (ORDER BY region, realm) - size AS start,
        :turn % (sum(size) OVER () / 40000 + 1) * 40000 AS here
    FROM house
),
picked AS (
    SELECT
        *,
        max(here - start, 0) AS first,
        min(here + 40000 - start, size) AS last,
        (SELECT min(auction_id) FROM market.auctions AS a WHERE a.region = laid.region AND a.realm = laid.realm) AS low,
        (SELECT max(auction_id) FROM market.auctions AS a WHERE a.region = laid.region AND a.realm = laid.realm) AS high
    FROM laid
    WHERE start < here + 40000 AND start + size > here
)
DELETE FROM market.auctions
WHERE (region, realm, auction_id) IN (
    SELECT old.region, old.realm, old.auction_id
    FROM picked
    CROSS JOIN market.auctions AS old ON old.region = picked.region AND old.realm = picked.realm
        AND old.auction_id >= low + (high - low + 1) * first / size
        AND old.auction_id < low + (high - low + 1) * last / size
    WHERE old.last_snapshot < :before
        AND (old.last_snapshot < picked.snapshot OR picked.checked_at < :before)
    LIMIT 500
);

-- name: item_prices_retention
-- The row that held at :before stays. Oldest first within an item, so that a cut at the limit never
-- leaves an older price without the row that ended it.
WITH house AS (
    SELECT region, realm, max(snapshot) AS snapshot, checked_at, items + 1 AS size
    FROM auction_snapshots
    GROUP BY region, realm
),
laid AS (
    SELECT
        *,
        sum(size) OVER (ORDER BY region, realm) - size AS start,
        :turn % (sum(size) OVER () / 5000 + 1) * 5000 AS here
    FROM house
),
picked AS (
    SELECT
        *,
        max(here - start, 0) AS first,
        min(here + 5000 - start, size) AS last,
        (SELECT min(item_id) FROM item_prices AS p WHERE p.region = laid.region AND p.realm = laid.realm) AS low,
        (SELECT max(item_id) FROM item_prices AS p WHERE p.region = laid.region AND p.realm = laid.realm) AS high
    FROM laid
    WHERE start < here + 5000 AND start + size > here
)
DELETE FROM item_prices
WHERE (region, realm, item_id, snapshot) IN (
    SELECT old.region, old.realm, old.item_id, old.snapshot
    FROM picked
    CROSS JOIN item_prices AS old ON old.region = picked.region AND old.realm = picked.realm
        AND old.item_id >= low + (high - low + 1) * first / size
        AND old.item_id < low + (high - low + 1) * last / size
    WHERE old.snapshot < :before
        AND (
            picked.checked_at < :before
            OR old.auctions = 0
            OR EXISTS (
                SELECT 1
                FROM item_prices AS newer
                WHERE newer.region = old.region AND newer.realm = old.realm AND newer.item_id = old.item_id
                    AND newer.snapshot > old.snapshot AND newer.snapshot <= min(:before, picked.snapshot)
            )
        )
    ORDER BY old.region, old.realm, old.item_id, old.snapshot
    LIMIT 500
);

-- name: auction_snapshots_retention
-- The newest row of a house stays until nothing hangs on it.
DELETE FROM auction_snapshots
WHERE (region, realm, snapshot) IN (
    SELECT region, realm, snapshot
    FROM auction_snapshots AS old
    WHERE snapshot < :before
        AND (
            EXISTS (
                SELECT 1
                FROM auction_snapshots AS newer
                WHERE newer.region = old.region AND newer.realm = old.realm AND newer.snapshot > old.snapshot
            )
            OR (
                checked_at < :before
                AND NOT EXISTS (
                    SELECT 1 FROM market.auctions AS a WHERE a.region = old.region AND a.realm = old.realm
                )
                AND NOT EXISTS (
                    SELECT 1 FROM item_prices AS p WHERE p.region = old.region AND p.realm = old.realm
                )
            )
        )
    LIMIT 500
);
