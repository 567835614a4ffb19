-- What background loops do, each turn ≤ 500 rows.

-- name: counts
SELECT kind, state, priority, n FROM job_counts WHERE n > 0;

-- name: next_due
SELECT run_at FROM jobs WHERE state IN ('scheduled', 'retryable') ORDER BY run_at LIMIT 1;

-- name: promote
UPDATE jobs SET state = 'available' WHERE id IN (
    SELECT id FROM jobs WHERE state IN ('scheduled', 'retryable') AND run_at <= :now ORDER BY run_at LIMIT :limit);

-- name: expire
UPDATE jobs SET state = 'discarded', outcome = 'discard', error = 'deadline passed', finished_at = :now WHERE id IN (
    SELECT id FROM jobs WHERE deadline_at <= :now AND finished_at IS NULL
    AND state IN ('scheduled', 'available', 'retryable') ORDER BY deadline_at LIMIT :limit);

-- name: oldest_waiting
SELECT run_at FROM jobs WHERE kind = :worker AND suspect = :suspect AND priority = :priority AND state = 'available'
ORDER BY run_at LIMIT 1;

-- name: jobs_completed_retention
DELETE FROM jobs WHERE id IN (
    SELECT id FROM jobs WHERE state = 'completed' AND finished_at < :before ORDER BY finished_at LIMIT 500);

-- name: jobs_discarded_retention
DELETE FROM jobs WHERE id IN (
    SELECT id FROM jobs WHERE state IN ('discarded', 'cancelled') AND finished_at < :before ORDER BY finished_at LIMIT 500);

-- name: last_slot
-- A slot later than :believed was written while the wall clock was wrong; it must not silence the schedule until then.
SELECT max(slot) FROM schedules WHERE name = :name AND slot <= :believed;

-- name: record_slot
INSERT INTO schedules (name, slot, job, fired_at) VALUES (:name, :slot, :job, :now);

-- name: forget_slots
-- Nothing later than the slot just written is believed any more.
DELETE FROM schedules WHERE name = :name AND (slot < :before OR slot > :slot);

-- name: batch_open
INSERT INTO batches (lease, touched_at) VALUES (:lease, :now) RETURNING id;

-- name: batch_of_lease
SELECT id FROM batches WHERE lease = :lease AND state = 'open';

-- name: batch_look
SELECT state, staged, moved FROM batches WHERE id = :batch;

-- name: batch_grow
UPDATE batches SET staged = staged + :n, touched_at = :now WHERE id = :batch;

-- name: batch_close
UPDATE batches SET state = :state WHERE id = :batch AND state = 'open';

-- name: batches_abort_idle
UPDATE batches SET state = 'aborted' WHERE state = 'open' AND lease IS NULL AND touched_at < :before;

-- name: batches_abort_strays
UPDATE batches SET state = 'aborted' WHERE state = 'open'
    AND (lease IS NULL OR lease NOT IN (SELECT lease FROM jobs WHERE state = 'executing'));

-- name: batch_abort_of_lease
UPDATE batches SET state = 'aborted' WHERE lease = :lease AND state = 'open';

-- name: batch_accept_of_lease
UPDATE batches SET state = 'accepted' WHERE lease = :lease AND state = 'open';

-- name: batches_accept_of_leases
UPDATE batches SET state = 'accepted' WHERE state = 'open' AND lease IN (SELECT value FROM json_each(:leases));

-- name: stage
-- Rows at and above `staged` are of a call that failed half-way; the next one writes over them.
INSERT OR REPLACE INTO staged_jobs (batch, n, kind, entity, args, priority, run_at, max_age_s, deadline_at, provenance)
VALUES (:batch, :n, :kind, :entity, :args, :priority, :run_at, :max_age_s, :deadline_at, :provenance);

-- name: batch_to_move
SELECT id, staged FROM batches WHERE state = 'accepted' ORDER BY id LIMIT 1;

-- name: batch_to_delete
SELECT id FROM batches WHERE state = 'aborted' ORDER BY id LIMIT 1;

-- name: staged_first
SELECT n, kind, entity, args, priority, run_at, max_age_s, deadline_at, provenance FROM staged_jobs
WHERE batch = :batch AND n < :end ORDER BY n LIMIT :limit;

-- name: staged_delete
DELETE FROM staged_jobs WHERE batch = :batch AND n <= :n;

-- name: batch_moved
UPDATE batches SET moved = moved + :n WHERE id = :batch;

-- name: batch_done
-- What is left of it, if anything, was never accepted.
UPDATE batches SET state = 'aborted', lease = NULL WHERE id = :batch;

-- name: batch_delete
DELETE FROM batches WHERE id = :batch;
