"""What the end of a replica means for its jobs and for its slot."""

import signal

from supervisor.pools import exits, sizing
from supervisor.pools.exits import Exit, describe, judge


def judged(
    status: int | None, *, draining: bool = False, kill_reason: str = "", orphaned: bool = False
) -> tuple[str, bool, bool]:
    end: Exit = judge(status, draining=draining, kill_reason=kill_reason, orphaned=orphaned)
    return end.reason, end.crashed, end.needs_backoff


def test_exit_zero_after_a_drain_is_no_crash() -> None:
    assert judged(0, draining=True) == (exits.DRAINED, False, False)


def test_exit_zero_unasked_is_a_crash() -> None:
    assert judged(0) == (exits.CRASHED, True, True)


def test_signal_from_outside_is_a_crash() -> None:
    assert judged(-signal.SIGKILL) == (exits.CRASHED, True, True)


def test_crash_while_draining_is_a_crash() -> None:
    assert judged(-signal.SIGSEGV, draining=True) == (exits.CRASHED, True, True)


def test_hang_is_laid_to_the_replica() -> None:
    assert judged(-signal.SIGKILL, kill_reason=sizing.HUNG) == (sizing.HUNG, True, True)


def test_kill_at_the_end_of_grace_is_not_laid_to_the_replica() -> None:
    assert judged(-signal.SIGKILL, draining=True, kill_reason=sizing.GRACE_OVER) == (sizing.GRACE_OVER, False, False)


def test_replica_that_drained_just_before_our_kill_has_drained() -> None:
    assert judged(0, draining=True, kill_reason=sizing.GRACE_OVER) == (exits.DRAINED, False, False)


def test_death_with_the_zygote_is_nobodys_fault() -> None:
    assert judged(-signal.SIGKILL, orphaned=True) == (exits.ZYGOTE_LOST, False, False)
    assert judged(None, orphaned=True) == (exits.ZYGOTE_LOST, False, False)


def test_crash_just_before_the_zygote_died_is_still_a_crash() -> None:
    assert judged(-signal.SIGSEGV, orphaned=True) == (exits.CRASHED, True, True)


def test_configuration_code_is_told_apart() -> None:
    assert judged(78)[0] == exits.CONFIGURATION


def test_status_is_in_words() -> None:
    assert describe(3) == "exit 3"
    assert describe(-9) == "signal 9 (SIGKILL)"
    assert describe(-40) == "signal 40"
    assert describe(None) == "unknown"
