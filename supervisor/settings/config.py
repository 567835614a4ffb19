"""The configuration as values: what `config.toml`, the environment and the flags add up to.

Values only: nothing here opens a file or starts a service. Durations are seconds, sizes bytes.
`reading.py` makes a `Config` out of text; `config/config.toml` shows every setting with its reason.
"""

from pathlib import Path
from typing import Any

import msgspec


class Value(msgspec.Struct, frozen=True, kw_only=True):
    """Base of all configuration values: immutable, compared by content."""


class Secret:
    """A credential that never shows itself: repr, str and f-strings print a mask."""

    __slots__ = ("_value",)

    def __init__(self, value: str) -> None:
        self._value = value

    def reveal(self) -> str:
        """Return the credential; only the token flow and the grant may call this."""
        return self._value

    def __repr__(self) -> str:
        return "Secret(****)"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and other._value == self._value

    def __hash__(self) -> int:
        return hash(self._value)


class Window(Value, frozen=True):
    """At most `requests` in any span of `per_s` seconds."""

    requests: int
    per_s: float


class Api(Value, frozen=True):
    """One API and its limits ([apis.NAME]). phase_s: of fixed windows, None = learnt from answers."""

    name: str
    auth: str = "client_credentials"
    region: str = "eu"
    locale: str = "en_GB"
    base_url: str = "https://{region}.api.blizzard.com"
    token_url: str = "https://oauth.battle.net/token"
    timeout_s: float = 30.0
    windows: tuple[Window, ...] = (Window(requests=100, per_s=1.0), Window(requests=36_000, per_s=3600.0))
    use: float = 1.0
    mode: str = "sliding"
    phase_s: float | None = None
    theta: str = "off"
    hour: str = "paced"

    @property
    def is_learning(self) -> bool:
        """Tell whether the limiter learns from answers: the way's delay, or when fixed windows begin."""
        return self.theta == "auto" or (self.mode == "fixed" and self.phase_s is None)


class Key(Value, frozen=True):
    """One API credential ([[keys]]). regions: () = all. use: share of the limits, None = the API's.

    disabled: since when a person disabled it, for people; "" = in use. Not from the file: see `Overrides`.
    """

    name: str
    api: str
    tags: tuple[str, ...]
    client_id: str
    secret: Secret
    regions: tuple[str, ...] = ()
    use: float | None = None
    disabled: str = ""


class Autoscale(Value, frozen=True):
    """Bounds and pace of one worker's autoscale ([workers.NAME.autoscale]).

    min, max: of concurrency in each replica. waiting_above: waiting jobs that call for one `step` more.
    auto: concurrency = "auto", so there is no written number to come back to.
    """

    min: int = 1
    max: int = 10
    waiting_above: int = 1000
    step: int = 1
    cooldown_s: float = 300.0
    auto: bool = False


# What the table's settings are where the file says concurrency = "auto" and not more.
AUTO = Autoscale(max=32, waiting_above=0, cooldown_s=5.0, auto=True)


class Worker(Value, frozen=True):
    """One kind of job and its pool ([workers.NAME]), tag defaults already applied.

    concurrency: jobs at once in each replica. weight: share of the tag's keys against its other
    workers. target_per_s: jobs a second that the user hopes for. job: importable module; path: an
    extra import folder for it, "" = none. autoscale: None = concurrency stays as written.
    max_pss_bytes: memory (PSS) of a replica above which it is replaced. sends_requests: False = its package's
    manifest says requests = 0, so its jobs start without a key.
    """

    name: str
    job: str
    tag: str
    concurrency: int = 1
    replicas: int = 1
    weight: float = 1.0
    target_per_s: float | None = None
    paused: bool = False
    path: str = ""
    environment: dict[str, str] = {}
    max_attempts: int = 10
    grace_s: float = 25.0
    max_pss_bytes: int = 512_000_000
    autoscale: Autoscale | None = None
    sends_requests: bool = True

    @property
    def written_concurrency(self) -> int | str:
        """Return the concurrency as the file says it: a number, or "auto"."""
        return "auto" if self.autoscale is not None and self.autoscale.auto else self.concurrency

    @property
    def most_concurrency(self) -> int:
        """Return the most that may be in force in each replica: with endless work autoscale goes up to its max."""
        return self.autoscale.max if self.autoscale is not None and self.concurrency else self.concurrency


class Schedule(Value, frozen=True):
    """One [schedules.NAME]: exactly one of every_s and cron. catch_up "latest": missed slots become one job."""

    name: str
    worker: str
    args: dict[str, Any] = {}
    every_s: float | None = None
    cron: str | None = None
    tz: str = "UTC"
    priority: str = "background"
    catch_up: str = "latest"


class Tier(Value, frozen=True):
    """Entities seen within `seen_within_s` (None = all others) are refreshed every `every_s`."""

    every_s: float
    seen_within_s: float | None = None


class Freshness(Value, frozen=True):
    """One [freshness.WORKER]."""

    worker: str
    tiers: tuple[Tier, ...] = (Tier(every_s=43_200.0, seen_within_s=604_800.0), Tier(every_s=2_592_000.0))
    keep_waiting: int = 2000


class Server(Value, frozen=True):
    """[server]: where people and tools reach us."""

    listen: str = "127.0.0.1:8000"
    edits: str = "file"
    token_file: str | None = None


class Log(Value, frozen=True):
    """[log]: level debug, info, warning or error; form auto, json or console."""

    level: str = "info"
    form: str = "auto"


# [retention] and [storage] where the file says nothing. A name that is absent is kept for ever.
RETENTION_S = {
    "auctions": 86_400.0,
    "auction_snapshots": 7_776_000.0,
    "item_prices": 604_800.0,
    "tombstones": 7_776_000.0,
    "jobs_completed": 3_600.0,
    "jobs_discarded": 1_209_600.0,
}
MIN_FREE_BYTES = 2_000_000_000


class Config(Value, frozen=True):
    """Everything.

    sha256: of the file's bytes. pinned: "workers.characters.concurrency" → the variable (or "command
    line") that fixed it. warnings: "file:line: setting: sentence". sources: every file that was read
    (config.toml, keys.d/*.toml, secrets), for whoever watches them. secret_variables: environment
    variables with secrets, for whoever starts a child: it must not inherit them.
    """

    path: Path | None
    sha256: str
    state_dir: Path
    run_dir: Path
    server: Server
    apis: dict[str, Api]
    keys: tuple[Key, ...]
    workers: dict[str, Worker]
    schedules: dict[str, Schedule]
    freshness: dict[str, Freshness]
    retention_s: dict[str, float]
    min_free_bytes: int
    log: Log
    pinned: dict[str, str] = {}
    warnings: tuple[str, ...] = ()
    sources: tuple[Path, ...] = ()
    secret_variables: tuple[str, ...] = ()
