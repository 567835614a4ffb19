"""What the database knows of each configured worker: its entities, its statements, its attempts."""

import difflib
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec

from supervisor.core.database_settings import WorkerSettings
from supervisor.core.entity import canonical, from_args, split
from supervisor.core.errors import ConfigurationError, UsageError
from supervisor.core.job import NewJob
from supervisor.core.messages.supervisor_database import DatabaseSettings
from supervisor.core.text import printable
from supervisor.database import packages
from supervisor.database.packages import Package
from supervisor.database.statements import Statement, find

MAX_FREE_ENTITY_CHARACTERS = 512
MAX_ARGS_DEPTH = 20
MAX_ARGS_BYTES = 64 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkerSpec:
    """One worker. pattern: "" = its package says nothing, any one-line text is an entity."""

    name: str
    kind: str
    pattern: str
    package: Package | None
    max_attempts: int

    def statement(self, name: str) -> Statement:
        """Return the package's statement. UsageError when there is none."""
        return find(self.package.statements if self.package else {}, name)

    def convention(self, suffix: str) -> Statement | None:
        """Return the kind's statement `<kind>_<suffix>`, None when the package has none."""
        return self.package.statements.get(f"{self.kind}_{suffix}") if self.package else None

    def parts(self, entity: str) -> dict[str, str]:
        """Return the parts of a canonical entity by name."""
        return split(self.pattern, entity) if self.pattern else {}

    def canonical(self, text: str, *, region: str, regions: frozenset[str] = frozenset()) -> str:
        """Return the entity in its one form; a missing leading region is `region`. UsageError as in core.entity.

        regions: the only ones that exist, empty = nobody knows.
        """
        if not self.pattern:
            entity = text.strip()
            if not entity or len(entity) > MAX_FREE_ENTITY_CHARACTERS or not entity.isprintable():
                raise UsageError(
                    f"entity {entity[:80]!r}: expected one line of 1..{MAX_FREE_ENTITY_CHARACTERS} characters"
                )
            return entity
        names = self.pattern.split("/")
        if names[0] != "region":
            return canonical(self.pattern, text)
        parts = text.strip().split("/")
        if len(parts) == len(names) - 1:
            if parts[0].lower() in {region, *regions}:
                raise UsageError(f"entity {text[:80]!r}: expected {self.pattern}, but what follows the region is short")
            text = f"{region}/{text.strip()}"
        entity = canonical(self.pattern, text)
        if regions and entity.split("/")[0] not in regions:
            raise UsageError(f"entity {text[:80]!r}: no such region; there are {', '.join(sorted(regions))}")
        return entity


class Workers:
    """The configured workers; those of earlier settings are remembered for jobs that still run."""

    def __init__(self) -> None:
        self.configured: dict[str, WorkerSpec] = {}
        self.region = ""
        self.regions: frozenset[str] = frozenset()
        self._known: dict[str, WorkerSpec] = {}

    def apply(self, specs: Iterable[WorkerSpec], region: str, regions: Iterable[str] = ()) -> None:
        """Replace the configured workers, the default region and the known ones."""
        self.regions = frozenset(regions)
        self.configured = {spec.name: spec for spec in specs}
        self._known |= self.configured
        self.region = region

    def known(self, name: str) -> WorkerSpec:
        """Return the worker, configured now or earlier; one never heard of has no package."""
        found = self._known.get(name)
        return found or WorkerSpec(name=name, kind=name, pattern="", package=None, max_attempts=1)

    def find(self, name: str) -> WorkerSpec:
        """Return a configured worker. UsageError names the nearest."""
        spec = self.configured.get(name)
        if spec is None:
            near = difflib.get_close_matches(name, self.configured, n=1, cutoff=0.4)
            hint = f"; nearest is {near[0]!r}" if near else ""
            raise UsageError(f"no worker {name[:80]!r} is configured{hint}")
        return spec

    def prepare(self, job: NewJob) -> dict[str, Any]:
        """Return the job as a row for statements `enqueue` and `stage`. UsageError: worker or entity."""
        return row_of(self.find(job.worker), job, self.region, self.regions)

    def packages(self) -> list[Package]:
        """Return the packages in use, each once."""
        by_folder = {spec.package.folder: spec.package for spec in self.configured.values() if spec.package}
        return list(by_folder.values())


def row_of(spec: WorkerSpec, job: NewJob, region: str, regions: frozenset[str] = frozenset()) -> dict[str, Any]:
    """Return `job` as parameters by column; run_at None = now. UsageError: its entity or priority."""
    entity = (
        spec.canonical(job.entity, region=region, regions=regions)
        if job.entity
        else from_args(spec.pattern, job.args, region=region)
    )
    if not 0 <= job.priority <= 2:
        raise UsageError(f"priority {job.priority}: expected 0, 1 or 2")
    return {
        "kind": spec.name,
        "entity": entity,
        "args": _args(job.args) if job.args else "{}",
        "priority": int(job.priority),
        "run_at": job.run_at,
        "max_age_s": job.max_age_s,
        "deadline_at": job.deadline_at,
        "provenance": printable(job.provenance[:200])[:200],
    }


def _args(args: dict[str, Any]) -> str:
    """Return the arguments as they are stored. UsageError: the answer to a claim could not carry them."""
    if _is_deep(args, MAX_ARGS_DEPTH):
        raise UsageError(f"args: nested deeper than {MAX_ARGS_DEPTH} levels")
    try:
        text = msgspec.json.encode(args)
        msgspec.msgpack.encode(args)
    except (OverflowError, ValueError) as error:
        raise UsageError(f"args: {error}") from error
    if len(text) > MAX_ARGS_BYTES:
        raise UsageError(f"args: {len(text):,} bytes, at most {MAX_ARGS_BYTES:,}")
    return text.decode()


def _is_deep(value: Any, levels: int) -> bool:
    if not isinstance(value, dict | list):
        return False
    inner = value.values() if isinstance(value, dict) else value
    return levels == 0 or any(_is_deep(each, levels - 1) for each in inner)


def specs_of(settings: DatabaseSettings) -> list[WorkerSpec]:
    """Load the packages of `settings` from disk. ConfigurationError with all problems."""
    problems: list[str] = []
    loaded: dict[str, Package] = {}
    for folder in sorted({worker.package for worker in settings.workers if worker.package}):
        try:
            loaded[folder] = packages.load(Path(folder))
        except ConfigurationError as error:
            problems += error.problems
    if problems:
        raise ConfigurationError(problems)
    return [_spec(worker, loaded.get(worker.package)) for worker in settings.workers]


def _spec(worker: WorkerSettings, package: Package | None) -> WorkerSpec:
    pattern = package.patterns.get(worker.kind, "") if package else ""
    return WorkerSpec(
        name=worker.name, kind=worker.kind, pattern=pattern, package=package, max_attempts=worker.max_attempts
    )
