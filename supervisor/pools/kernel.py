"""What we ask of Linux about processes: adoption, names, exit statuses, signals that cannot miss.

A pidfd is a descriptor for one process, not for whatever has its number today; it becomes readable
when the process has ended. Source: prctl(2), pidfd_open(2), waitid(2), Linux 5.4 and later.
"""

import contextlib
import ctypes
import os
import signal
from pathlib import Path

PR_SET_NAME = 15
PR_SET_CHILD_SUBREAPER = 36
OUR_TASKS = Path("/proc/self/task")
OUR_OOM_SCORE = Path("/proc/self/oom_score_adj")

_libc = ctypes.CDLL(None, use_errno=True)


def become_subreaper() -> None:
    """Adopt every orphan below this process, so that it can be waited for. May be called twice."""
    if _libc.prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) != 0:
        raise OSError(ctypes.get_errno(), "prctl(PR_SET_CHILD_SUBREAPER)")


def name_process(name: str) -> None:
    """Show `name` in ps and top; the kernel keeps its first 15 bytes."""
    _libc.prctl(PR_SET_NAME, name.encode(), 0, 0, 0)


def volunteer_for_oom(score: int) -> None:
    """Ask the kernel to take this process, and not the supervisor, when memory runs out.

    score: 0..1000, added to the kernel's own badness. Not allowed here = nothing happens.
    """
    with contextlib.suppress(OSError):
        OUR_OOM_SCORE.write_text(str(score))


def count_tasks() -> int:
    """Return how many threads the kernel sees in this process, Python's or not."""
    return len(os.listdir(OUR_TASKS))  # noqa: PTH208 - half the cost of iterdir, before every fork


def kill(pidfd: int) -> None:
    """SIGKILL the process behind `pidfd`; one that has ended is fine."""
    with contextlib.suppress(ProcessLookupError):
        signal.pidfd_send_signal(pidfd, signal.SIGKILL)


def wait_status(pidfd: int) -> int | None:
    """Reap the ended process behind `pidfd` and return its status; None when it is not our child.

    Result: exit code ≥ 0, or the negative number of the signal. Never blocks.
    """
    try:
        info = os.waitid(os.P_PIDFD, pidfd, os.WEXITED | os.WNOHANG)
    except ChildProcessError:
        return None
    if info is None:
        return None
    return info.si_status if info.si_code == os.CLD_EXITED else -info.si_status
