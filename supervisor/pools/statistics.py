"""What the pools show of themselves: frozen values, made on request."""

from dataclasses import dataclass

from supervisor.pools.brakes import BrakeStatistics


@dataclass(frozen=True, slots=True, kw_only=True)
class ReplicaStatistics:
    """One process. pid: 0 until forked. state: starting, ready, draining. executing: as of its last heartbeat."""

    name: str
    pid: int
    state: str
    since_s: float
    executing: int


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkerStatistics:
    """One pool.

    desired_*: as configured. effective_replicas: ready now. effective_concurrency: jobs at once in
    force in each of them (0 while paused; while they differ, that of the one furthest from the desired).
    states: {state: replicas}. restarts: {reason: ended replicas that were not asked to go, or had to for
    their memory}. degraded: dies too often, is retried at the cap. refused: a replica said that its
    configuration cannot work; none is started until that changes. braked: endpoints whose bodies do not parse.
    """

    worker: str
    desired_replicas: int
    desired_concurrency: int
    effective_replicas: int
    effective_concurrency: int
    paused: bool
    states: dict[str, int]
    executing: int
    restarts: dict[str, int]
    degraded: bool
    refused: bool
    last_exit: str
    replicas: tuple[ReplicaStatistics, ...]
    braked: tuple[BrakeStatistics, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class PoolsStatistics:
    """All pools. zygote_pids: oldest generation first. zygote_deaths: unasked, since the start."""

    workers: dict[str, WorkerStatistics]
    zygote_pids: tuple[int, ...]
    zygote_generation: int
    zygote_deaths: int


@dataclass(frozen=True, slots=True, kw_only=True)
class AutoscaleStatistics:
    """Why one worker's concurrency is what it is.

    who, why, since: of the last move, who "" = none. note: why it does not move now. alerts: names of those that
    fire. moves: {cause: since the start}. since: wall seconds.
    """

    concurrency: int
    written: int | str
    min: int
    max: int
    who: str
    why: str
    since: float
    note: str
    alerts: tuple[str, ...]
    moves: dict[str, int]
