"""The children that `multiprocessing` starts, in a frozen program.

There sys.executable is Gatherer itself, not Python, so a job module that uses multiprocessing would start
gatherers without end. Such a start is known by its arguments and becomes what it was meant to be:

    gatherer --multiprocessing-fork NAME=VALUE …
    gatherer [Python's flags] -c "from multiprocessing.… import main; main(…)"
"""

import multiprocessing.spawn
from collections.abc import Sequence

FORK = "--multiprocessing-fork"
CODE = "-c"
_HELPERS = ("from multiprocessing.resource_tracker import", "from multiprocessing.forkserver import")


def become_helper(arguments: Sequence[str]) -> bool:
    """Be such a child until its end and return True; False when these arguments are none of multiprocessing's."""
    if arguments[:1] == [FORK]:
        multiprocessing.spawn.freeze_support()
        return True
    code = _code(arguments)
    if not code.startswith(_HELPERS):
        return False
    exec(code)  # the standard library's own statement
    return True


def _code(arguments: Sequence[str]) -> str:
    """Return the word after -c, or ""."""
    following = zip(arguments, arguments[1:], strict=False)
    return next((code for flag, code in following if flag == CODE), "")
