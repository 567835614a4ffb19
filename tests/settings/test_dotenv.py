"""An .env file: its lines, and what of it the configuration says too."""

import pytest

from supervisor.core.errors import UsageError
from supervisor.settings.dotenv import imported, parse

WORKERS = ("characters", "my-items")
TAGS = ("osint",)


@pytest.mark.parametrize(
    ("line", "value"),
    [
        ("A=3", "3"), ("export A=3", "3"), ("  A = 3  ", "3"), ('A="3"', "3"), ("A='3' # three", "3"),
        ("A=3 # three", "3"), ("A=a#b", "a#b"), ("A=", ""), ('A="a # b"', "a # b"), ("A=$B", "$B"),
    ],
)  # fmt: skip  # as a table
def test_each_way_to_write_a_line(line: str, value: str) -> None:
    assert parse(f"# comment\n\n{line}\r\n", ".env") == {"A": value}


def test_the_last_of_several_lines_counts() -> None:
    assert parse("A=1\nA=2\n", ".env") == {"A": "2"}


def test_a_line_that_is_none_is_named() -> None:
    with pytest.raises(UsageError, match=r"^\.env:2: expected NAME=value$"):
        parse("A=1\nB: 2\n", ".env")


def test_ours_become_settings_and_strangers_are_told() -> None:
    variables = {"CHARACTERS_WORKER_CONCURRENCY": "3", "MY_ITEMS_WORKER_CONCURRENCY": "auto", "OSINT_REPLICAS": "8"}
    found = imported(variables | {"REDIS_HOST": "here"}, WORKERS, TAGS, ".env")
    assert found.settings == {
        ("workers", "characters", "concurrency"): 3,
        ("workers", "my-items", "concurrency"): "auto",
        ("tags", "osint", "replicas"): 8,
    }
    assert (found.ours, found.strangers) == (tuple(variables), ("REDIS_HOST",))


def test_a_misspelled_one_of_ours_names_the_nearest() -> None:
    with pytest.raises(UsageError, match='CHARCTERS_WORKER_CONCURRENCY.*did you mean "CHARACTERS_WORKER_CONCURRENCY"'):
        imported({"CHARCTERS_WORKER_CONCURRENCY": "3"}, WORKERS, TAGS, ".env")


@pytest.mark.parametrize("value", ["many", "1.5", "true", "$N", "[1]"])
def test_a_value_that_is_no_number_is_named(value: str) -> None:
    with pytest.raises(UsageError, match="OSINT_REPLICAS: expected a number"):
        imported({"OSINT_REPLICAS": value}, WORKERS, TAGS, ".env")
