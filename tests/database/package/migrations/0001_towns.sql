CREATE TABLE towns (
    region TEXT NOT NULL, town TEXT NOT NULL, weather TEXT, seen_at REAL, success_at REAL,
    PRIMARY KEY (region, town)) WITHOUT ROWID;
CREATE TABLE town_events (town TEXT NOT NULL, what TEXT NOT NULL, at REAL NOT NULL, UNIQUE (town, what, at));
