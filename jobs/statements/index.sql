-- Worker `index`. Parameters that always exist here: :of ("auctions", "realms.us"), :now.

-- name: index_context
-- houses: JSON array [[region, house, latest snapshot or 0], …] of all auction houses we know of.
-- position: where this sweep goes on.
WITH house AS (
    SELECT DISTINCT region, connected_realm_id AS realm FROM realms WHERE gone_since IS NULL
    UNION
    SELECT DISTINCT region, 'commodities' FROM realms WHERE gone_since IS NULL
)
SELECT
    (
        SELECT json_group_array(
            json_array(
                region,
                CAST(realm AS TEXT),
                coalesce(
                    (
                        SELECT max(s.snapshot)
                        FROM auction_snapshots AS s
                        WHERE s.region = house.region AND s.realm = house.realm
                    ),
                    0
                )
            )
        )
        FROM house
    ) AS houses,
    (SELECT position FROM index_positions WHERE name = :of) AS position;

-- name: index_position
INSERT INTO index_positions (name, position)
VALUES (:of, :position)
ON CONFLICT (name) DO UPDATE SET position = excluded.position;
