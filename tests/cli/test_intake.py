"""Jobs out of text: three forms, every bad line by its number."""

import io
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from supervisor.cli.intake import Defaults, Fault, jobs
from supervisor.cli.text_lines import MAX_LINE_BYTES, text_lines
from supervisor.core.errors import UsageError


def read(data: str | bytes, form: str = "auto", **defaults: Any) -> list[Any]:
    stream = io.BytesIO(data.encode() if isinstance(data, str) else data)
    return list(jobs(text_lines(stream), form, Defaults(**{"worker": "characters"} | defaults)))


def test_plain_lines_are_entities_of_the_given_worker() -> None:
    assert read("eu/kaelthas/zoé\n\n# comment\n  eu/a/b  \r\n") == [
        {"line": 1, "worker": "characters", "entity": "eu/kaelthas/zoé", "priority": "normal"},
        {"line": 4, "worker": "characters", "entity": "eu/a/b", "priority": "normal"},
    ]


def test_a_byte_order_mark_is_no_part_of_the_first_entity() -> None:
    assert read(b"\xef\xbb\xbfeu/a/b")[0]["entity"] == "eu/a/b"


def test_csv_columns_may_be_the_entitys_parts() -> None:
    text = 'region,realm,name,priority,max_age\neu,kaelthas,Zoé,urgent,12h\neu,"silvermoon",bob,,0\n'
    assert read(text) == [
        {
            "line": 2,
            "worker": "characters",
            "entity": "eu/kaelthas/Zoé",
            "priority": "urgent",
            "max_age_s": 43_200.0,
        },
        {"line": 3, "worker": "characters", "entity": "eu/silvermoon/bob", "priority": "normal", "max_age_s": 0.0},
    ]


def test_a_csv_line_may_name_its_own_worker() -> None:
    found = read("worker,entity\nguilds,eu/a/b\n,eu/a/c\n", worker="characters")
    assert [job["worker"] for job in found] == ["guilds", "characters"]


def test_one_column_headed_entity_is_csv() -> None:
    assert [job["entity"] for job in read("entity\neu/a/b\n")] == ["eu/a/b"]


def test_json_lines_take_the_daemons_own_names() -> None:
    found = read('{"worker": "index", "entity": "seeds", "args": {"of": "seeds"}, "max_age_s": 60}\n')
    assert found == [
        {
            "line": 1,
            "worker": "index",
            "entity": "seeds",
            "priority": "normal",
            "max_age_s": 60.0,
            "args": {"of": "seeds"},
        }
    ]


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ('{"entity": "eu/a/b", "prioritty": "urgent"}', "did you mean priority"),
        ('{"entity": "eu/a/b", "priority": "high"}', "expected urgent, normal, background"),
        ('{"entity": "eu/a/b", "max_age": "soon"}', "expected seconds or a duration"),
        ('{"entity": ["eu"]}', "entity: expected a text"),
        ('{"entity": "eu/a/b"', "no JSON"),
        ("[1]", "expected a JSON object"),
        ("{}", "no entity"),
    ],
)
def test_a_bad_json_line_is_a_fault_and_the_next_line_goes_on(line: str, reason: str) -> None:
    fault, good = read(line + '\n{"entity": "eu/a/b"}\n', form="jsonl")
    assert isinstance(fault, Fault)
    assert (fault.line, reason in fault.reason) == (1, True)
    assert good["line"] == 2


def test_a_csv_line_with_other_columns_than_its_header_is_a_fault() -> None:
    assert read("region,realm,name\neu,a\n") == [Fault(2, "2 columns, the header has 3")]


def test_a_csv_without_a_header_is_refused_with_the_known_columns() -> None:
    with pytest.raises(UsageError, match=r"line 1: a CSV begins with the names of its columns, and 'eu' is none"):
        read("eu,kaelthas,zoé\n")


def test_without_any_worker_a_line_says_how_to_name_one() -> None:
    (fault,) = read("eu/a/b\n", worker="")
    assert "gatherer enqueue WORKER" in fault.reason


@pytest.mark.parametrize("data", [b"eu/a/b\neu/a/c\n\xff\xfe\n", b"eu/a/b\n\neu/\x00\n"])
def test_what_is_no_text_is_refused_by_line(data: bytes) -> None:
    with pytest.raises(UsageError, match="line 3: not UTF-8 text"):
        read(data)


def test_an_endless_line_is_refused_without_being_read_whole() -> None:
    with pytest.raises(UsageError, match="line 1: longer than"):
        read(b"a" * (MAX_LINE_BYTES * 4))


@given(st.binary(max_size=300), st.sampled_from(["auto", "plain", "csv", "jsonl"]))
def test_any_bytes_give_jobs_faults_or_a_usage_error(data: bytes, form: str) -> None:
    try:
        found = read(data, form)
    except UsageError:
        return
    assert all(isinstance(item, Fault) or item["entity"] or item["args"] for item in found)
