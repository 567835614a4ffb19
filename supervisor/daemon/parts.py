"""Every part of the supervisor that does work, built from the configuration and wired to the others."""

import os
from dataclasses import dataclass
from random import Random

from supervisor.control.log import LogListener
from supervisor.control.measurements import Measurements
from supervisor.control.memory import Memory
from supervisor.control.plant import LivePlant
from supervisor.core.clock import Clock
from supervisor.core.events import Events
from supervisor.core.messages.supervisor_database import Pulse, Waiting
from supervisor.database.link import Database
from supervisor.limiter.server import PermitServer
from supervisor.pools.autoscaler import Autoscaler
from supervisor.pools.pools import Pools
from supervisor.settings.config import Config
from supervisor.settings.derived import database_settings
from supervisor.settings.overrides import Overrides


@dataclass(frozen=True, slots=True, kw_only=True)
class Parts:
    """What the daemon starts, drains and asks. None of them knows the daemon."""

    clock: Clock
    events: Events
    log: LogListener
    measurements: Measurements
    memory: Memory
    permits: PermitServer
    database: Database
    pools: Pools
    autoscaler: Autoscaler


def build(
    config: Config, overrides: Overrides, *, log: LogListener, clock: Clock, events: Events, random: Random
) -> Parts:
    """Build every part; nothing starts yet. config: with `overrides` applied."""
    measurements = Measurements(clock)
    permits = PermitServer(
        config=config, clock=clock, events=events, random=random, journal_path=config.state_dir / "limiter.journal"
    )

    def waiting(message: Waiting) -> None:
        permits.set_waiting(message.counts)

    database = Database(
        state_dir=config.state_dir,
        run_dir=config.run_dir,
        clock=clock,
        events=events,
        random=random,
        settings=database_settings(config),
        on_waiting=waiting,
        on_pulse=_keep,
    )
    pools = Pools(
        config=config,
        clock=clock,
        events=events,
        random=random,
        run_dir=config.run_dir,
        permits=permits,
        replica_exited=database.replica_exited,
        tally=measurements.add,
    )
    autoscaler = Autoscaler(
        config=config,
        clock=clock,
        events=events,
        overrides=overrides,
        plant=LivePlant(permits=permits, database=database, pools=pools),
    )
    return Parts(
        clock=clock,
        events=events,
        log=log,
        measurements=measurements,
        memory=Memory(pid=os.getpid(), clock=clock, measured=pools.recycle),
        permits=permits,
        database=database,
        pools=pools,
        autoscaler=autoscaler,
    )


def _keep(message: Pulse) -> None:
    """Nothing to do: the link keeps the last one for a snapshot."""
