"""Judge how a replica ended: asked for or not, and in which words."""

import signal
from dataclasses import dataclass

from supervisor.core.errors import ConfigurationError
from supervisor.pools import sizing

DRAINED, CRASHED, CONFIGURATION, ZYGOTE_LOST, NOT_FORKED, STOPPED = (
    "drained",
    "crashed",
    "configuration",
    "zygote lost",
    "not forked",
    "stopped",
)
TOO_HEAVY = "memory"
"""Not the end of a replica, but why it was drained: above its worker's max_pss."""

# Our own kills that the replica has brought on itself; a job that it ran alone may be the cause.
_ITS_FAULT = {sizing.HUNG, sizing.START_TIMEOUT, sizing.CONNECTION_LOST}
# Exits after which the slot is refilled without backoff: nothing suggests that the next one fares worse.
_INNOCENT = {DRAINED, ZYGOTE_LOST, STOPPED, sizing.GRACE_OVER}


@dataclass(frozen=True, slots=True, kw_only=True)
class Exit:
    """The end of a replica.

    reason: one of the words above or of `sizing`; the label of metrics. status: for people.
    crashed: it died on its own or hung, not by our drain. needs_backoff: trying again at once may loop.
    """

    reason: str
    status: str
    crashed: bool
    needs_backoff: bool


def judge(status: int | None, *, draining: bool, kill_reason: str, orphaned: bool) -> Exit:
    """Return what the end of a replica means.

    status: exit code, negative signal number, None = nobody could tell. kill_reason: why we killed
    it, "" = we did not. orphaned: its zygote is dead, and it had to die with it.
    """
    reason = _reason(status, draining=draining, kill_reason=kill_reason, orphaned=orphaned)
    words = describe(status)
    return Exit(
        reason=reason,
        status=f"{reason}, {words}" if kill_reason else words,
        crashed=reason in _ITS_FAULT or reason in {CRASHED, CONFIGURATION},
        needs_backoff=reason not in _INNOCENT,
    )


def not_forked(error: str) -> Exit:
    """Return the end of a replica that never was a process."""
    return Exit(reason=NOT_FORKED, status=error, crashed=False, needs_backoff=True)


def zygote_lost() -> Exit:
    """Return the end of a replica whose zygote died before forking it."""
    return Exit(reason=ZYGOTE_LOST, status="never forked", crashed=False, needs_backoff=False)


def describe(status: int | None) -> str:
    """Return a status for people: "exit 3", "signal 9 (SIGKILL)", "unknown"."""
    if status is None:
        return "unknown"
    if status >= 0:
        return f"exit {status}"
    try:
        return f"signal {-status} ({signal.Signals(-status).name})"
    except ValueError:
        return f"signal {-status}"


def _reason(status: int | None, *, draining: bool, kill_reason: str, orphaned: bool) -> str:
    # What it did itself comes before what we did to it: it may have ended just before our signal.
    if status == 0 and draining:
        return DRAINED
    if status == ConfigurationError.exit_code:
        return CONFIGURATION
    if kill_reason:
        return kill_reason
    if orphaned and status in {None, -signal.SIGKILL}:
        return ZYGOTE_LOST
    return CRASHED
