-- One row per character that we know, or know to be absent.
--
-- A row is one of
--   living     summary_success_at set, gone_since NULL: what readers may show
--   hidden     summary_success_at set, gone_since set: the API denied it once; shown to nobody, kept
--              until the denial is confirmed at least 48 h later
--   tombstone  summary_success_at NULL, gone_since set, no data: spares a dead name its next request
--
-- Moments (…_at, …_since) are wall seconds, UTC. <part>_success_at: when the part was last read.
-- <part>_login_at: the last_login_at that the part was read under; a part whose value differs from
-- last_login_at is due, because characters change when they log out.
-- Fingerprints: equal = same account (jobs/fingerprints.py).
CREATE TABLE characters (
    region             TEXT NOT NULL,
    realm              TEXT NOT NULL,
    name               TEXT NOT NULL,
    id                 INTEGER,
    display_name       TEXT,
    gender             TEXT,
    faction            TEXT,
    race_id            INTEGER,
    race               TEXT,
    class_id           INTEGER,
    class              TEXT,
    spec_id            INTEGER,
    spec               TEXT,
    guild_id           INTEGER,
    guild              TEXT,                -- entity, "eu/stormrage/avalerion"
    guild_name         TEXT,
    level              INTEGER,
    achievement_points INTEGER,
    average_item_level INTEGER,
    equipped_item_level INTEGER,
    last_login_at      REAL,
    pets_count         INTEGER,
    pets_fingerprint   TEXT,
    mounts_count       INTEGER,
    mounts_fingerprint TEXT,
    avatar_url         TEXT,
    inset_url          TEXT,
    main_url           TEXT,
    gone_since         REAL,
    absent_at          REAL,                -- last denial by the API
    renamed_to         TEXT,                -- set only inside one transaction, while a rename is merged
    last_attempt_at    REAL NOT NULL,
    status_success_at  REAL,
    summary_success_at REAL,
    pets_success_at    REAL,
    mounts_success_at  REAL,
    media_success_at   REAL,
    pets_login_at      REAL,
    mounts_login_at    REAL,
    media_login_at     REAL,
    PRIMARY KEY (region, realm, name)
);

CREATE INDEX characters_by_id ON characters (region, id) WHERE id IS NOT NULL;
CREATE INDEX characters_by_login ON characters (last_login_at, summary_success_at) WHERE summary_success_at IS NOT NULL;
CREATE INDEX characters_by_pets ON characters (pets_fingerprint) WHERE pets_fingerprint IS NOT NULL;
CREATE INDEX characters_by_mounts ON characters (mounts_fingerprint) WHERE mounts_fingerprint IS NOT NULL;
CREATE INDEX characters_tombstones ON characters (absent_at) WHERE summary_success_at IS NULL;
