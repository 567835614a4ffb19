-- One row for each time a deed took effect. On purpose without a key: twice must be seen, not merged.
CREATE TABLE deed_effects (
    deed TEXT NOT NULL,
    job  INTEGER NOT NULL,
    at   REAL NOT NULL
) STRICT;
