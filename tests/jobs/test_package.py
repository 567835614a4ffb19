"""The job package as the database loads it."""

from pathlib import Path

from supervisor.database import packages
from tests.jobs.harness import PACKAGE, Harness


def test_the_database_reads_the_package_as_the_harness_does(database: Harness) -> None:
    package = packages.load(PACKAGE)
    assert {name: section["entity"] for name, section in database.manifest.items()} == package.patterns
    assert {name: len(parts) for name, parts in database.statements.items()} == {
        name: len(statement.parts) for name, statement in package.statements.items()
    }


def test_conventions_have_one_statement_each(database: Harness) -> None:
    for kind in ("characters", "guilds", "profile"):
        for convention in ("context", "stale", "show"):
            assert len(database.statements[f"{kind}_{convention}"]) == 1


def test_migrations_are_numbered_without_gaps_of_ownership() -> None:
    numbers = [path.name[:4] for path in sorted(Path(PACKAGE / "migrations").glob("*.sql"))]
    assert len(numbers) == len(set(numbers))
