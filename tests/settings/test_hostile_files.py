"""Whatever stands where the configuration should be ends in a Config or in a report with places, and soon."""

# ruff: noqa: E501 - tables of nasty values are read along the line

import os
import re
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
import tomli_w
from hypothesis import given
from hypothesis import strategies as st

from supervisor.core.errors import ConfigurationError
from supervisor.settings.config import Config
from supervisor.settings.reading import load
from supervisor.settings.shipped import shipped
from tests.settings.folder import MINIMAL, Folder
from tests.support.fuzzing import fuzz

SHIPPED = [shipped(f"{name}.toml") for name in ("config", "development", "production")] + [MINIMAL]
TOKENS = [
    *(
        "= ",
        "[",
        "]",
        "[[",
        "]]",
        "{",
        "}",
        '"',
        "'",
        '"""',
        "'''",
        "#",
        ",",
        ".",
        "\n",
        "\r\n",
        "\r",
        "\x00",
        "\ufeff",
    ),
    *(
        "nan",
        "inf",
        "-inf",
        "1e999",
        "9" * 400,
        "9" * 5000,
        "-1",
        "0",
        "1979-05-27T07:32:00Z",
        "07:32:00",
        "true",
        "[]",
        "{}",
    ),
    *(
        "0x1f",
        "\u202e",
        "\x1b]0;x\x07",
        "\u2028",
        "🧙",
        '"\\ud800"',
        "workers",
        "keys",
        "[workers.characters]",
        "replicas",
    ),
    *("[[keys]]\n", "tags = 7\n", "a.b.c = 1\n", "windows = [{}]\n", 'path = "\\u0000"\n', 'job = "../.."\n'),
]
VALUES = st.recursive(
    st.booleans()
    | st.integers(-(2**80), 2**80)
    | st.floats()
    | st.text(max_size=12)
    | st.datetimes()
    | st.dates()
    | st.times(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=3),
    max_leaves=5,
)
TABLES = (
    "server",
    "apis",
    "keys",
    "tags",
    "workers",
    "schedules",
    "freshness",
    "retention",
    "storage",
    "log",
    "state_dir",
)
NAMES = (
    *(
        "listen",
        "edits",
        "token_file",
        "auth",
        "region",
        "windows",
        "use",
        "mode",
        "name",
        "tags",
        "client_id",
        "secret",
    ),
    *(
        "client_secret_file",
        "client_secret_env",
        "job",
        "tag",
        "concurrency",
        "replicas",
        "autoscale",
        "weight",
        "path",
    ),
    *("every", "cron", "tz", "args", "worker", "tiers", "min_free", "level", "form", "environment", "max_pss", "grace"),
)
NAMED = st.dictionaries(st.sampled_from(NAMES) | st.text(max_size=4), VALUES, max_size=5)
DOCUMENTS = st.dictionaries(
    st.sampled_from(TABLES) | st.text(max_size=4),
    NAMED
    | st.dictionaries(st.sampled_from(("characters", "osint", "blizzard", "")), NAMED, max_size=2)
    | st.lists(NAMED, max_size=2)
    | VALUES,
    max_size=5,
)


def judge(path: Path, within_s: float = 20.0) -> Config | list[str]:
    """Load `path`; fail on any other end than the two, and on a problem that does not say where it is."""
    started = time.monotonic()
    try:
        return load(path, environment={})
    except ConfigurationError as error:
        assert error.problems
        for problem in error.problems:
            assert problem.startswith(str(path)) or re.match(r"configuration: ", problem), problem
            assert problem.isprintable(), repr(problem)
        return error.problems
    finally:
        assert time.monotonic() - started < within_s


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return Folder(tmp_path_factory.mktemp("hostile")).config


@given(st.binary(max_size=300))
@fuzz(60)
def test_any_bytes_are_a_configuration_or_a_report(place: Path, content: bytes) -> None:
    place.write_bytes(content)
    judge(place)


@given(DOCUMENTS)
@fuzz(50)
def test_any_toml_is_a_configuration_or_a_report(place: Path, content: dict[str, Any]) -> None:
    with suppress(ValueError):  # what TOML cannot hold, such as half of a surrogate pair
        place.write_text(tomli_w.dumps(content), encoding="utf-8")
    judge(place)


@given(
    st.sampled_from(SHIPPED),
    st.lists(
        st.tuples(st.floats(0, 1), st.integers(0, 12), st.sampled_from(TOKENS) | st.binary(max_size=3)),
        min_size=1,
        max_size=4,
    ),
)
@fuzz(50)
def test_a_changed_configuration_is_one_or_a_report(
    place: Path, text: str, changes: list[tuple[float, int, str | bytes]]
) -> None:
    content = text.encode()
    for where, length, token in changes:
        at = int(where * len(content))
        content = (
            content[:at]
            + (token if isinstance(token, bytes) else token.encode(errors="surrogatepass"))
            + content[at + length :]
        )
    place.write_bytes(content)
    judge(place)


@given(st.sampled_from(SHIPPED), st.data())
@fuzz(50)
def test_a_value_of_another_type_is_taken_or_reported(place: Path, text: str, data: st.DataObject) -> None:
    lines = text.splitlines()
    settings = [n for n, line in enumerate(lines) if re.match(r"#?\s*[a-z_]+ *=", line)]
    for number in data.draw(st.lists(st.sampled_from(settings), min_size=1, max_size=3)):
        name = lines[number].lstrip("# ").split("=")[0].strip()
        with suppress(ValueError):
            lines[number] = f"{name} = " + tomli_w.dumps({"v": [data.draw(VALUES)]})[5:-2].replace("\n", " ").strip(
                " ,"
            )
    place.write_text("\n".join(lines), encoding="utf-8", errors="replace")
    judge(place)


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"\xef\xbb\xbf" + MINIMAL.encode(), "byte order mark"),
        (MINIMAL.encode() + b"\x00", "not TOML"),
        (MINIMAL.encode() + b"# caf\xe9\n", "not UTF-8"),
        (MINIMAL.encode("utf-16"), "not UTF-8"),
        (b"a = 1\n" * 2_000_000, "bytes, at most"),
        (b"a." * 400_000 + b"a = 1\n", "parts"),
        (b"[" + b"'a' ." * 100_000 + b"a]\n", "parts"),
        (b"x = " + b"[" * 400_000, "nested too deeply"),
        (b"x = " + b"{a=" * 300_000, "nested too deeply"),
        (b"x = " + b"9" * 900_000, "not TOML"),
        (b"x = '''" + b"''" * 400_000, "not TOML"),
    ],
    ids=lambda value: value[:12] if isinstance(value, str) else "",
)  # fmt: skip  # one file a line
def test_a_file_that_is_none_is_one_clear_problem_at_once(place: Path, content: bytes, says: str) -> None:
    place.write_bytes(content)
    problems = judge(place)
    assert isinstance(problems, list)
    assert says in problems[0]


@pytest.mark.parametrize("value", [*("9" * 400, "1e308", "nan", "-inf", "1" + "0" * 30, '""', '"\\u0000"', '"."'),
    *('"~nobody"', '"' + "a/" * 500 + '"', "[]", "[{}]", "{}", "{a = {b = {c = 1}}}", "1979-05-27", "false"),
    *('"999999999999999999999999d"', '"1' + "0" * 500 + 's"', '"* * * * *"', '"Mars/Olympus"', '"../../etc"')])  # fmt: skip
def test_each_setting_takes_or_reports_the_strangest_values(place: Path, value: str) -> None:
    """All settings at once, then some at a time, so that no problem of one hides what another does."""
    for text in SHIPPED:
        setting = re.compile(r"^(?:# )?([a-z_]+) *=.*$", re.MULTILINE)
        place.write_text(setting.sub(rf"\1 = {value}".replace("\\u", "\\\\u"), text))
        judge(place)
        for name in sorted(set(setting.findall(text))):
            place.write_text(
                re.sub(rf"^{name} *=.*$", f"{name} = {value}".replace("\\", "\\\\"), text, flags=re.MULTILINE)
            )
            judge(place)


def test_windows_line_ends_are_taken_and_count_as_lines(place: Path) -> None:
    place.write_bytes(MINIMAL.replace("\n", "\r\n").encode())
    assert isinstance(judge(place), Config)
    place.write_bytes((MINIMAL + "replicas = -1\n").replace("\n", "\r\n").encode())
    assert f"{place}:{MINIMAL.count(chr(10)) + 1}: " in judge(place)[0]  # type: ignore[index]  # it is a report


def test_a_megabyte_of_unknown_names_is_reported_soon_and_in_few_lines(place: Path) -> None:
    place.write_text(MINIMAL + "".join(f"nonsense_{n} = {n}\n" for n in range(8_000)))
    problems = judge(place)
    assert isinstance(problems, list)
    assert len(problems) <= 101
    assert "more" in problems[-1]


def test_a_folder_a_pipe_and_a_device_are_problems_and_no_hang(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe.toml"
    os.mkfifo(pipe)
    folder = tmp_path / "folder.toml"
    folder.mkdir()
    for path in (
        pipe,
        folder,
        Path("/dev/zero"),
        Path("/dev/null"),
        tmp_path / "absent.toml",
        tmp_path / "pipe.toml" / "x",
    ):
        assert isinstance(judge(path), list)


def test_a_pipe_in_keys_d_or_for_a_secret_is_a_problem_and_no_hang(tmp_path: Path) -> None:
    folder = Folder(tmp_path)
    (tmp_path / "keys.d").mkdir()
    os.mkfifo(tmp_path / "keys.d" / "more.toml")
    os.mkfifo(tmp_path / "secret")
    text = MINIMAL.replace('client_secret = "hush"', 'client_secret_file = "secret"')
    assert [problem.split(": ")[-1] for problem in folder.problems(text)] == [
        "is no regular file",
        "is no regular file",
    ]


@given(st.binary(max_size=200) | st.sampled_from(TOKENS).map(lambda token: token.encode(errors="surrogatepass")))
@fuzz(25)
def test_any_file_in_keys_d_and_for_a_secret_is_taken_or_reported(place: Path, content: bytes) -> None:
    more = place.parent / "keys.d"
    more.mkdir(exist_ok=True)
    (more / "more.toml").write_bytes(content)
    (place.parent / "secret").write_bytes(content)
    place.write_text(MINIMAL.replace('client_secret = "hush"', 'client_secret_file = "secret"'))
    try:
        with suppress(ConfigurationError):
            load(place, environment={})
    finally:
        (more / "more.toml").unlink()
