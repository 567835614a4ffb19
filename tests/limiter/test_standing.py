"""What refusals do to the keys, and through them to who waits."""

from supervisor.core.messages.replica_supervisor import ANSWERED, Release
from supervisor.limiter.statistics import statistics_of
from supervisor.settings.config import Window
from tests.limiter.support import HOUR, Bench, Replica, api, config, key, worker


def test_a_429_parks_the_key_for_all_and_the_request_goes_on_with_another() -> None:
    bench = Bench(config(key("a"), key("b")))
    replica = bench.replica()
    grant = replica.get()
    assert grant is not None and grant.key == "a"
    replica.answered(grant, 429)
    assert {one.key for one in (replica.get() for _ in range(20)) if one} == {"b"}
    assert bench.heard.named("key_parked")[0]["key"] == "a"


def test_a_parked_key_probes_with_one_request_then_opens_half_then_all() -> None:
    bench = Bench()
    replica = bench.replica()
    replica.exhaust()
    for n, grant in enumerate(replica.grants):
        replica.answered(grant, 429 if n == 0 else 200)
    for _ in range(200):
        replica.ask()
    bench.advance(1.1)
    assert len(replica.grants) == 100 + 1
    replica.answered(replica.grants[100])
    assert len(replica.grants) == 101 + 49, "the probe itself still counts in the window"
    bench.advance(11.0)
    assert len(replica.grants) == 101 + 100, "the probe has left the window meanwhile"


def test_a_429_that_our_count_does_not_explain_keeps_the_window_lower_for_long() -> None:
    bench = Bench()
    replica = bench.replica()
    refused = [grant for _ in range(60) if (grant := replica.get())]
    for grant in refused:
        replica.answered(grant, 429)
    bench.advance(2.5)
    probe = replica.get()
    assert probe is not None
    replica.answered(probe)
    bench.advance(12.0)
    assert len(replica.exhaust()) == 61


def test_a_401_stops_grants_until_the_new_token_is_there() -> None:
    bench = Bench(config(api(auth="client_credentials")))
    asked: list[str] = []
    bench.limiter.judge.on_credential_needed = lambda key, why: asked.append(why)
    replica = bench.replica()
    old, late = replica.get(), replica.get()
    assert old is not None and late is not None
    replica.answered(old, 401)
    replica.answered(late, 401)
    assert asked == ["401"]
    assert replica.get() is None
    bench.arm_keys()
    assert len(replica.grants) == 3
    replica.answered(replica.grants[2], 401)
    assert asked == ["401", "quarantined"]
    assert bench.heard.named("key_quarantined")[0]["key"] == "osint-1"


def test_another_user_of_the_key_is_said_once_with_what_to_do_and_shown_until_the_limit_is_whole_again() -> None:
    bench = Bench()
    replica = bench.replica()
    for grant in [grant for _ in range(60) if (grant := replica.get())]:
        replica.answered(grant, 429)
    said = bench.heard.named("key_shared")
    assert len(said) == 1
    assert "another program" in said[0]["reason"] and "use = 0.5" in said[0]["reason"]
    bench.advance(2.5)
    probe = replica.get()
    assert probe is not None
    replica.answered(probe)
    bench.advance(20.0)
    one = statistics_of(bench.limiter, bench.now).keys[0]
    assert (one.state, "use = 0.5" in one.reason) == ("ok", True)
    bench.advance(500.0)
    assert len(replica.exhaust()) == 100
    assert statistics_of(bench.limiter, bench.now).keys[0].reason == ""


def test_use_of_one_key_is_its_share_of_every_window_and_follows_an_edit() -> None:
    bench = Bench(config(key("a", use=0.5), key("b")))
    limits = {one.name: [window.limit for window in one.quota.windows] for one in bench.limiter.ring.keys}
    assert limits == {"a": [50, 18_000], "b": [100, 36_000]}
    replica = bench.replica()
    assert len(replica.exhaust()) == 150
    bench.configure(config(key("a"), key("b", use=0.25)))
    limits = {one.name: [window.limit for window in one.quota.windows] for one in bench.limiter.ring.keys}
    assert limits == {"a": [100, 36_000], "b": [25, 9_000]}
    assert len(replica.exhaust()) == 50


def almost_spent(*, others_too: bool) -> Bench:
    """Return key a for characters and key b for items; a has 2 % of its hour left, b has all or as little."""
    windows = (Window(requests=100_000, per_s=1.0), HOUR)
    keys = (key("a"), key("b", tags=("dma",)))
    bench = Bench(config(api(windows=windows, hour="burst"), *keys, worker(), worker("items", "dma")))
    for one in bench.limiter.ring.keys:
        if others_too or one.name == "a":
            one.quota.longest.charge(bench.now, 35_280)
    return bench


def served(bench: Bench, *, slow: str, times: int = 100) -> None:
    replicas = (bench.replica("items"), bench.replica("characters"))
    for replica in replicas * times:
        grant = replica.get()
        if grant is not None:
            rtt_s = 0.5 if grant.key == slow or slow == "both" else 0.1
            bench.limiter.release(replica.number, Release(grant.permit, ANSWERED, 200, rtt_s), bench.now)


def test_a_key_that_becomes_slow_at_the_end_of_its_hour_is_left_alone_for_a_minute() -> None:
    bench = almost_spent(others_too=False)
    served(bench, slow="a")
    slowed = bench.heard.named("key_slowed")
    assert [one["key"] for one in slowed] == ["a"]
    assert "500 ms" in slowed[0]["reason"] and "100 ms" in slowed[0]["reason"]
    assert statistics_of(bench.limiter, bench.now).keys[0].state == "parked"
    bench.advance(61.0)
    assert statistics_of(bench.limiter, bench.now).keys[0].state == "probing"


def test_a_slow_key_with_much_left_and_keys_that_are_slow_together_are_used_on() -> None:
    for slow, others_too in (("b", False), ("both", True), ("", True)):
        bench = almost_spent(others_too=others_too)
        served(bench, slow=slow)
        assert bench.heard.named("key_slowed") == []


def told(bench: Bench, replica: Replica, allowed: int, remaining: int) -> list[int]:
    """Answer one request with RateLimit headers; return how many of each window are counted then."""
    grant = replica.get()
    assert grant is not None
    message = Release(grant.permit, ANSWERED, 200, 0.1, allowed=allowed, remaining=remaining)
    bench.limiter.release(replica.number, message, bench.now)
    return [window.count for window in bench.key().quota.windows]


def test_rate_limit_headers_count_up_the_window_that_they_speak_of_and_never_down() -> None:
    bench = Bench()
    replica = bench.replica()
    assert told(bench, replica, 100, 99) == [1, 1]
    assert told(bench, replica, 100, 40) == [60, 2]
    assert told(bench, replica, 100, 90) == [61, 3]
    assert told(bench, replica, 36_000, 30_000) == [62, 6_000]
    assert told(bench, replica, 1_000, 0) == [63, 6_001]
    assert told(bench, replica, 100, 0) == [100, 6_002]
    assert replica.get() is None
    bench.advance(1.1)
    assert told(bench, replica, 100, 99) == [1, 6_003]


def test_rate_limit_headers_leave_room_for_requests_in_flight() -> None:
    bench = Bench(config(key(use=0.5)))
    replica = bench.replica()
    for _ in range(10):
        replica.get()
    assert told(bench, replica, 100, 89) == [1, 1]
    assert told(bench, replica, 100, 30) == [10, 2], "50 are ours, 10 in flight, and 30 can still be had"
    assert len(replica.exhaust()) == 30
