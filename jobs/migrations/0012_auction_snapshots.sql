-- One row per published reading of an auction house: the row that makes its auctions visible.
--
-- realm: a connected realm's number, or 'commodities' (the region's own house). snapshot: the body's
-- Last-Modified as seconds since 1970. The newest row of a house is its latest complete snapshot S:
--   auctions now   first_snapshot <= S AND last_snapshot >= S         (market.auctions)
--   prices now     the row with the greatest snapshot <= S per item   (item_prices)
-- checked_at: the API last said that nothing is newer. doubted_at: since then it serves a body too
-- small to believe (jobs/houses.py); NULL again with the next believable answer.
CREATE TABLE auction_snapshots (
    region        TEXT NOT NULL,
    realm         INTEGER NOT NULL,
    snapshot      INTEGER NOT NULL,
    last_modified TEXT NOT NULL,
    sha256        TEXT NOT NULL,
    auctions      INTEGER NOT NULL,
    items         INTEGER NOT NULL,
    body_bytes    INTEGER NOT NULL,
    published_at  REAL NOT NULL,
    checked_at    REAL NOT NULL,
    doubted_at    REAL,
    PRIMARY KEY (region, realm, snapshot)
) WITHOUT ROWID;
