-- What a character wears and achieves. Lists are JSON as written by jobs/profile_rows.py.
-- success_at: moment of the oldest part, 0 = a part was never read; kept by the statements for freshness.
CREATE TABLE profiles (
    region        TEXT NOT NULL,
    realm         TEXT NOT NULL,
    name          TEXT NOT NULL,
    item_level    REAL,                     -- mean over the equipped slots, as the game counts
    spec_id       INTEGER,
    spec_role     TEXT,                     -- tank, healer, damage: of the active specialization
    played_role   TEXT,                     -- the one of most of the best keystone runs of this week
    main_role     TEXT GENERATED ALWAYS AS (coalesce(played_role, spec_role)) VIRTUAL,
    rating        REAL,                     -- mythic keystone rating of the current season
    best_runs     TEXT,                     -- [{"dungeon", "level", "in_time", "role"}]
    raid_progress TEXT,                     -- "Uldir 8/8 N 5/8 H": the newest raid
    raids         TEXT,                     -- [{"id", "name", "modes": {"HEROIC": [5, 8]}}]
    professions   TEXT,                     -- [{"id", "name", "tiers": [{"id", "name", "points", "max"}]}]
    gone_since    REAL,
    absent_at     REAL,                     -- last denial by the API
    last_attempt_at REAL NOT NULL,
    equipment_success_at       REAL NOT NULL DEFAULT 0,
    specializations_success_at REAL NOT NULL DEFAULT 0,
    keystones_success_at       REAL NOT NULL DEFAULT 0,
    raids_success_at           REAL NOT NULL DEFAULT 0,
    professions_success_at     REAL NOT NULL DEFAULT 0,
    success_at    REAL GENERATED ALWAYS AS (min(equipment_success_at, specializations_success_at,
        keystones_success_at, raids_success_at, professions_success_at)) VIRTUAL,
    PRIMARY KEY (region, realm, name)
) WITHOUT ROWID;

CREATE INDEX profiles_by_success ON profiles (success_at);
