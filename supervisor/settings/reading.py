"""From files, environment and command line to one `Config`, or to one report of all that is wrong.

1. read config.toml (files.py), lay environment and command line over it (pins.py);
2. read every table into values (apis.py, keys.py, workers.py, schedules.py, engine.py), collecting problems;
3. check what the values say about each other (references.py);
4. any problem: ConfigurationError with all of them. None: warnings (check.py), and the Config.

Nothing is started, written or imported here, so `gatherer check` and a reload are harmless.
"""

from collections.abc import Mapping
from pathlib import Path

import msgspec

from supervisor.core.errors import ConfigurationError
from supervisor.settings import check, references
from supervisor.settings.apis import read_api
from supervisor.settings.config import Api, Config
from supervisor.settings.document import Document
from supervisor.settings.engine import read_log, read_retention, read_server, read_storage
from supervisor.settings.files import Files, key_files, resolve
from supervisor.settings.keys import KeyReader
from supervisor.settings.pins import pin
from supervisor.settings.report import Report
from supervisor.settings.schedules import read_freshness, read_schedules
from supervisor.settings.table import Table
from supervisor.settings.workers import read_tags, read_workers

VARIABLE = "GATHERER_CONFIG"
PLACES = (Path("config/config.toml"), Path("/etc/gatherer/config.toml"))
DEFAULT_API = "blizzard"

_NOTHING: Mapping[str, str] = {}
_NO_FILES: Mapping[Path, bytes] = {}


def find(environment: Mapping[str, str], flag: str | Path | None = None) -> Path | None:
    """Return the configuration file: the flag, else $GATHERER_CONFIG, else the first of PLACES that exists.

    A file that somebody named is returned even when it is missing, so that `load` says so.
    """
    named = flag or environment.get(VARIABLE)
    if named:
        return Path(named)
    return next((place for place in PLACES if _may_exist(place)), None)


def load(
    path: Path | None,
    *,
    environment: Mapping[str, str],
    overrides: Mapping[str, str] = _NOTHING,
    with_secrets: bool = True,
    instead: Mapping[Path, bytes] = _NO_FILES,
) -> Config:
    """Return the configuration. ConfigurationError lists every problem, in the order of files and lines.

    overrides: from the command line, "server.listen" → "127.0.0.1:9000". with_secrets: False = they stay
    unread and empty, so whoever only plans needs none. instead: content that is judged in the place of a file's.
    """
    report = Report()
    if path is None:
        places = ", ".join(str(place) for place in PLACES)
        raise ConfigurationError([f"no configuration: no --config, no ${VARIABLE}, and none of {places} exists"])
    try:
        files = Files(report)
        files.reads_secrets = with_secrets
        files.instead = instead
        return _load(path, files, environment, overrides)
    except OSError as error:
        # What is looked at beside the named files (a job package, keys.d) may be closed to us or vanish.
        sentence = f"{error.filename} cannot be read: {error.strerror}"
        raise ConfigurationError([*report.problems, f"{path}: {sentence}"]) from error


def _load(path: Path, files: Files, environment: Mapping[str, str], overrides: Mapping[str, str]) -> Config:
    report = files.report
    document = files.document(path)
    if document is None:
        raise ConfigurationError(report.problems)
    pinned = pin(document, report, environment, overrides)
    config = _config(path, document, files, environment, pinned)
    references.refer(config, report)
    if report.problems:
        raise ConfigurationError(report.problems)
    check.warn(config, report)
    return msgspec.structs.replace(config, warnings=report.warnings)


def _may_exist(place: Path) -> bool:
    """A file in a folder that is closed to us counts as there: to pass over it would hide why."""
    try:
        return place.exists()
    except OSError:
        return True


def _config(
    path: Path, document: Document, files: Files, environment: Mapping[str, str], pinned: dict[str, str]
) -> Config:
    table = Table(files.report, document.source, document.values)
    apis = {name: read_api(inner, name) for name, inner in table.children("apis").items()}
    apis = apis or {DEFAULT_API: Api(name=DEFAULT_API)}
    workers = read_workers(table, read_tags(table))
    state_dir, run_dir = _folders(table)
    keys = _keys(path, table, apis, environment, files)
    config = Config(
        path=path,
        sha256=files.sha256,
        state_dir=state_dir,
        run_dir=run_dir,
        server=read_server(table.child("server"), files),
        apis=apis,
        keys=tuple(keys.keys),
        workers=workers,
        schedules=read_schedules(table, workers),
        freshness=read_freshness(table, workers),
        retention_s=read_retention(table.child("retention")),
        min_free_bytes=read_storage(table.child("storage")),
        log=read_log(table.child("log")),
        pinned=pinned,
        secret_variables=tuple(keys.variables),
    )
    table.close()
    return msgspec.structs.replace(config, sources=tuple(files.read))


def _keys(path: Path, table: Table, apis: dict[str, Api], environment: Mapping[str, str], files: Files) -> KeyReader:
    reader = KeyReader(apis, environment, files)
    reader.read(table)
    for file in key_files(path):
        document = files.document(file)
        if document is not None:
            more = Table(files.report, document.source, document.values)
            reader.read(more)
            more.close()
    return reader


def _folders(table: Table) -> tuple[Path, Path]:
    state_dir = resolve(table.folder, table.text("state_dir", "var", expected="a folder"))
    run_dir = resolve(table.folder, table.text("run_dir", str(state_dir / "run"), expected="a folder"))
    return state_dir, run_dir
