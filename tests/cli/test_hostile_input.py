"""Any bytes given to `gatherer enqueue` are jobs or faults with their lines, in bounded memory."""

# ruff: noqa: E501 - tables of nasty values are read along the line

import io
import json
import tracemalloc
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from supervisor.cli.intake import FORMS, Defaults, Fault, jobs
from supervisor.cli.text_lines import MAX_LINE_BYTES, text_lines
from supervisor.core.errors import UsageError
from tests.support.fuzzing import fuzz

DEFAULTS = Defaults(worker="characters")
PIECES = [*(b'{"worker": "characters", "entity": "eu/a/b"}', b'{"entity": "\\ud800"}', b"entity,priority", b"eu/a/b,urgent", b'"', b"\n", b"\r\n", b","),
    *(b"\x00", b"\xff", b"\xef\xbb\xbf", b"[" * 3000, b'{"a":' * 3000, b"9" * 5000, b'{"max_age": 1e999}', b'{"max_age": ' + b"9" * 400 + b"}", b"NaN"),
    *(b'{"entity": "x", "args": {"a": NaN}}', b'{"entity": "x", "deadline": -1}', b'{"entity": "x", "max_age": [1]}', "\u2028é🧙".encode(), b"\x1b]0;x\x07"),
    *(b'{"entity": {"a": 1}}', b'{"entity": "x", "args": "[1]"}', b'{"entity": "x", "priority": []}', b'{"entity": "x", "priority": {}}', b"=cmd|' /C calc'!A0"),
    *(b'{"entity": "x", "max_age": true}', b'{"entity": "x", "max_age": "' + b"9" * 400 + b'"}', b'{"entity": "x", "max_age": "' + b"9" * 5000 + b'"}')]  # fmt: skip


@given(st.sampled_from(FORMS), st.lists(st.sampled_from(PIECES) | st.binary(max_size=20), max_size=8).map(b"".join))
@fuzz(300)
def test_any_bytes_are_jobs_or_faults(form: str, content: bytes) -> None:
    with suppress(UsageError):
        for job in jobs(text_lines(io.BytesIO(content)), form, DEFAULTS):
            if isinstance(job, Fault):
                assert len(job.reason) < 1000
            else:
                json.dumps(job, ensure_ascii=False, allow_nan=False).encode()


@pytest.mark.parametrize("piece", PIECES)
def test_each_piece_alone_is_a_job_or_a_fault(piece: bytes) -> None:
    for form in FORMS:
        with suppress(UsageError):
            for job in jobs(text_lines(io.BytesIO(piece + b"\n" + piece)), form, DEFAULTS):
                if not isinstance(job, Fault):
                    json.dumps(job, ensure_ascii=False, allow_nan=False).encode()


def test_a_line_without_an_end_costs_no_more_than_a_line() -> None:
    stream = io.BytesIO(b"a" * 20_000_000)
    tracemalloc.start()
    try:
        with pytest.raises(UsageError, match="longer than"):
            list(text_lines(stream))
        assert tracemalloc.get_traced_memory()[1] < 20 * MAX_LINE_BYTES
    finally:
        tracemalloc.stop()
