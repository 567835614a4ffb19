-- One row per auction, kept while it is offered and for [retention] auctions after that.
--
-- realm: a connected realm's number, or 'commodities'. first_snapshot, last_snapshot: the first and
-- the last reading of the house that showed it (an auction that was away comes back with a new
-- first_snapshot). It is offered now when the house's latest published snapshot (auction_snapshots in
-- gatherer.db) lies between the two. What a seller or bidder can change (quantity, bid, time left) is
-- as last read, and so may be one reading ahead while a new one is being stored.
--
-- Prices are copper. unit_price: per unit (commodities); buyout, bid: for the whole offer.
-- time_left: 1 SHORT, 2 MEDIUM, 3 LONG, 4 VERY_LONG, 0 a word we do not know. bonus_lists: JSON [int].
-- modifiers: JSON [[type, value], …]. pet: JSON {"species", "breed", "level", "quality"} of item 82800.
--
-- Clustered on its key, and no further index: a load writes neighbouring rows and nothing else.
CREATE TABLE auctions (
    region         TEXT NOT NULL,
    realm          INTEGER NOT NULL,
    auction_id     INTEGER NOT NULL,
    item_id        INTEGER NOT NULL,
    quantity       INTEGER NOT NULL,
    time_left      INTEGER NOT NULL,
    unit_price     INTEGER,
    buyout         INTEGER,
    bid            INTEGER,
    context        INTEGER,
    bonus_lists    TEXT,
    modifiers      TEXT,
    pet            TEXT,
    first_snapshot INTEGER NOT NULL,
    last_snapshot  INTEGER NOT NULL,
    PRIMARY KEY (region, realm, auction_id)
) WITHOUT ROWID;
