-- Guilds, in the same three states as characters, and who is in them.
--
-- roster_success_at: when a whole roster was last accepted; until then there is no history.
-- changed_at: when a roster last differed from the one before; the "seen" of freshness tiers.
CREATE TABLE guilds (
    region             TEXT NOT NULL,
    realm              TEXT NOT NULL,
    name               TEXT NOT NULL,       -- slug, as in the entity
    id                 INTEGER,
    display_name       TEXT,
    faction            TEXT,
    achievement_points INTEGER,
    member_count       INTEGER,             -- as the guild says; the roster may lag behind
    created_at         REAL,
    gone_since         REAL,
    absent_at          REAL,                -- last denial by the API
    renamed_to         TEXT,                -- set only inside one transaction, while a rename is merged
    changed_at         REAL,
    last_attempt_at    REAL NOT NULL,
    summary_success_at REAL,
    roster_success_at  REAL,
    PRIMARY KEY (region, realm, name)
);

CREATE INDEX guilds_by_id ON guilds (region, id) WHERE id IS NOT NULL;
CREATE INDEX guilds_by_change ON guilds (changed_at, summary_success_at) WHERE summary_success_at IS NOT NULL;

-- member_realm, member_name: the member's own entity, often of another realm than the guild's.
-- A member is (member_realm, member_id): numbers are unique on a realm only, names change.
-- rank: 0 = master.
CREATE TABLE guild_members (
    region       TEXT NOT NULL,
    realm        TEXT NOT NULL,
    name         TEXT NOT NULL,
    member_realm TEXT NOT NULL,
    member_id    INTEGER NOT NULL,
    member_name  TEXT NOT NULL,
    level        INTEGER,
    class_id     INTEGER,
    race_id      INTEGER,
    rank         INTEGER NOT NULL,
    joined_at    REAL NOT NULL,             -- first seen in this guild
    PRIMARY KEY (region, realm, name, member_realm, member_id)
) WITHOUT ROWID;

CREATE INDEX guild_members_by_character ON guild_members (region, member_realm, member_name);
