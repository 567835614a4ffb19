"""POST /workers/concurrency: what may be asked, and what is answered.

{"worker": "characters", "concurrency": 3, "replicas": 8}      numbers: jobs at once in each replica, processes
{"worker": "characters", "concurrency": "+1"}                  steps: from what is desired now
{"worker": "characters", "concurrency": "auto"}                let autoscale choose
"""

from typing import Annotated, TypeAlias

import msgspec

from supervisor.core.errors import MalformedError, UsageError
from supervisor.settings.workers import MAX_CONCURRENCY, MAX_REPLICAS

EXPECTED = (
    f'expected {{"worker": NAME, "concurrency": 0 to {MAX_CONCURRENCY}, "+1", "-1" or "auto",'
    f' "replicas": 0 to {MAX_REPLICAS}, "+1" or "-1"}}'
)
MOST = {"concurrency": MAX_CONCURRENCY, "replicas": MAX_REPLICAS}

Number: TypeAlias = Annotated[int, msgspec.Meta(ge=0, le=MAX_CONCURRENCY)]
Count: TypeAlias = Annotated[int, msgspec.Meta(ge=0, le=MAX_REPLICAS)]
Step: TypeAlias = Annotated[str, msgspec.Meta(pattern=r"^[+-][0-9]{1,3}$")]
StepOrAuto: TypeAlias = Annotated[str, msgspec.Meta(pattern=r"^([+-][0-9]{1,3}|auto)$")]


class ScaleRequest(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a worker shall have; what is left out stays."""

    worker: str
    concurrency: Number | StepOrAuto | None = None
    replicas: Count | Step | None = None


class Size(msgspec.Struct, frozen=True, kw_only=True):
    """concurrency: jobs at once in each replica, or "auto" where that is desired. replicas: processes."""

    concurrency: int | str
    replicas: int


class Scaled(msgspec.Struct, frozen=True, kw_only=True):
    """The answer: what is desired and in force now.

    took_ms: from the request until all of it was in force. changed: setting → its new value, {} = nothing
    differed. kept_in: the file that was edited, overrides.toml, or "this run" where the environment decides.
    in_force: False = replicas are still starting; `effective` tells how far it is.
    """

    worker: str
    desired: Size
    effective: Size
    took_ms: int
    in_force: bool
    changed: dict[str, int | str]
    kept_in: list[str]
    warnings: list[str]


def parse(body: bytes) -> ScaleRequest:
    """Return the request. MalformedError: no JSON. UsageError: none of the shapes above."""
    try:
        asked = msgspec.json.decode(body, type=ScaleRequest)
    except msgspec.ValidationError as error:
        raise UsageError(f"{error}; {EXPECTED}") from error
    except (msgspec.DecodeError, RecursionError) as error:
        raise MalformedError(f"the body is not JSON: {error}") from error
    if asked.concurrency is None and asked.replicas is None:
        raise UsageError("nothing to change: give concurrency, replicas or both")
    return asked


def resolved(name: str, asked: int | str, now: int) -> int | str:
    """Return what setting `name` shall be: a number within its bounds, or "auto". UsageError: out of bounds.

    now: what is desired, for steps.
    """
    if asked == "auto":
        return asked
    value = now + int(asked) if isinstance(asked, str) else asked
    if not 0 <= value <= MOST[name]:
        step = f" ({now} {asked[0]} {asked[1:]})" if isinstance(asked, str) else ""
        raise UsageError(f"{name}: expected 0 to {MOST[name]}, got {value}{step}")
    return value
