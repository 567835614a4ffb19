-- What an item cost in a house, one row per change: a row holds from its snapshot until the item's
-- next row. Rows of a snapshot that is not published (yet) are newer than the newest row of
-- auction_snapshots and count for nothing.
--
-- Prices are copper per unit. min_price: the cheapest. market_price: of the unit that stands at a
-- quarter of all units, cheapest first, so that neither one bargain nor the dreamers move it; both
-- NULL when there are only bids. quantity: units, auctions: offers; 0 = no longer on sale.
CREATE TABLE item_prices (
    region       TEXT NOT NULL,
    realm        INTEGER NOT NULL,
    item_id      INTEGER NOT NULL,
    snapshot     INTEGER NOT NULL,
    min_price    INTEGER,
    market_price INTEGER,
    quantity     INTEGER NOT NULL,
    auctions     INTEGER NOT NULL,
    PRIMARY KEY (region, realm, item_id, snapshot)
) WITHOUT ROWID;
