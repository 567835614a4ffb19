"""Whatever stands in overrides.toml or an .env file: it is read, or set aside, or refused in a sentence."""

# ruff: noqa: E501 - tables of nasty values are read along the line

import os
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import tomli_w
from hypothesis import given
from hypothesis import strategies as st

from supervisor.core.errors import UsageError
from supervisor.settings import dotenv
from supervisor.settings.config import Config
from supervisor.settings.moves import CountedAlert, Moved
from supervisor.settings.overrides import Overrides
from tests.settings.folder import MINIMAL, Folder
from tests.settings.test_hostile_files import VALUES
from tests.support.fuzzing import fuzz

SINCE = datetime(2026, 11, 24, tzinfo=UTC)
GOOD = {
    "paused": {"characters": SINCE},
    "disabled": {"osint-1": SINCE},
    "settings": {"characters": {"concurrency": {"value": 3, "over": 1, "since": SINCE}}},
    "moves": {"characters": {"concurrency": 7, "written": 1, "since": SINCE, "who": "autoscale", "why": "room"}},
    "alerts": [{"id": "a b", "worker": "characters", "name": "Backlog", "seen": SINCE, "lifted": 1}],
}
INNER = st.dictionaries(
    st.sampled_from(("characters", "osint-1", "concurrency", "value", "since", "x")), VALUES, max_size=3
)
CONTENT = st.fixed_dictionaries({}, optional={name: INNER | VALUES | st.lists(INNER, max_size=2) for name in GOOD})


@pytest.fixture(scope="module")
def config(tmp_path_factory: pytest.TempPathFactory) -> Config:
    return Folder(tmp_path_factory.mktemp("config")).load(MINIMAL)


def use(folder: Path, config: Config) -> Overrides:
    """Read what is there, put it in force, change it, and read that again."""
    overrides = Overrides(folder)
    in_force = overrides.applied_to(config)
    overrides.set_paused("characters", True, 1_800_000_000.0)
    overrides.set_disabled("osint-1", True, 1_800_000_000.0)
    overrides.set_settings(config.workers["characters"], {"concurrency": 4}, 1_800_000_000.0)
    overrides.keep({"characters": Moved(concurrency=2, written=1, since=SINCE, who="x", why="y")},
        [CountedAlert(id="1", worker="characters", name="n", seen=SINCE)])  # fmt: skip
    again = Overrides(folder).applied_to(config)
    assert again.workers["characters"].paused
    assert again.workers["characters"].concurrency == 4
    assert again.keys[0].disabled
    assert in_force.workers.keys() == config.workers.keys()
    return overrides


@given(CONTENT)
@fuzz(60)
def test_any_toml_in_the_place_of_the_overrides_is_obeyed_in_part_or_not(
    tmp_path_factory: pytest.TempPathFactory, config: Config, content: dict[str, Any]
) -> None:
    folder = tmp_path_factory.mktemp("state")
    (folder / "overrides.toml").write_bytes(tomli_w.dumps(content).encode(errors="replace"))
    use(folder, config)


@given(st.lists(st.tuples(st.floats(0, 1), st.integers(0, 9), st.binary(max_size=3)), max_size=3))
@fuzz(60)
def test_damaged_overrides_are_set_aside_and_the_rest_goes_on(
    tmp_path_factory: pytest.TempPathFactory, config: Config, changes: list[tuple[float, int, bytes]]
) -> None:
    folder = tmp_path_factory.mktemp("state")
    content = tomli_w.dumps(GOOD).encode()
    for where, length, more in changes:
        at = int(where * len(content))
        content = content[:at] + more + content[at + length :]
    (folder / "overrides.toml").write_bytes(content)
    use(folder, config)


@pytest.mark.parametrize(
    "content",
    [b"x = " + b"[" * 100_000, b"a." * 100_000 + b"a = 1", b"\xff", b"\x00", b"paused = 7\n", b"x = " + b"9" * 5000],
)
def test_overrides_that_no_program_has_written_are_set_aside(tmp_path: Path, config: Config, content: bytes) -> None:
    (tmp_path / "overrides.toml").write_bytes(content)
    use(tmp_path, config)


@pytest.mark.parametrize("make", [os.mkfifo, os.mkdir])
def test_a_pipe_or_folder_in_the_place_of_the_overrides_is_set_aside(tmp_path: Path, config: Config, make: Any) -> None:
    make(tmp_path / "overrides.toml")
    use(tmp_path, config)


@given(st.text(max_size=200) | st.lists(st.sampled_from(("A=1", "export B='x'", 'C="', "=", "CHARACTERS_WORKER_CONCURRENCY=", "9" * 5000, "#", "\x00",
    "nan", "auto", "-1", "OSINT_REPLICAS=٣", "\u2028", "\r", "\n", " ", "1_000", "x y = 1"))).map("".join))  # fmt: skip
@fuzz(150)
def test_any_env_file_is_read_or_refused_with_its_line(text: str) -> None:
    try:
        variables = dotenv.parse(text, "some.env")
        found = dotenv.imported(variables, ["characters"], ["osint"], "some.env")
    except UsageError as error:
        assert str(error).startswith("some.env:")
        return
    assert all(type(value) is int or value == "auto" for value in found.settings.values())


def test_a_long_env_line_is_read_in_no_time() -> None:
    for line in (
        "A=" + " " * 200_000 + "x",
        "A='" + "' " * 100_000,
        "A" * 500_000,
        "A=" + "#" * 500_000,
        " \t" * 200_000 + "=",
    ):
        try:
            dotenv.parse(line, "some.env")
        except UsageError as error:
            assert len(str(error)) < 200
