"""Job packages: what the engine must know of a folder of jobs, without importing any of it.

manifest.toml                        [characters] entity = "region/realm/name", requests = 5
migrations/NNNN_name.sql             tables in gatherer.db
migrations/market/NNNN_name.sql      tables in market.db
statements/*.sql                     named statements
"""

import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from supervisor.core.entity import canonical
from supervisor.core.errors import ConfigurationError, UsageError
from supervisor.database import migrations
from supervisor.database import statements as sql_files
from supervisor.database.ahead import market_writers
from supervisor.database.migrations import Migration
from supervisor.database.statements import Statement


@dataclass(frozen=True, slots=True, kw_only=True)
class Package:
    """One loaded folder. patterns: entity pattern by kind. market_writers: statements that write market.db."""

    name: str
    folder: Path
    patterns: dict[str, str]
    statements: dict[str, Statement]
    migrations: list[Migration]
    market_migrations: list[Migration]
    market_writers: frozenset[str]


def load(folder: Path) -> Package:
    """Read a package. ConfigurationError names the file and what is wrong with it."""
    statements = sql_files.load((folder / "statements").glob("*.sql"))
    main = migrations.find(folder / "migrations")
    market = migrations.find(folder / "migrations" / "market")
    return Package(
        name=folder.name,
        folder=folder,
        patterns=_patterns(folder / "manifest.toml"),
        statements=statements,
        migrations=main,
        market_migrations=market,
        market_writers=market_writers(statements, main, market) if market else frozenset(),
    )


def _patterns(path: Path) -> dict[str, str]:
    try:
        manifest = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ConfigurationError([f"{path}: {error}"]) from error
    return {kind: _pattern(path, kind, section) for kind, section in manifest.items()}


def _pattern(path: Path, kind: str, section: Any) -> str:
    pattern = section.get("entity") if isinstance(section, dict) else None
    if not isinstance(pattern, str):
        raise ConfigurationError([f'{path}: {kind}: expected a table with entity = "region/…"'])
    try:
        canonical(pattern, "/".join("x" for _ in pattern.split("/")))
    except UsageError:
        return pattern  # "x" is no number; the pattern itself is understood
    except KeyError as error:
        raise ConfigurationError([f"{path}: {kind}.entity: unknown part {error}"]) from error
    return pattern
