"""Ask the kernel whether somebody has a file open for writing.

A read lease (fcntl(2), F_SETLEASE) is granted only when nobody has, and only to the file's owner or root, on
local file systems. It is given back at once. Who opens the file for writing in that moment waits for
microseconds, and the signal about it must not end us, so it is one that is ignored by default.
"""

import enum
import errno
import fcntl
import os
import signal
import stat
from collections.abc import Iterable
from pathlib import Path


class Writing(enum.Enum):
    """Whether somebody writes."""

    NO = "no"
    YES = "yes"
    UNKNOWN = "unknown"


def writing(files: Iterable[Path]) -> Writing:
    """Return YES when one of the files is open for writing; NO only when the kernel says so of all that are there."""
    found = {_one(file) for file in files}
    return next((each for each in (Writing.YES, Writing.UNKNOWN) if each in found), Writing.NO)


def _one(file: Path) -> Writing:
    try:
        if not stat.S_ISREG(file.stat().st_mode):
            return Writing.UNKNOWN
        fd = os.open(file, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except FileNotFoundError:
        return Writing.NO
    except OSError:
        return Writing.UNKNOWN
    try:
        fcntl.fcntl(fd, fcntl.F_SETSIG, signal.SIGURG)
        fcntl.fcntl(fd, fcntl.F_SETLEASE, fcntl.F_RDLCK)
        fcntl.fcntl(fd, fcntl.F_SETLEASE, fcntl.F_UNLCK)
    except OSError as error:
        return Writing.YES if error.errno == errno.EAGAIN else Writing.UNKNOWN
    finally:
        os.close(fd)
    return Writing.NO
