"""A replica leaves alone what its supervisor says, and sends the probes that it is given."""

from supervisor.core.messages.replica_supervisor import Braked
from supervisor.worker.brake import Brakes


def test_nothing_is_left_alone_before_anything_was_said() -> None:
    assert not Brakes().is_on("mounts")


def test_a_braked_endpoint_is_left_alone_until_the_next_word() -> None:
    brakes = Brakes()
    brakes.told(Braked(["mounts"]))
    assert (brakes.is_on("mounts"), brakes.is_on("pets")) == (True, False)
    brakes.told(Braked([]))
    assert not brakes.is_on("mounts")


def test_a_probe_is_one_request() -> None:
    brakes = Brakes()
    brakes.told(Braked(["mounts"], ["mounts"]))
    assert [brakes.is_on("mounts") for _ in range(3)] == [False, True, True]


def test_a_probe_that_was_not_used_is_kept_but_not_beyond_the_brake() -> None:
    brakes = Brakes()
    for _ in range(3):
        brakes.told(Braked(["mounts"], ["mounts"]))
    assert [brakes.is_on("mounts") for _ in range(2)] == [False, True]
    brakes.told(Braked(["mounts"], ["mounts"]))
    brakes.told(Braked([]))
    brakes.told(Braked(["mounts"]))
    assert brakes.is_on("mounts")
