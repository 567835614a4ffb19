"""The token endpoint answers each wrong thing: no hot loop, no secret told, and the key works when it is over."""

from pathlib import Path
from typing import Any

import pytest

from supervisor.core.messages.replica_supervisor import ANSWERED
from supervisor.limiter.token_plan import REJECTED_AGAIN_S
from tests.faults.matrix import MEGABYTE, body, status
from tests.faults.rig import SECRET, rig
from tests.support.waiting import eventually

pytestmark = pytest.mark.slow

TOKEN = "^oauth-token$"
MINUTES = 4
MOST_ASKED = 8
"""In the minutes of each row: at once, then after a backoff of up to a minute."""

FAULTS: list[tuple[str, dict[str, Any]]] = [
    ("400", status(400)),
    ("401", status(401)),
    ("403", status(403)),
    ("429", status(429, retry_after=1)),
    ("500", status(500)),
    ("503 in HTML", status(503)),
    ("302", status(302, body="", headers={"Location": "http://127.0.0.1:9/"})),
    ("HTML with 200", {"do": "html"}),
    ("empty", body(b"")),
    ("no token", body(b'{"token_type":"bearer","expires_in":86399}')),
    ("a token that is a number", body(b'{"access_token":5,"expires_in":86399}')),
    ("a token with a line break", body(b'{"access_token":"a\\r\\nX: b","expires_in":86399}')),
    ("nested without measure", body(b'{"x":' + b"[" * 50_000)),
    ("expires_in 0", body(b'{"access_token":"abc","expires_in":0}')),
    ("expires_in -5", body(b'{"access_token":"abc","expires_in":-5}')),
    ("expires_in in words", body(b'{"access_token":"abc","expires_in":"a day"}')),
    ("huge", {"do": "endless", "bytes": 100 * MEGABYTE}),
    ("without end", {"do": "endless"}),
    ("gzip nobody asked for", {"do": "bomb", "bytes": 100 * MEGABYTE}),
    ("cut", {"do": "cut"}),
    ("reset", {"do": "reset"}),
    ("closed", {"do": "close"}),
    ("never", {"do": "delay", "seconds": 60}),
    ("a byte at a time", {"do": "slow", "seconds": 60}),
]


@pytest.mark.parametrize(("name", "fault"), FAULTS, ids=[name for name, _ in FAULTS])
async def test_a_token_endpoint_that_fails_costs_no_job_and_little_else(
    name: str, fault: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("supervisor.limiter.token_endpoint.TIMEOUT_S", 0.3)
    async with rig(tmp_path, keys=("one",), faults=[{"match": TOKEN} | fault]) as running:
        job = await running.enqueue("characters", running.simulator.gateway.world.numbered("eu", 5).entity)
        for _ in range(MINUTES):
            await running.pause(60.0)
        assert 1 <= running.requests() <= MOST_ASKED
        assert (await running.job(job))["state"] == "available"
        await eventually(lambda: running.permits.statistics().keys[0].last_error)
        assert SECRET not in repr(running.told) + repr(running.permits.statistics())
        assert not running.named("timer_failed")
        running.faults()
        running.skip(REJECTED_AGAIN_S)
        for _ in range(2):
            await running.pause(60.0)
        assert (await running.again(job))["outcome"] == "done"
        assert {end.fate for end in running.replicas["characters"].released} == {ANSWERED}


async def test_a_token_that_expires_at_once_is_not_asked_for_in_a_loop(tmp_path: Path) -> None:
    answer = body(b'{"access_token":"abc","expires_in":0.001}', match=TOKEN)
    async with rig(tmp_path, keys=("one",), faults=[answer]) as running:
        for _ in range(MINUTES):
            await running.pause(60.0)
        assert running.requests() <= MOST_ASKED


async def test_as_soon_as_one_key_has_a_token_again_so_has_every_other(tmp_path: Path) -> None:
    names = ("one", "two", "three", "four", "five", "six")
    async with rig(tmp_path, keys=names, faults=[{"match": TOKEN} | status(503)]) as running:
        for _ in range(10):
            await running.pause(60.0)
        running.faults()
        while all(key.state == "no token" for key in running.permits.statistics().keys):
            await running.pause(0.5)
        await eventually(
            lambda: {key.state for key in running.permits.statistics().keys}, lambda states: states == {"ok"}
        )


async def test_a_token_that_lives_for_ages_is_renewed_within_a_month(tmp_path: Path) -> None:
    async with rig(tmp_path, keys=("one",), token_life=1e15) as running:
        await running.pause(1.0)
        await running.pause(27 * 86_400.0 + 60.0)
        assert running.requests() == 2


async def test_a_token_revoked_in_the_middle_costs_one_request(tmp_path: Path) -> None:
    async with rig(tmp_path, keys=("one",)) as running:
        world = running.simulator.gateway.world
        assert (await running.run("characters", world.numbered("eu", 5).entity))["outcome"] == "done"
        running.simulator.gateway.clients.revoke("one")
        job = await running.run("characters", world.numbered("eu", 6).entity)
        statuses = running.simulator.gateway.clients.known["one"].tally.by_status
        assert (job["outcome"], job["attempt"], statuses["401"]) == ("done", 0, 1)


async def test_403_on_one_key_costs_no_job_an_attempt_while_another_serves(tmp_path: Path) -> None:
    async with rig(tmp_path, keys=("one", "two")) as running:
        world = running.simulator.gateway.world
        running.faults({"do": "status", "status": 403, "client": "one"})
        jobs = [await running.enqueue("characters", world.numbered("eu", number).entity) for number in range(30)]
        while await running.turn("characters"):
            if not (await running.rows("SELECT id FROM jobs WHERE kind = 'characters' AND state = 'available'")):
                break
        rows = [await running.job(job) for job in jobs]
        assert {(row["outcome"], row["attempt"]) for row in rows} == {("done", 0)}
        assert 1 <= running.simulator.gateway.clients.known["one"].tally.by_status["403"] <= 10


async def test_403_on_every_request_of_the_only_key_quarantines_it_aloud(tmp_path: Path) -> None:
    async with rig(tmp_path, keys=("one",)) as running:
        world = running.simulator.gateway.world
        running.faults({"do": "status", "status": 403, "client": "one"})
        for number in range(30):
            await running.enqueue("characters", world.numbered("eu", number).entity)
        while not running.named("key_quarantined"):
            await running.turn("characters")
        (reason,) = [fields["reason"] for fields in running.named("key_quarantined")]
        assert reason == "403 for 10 requests in a row"
        rows = await running.rows("SELECT DISTINCT outcome FROM jobs WHERE kind = 'characters' AND outcome IS NOT NULL")
        assert {row["outcome"] for row in rows} <= {"retry", "snooze"}, "once it is in quarantine, jobs only wait"
