"""The supervisor as a process: one configuration, one lock, one event loop, signals, an exit code."""

import asyncio
import logging
import os
import signal
import sys
from collections.abc import Mapping
from pathlib import Path
from random import Random

import uvloop

from supervisor.control.log import LibraryHandler, LogListener
from supervisor.core.clock import SystemClock
from supervisor.core.errors import GathererError, UnavailableError
from supervisor.core.events import Events
from supervisor.core.program import hide_memory, raise_file_limit
from supervisor.daemon.daemon import Daemon
from supervisor.daemon.following import Follower
from supervisor.daemon.parts import build
from supervisor.daemon.room import wait_for_room
from supervisor.daemon.standstill import STANDSTILL_S, Standstill
from supervisor.settings.config import Config
from supervisor.settings.folders import hold
from supervisor.settings.overrides import Overrides
from supervisor.settings.reload import Source


def run(path: Path | None, overrides: Mapping[str, str]) -> int:
    """Be the supervisor until told to stop; return the exit code (errors.py)."""
    try:
        source = Source(path, os.environ, overrides)
        config = source.read()
        asyncio.run(wait_for_room(config.state_dir, SystemClock()))
        lock = hold(config)
        for variable in config.secret_variables:
            os.environ.pop(variable, None)
        hide_memory()
        raise_file_limit()
        with lock:
            uvloop.run(_serve(config, source))
            lock.truncate(0)  # nobody may mistake an old pid for ours
    except GathererError as error:
        print(f"gatherer: {error}", file=sys.stderr)
        return error.exit_code
    return 0


async def _serve(config: Config, source: Source) -> None:
    clock = SystemClock()
    events = Events()
    log = LogListener(config.log, clock)
    events.subscribe(log)
    logging.getLogger().addHandler(LibraryHandler(log))
    overrides = Overrides(config.state_dir)
    parts = build(overrides.applied_to(config), overrides, log=log, clock=clock, events=events, random=Random())
    daemon = Daemon(Follower(config, source, overrides, parts), parts)
    loop = asyncio.get_running_loop()
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, lambda: daemon.hurry() if stop.is_set() else stop.set())
    loop.add_signal_handler(signal.SIGHUP, daemon.reload_soon)
    standstill = Standstill(statistics=parts.pools.statistics, clock=clock, events=events)
    watch = None
    try:
        await daemon.start()
        watch = asyncio.create_task(standstill.run(stop), name="standstill")
        await stop.wait()
    finally:
        if watch is not None:
            watch.cancel()
        await daemon.stop()
    if standstill.is_reached:
        raise UnavailableError(f"no replica was ready for {STANDSTILL_S:g} s; the log says how each of them ended")
