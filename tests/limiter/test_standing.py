"""What refusals do to the keys, and through them to who waits."""

from tests.limiter.support import Bench, api, config, key


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
