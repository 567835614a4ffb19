"""`gatherer scale` against a program in memory."""

import json

from supervisor.control.scale import ScaleRequest
from supervisor.core.errors import RefusedError
from tests.cli.calling import Call
from tests.control.fake_face import FakeFace


def test_numbers_steps_and_auto_reach_the_daemon_as_such(call: Call, face: FakeFace) -> None:
    call("scale", "characters", "--concurrency", "3", "--replicas", "+1")
    call("scale", "characters", "--concurrency", "-1")
    call("scale", "characters", "--concurrency", "auto")
    assert face.scaled == [
        ScaleRequest(worker="characters", concurrency=3, replicas="+1"),
        ScaleRequest(worker="characters", concurrency="-1"),
        ScaleRequest(worker="characters", concurrency="auto"),
    ]


def test_it_says_what_is_in_force_and_where_that_is_kept(call: Call) -> None:
    done = call("scale", "characters", "--replicas", "8")
    assert (done.exit_code, done.output) == (
        0,
        "characters: concurrency 3, replicas 8; took 7 ms, kept in config.toml\n",
    )
    assert json.loads(call("scale", "characters", "--replicas", "8", "--json").output)["took_ms"] == 7


def test_what_is_not_in_force_exits_75(call: Call, face: FakeFace) -> None:
    face.in_force = False
    done = call("scale", "characters", "--replicas", "8")
    assert (done.exit_code, done.stderr) == (75, "warning: 5 of 8 are ready\n")


def test_a_refusal_is_one_sentence_and_exits_1(call: Call, face: FakeFace) -> None:
    face.refusal = RefusedError("config.toml cannot be replaced: Read-only file system")
    done = call("scale", "characters", "--replicas", "8")
    assert (done.exit_code, done.stderr) == (1, f"Error: {face.refusal}\n")
    assert call("scale", "nobody", "--replicas", "8").exit_code == 1


def test_usage_mistakes_exit_2(call: Call) -> None:
    assert call("scale", "characters").exit_code == 2
    assert call("scale", "characters", "--replicas", "many").exit_code == 2
