"""What a job's end says: one word for tables, one phrase for people."""

import asyncio
from pathlib import Path
from random import Random

import pytest

from supervisor.core.clock import SystemClock
from supervisor.core.job import ClaimedJob, Done, Effect, Retry, Snooze
from supervisor.core.wire import MAX_FRAME_BYTES, encode
from supervisor.worker.finishing import finish, problem_of
from supervisor.worker.ledger import Ledger, StoreFailed
from tests.support.waiting import eventually


def test_problem_is_shared_by_many_jobs_and_names_no_entity() -> None:
    error = "character/status: unreachable: http://127.0.0.1:1/profile/wow/character/draenor/zoé/status (refused)"
    assert problem_of(Retry(error=error)) == "character/status: unreachable"
    assert problem_of(Snooze(after_s=1.0, note="character/pets is braked")) == "character/pets is braked"
    assert problem_of(Done()) == ""


@pytest.mark.parametrize("outcome", [Retry(error="half \ud800 of a pair"), Snooze(after_s=1.0, note="\udcff.json")])
def test_words_that_utf8_cannot_hold_are_spelled_out(outcome: Retry | Snooze) -> None:
    job = ClaimedJob(id=1, lease=2, worker="w", entity="e", parts={})
    assert encode(finish(1, job, outcome, 0))
    assert problem_of(outcome).encode()


async def test_a_result_that_no_frame_can_hold_is_refused_for_good_and_leaves_no_call_behind(tmp_path: Path) -> None:
    ledger = Ledger(socket=str(tmp_path / "s"), replica="w#1", worker="w", clock=SystemClock(), random=Random(1))
    server = await asyncio.get_running_loop().create_unix_server(asyncio.Protocol, str(tmp_path / "s"))
    running = asyncio.create_task(ledger.run())
    job = ClaimedJob(id=1, lease=2, worker="w", entity="e", parts={})
    for row in ({"a": 2**70}, {"a": "\ud800"}, {"a": object()}, {"a": b"x" * MAX_FRAME_BYTES}):
        outcome = Done(effects=[Effect("s", [row])])
        with pytest.raises(StoreFailed, match="Finish"):
            await ledger.insist(lambda call, o=outcome: finish(call, job, o, 0))  # type: ignore[misc]  # a default in a lambda
    assert ledger._calls._pending == {}
    running.cancel()
    await asyncio.wait({running})
    assert ledger._channel is not None
    ledger._channel.close()
    await eventually(lambda: ledger._channel is None)
    server.close()
    await server.wait_closed()
    await asyncio.sleep(0)
