"""POST /workers/concurrency: what is understood, and how a refusal looks."""

import io
from typing import Any

import pytest

from supervisor.control.http import ControlServer
from supervisor.control.scale import ScaleRequest, parse, resolved
from supervisor.core.errors import ConfigurationError, ForbiddenError, MalformedError, RefusedError, UsageError
from tests.control.fake_face import FakeFace
from tests.control.serving import call

PATH = "/workers/concurrency"
GUIDE = b'{"worker":"characters","concurrency":3,"replicas":8}'


def test_the_guides_body_is_understood() -> None:
    assert parse(GUIDE) == ScaleRequest(worker="characters", concurrency=3, replicas=8)


@pytest.mark.parametrize("concurrency", ['"+1"', '"-10"', '"auto"', "0", "256"])
def test_numbers_steps_and_auto_are_understood(concurrency: str) -> None:
    parse(b'{"worker": "w", "concurrency": %s}' % concurrency.encode())


@pytest.mark.parametrize(
    "body",
    [
        '{"worker": "w"}', '{"concurrency": 3}', '{"worker": "w", "concurrency": 1, "weight": 2}', "[]", "3", "null",
        '{"worker": "w", "concurrency": 257}', '{"worker": "w", "concurrency": true}',
        '{"worker": "w", "concurrency": 1.5}', '{"worker": "w", "concurrency": "3"}', '{"worker": "w", "replicas": -1}',
        '{"worker": "w", "replicas": "auto"}', '{"worker": "w", "replicas": 99999999999999999999}',
    ],
)  # fmt: skip  # one a line would be a page
def test_anything_else_is_no_request(body: str) -> None:
    with pytest.raises(UsageError):
        parse(body.encode())


@pytest.mark.parametrize("body", [b"", b"worker=characters", b'{"worker": "w"', b"\xff"])
def test_what_is_no_json_is_told_apart(body: bytes) -> None:
    with pytest.raises(MalformedError):
        parse(body)


def test_steps_start_at_what_is_desired() -> None:
    assert [resolved("concurrency", asked, 3) for asked in (5, "+2", "-3", "auto")] == [5, 5, 0, "auto"]


@pytest.mark.parametrize(("name", "asked", "now"), [("concurrency", "+1", 256), ("replicas", "-1", 0)])
def test_a_step_over_the_edge_is_refused_with_its_sum(name: str, asked: str, now: int) -> None:
    with pytest.raises(UsageError, match=rf"{name}: expected 0 to \d+, got -?\d+ \({now} . 1\)"):
        resolved(name, asked, now)


async def test_the_answer_says_what_is_in_force_and_how_long_it_took(server: ControlServer, face: FakeFace) -> None:
    status, answer, headers = await call(server, "POST", PATH, data=GUIDE)
    assert (status, headers["Content-Type"]) == (200, "application/json")
    assert answer["desired"] == answer["effective"] == {"concurrency": 3, "replicas": 8}
    assert (answer["took_ms"], answer["warnings"]) == (7, [])
    assert face.scaled == [parse(GUIDE)]


async def test_what_is_not_in_force_in_time_is_accepted_with_a_warning(server: ControlServer, face: FakeFace) -> None:
    face.in_force = False
    status, answer, _ = await call(server, "POST", PATH, data=GUIDE)
    assert (status, answer["in_force"], answer["warnings"]) == (202, False, ["5 of 8 are ready"])


@pytest.mark.parametrize(
    ("refusal", "status"),
    [
        (UsageError("out of bounds"), 422), (ForbiddenError("refuse"), 403), (RefusedError("read-only"), 409),
        (ConfigurationError(["config.toml:7: broken"]), 409),
    ],
)  # fmt: skip  # as a table
async def test_each_refusal_is_a_problem_with_its_status(
    server: ControlServer, face: FakeFace, refusal: Any, status: int
) -> None:
    face.refusal = refusal
    found, answer, headers = await call(server, "POST", PATH, data=GUIDE)
    assert (found, answer["status"], headers["Content-Type"]) == (status, status, "application/problem+json")
    assert str(refusal) in answer["detail"]


@pytest.mark.parametrize(
    ("body", "status"),
    [(b"nope", 400), (b'{"worker": "nobody", "replicas": 1}', 404), (b'{"worker": 3}', 422), (b" " * 1_048_577, 413)],
)
async def test_a_bad_body_changes_nothing(server: ControlServer, face: FakeFace, body: bytes, status: int) -> None:
    found, answer, headers = await call(server, "POST", PATH, data=io.BytesIO(body))
    assert (found, answer["status"], headers["Content-Type"]) == (status, status, "application/problem+json")
    assert face.scaled == []


async def test_the_sizes_of_all_workers_are_shown(server: ControlServer) -> None:
    _, answer, _ = await call(server, "GET", PATH)
    assert answer["workers"]["guilds"] == {
        "desired": {"concurrency": 2, "replicas": 5},
        "effective": {"concurrency": 2, "replicas": 4},
        "limited_by": "hour",
    }


async def test_a_webhook_that_is_sent_to_the_guides_address_is_taken_as_one(
    server: ControlServer, face: FakeFace
) -> None:
    body = {"alerts": [{"status": "firing", "labels": {"alertname": "Backlog", "worker": "guilds"}}]}
    status, answer, _ = await call(server, "POST", PATH, json=body)
    assert (status, answer["alerts"][0]["worker"], face.scaled) == (202, "guilds", [])
    assert [alert.worker for alert in face.alerts] == ["guilds"]
