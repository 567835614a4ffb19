"""An endpoint that we cannot read is left alone, but probed."""

from supervisor.core.events import Events
from supervisor.worker.brake import MIN_BODIES, PROBE_EVERY_S, Brakes
from tests.support.clock import FakeClock


def test_few_bad_bodies_among_many_do_not_brake(clock: FakeClock) -> None:
    brakes = Brakes(clock, Events())
    for n in range(100):
        brakes.parsed("mounts", ok=n % 25 != 0)
    assert not brakes.is_on("mounts")


def test_more_than_one_in_twenty_brakes_and_probes_once_a_minute(clock: FakeClock) -> None:
    brakes = Brakes(clock, Events())
    for _ in range(MIN_BODIES):
        brakes.parsed("mounts", ok=False)
    assert brakes.is_on("mounts")
    assert not brakes.is_on("pets")
    clock.set(clock.monotonic() + PROBE_EVERY_S)
    assert not brakes.is_on("mounts")
    assert brakes.is_on("mounts")


def test_first_probe_that_parses_releases_the_brake(clock: FakeClock) -> None:
    brakes = Brakes(clock, Events())
    for _ in range(MIN_BODIES):
        brakes.parsed("mounts", ok=False)
    brakes.parsed("mounts", ok=True)
    assert not brakes.is_on("mounts")


def test_braking_and_release_are_told_once(clock: FakeClock) -> None:
    events, told = Events(), []
    events.subscribe(lambda name, fields: told.append((name, fields["endpoint"])))
    brakes = Brakes(clock, events)
    for _ in range(2 * MIN_BODIES):
        brakes.parsed("mounts", ok=False)
    brakes.parsed("mounts", ok=True)
    assert told == [("endpoint_braked", "mounts"), ("endpoint_released", "mounts")]
