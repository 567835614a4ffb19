CREATE TABLE stalls (
    region TEXT NOT NULL, number INTEGER NOT NULL, stall INTEGER NOT NULL, price INTEGER, lease INTEGER,
    PRIMARY KEY (region, number, stall)) WITHOUT ROWID;
