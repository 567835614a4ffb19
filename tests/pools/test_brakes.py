"""An endpoint that we cannot read is left alone by all replicas at once, but probed by one."""

from supervisor.core.events import Events
from supervisor.core.messages.replica_supervisor import Tally
from supervisor.pools.brakes import MIN_BODIES, PROBE_EVERY_S, Brakes

GOOD, BAD = Tally(parsed={"mounts": 1}), Tally(unparsed={"mounts": 1})


def brakes() -> tuple[Brakes, list[tuple[str, object]]]:
    events, told = Events(), []
    events.subscribe(lambda name, fields: told.append((name, fields["endpoint"])))
    return Brakes("characters", events), told


def braked() -> Brakes:
    made, _ = brakes()
    made.add(Tally(unparsed={"mounts": MIN_BODIES}), 0.0)
    return made


def test_few_bad_bodies_among_many_do_not_brake() -> None:
    made, _ = brakes()
    for n in range(100):
        made.add(BAD if n % 25 == 0 else GOOD, float(n))
    assert made.engaged() == []


def test_more_than_one_in_twenty_brakes_whichever_replicas_saw_them() -> None:
    made, _ = brakes()
    changes = [made.add(BAD, 0.0) for _ in range(MIN_BODIES)]
    assert changes == [False] * (MIN_BODIES - 1) + [True]
    assert made.engaged() == ["mounts"]


def test_a_braked_endpoint_is_probed_once_a_minute() -> None:
    made = braked()
    moments = [now for now in range(600) if made.take_probes(f"characters#{now % 7}", float(now))]
    assert moments == [60 * n for n in range(1, 10)]


def test_a_probe_that_does_not_parse_changes_nothing() -> None:
    made = braked()
    made.take_probes("characters#1", PROBE_EVERY_S)
    assert not made.add(BAD, PROBE_EVERY_S)
    assert made.engaged() == ["mounts"]


def test_who_has_not_used_a_probe_gets_no_second_one() -> None:
    made = braked()
    assert made.take_probes("characters#1", 60.0) == ["mounts"]
    assert made.take_probes("characters#1", 120.0) == []
    assert made.take_probes("characters#2", 120.0) == ["mounts"]
    made.add(BAD, 130.0)
    assert made.take_probes("characters#2", 180.0) == ["mounts"]


def test_the_first_probe_that_parses_releases_and_what_was_before_is_forgotten() -> None:
    made = braked()
    assert made.add(GOOD, PROBE_EVERY_S)
    assert made.engaged() == []
    assert not made.add(BAD, PROBE_EVERY_S)


def test_new_code_starts_without_brakes() -> None:
    made = braked()
    made.forget()
    assert made.engaged() == []
    assert not made.add(BAD, 1.0)


def test_endpoints_are_braked_each_by_itself_and_both_are_told_once() -> None:
    made, told = brakes()
    for now in range(2 * MIN_BODIES):
        made.add(Tally(parsed={"pets": 1}, unparsed={"mounts": 1}), float(now))
    made.add(GOOD, 60.0)
    assert told == [("endpoint_braked", "mounts"), ("endpoint_released", "mounts")]


def test_statistics_name_it_and_say_since_when() -> None:
    (seen,) = braked().statistics(20.0)
    assert (seen.endpoint, seen.for_s, seen.next_probe_in_s) == ("mounts", 20.0, 40.0)
