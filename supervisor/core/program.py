"""How our child processes are started, and how they end with their parent."""

import contextlib
import ctypes
import os
import resource
import signal
import sys

PR_SET_PDEATHSIG = 1
PR_SET_DUMPABLE = 4

CHILD = "--child"

# One path for a checkout and for a frozen program, whose sys.executable is the program itself.
_OURSELVES = [sys.executable] if getattr(sys, "frozen", False) else [sys.executable, "-m", "supervisor.cli"]


def own_command(*arguments: str) -> list[str]:
    """Return the argv that runs this very program with `arguments`, as a person would run `gatherer`."""
    return [*_OURSELVES, *arguments]


def child_command(name: str, *arguments: str) -> list[str]:
    """Return the argv that starts the child `name` of this very program (CHILDREN in `cli/__main__.py`)."""
    return own_command(CHILD, name, *arguments)


def die_with_parent(parent_pid: int) -> None:
    """Ask the kernel to SIGKILL this process when its parent's thread ends; exit now if it has already.

    Must run in the child, first thing. The parent is compared after arming, because it may have died
    between the fork and the call; compared with its pid and not with 1, because of subreapers.
    """
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0) != 0:
        raise OSError(ctypes.get_errno(), "prctl(PR_SET_PDEATHSIG)")
    if os.getppid() != parent_pid:
        os._exit(1)


def raise_file_limit() -> None:
    """Take as many descriptors as we may have: a shell's 1024 are soon spent on replicas and connections."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    with contextlib.suppress(ValueError, OSError):  # a sandbox may forbid it; then what we have must do
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))


def hide_memory() -> None:
    """Keep other processes of our user from reading this process's memory (secrets live here), and write no cores.

    Children inherit the latter only; replicas hold the credentials of the permits that they have.
    """
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) != 0:
        raise OSError(ctypes.get_errno(), "prctl(PR_SET_DUMPABLE)")
