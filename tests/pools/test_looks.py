"""What looks amount to: shares of time, rates, and what counts as trouble."""

from itertools import count

import pytest

from supervisor.pools.looks import SPAN_S, Look, Looks

START = 100.0


def seen(*looks: Look, every_s: float = 0.5) -> Looks:
    kept = Looks(START)
    for number, look in zip(count(), looks, strict=False):
        kept.add(look, START + number * every_s)
    return kept


def test_held_and_open_time_are_told_apart() -> None:
    averages = seen(
        Look(waiting=9, held=4, held_by="second"),
        Look(waiting=9, held=2, held_by="hour"),
        Look(waiting=9, held=2, held_by="hour"),
        Look(waiting=9, has_room=True),
        Look(waiting=0, has_room=True),
    ).averages()
    assert averages.held == pytest.approx(1.6)
    assert averages.held_by == "hour"
    assert averages.open == pytest.approx(0.2)
    assert averages.wanting == pytest.approx(0.8)
    assert averages.waiting == pytest.approx(7.2)


def test_the_rate_is_of_the_span() -> None:
    averages = seen(Look(granted=10), Look(granted=20), Look(granted=50), every_s=1.0).averages()
    assert (averages.per_s, averages.span_s) == (20.0, 2.0)


def test_old_looks_are_forgotten() -> None:
    looks = seen(*[Look(waiting=number) for number in range(100)], every_s=1.0)
    assert looks.averages().span_s <= SPAN_S


def test_after_a_restart_nothing_counts_until_it_has_settled() -> None:
    looks = seen(Look(waiting=5), Look(waiting=5))
    looks.restart(START + 1)
    looks.add(Look(waiting=9), START + 1.5)
    assert looks.averages().span_s == 0.0
    looks.add(Look(waiting=9), START + 2.0)
    looks.add(Look(waiting=9), START + 3.0)
    assert looks.averages().span_s == 1.0


@pytest.mark.parametrize(
    ("last", "trouble"),
    [
        (Look(granted=1000), ""),
        (Look(granted=1000, refused=10), ""),
        (Look(granted=1000, refused=11), "11 of 1000 requests were answered 429"),
        (Look(granted=1000, failed=100), ""),
        (Look(granted=1000, failed=101), "101 of 1000 requests failed (5xx or no answer)"),
        (Look(granted=4, failed=2), ""),
        (Look(granted=1000, database_slow=True), ""),
    ],
)
def test_trouble_begins_above_a_share(last: Look, trouble: str) -> None:
    assert seen(Look(), last).averages().trouble == trouble


def test_a_database_that_is_mostly_slow_is_trouble() -> None:
    assert seen(Look(), *[Look(database_slow=True)] * 2).averages().trouble == "the database is slow to commit"
