"""Which keys may serve whom, and which is spent next."""

from supervisor.limiter.key import identity_of
from supervisor.limiter.keyring import merged
from supervisor.settings.config import Secret
from tests.limiter.support import Bench, api, config, key, worker


def names(bench: Bench, worker_name: str, region: str = "") -> list[str]:
    return [one.name for one in bench.limiter.ring.candidates(worker_name, region).keys]


def test_a_worker_may_use_the_keys_of_its_tag_and_any_may_use_all() -> None:
    bench = Bench(
        config(key("a"), key("b", tags=("dma",)), worker("characters"), worker("items", "dma"), worker("index", "any"))
    )
    assert names(bench, "characters") == ["a"]
    assert names(bench, "items") == ["b"]
    assert names(bench, "index") == ["a", "b"]
    assert names(bench, "nobody") == []


def test_a_region_leaves_out_the_keys_of_other_regions() -> None:
    bench = Bench(config(key("eu", regions=("eu",)), key("all"), key("us", regions=("us", "kr"))))
    assert names(bench, "characters") == ["eu", "all", "us"]
    assert names(bench, "characters", "eu") == ["eu", "all"]
    assert names(bench, "characters", "kr") == ["all", "us"]


def test_the_least_flexible_key_is_spent_first() -> None:
    bench = Bench(config(key("both", tags=("osint", "dma")), key("one"), worker("characters"), worker("items", "dma")))
    replica = bench.replica()
    grants = [replica.get() for _ in range(150)]
    assert [grant.key for grant in grants if grant] == ["one"] * 100 + ["both"] * 50


def test_equal_keys_are_spent_evenly_and_always_in_the_same_way() -> None:
    def run() -> list[str]:
        bench = Bench(config(key("a"), key("b"), key("c")))
        replica = bench.replica()
        return [grant.key for grant in (replica.get() for _ in range(30)) if grant]

    chosen = run()
    assert chosen == run()
    assert [chosen.count(name) for name in "abc"] == [10, 10, 10]


def test_the_key_with_more_of_its_hour_left_is_spent_first() -> None:
    bench = Bench(config(key("a"), key("b")))
    for _ in range(50):
        bench.key("a").quota.granted(0, bench.now)
        bench.key("a").quota.charge(bench.now)
    chosen = bench.limiter.ring.candidates("characters", "").choose(0, bench.now)
    assert chosen is not None
    assert chosen.name == "b"


def test_a_key_that_cannot_go_is_passed_over() -> None:
    bench = Bench(config(key("a"), key("b")))
    bench.key("a").set_credential(None, "no token yet")
    replica = bench.replica()
    assert [grant.key for grant in (replica.get() for _ in range(3)) if grant] == ["b"] * 3


def test_two_entries_of_one_client_id_are_one_key() -> None:
    keys = merged([key("a", client_id="x"), key("b", client_id="x", tags=("dma",)), key("c", client_id="y")])
    assert [(one.name, one.tags) for one in keys] == [("a", ("osint", "dma")), ("c", ("osint",))]


def test_a_renamed_key_keeps_what_it_has_spent() -> None:
    bench = Bench(config(key("a", client_id="x")))
    replica = bench.replica()
    for _ in range(100):
        assert replica.get()
    bench.configure(config(key("z", client_id="x")))
    bench.arm_keys()
    assert replica.get() is None


def test_a_key_that_leaves_the_file_and_comes_back_keeps_what_it_has_spent() -> None:
    bench = Bench(config(key("a"), key("b")))
    replica = bench.replica()
    for _ in range(200):
        assert replica.get()
    bench.configure(config(key("b")))
    bench.configure(config(key("a"), key("b")))
    bench.arm_keys()
    assert replica.get() is None


def test_a_key_that_leaves_the_file_finishes_what_it_holds_and_gets_no_more() -> None:
    bench = Bench(config(key("a"), key("b")))
    replica = bench.replica()
    held = [grant for grant in replica.exhaust() if grant.key == "a"]
    bench.configure(config(key("b")))
    bench.arm_keys()
    for grant in held:
        replica.answered(grant)
    bench.advance(1.5)
    assert replica.get() is None, "what b has out still counts, and a gives nothing more"
    bench.configure(config(key("a"), key("b")))
    bench.arm_keys()
    assert {grant.key for grant in replica.exhaust()} == {"a"}, "its answers were counted, and have expired"


def test_a_lower_limit_holds_at_once_and_a_new_short_window_starts_full() -> None:
    bench = Bench()
    replica = bench.replica()
    for _ in range(60):
        assert replica.get()
    bench.configure(config(api(use=0.5)))
    assert replica.get() is None
    bench = Bench()
    ten = api(windows=(*api().windows, type(api().windows[0])(requests=500, per_s=10.0)))
    bench.configure(config(ten))
    assert bench.replica().get() is None
    bench.advance(10.1)
    assert bench.replica().get()


def test_identity_hides_the_client_id_and_follows_it() -> None:
    assert identity_of(key("a", client_id="x")) == identity_of(key("b", client_id="x"))
    assert identity_of(key("a", client_id="")) != identity_of(key("b", client_id=""))
    assert b"x" * 8 not in identity_of(key("a", client_id="x" * 32))


def test_a_disabled_key_serves_nobody_keeps_no_token_and_comes_back_with_what_it_spent() -> None:
    bench = Bench(config(key("a"), key("b")))
    replica = bench.replica()
    grant = replica.get()
    assert grant is not None and grant.key == "a"
    needed: list[tuple[str, str]] = []
    bench.limiter.judge.on_credential_needed = lambda one, why: needed.append((one.name, why))
    bench.configure(config(key("a", disabled="noon"), key("b")))
    assert bench.key("a").credential is None
    assert {one.key for one in replica.exhaust()} == {"b"}
    replica.answered(grant)
    bench.configure(config(key("a"), key("b")))
    bench.arm_keys()
    assert needed == [("a", "configured"), ("a", "configured")]
    assert len(replica.exhaust()) == 99


def test_requests_that_only_a_disabled_key_could_serve_are_refused_at_once() -> None:
    bench = Bench()
    replica = bench.replica()
    replica.exhaust()
    replica.ask()
    bench.configure(config(key(disabled="noon")))
    replica.ask()
    assert replica.refusals == ["no key", "no key"]


def test_another_secret_of_the_same_account_leaves_the_credential_in_force() -> None:
    bench = Bench()
    needed: list[str] = []
    bench.limiter.judge.on_credential_needed = lambda one, why: needed.append(why)
    bench.configure(config(key(secret=Secret("another"))))
    assert needed == ["rotated"]
    assert bench.replica().get() is not None
