"""End jobs: lease check → rows → follow-ups → completion, all in one savepoint.

outcome               state        attempt   run_at
done skipped gone     completed
retry                 retryable    + 1       now + after_s, or backoff; budget spent → discarded
snooze                scheduled              now + after_s
unparsed discard      discarded
"""

import sqlite3
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import msgspec

from supervisor.core.errors import UsageError
from supervisor.core.job import Effect, NewJob
from supervisor.core.messages.replica_database import DONE, Finish
from supervisor.database.ahead import refuse_market_rows
from supervisor.database.enqueueing import enqueue_unasked
from supervisor.database.holding import Held, look, must_hold, parameters
from supervisor.database.statements import engine_sql
from supervisor.database.workers import WorkerSpec

UNPARSED_KEPT = 20
BODY_KEPT_BYTES = 64 * 1024
TEXT_KEPT = 2000
COMPLETED = frozenset({"done", "skipped", "gone"})

_FINISH = engine_sql("finish")
_GIVE_BACK = engine_sql("give_back")
_FOLD_AGAIN = engine_sql("fold_again")
_SPAWN_AGAIN = engine_sql("spawn_again")
_LINK_AGAIN = engine_sql("link_again")
_KEEP_UNPARSED = engine_sql("keep_unparsed")
_DROP_UNPARSED = engine_sql("drop_older_unparsed")
_ACCEPT_BATCH = engine_sql("batch_accept_of_lease")
_ACCEPT_BATCHES = engine_sql("batches_accept_of_leases")
_COMPLETE = engine_sql("complete")
_ABORT_BATCH = engine_sql("batch_abort_of_lease")

_encode = msgspec.json.Encoder().encode


@dataclass(frozen=True, slots=True, kw_only=True)
class _Ending:
    state: str
    error: str
    attempt: int
    run_at: float | None = None

    @property
    def is_final(self) -> bool:
        return self.state in ("completed", "discarded")


def finish(
    connection: sqlite3.Connection,
    now: float,
    *,
    message: Finish,
    replica: str,
    spec: WorkerSpec,
    follow_ups: Sequence[Mapping[str, Any]],
    prepare: Callable[[list[NewJob]], list[dict[str, Any]]],
    backoff_s: Callable[[int], float],
) -> str:
    """Apply a Finish; return DONE, ALREADY_DONE or LOST, the last two without any change.

    follow_ups: rows for `enqueue`. prepare: makes such rows of what `<kind>_follow_ups` proposes.
    UsageError: an outcome or a statement that nobody knows, or a statement that writes market.db.
    """
    held = look(connection, message.job, message.lease, replica)
    if isinstance(held, str):
        return held
    ending = _ending(held, message, spec, now, backoff_s)
    if spec.package:
        refuse_market_rows(message.effects, spec.package.market_writers)
    store(connection, now, held=held, spec=spec, effects=message.effects)
    enqueue_unasked(connection, now, [*follow_ups, *_proposed(connection, now, held, spec, prepare)])
    connection.execute(_ACCEPT_BATCH, {"lease": held.lease})
    if message.outcome == "unparsed" and message.body:
        _keep_body(connection, now, held, message)
    _end(connection, now, held, message, ending)
    return DONE


def is_plain(message: Finish, spec: WorkerSpec) -> bool:
    """Tell whether a Finish only completes its job, so that `complete` may do it together with others."""
    return (
        message.outcome in COMPLETED
        and not message.effects
        and not message.follow_ups
        and spec.convention("follow_ups") is None
    )


class Ending(NamedTuple):
    """A plain Finish and the replica that sends it."""

    finish: Finish
    replica: str


def complete(connection: sqlite3.Connection, now: float, endings: Sequence[Ending]) -> list[str]:
    """Apply several plain Finishes in one statement; return DONE, ALREADY_DONE or LOST for each."""
    rows = [
        (each.job, each.lease, each.outcome, each.note[:TEXT_KEPT], each.requests, replica) for each, replica in endings
    ]
    ended = connection.execute(_COMPLETE, {"done": _encode(rows).decode(), "now": now}).fetchall()
    connection.execute(_ACCEPT_BATCHES, {"leases": _encode([lease for _, lease, _ in ended]).decode()})
    for job, _, is_wanted_again in ended:
        if is_wanted_again:
            _spawn_again(connection, now, job)
    leases = {lease for _, lease, _ in ended}
    return [DONE if each.finish.lease in leases else _refusal(connection, each) for each in endings]


def _refusal(connection: sqlite3.Connection, ending: Ending) -> str:
    """Return why a Finish changes nothing."""
    held = look(connection, ending.finish.job, ending.finish.lease, ending.replica)
    assert isinstance(held, str)  # under its lease it would have been completed
    return held


def _proposed(
    connection: sqlite3.Connection,
    now: float,
    held: Held,
    spec: WorkerSpec,
    prepare: Callable[[list[NewJob]], list[dict[str, Any]]],
) -> list[dict[str, Any]]:
    """Return rows for what the kind's `<kind>_follow_ups` returns (worker, entity), as background jobs.

    For follow-ups that only the tables know, such as items that no job has read yet.
    """
    statement = spec.convention("follow_ups")
    if statement is None:
        return []
    found = statement.rows(connection, parameters(held, spec.parts(held.entity), now))
    provenance = f"{held.kind} {held.entity}"
    return prepare([NewJob(worker=row["worker"], entity=row["entity"], provenance=provenance) for row in found])


def store(
    connection: sqlite3.Connection, now: float, *, held: Held, spec: WorkerSpec, effects: Sequence[Effect]
) -> None:
    """Run each effect's statement once per row; a row's own values go before the engine's."""
    if not effects:
        return
    common = parameters(held, spec.parts(held.entity), now)
    for effect in effects:
        spec.statement(effect.statement).run(connection, [common | row for row in effect.rows])


def store_ahead(
    connection: sqlite3.Connection, now: float, *, job: int, lease: int, replica: str, spec: WorkerSpec, effect: Effect
) -> None:
    """Store bulk rows of a job that still runs. RefusedError when the lease is not its own."""
    held = must_hold(connection, job, lease, replica)
    store(connection, now, held=held, spec=spec, effects=[effect])


def give_back(connection: sqlite3.Connection, now: float, *, job: int, lease: int, replica: str) -> str:
    """Release a job undone: available at its old place, no attempt spent, its staged follow-ups dropped."""
    held = look(connection, job, lease, replica)
    if isinstance(held, str):
        return held
    connection.execute(_GIVE_BACK, {"job": job})
    connection.execute(_FOLD_AGAIN, {"job": job})
    connection.execute(_ABORT_BATCH, {"lease": lease})
    return DONE


def _ending(held: Held, message: Finish, spec: WorkerSpec, now: float, backoff_s: Callable[[int], float]) -> _Ending:
    error = message.error[:TEXT_KEPT]
    match message.outcome:
        case outcome if outcome in COMPLETED:
            return _Ending(state="completed", error="", attempt=held.attempt)
        case "unparsed" | "discard":
            return _Ending(state="discarded", error=error, attempt=held.attempt)
        case "snooze":
            run_at = now + max(0.0, message.after_s or 0.0)
            return _Ending(state="scheduled", error=error, attempt=held.attempt, run_at=run_at)
        case "retry":
            return _retry(held.attempt + 1, error, message, spec, now, backoff_s)
    raise UsageError(f"outcome {message.outcome!r} is none of ours")


def _retry(
    attempt: int, error: str, message: Finish, spec: WorkerSpec, now: float, backoff_s: Callable[[int], float]
) -> _Ending:
    if attempt >= spec.max_attempts:
        return _Ending(state="discarded", error=f"attempts spent ({attempt}): {error}", attempt=attempt)
    after_s = backoff_s(attempt) if message.after_s is None else max(0.0, message.after_s)
    return _Ending(state="retryable", error=error, attempt=attempt, run_at=now + after_s)


def _end(connection: sqlite3.Connection, now: float, held: Held, message: Finish, ending: _Ending) -> None:
    (is_wanted_again,) = connection.execute(
        _FINISH,
        {
            "job": held.job,
            "state": ending.state,
            "outcome": message.outcome,
            "note": message.note[:TEXT_KEPT],
            "error": ending.error,
            "attempt": ending.attempt,
            "run_at": ending.run_at,
            "requests": message.requests,
            "finished_at": now if ending.is_final else None,
        },
    ).fetchone()
    if not is_wanted_again:
        return
    if ending.is_final:
        _spawn_again(connection, now, held.job)
    else:
        connection.execute(_FOLD_AGAIN, {"job": held.job})


def _spawn_again(connection: sqlite3.Connection, now: float, job: int) -> None:
    """Make the job that was asked for while `job` ran."""
    spawned = connection.execute(_SPAWN_AGAIN, {"job": job, "now": now}).fetchone()
    connection.execute(_LINK_AGAIN, {"job": job, "again_id": spawned[0]})


def _keep_body(connection: sqlite3.Connection, now: float, held: Held, message: Finish) -> None:
    connection.execute(
        _KEEP_UNPARSED,
        {
            "endpoint": message.endpoint,
            "worker": held.kind,
            "entity": held.entity,
            "job": held.job,
            "error": message.error[:TEXT_KEPT],
            "body": message.body[:BODY_KEPT_BYTES],
            "now": now,
        },
    )
    connection.execute(_DROP_UNPARSED, {"endpoint": message.endpoint, "keep": UNPARSED_KEPT})
