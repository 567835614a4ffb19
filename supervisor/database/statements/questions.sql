-- What people change by hand, one job a run.

-- name: retry_by_hand
-- A job whose entity waits in another job stays as it is. What crashed its replica still runs alone first.
UPDATE OR IGNORE jobs SET state = 'available', run_at = :now, attempt = 0, suspect = crashes > 0, crashes = 0,
    outcome = NULL, deadline_at = NULL, finished_at = NULL, again_id = NULL
WHERE id = :job AND state IN ('scheduled', 'retryable', 'completed', 'cancelled', 'discarded');

-- name: discard_by_hand
UPDATE jobs SET state = 'discarded', outcome = 'discard', error = 'discarded by hand', finished_at = :now
WHERE id = :job AND state IN ('scheduled', 'available', 'retryable');
