"""Any question gets an answer in JSON, never a fault of ours, and what it enqueues can be claimed."""

# ruff: noqa: E501 - tables of nasty values are read along the line

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from supervisor.core.messages.supervisor_database import Question, Reply
from tests.database.bench import Desk
from tests.support.fuzzing import fuzz
from tests.support.waiting import eventually

METHODS = ("enqueue", "batch.open", "batch.append", "batch.accept", "batch.abort", "jobs.list", "jobs.show", "jobs.retry",
    "jobs.discard", "queues", "show", "export", "statistics", "nothing")  # fmt: skip
PARAMS = (
    "id",
    "batch",
    "worker",
    "state",
    "priority",
    "entity",
    "limit",
    "after",
    "table",
    "dry_run",
    "timeout_s",
    "kind",
)
VALUES = ("", "0", "1", "-1", "9" * 400, "9" * 5000, "1e9", "nan", "²", "٣", "towns", "available", "';drop table jobs;--", "%", "jobs", "gatherer.db",
    "sqlite_master", '["a"]', "[" * 5000, "[1e999]", "[" + "9" * 400 + "]", '["\\ud800"]', "\x00", "eu/paris", "urgent", "characters", "towns")  # fmt: skip
BODIES = (
    b"", b"[]", b"{}", b'{"jobs": 7}', b'{"jobs": [7]}', b'{"jobs": [{"line": ' + b"9" * 400 + b"}]}", b'{"jobs": [{"line": -1}]}',
    b'{"jobs": ' + b"[" * 100_000, b'{"jobs": [' + b"[" * 900 + b"]" * 900 + b"]}", b'{"worker": ' + b"[" * 100_000,
    b'{"worker": "towns", "entity": "eu/\\ud800"}', b'{"worker": "towns", "entity": "eu/a", "max_age_s": 1e308, "deadline_s": 1e308}',
    b'{"worker": "towns", "entity": "eu/b", "deadline_s": 1e308, "provenance": "\\u0000\\u202e\\u001b]0;x\\u0007"}',
    b'{"worker": "towns", "entity": "eu/c", "args": {"a": ' + b"9" * 400 + b"}}",
    b'{"worker": "towns", "entity": "eu/d", "args": {"a": ' + b"[" * 800 + b"]" * 800 + b"}}",
    b'{"worker": "towns", "entity": "eu/e", "args": {"a": 18446744073709551616, "b": -9223372036854775809}}',
    b'{"worker": "towns", "entity": "eu/f", "args": {"a": "' + b"x" * 3_000_000 + b'"}}',
    b'{"worker": "towns\\u0000", "entity": "eu/a"}', b'{"worker": "' + b"t" * 100_000 + b'", "entity": "eu/a"}',
    b'{"worker": "towns", "args": {"name": [1], "region": {"a": 1}}}', b'{"worker": "towns", "entity": "eu/g", "priority": "__class__"}',
)  # fmt: skip
ASKED = st.tuples(
    st.sampled_from(METHODS),
    st.dictionaries(st.sampled_from(PARAMS), st.sampled_from(VALUES), max_size=4),
    st.sampled_from(BODIES) | st.binary(max_size=30),
)


async def ask(desk: Desk, method: str, params: dict[str, str], body: bytes) -> None:
    """Ask; the answer must be no fault of ours, and be JSON."""
    status, answer = await desk.ask(method, body, **params)
    assert status < 500, (method, params, body[:100], answer)
    assert msgspec.json.encode(answer)


@pytest.mark.parametrize("body", BODIES, ids=range(len(BODIES)))
async def test_any_body_is_answered_and_what_is_taken_can_be_claimed(desk: Desk, body: bytes) -> None:
    await ask(desk, "enqueue", {}, body)
    await ask(desk, "enqueue", {}, b'{"jobs": [' + body + b"]}")
    taken = await desk.rows("SELECT count(*) n FROM jobs")
    replica = await desk.replica()
    assert len(await replica.claim(10)) == taken[0]["n"]


@pytest.mark.parametrize("value", VALUES, ids=range(len(VALUES)))
async def test_any_parameter_is_answered(desk: Desk, value: str) -> None:
    await desk.enqueue("eu/paris")
    for method in METHODS:
        for name in PARAMS:
            if method == "jobs.discard" and (name, value) == ("worker", "towns"):
                continue
            await ask(
                desk,
                method,
                {name: value} | ({"table": "towns"} if method == "export" and name != "table" else {}),
                b"",
            )
    assert (await desk.rows("SELECT count(*) n FROM jobs"))[0]["n"] == 1


async def test_any_question_is_answered(desk: Desk) -> None:
    drawn: list[tuple[str, dict[str, str], bytes]] = []

    @given(ASKED)
    @fuzz(150)
    def draw(asked: tuple[str, dict[str, str], bytes]) -> None:
        drawn.append(asked)  # an example cannot await

    draw()
    for method, params, body in drawn:
        await ask(desk, method, params, body)
    await ask(desk, "statistics", {}, b"")


async def test_an_answer_that_no_frame_can_hold_is_a_refusal_and_no_silence(desk: Desk) -> None:
    for start in range(0, 300, 60):
        await desk.enqueue(*(f"eu/a{n}" for n in range(start, start + 60)), args={"a": "x" * 60_000})
    desk.service.receive(Question(7, "jobs.list", {"limit": "1000"}))
    (reply,) = await eventually(lambda: [message for message in desk.sent if isinstance(message, Reply)])
    assert reply.status == 422
    assert b"ask for fewer" in reply.body
