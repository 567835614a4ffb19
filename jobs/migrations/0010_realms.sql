-- One row per realm that the connected-realm bodies name, by the API's own number.
--
-- slug is the API's, never derived. names: JSON object {locale: name}, English in `name` when there is
-- any. seen_at: wall seconds of the last body that named it; gone_since: missing from a whole index.
CREATE TABLE realms (
    region             TEXT NOT NULL,
    id                 INTEGER NOT NULL,
    slug               TEXT NOT NULL,
    name               TEXT NOT NULL,
    names              TEXT NOT NULL,
    connected_realm_id INTEGER NOT NULL,
    locale             TEXT,
    timezone           TEXT,
    type               TEXT,
    population         TEXT,
    status             TEXT,
    seen_at            REAL NOT NULL,
    gone_since         REAL,
    PRIMARY KEY (region, id)
) WITHOUT ROWID;

CREATE INDEX realms_by_slug ON realms (region, slug);

-- Where each sweep of worker `index` goes on. name: its entity; position: the next item id or realm.
CREATE TABLE index_positions (
    name     TEXT PRIMARY KEY,
    position INTEGER NOT NULL
) WITHOUT ROWID;
