-- A job's path. The list of unfinished states stands literally in each statement, as in the index: SQLite uses a
-- partial index only where the query's term is the index's own.

-- name: enqueue
-- A duplicate joins the unfinished job: most urgent priority, earliest run_at, youngest max_age, latest deadline.
-- A job that has run before and waits (backoff, snooze) is hurried by an urgent newcomer only. While executing
-- nothing of the job changes; what was asked is remembered in `again`. A duplicate that asks for nothing more writes
-- nothing (and returns no row): a guild's roster is hundreds of those.
-- rows: JSON array of [kind, entity, args, priority, run_at, max_age_s, deadline_at, provenance]; one statement for
-- all of them costs half of one for each.
INSERT INTO jobs (kind, entity, args, priority, state, run_at, max_age_s, deadline_at, provenance, created_at)
SELECT value ->> 0, value ->> 1, value ->> 2, value ->> 3, iif(value ->> 4 > :now, 'scheduled', 'available'),
       max(coalesce(value ->> 4, :now), :now), value ->> 5, value ->> 6, value ->> 7, :now
FROM json_each(:rows) WHERE true
ON CONFLICT (kind, entity) WHERE state IN ('scheduled', 'available', 'executing', 'retryable') DO UPDATE SET
    merged = merged + 1,
    args = iif(state = 'executing' OR excluded.args = '{}', args, json_patch(args, excluded.args)),
    priority = iif(state = 'executing', priority, min(priority, excluded.priority)),
    run_at = iif(state = 'executing' OR (state <> 'available' AND lease > 0 AND excluded.priority > 0),
                 run_at, min(run_at, excluded.run_at)),
    state = iif(state IN ('scheduled', 'retryable') AND (lease = 0 OR excluded.priority = 0)
                AND excluded.run_at <= :now, 'available', state),
    max_age_s = iif(state = 'executing', max_age_s,
                    coalesce(min(max_age_s, excluded.max_age_s), max_age_s, excluded.max_age_s)),
    deadline_at = iif(state = 'executing', deadline_at, max(deadline_at, excluded.deadline_at)),
    provenance = iif(state <> 'executing' AND excluded.priority < priority, excluded.provenance, provenance),
    again = iif(state <> 'executing', again, json_object(
        'args', json_patch(coalesce(again -> 'args', '{}'), excluded.args),
        'priority', min(coalesce(again ->> 'priority', excluded.priority), excluded.priority),
        'run_at', min(coalesce(again ->> 'run_at', excluded.run_at), excluded.run_at),
        'max_age_s', coalesce(min(again ->> 'max_age_s', excluded.max_age_s), again ->> 'max_age_s', excluded.max_age_s),
        'deadline_at', iif(again IS NULL, excluded.deadline_at, max(again ->> 'deadline_at', excluded.deadline_at)),
        'provenance', excluded.provenance))
WHERE state = 'executing' OR excluded.priority < priority OR excluded.run_at < run_at OR excluded.args <> '{}'
    OR coalesce(excluded.max_age_s < max_age_s, excluded.max_age_s IS NOT NULL AND max_age_s IS NULL)
    OR coalesce(excluded.deadline_at > deadline_at, deadline_at IS NOT NULL AND excluded.deadline_at IS NULL)
RETURNING id, state, merged;

-- name: unfinished
SELECT id, state FROM jobs
WHERE kind = :kind AND entity = :entity AND state IN ('scheduled', 'available', 'executing', 'retryable');

-- name: claim
-- replicas: JSON array of the replica of each job that is wanted; the most urgent job goes to the first of them.
-- One statement for all of them costs a third of one for each.
UPDATE jobs SET
    state = 'executing', lease = :first_lease + next.place, replica = :replicas ->> next.place, started_at = :now
FROM (
    SELECT id, row_number() OVER (ORDER BY priority, run_at, id) - 1 AS place
    FROM (
        SELECT id, priority, run_at FROM jobs
        WHERE kind = :worker AND suspect = :suspect AND state = 'available'
            AND (deadline_at IS NULL OR deadline_at > :now)
        ORDER BY priority, run_at, id LIMIT json_array_length(:replicas))) AS next
WHERE jobs.id = next.id
RETURNING lease, id, entity, args, priority, attempt, max_age_s, deadline_at, provenance;

-- name: held_by_replica
SELECT id, lease, suspect, crashes, kind, entity FROM jobs WHERE state = 'executing' AND replica = :replica;

-- name: replicas_of_suspects
SELECT DISTINCT replica FROM jobs WHERE state = 'executing' AND suspect = 1;

-- name: suspect_waits
SELECT 1 FROM jobs WHERE kind = :worker AND suspect = 1 AND state = 'available' LIMIT 1;

-- name: look_at_lease
SELECT state, lease, attempt, kind, entity, replica FROM jobs WHERE id = :job;

-- name: finish
UPDATE jobs SET state = :state, outcome = :outcome, note = :note, error = :error, attempt = :attempt,
    run_at = coalesce(:run_at, run_at), requests = requests + :requests, suspect = 0, replica = NULL,
    finished_at = :finished_at
WHERE id = :job
RETURNING again IS NOT NULL;

-- name: complete
-- `finish` for many jobs that are completed and bring nothing: done is a JSON array of [job, lease, outcome, note,
-- requests, replica]. A job that its lease does not hold any more is left as it is, and returns no row.
UPDATE jobs SET state = 'completed', outcome = done.value ->> 2, note = done.value ->> 3, error = '',
    requests = requests + (done.value ->> 4), suspect = 0, replica = NULL, finished_at = :now
FROM json_each(:done) AS done
WHERE jobs.id = done.value ->> 0 AND jobs.lease = done.value ->> 1 AND jobs.state = 'executing'
    AND jobs.replica = done.value ->> 5
RETURNING id, lease, again IS NOT NULL;

-- name: give_back
UPDATE jobs SET state = 'available', replica = NULL WHERE id = :job;

-- name: take_away
-- As give_back, but whoever held the lease has lost it.
UPDATE jobs SET state = 'available', replica = NULL, lease = 0, suspect = :suspect, crashes = :crashes, error = :error
WHERE id = :job AND lease = :lease AND state = 'executing';

-- name: discard_poison
UPDATE jobs SET state = 'discarded', replica = NULL, lease = 0, suspect = 1, crashes = :crashes, outcome = 'poison',
    error = :error, finished_at = :now
WHERE id = :job;

-- name: fold_again
-- The job itself will run once more, which is what the duplicate wanted. As in `enqueue`, only an urgent one cuts its
-- backoff or snooze short.
UPDATE jobs SET
    args = json_patch(args, again -> 'args'),
    priority = min(priority, again ->> 'priority'),
    run_at = iif(state IN ('scheduled', 'retryable') AND again ->> 'priority' > 0,
                 run_at, min(run_at, again ->> 'run_at')),
    max_age_s = coalesce(min(max_age_s, again ->> 'max_age_s'), max_age_s, again ->> 'max_age_s'),
    deadline_at = max(deadline_at, again ->> 'deadline_at'),
    again = NULL
WHERE id = :job AND again IS NOT NULL;

-- name: spawn_again
INSERT INTO jobs (kind, entity, args, priority, state, run_at, max_age_s, deadline_at, provenance, created_at)
SELECT kind, entity, again -> 'args', again ->> 'priority',
    iif(again ->> 'run_at' > :now, 'scheduled', 'available'), again ->> 'run_at', again ->> 'max_age_s',
    again ->> 'deadline_at', again ->> 'provenance', :now
FROM jobs WHERE id = :job AND again IS NOT NULL
RETURNING id;

-- name: link_again
UPDATE jobs SET again_id = :again_id, again = NULL WHERE id = :job;

-- name: keep_unparsed
INSERT INTO unparsed_bodies (endpoint, worker, entity, job, error, body, at)
VALUES (:endpoint, :worker, :entity, :job, :error, :body, :now);

-- name: drop_older_unparsed
DELETE FROM unparsed_bodies WHERE endpoint = :endpoint AND id NOT IN (
    SELECT id FROM unparsed_bodies WHERE endpoint = :endpoint ORDER BY id DESC LIMIT :keep);

-- name: all_executing
SELECT replica, id, lease FROM jobs WHERE state = 'executing';

-- name: engine_get
SELECT value FROM engine WHERE name = :name;

-- name: engine_set
INSERT INTO engine (name, value) VALUES (:name, :value) ON CONFLICT DO UPDATE SET value = excluded.value;
