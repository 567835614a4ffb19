"""The order in which keys are spent, kept in a heap."""

from random import Random

from supervisor.limiter.candidates import RANKED_FOR_S, Candidates, rank
from supervisor.limiter.quota import NOTHING
from tests.limiter.support import Bench, api, config, key

HUGE = api(windows=(type(api().windows[0])(requests=1000, per_s=3600.0),), hour="burst")


def bench_of(n: int) -> Bench:
    return Bench(config(HUGE, *(key(f"k{number}") for number in range(n))))


def candidates(bench: Bench) -> Candidates:
    return bench.limiter.ring.candidates("characters", "")


def spend(bench: Bench, name: str, requests: int) -> None:
    for _ in range(requests):
        bench.key(name).quota.granted(0, bench.now)
        bench.key(name).quota.charge(bench.now)


def test_the_choice_is_the_first_of_all_that_can_go_whatever_was_spent_meanwhile() -> None:
    random = Random(5)
    bench = bench_of(7)
    ranked = candidates(bench)
    for _ in range(2000):
        # What others spend is not told to the ranking: it must find out.
        spend(bench, f"k{random.randrange(7)}", random.randrange(3))
        chosen = ranked.choose(0, bench.now)
        able = [(rank(one, place, bench.now), one) for place, one in enumerate(ranked.keys)]
        able = [(place, one) for place, one in able if one.level(bench.now) > NOTHING]
        assert chosen is (min(able)[1] if able else None)
        if chosen is not None:
            chosen.grant(0, bench.now)


def test_keys_that_cannot_go_are_passed_over_and_not_forgotten() -> None:
    bench = bench_of(3)
    ranked = candidates(bench)
    for name in ("k0", "k1"):
        spend(bench, name, 1000)
    assert ranked.choose(0, bench.now) is bench.key("k2")
    bench.key("k2").set_credential(None, "no token")
    assert ranked.choose(0, bench.now) is None
    bench.arm_keys()
    assert ranked.choose(0, bench.now) is bench.key("k2")


def test_a_key_that_answered_403_comes_after_all_others_until_it_serves() -> None:
    bench = bench_of(2)
    ranked = candidates(bench)
    spend(bench, "k1", 500)
    assert ranked.choose(0, bench.now) is bench.key("k0")
    bench.key("k0").standing.answered(403, now=bench.now, random=Random(1))
    assert ranked.choose(0, bench.now) is bench.key("k1")
    bench.key("k0").standing.answered(200, now=bench.now, random=Random(1))
    bench.now += RANKED_FOR_S
    assert ranked.choose(0, bench.now) is bench.key("k0")


def test_what_a_key_regains_is_seen_within_a_second() -> None:
    bench = bench_of(2)
    ranked = candidates(bench)
    spend(bench, "k0", 900)
    bench.now += 3000.0
    spend(bench, "k1", 500)
    assert ranked.choose(0, bench.now) is bench.key("k1")
    bench.now += 700.0 - RANKED_FOR_S
    ranked.choose(0, bench.now)
    bench.now += RANKED_FOR_S
    assert ranked.choose(0, bench.now) is bench.key("k0")


def test_no_keys_no_choice() -> None:
    assert Candidates().choose(0, 1000.0) is None
