-- The queue and what belongs to it. All moments are wall seconds (UTC); priority 0 urgent, 1 normal, 2 background.

-- state: scheduled, available, executing, retryable, completed, cancelled, discarded.
-- attempt: attempts spent. lease: of the last claim, 0 = none or taken away. again: JSON of the job that was
-- asked for while this one was executing; again_id: the job made of it. suspect: runs alone on its replica.
-- crashes: of its replica while alone. finished_at is set exactly in the three last states.
CREATE TABLE jobs (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    kind TEXT NOT NULL,
    entity TEXT NOT NULL,
    args TEXT NOT NULL DEFAULT '{}',
    priority INTEGER NOT NULL CHECK (priority BETWEEN 0 AND 2),
    state TEXT NOT NULL,
    run_at REAL NOT NULL,
    attempt INTEGER NOT NULL DEFAULT 0,
    crashes INTEGER NOT NULL DEFAULT 0,
    suspect INTEGER NOT NULL DEFAULT 0,
    merged INTEGER NOT NULL DEFAULT 0,
    max_age_s REAL,
    deadline_at REAL,
    provenance TEXT NOT NULL DEFAULT '',
    lease INTEGER NOT NULL DEFAULT 0,
    replica TEXT,
    again TEXT,
    again_id INTEGER,
    outcome TEXT,
    note TEXT NOT NULL DEFAULT '',
    error TEXT NOT NULL DEFAULT '',
    requests INTEGER NOT NULL DEFAULT 0,
    created_at REAL NOT NULL,
    started_at REAL,
    finished_at REAL
) STRICT;

-- Dedup: one unfinished job per (kind, entity).
CREATE UNIQUE INDEX jobs_unfinished ON jobs (kind, entity)
    WHERE state IN ('scheduled', 'available', 'executing', 'retryable');
-- Exactly the order of a claim, and only what can be claimed.
CREATE INDEX jobs_claimable ON jobs (kind, suspect, priority, run_at, id) WHERE state = 'available';
CREATE INDEX jobs_due ON jobs (run_at) WHERE state IN ('scheduled', 'retryable');
CREATE INDEX jobs_executing ON jobs (replica) WHERE state = 'executing';
CREATE INDEX jobs_finished ON jobs (state, finished_at) WHERE finished_at IS NOT NULL;
CREATE INDEX jobs_deadline ON jobs (deadline_at) WHERE deadline_at IS NOT NULL AND finished_at IS NULL;

-- How many jobs stand where; kept by the triggers below, because counting 100,000 rows per refresh is not free.
CREATE TABLE job_counts (
    kind TEXT NOT NULL,
    state TEXT NOT NULL,
    priority INTEGER NOT NULL,
    n INTEGER NOT NULL,
    PRIMARY KEY (kind, state, priority)
) STRICT, WITHOUT ROWID;

CREATE TRIGGER jobs_inserted AFTER INSERT ON jobs BEGIN
    INSERT INTO job_counts (kind, state, priority, n) VALUES (new.kind, new.state, new.priority, 1)
        ON CONFLICT DO UPDATE SET n = n + 1;
END;

CREATE TRIGGER jobs_moved AFTER UPDATE OF state, priority ON jobs
WHEN old.state <> new.state OR old.priority <> new.priority BEGIN
    UPDATE job_counts SET n = n - 1 WHERE kind = old.kind AND state = old.state AND priority = old.priority;
    INSERT INTO job_counts (kind, state, priority, n) VALUES (new.kind, new.state, new.priority, 1)
        ON CONFLICT DO UPDATE SET n = n + 1;
END;

CREATE TRIGGER jobs_deleted AFTER DELETE ON jobs BEGIN
    UPDATE job_counts SET n = n - 1 WHERE kind = old.kind AND state = old.state AND priority = old.priority;
END;

-- Jobs announced in bulk. state: open (still growing), accepted (moved into jobs in turns), aborted (deleted
-- in turns). lease: of the executing job that stages, NULL = a person's. staged: rows written, moved: rows taken.
CREATE TABLE batches (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    lease INTEGER UNIQUE,
    state TEXT NOT NULL DEFAULT 'open',
    staged INTEGER NOT NULL DEFAULT 0,
    moved INTEGER NOT NULL DEFAULT 0,
    touched_at REAL NOT NULL
) STRICT;

CREATE TABLE staged_jobs (
    batch INTEGER NOT NULL,
    n INTEGER NOT NULL,
    kind TEXT NOT NULL,
    entity TEXT NOT NULL,
    args TEXT NOT NULL,
    priority INTEGER NOT NULL,
    run_at REAL,
    max_age_s REAL,
    deadline_at REAL,
    provenance TEXT NOT NULL,
    PRIMARY KEY (batch, n)
) STRICT, WITHOUT ROWID;

-- One row per slot of a schedule that has fired, written together with its job. job NULL = the slot that was
-- already past when the schedule was first seen.
CREATE TABLE schedules (
    name TEXT NOT NULL,
    slot REAL NOT NULL,
    job INTEGER,
    fired_at REAL NOT NULL,
    PRIMARY KEY (name, slot)
) STRICT, WITHOUT ROWID;

-- The last bodies with a shape that nobody knew, for whoever repairs the parser.
CREATE TABLE unparsed_bodies (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    endpoint TEXT NOT NULL,
    worker TEXT NOT NULL,
    entity TEXT NOT NULL,
    job INTEGER NOT NULL,
    error TEXT NOT NULL,
    body BLOB NOT NULL,
    at REAL NOT NULL
) STRICT;
CREATE INDEX unparsed_bodies_by_endpoint ON unparsed_bodies (endpoint, id);

-- The engine's own memory: name "lease" = leases handed out in reserved blocks; "supervisor" = whose leases they are.
CREATE TABLE engine (name TEXT PRIMARY KEY, value) WITHOUT ROWID;
