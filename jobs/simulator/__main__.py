"""`python -m jobs.simulator`: listens, prints one JSON line, serves until SIGTERM or SIGINT.

{"base_url": "http://127.0.0.1:40123", "token_url": "http://127.0.0.1:40123/oauth/token", "pid": 4711}
"""

import asyncio
import ctypes
import json
import os
import signal
import sys

import uvloop

from jobs.simulator.options import Options, parse
from jobs.simulator.simulator import Simulator

_PR_SET_PDEATHSIG = 1
_SWITCH_EVERY_S = 0.0005  # the thread that makes large bodies gives way to arriving requests this often
_USAGE_ERROR = 2


def main(arguments: list[str]) -> int:
    """Run a simulator; returns the exit code."""
    options = parse(arguments)
    if options.parent and not _dies_with(options.parent):
        print(f"parent {options.parent} has gone", file=sys.stderr)
        return _USAGE_ERROR
    sys.setswitchinterval(_SWITCH_EVERY_S)
    try:
        uvloop.run(_serve(options))
    except OSError as error:
        print(f"cannot listen on {options.listen}: {error.strerror}", file=sys.stderr)
        return _USAGE_ERROR
    return 0


async def _serve(options: Options) -> None:
    simulator = Simulator(options)
    await simulator.start()
    hello = {"base_url": simulator.base_url, "token_url": simulator.token_url, "pid": os.getpid()}
    print(json.dumps(hello), flush=True)
    over = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, over.set)
    await over.wait()
    await simulator.stop()


def _dies_with(parent: int) -> bool:
    """Ask the kernel for SIGKILL when the parent dies; False when it already has."""
    ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    return os.getppid() == parent


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
