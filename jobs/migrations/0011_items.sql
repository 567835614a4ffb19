-- One row per item that was read, asked for, or seen in an auction house.
--
-- An item is the same in all regions, so its number alone is the key; region is where it was read
-- last (or seen first). A row is one of
--   bare       last_attempt_at 0: seen in an auction house, never asked for
--   read       item_success_at set, gone_since NULL
--   gone       gone_since set: the API denied it at last_attempt_at; what was read before is kept
-- names: JSON object {locale: name}; name: the English one. Prices are copper. icon: its file's
-- name, which is the same on every render host. wanted_at: last proposed as a follow-up.
CREATE TABLE items (
    id               INTEGER PRIMARY KEY,
    region           TEXT NOT NULL,
    name             TEXT,
    names            TEXT,
    quality          TEXT,
    class_id         INTEGER,
    class            TEXT,
    subclass_id      INTEGER,
    subclass         TEXT,
    inventory_type   TEXT,
    level            INTEGER,
    required_level   INTEGER,
    purchase_price   INTEGER,
    sell_price       INTEGER,
    is_equippable    INTEGER,
    is_stackable     INTEGER,
    icon             TEXT,
    icon_url         TEXT,
    seen_at          REAL NOT NULL,
    wanted_at        REAL,
    last_attempt_at  REAL NOT NULL DEFAULT 0,
    item_success_at  REAL,
    media_success_at REAL,
    gone_since       REAL
);

CREATE INDEX items_by_attempt ON items (last_attempt_at);
CREATE INDEX items_unknown ON items (wanted_at) WHERE last_attempt_at = 0;
