"""What autoscale keeps of itself in state_dir/overrides.toml: who moved a worker, to where, why and since when.

[moves.characters]
concurrency = 7                        # in force, in each replica
written = 3                            # or "auto": as the file said; when that changes, the move is over
since = 2026-11-23T13:05:00Z
who = "alert QueueBacklog"             # or autoscale
why = "alert QueueBacklog and the keys have room"

[[alerts]]
id = "5ef77f1f8a3ecf8d 2026-11-23T13:04:30Z"   # fingerprint and start: counted once
worker = "characters"
name = "QueueBacklog"
lifted = 1                             # by so much; 0 = not yet
over = false                           # true = resolved; kept so that a late repeat counts nothing
seen = 2026-11-23T13:05:00Z            # the last time that somebody spoke of it
"""

from datetime import UTC, datetime
from typing import Any, TypeVar

import msgspec


class Moved(msgspec.Struct, frozen=True, kw_only=True):
    """Where autoscale has put one worker. concurrency: in each replica, ≥ 0. written: of the file."""

    concurrency: int
    written: int | str
    since: datetime
    who: str
    why: str


class CountedAlert(msgspec.Struct, frozen=True, kw_only=True):
    """One alert, known by `id`. lifted: how much more concurrency it has brought, ≥ 0."""

    id: str
    worker: str
    name: str
    seen: datetime
    lifted: int = 0
    over: bool = False


Kept = TypeVar("Kept", Moved, CountedAlert)


def moment(wall: float) -> datetime:
    """Return wall seconds as the file writes them: UTC, whole seconds."""
    return datetime.fromtimestamp(int(wall), UTC)


def as_table(kept: Moved | CountedAlert) -> dict[str, Any]:
    """Return the TOML table of `kept`."""
    return msgspec.structs.asdict(kept)


def read_moves(content: object) -> dict[str, Moved]:
    """Return the readable moves; what is damaged is as if it had not been."""
    tables = content if isinstance(content, dict) else {}
    moves = {str(worker): _read(table, Moved) for worker, table in tables.items()}
    return {worker: moved for worker, moved in moves.items() if moved is not None}


def read_alerts(content: object) -> list[CountedAlert]:
    """Return the readable alerts."""
    tables = content if isinstance(content, list) else []
    return [alert for alert in (_read(table, CountedAlert) for table in tables) if alert is not None]


def _read(table: object, kind: type[Kept]) -> Kept | None:
    try:
        return msgspec.convert(table, kind)
    except msgspec.ValidationError:
        return None
