"""The circuit breaker of an API's hosts, alone and in the limiter."""

from supervisor.core.messages.replica_supervisor import ANSWERED, NOT_SENT, UNKNOWN, Grant, Release
from supervisor.limiter.hosts import FIRST_WAIT_S, LONGEST_WAIT_S, MIN_RESULTS, PROBE_MARGIN_S, Host
from supervisor.limiter.statistics import statistics_of
from tests.limiter.support import Bench, Replica, api, config, key, worker


def failed(host: Host, times: int, now: float = 100.0) -> bool:
    return [host.note("HTTP 503", now, is_probe=False) for _ in range(times)][-1]


def test_a_host_goes_down_when_most_of_its_last_requests_failed() -> None:
    host = Host("api.example")
    assert not failed(host, MIN_RESULTS - 1)
    assert failed(host, 1)
    assert host.down_since == 100.0


def test_a_few_failures_among_many_answers_are_no_outage() -> None:
    host = Host("api.example")
    for n in range(1000):
        host.note("HTTP 500" if n % 3 == 0 else "", 100.0, is_probe=False)
    assert host.down_since is None


def test_failing_probes_wait_ever_longer_and_an_answer_ends_the_outage() -> None:
    host = Host("api.example")
    failed(host, MIN_RESULTS)
    waits = []
    for _ in range(8):
        now = host.next_probe_at
        host.note("no answer", now, is_probe=True)
        waits.append(host.next_probe_at - now)
    assert waits[0] == 2 * FIRST_WAIT_S
    assert waits == sorted(waits)
    assert waits[-1] == LONGEST_WAIT_S
    assert not host.note("", now, is_probe=False), "an answer to an old request proves little"
    assert host.note("", now, is_probe=True)
    assert host.down_since is None


def test_a_host_that_goes_down_again_soon_is_waited_for_as_long_as_before() -> None:
    host = Host("api.example")
    failed(host, MIN_RESULTS)
    for now in (105.0, 115.0, 135.0):
        host.note("HTTP 503" if now < 135.0 else "", now, is_probe=True)
    failed(host, MIN_RESULTS, now=140.0)
    assert host.next_probe_at == 140.0 + 8 * FIRST_WAIT_S


def two_regions() -> Bench:
    return Bench(config(api(base_url="https://{region}.example"), key(), worker(), worker("items", "osint")))


class Client(Replica):
    """A replica whose requests go to a region."""

    def ends(self, grant: Grant, status: int, region: str = "eu", fate: int = ANSWERED) -> None:
        self._release(Release(grant.permit, fate, status, 0.05, region=region))

    def fail(self, times: int, region: str = "eu") -> None:
        for _ in range(times):
            grant = self.get(region=region)
            assert grant is not None
            self.ends(grant, 503, region)


def test_an_outage_holds_starts_and_one_probe_at_a_time_ends_it() -> None:
    bench = Bench()
    client = Client(bench, "characters")
    client.fail(MIN_RESULTS)
    down = bench.heard.named("host_down")[0]
    assert (down["host"], down["why"]) == ("eu.api.blizzard.com", "HTTP 503")
    before = len(client.grants)
    bench.waiting(characters=[0, 0, 1000])
    for _ in range(20):
        client.ask(start=True)
    bench.advance(FIRST_WAIT_S - 0.5)
    assert len(client.grants) == before
    assert statistics_of(bench.limiter, bench.now).workers["characters"].limited_by == "api down"
    bench.advance(1.0)
    assert len(client.grants) == before + 1
    assert client.grants[-1].is_probe
    client.ends(client.grants[-1], 503)
    bench.advance(FIRST_WAIT_S)
    assert len(client.grants) == before + 1
    bench.advance(FIRST_WAIT_S + 0.5)
    assert len(client.grants) == before + 2
    client.ends(client.grants[-1], 200)
    assert len(client.grants) == before + 20
    assert not client.grants[-1].is_probe
    assert bench.heard.named("host_up")[0]["host"] == "eu.api.blizzard.com"


def test_twenty_minutes_of_outage_cost_few_probes() -> None:
    bench = Bench()
    client = Client(bench, "characters")
    client.fail(MIN_RESULTS)
    bench.waiting(characters=[0, 0, 100_000])
    before = len(client.grants)

    def refuse() -> None:
        for grant in client.grants[refuse.seen :]:  # type: ignore[attr-defined]  # a counter of this function's own
            refuse.seen += 1  # type: ignore[attr-defined]
            client.ends(grant, 503)

    refuse.seen = before  # type: ignore[attr-defined]
    for _ in range(1200):
        client.ask(start=True, wait_s=60.0)
        bench.advance(1.0, refuse)
    assert 15 <= len(client.grants) - before <= 30
    assert all(grant.is_probe for grant in client.grants[before:])


def test_requests_of_started_jobs_are_refused_at_once_and_when_the_outage_begins() -> None:
    bench = Bench(config(api(windows=api().windows[:1])))
    client = Client(bench, "characters")
    grants = client.exhaust()
    client.ask(region="eu")
    for grant in grants[:MIN_RESULTS]:
        client.ends(grant, 0, fate=UNKNOWN)
    assert client.refusals == ["host down"]
    assert client.get(region="eu") is None
    assert client.refusals == ["host down", "host down"]


def test_another_region_that_answers_goes_on() -> None:
    bench = two_regions()
    client = Client(bench, "characters")
    client.fail(MIN_RESULTS - 1)
    us = client.get(region="us")
    assert us is not None
    client.ends(us, 200, "us")
    client.fail(1)
    assert client.get(region="eu") is None
    assert client.get(region="us") is not None
    bench.waiting(characters=[0, 0, 5])
    start = client.get(start=True)
    assert start is not None
    assert (start.down_regions, start.is_probe) == (("eu",), False)
    bench.advance(FIRST_WAIT_S)
    probe = client.get(region="eu")
    assert probe is not None and probe.is_probe
    assert client.get(region="eu") is None, "one probe at a time"
    client.ends(probe, 200)
    assert client.get(region="eu") is not None


def test_no_connection_counts_as_failure_and_our_own_cancels_do_not() -> None:
    bench = Bench()
    client = Client(bench, "characters")
    for _ in range(3 * MIN_RESULTS):
        grant = client.get(region="eu")
        assert grant is not None
        client.unknown(grant)
    assert not statistics_of(bench.limiter, bench.now).hosts[0].is_down
    for _ in range(MIN_RESULTS):
        grant = client.get(region="eu")
        assert grant is not None
        client.ends(grant, 0, fate=NOT_SENT)
    assert statistics_of(bench.limiter, bench.now).hosts[0].why == "no connection"


def test_a_probe_that_nobody_speaks_of_any_more_is_followed_by_another() -> None:
    bench = Bench(config(api(timeout_s=10.0)))
    client = Client(bench, "characters")
    client.fail(MIN_RESULTS)
    bench.waiting(characters=[0, 0, 9])
    bench.advance(FIRST_WAIT_S)
    assert client.get(start=True) is not None
    bench.limiter.disconnect(client.number, bench.now)
    other = Client(bench, "characters")
    other.ask(start=True, wait_s=300.0)
    bench.advance(10.0 + PROBE_MARGIN_S - 1)
    assert other.grants == []
    bench.advance(2.0)
    assert other.grants[0].is_probe


def test_a_probe_with_nothing_to_do_comes_again_soon() -> None:
    bench = Bench()
    client = Client(bench, "characters")
    client.fail(MIN_RESULTS)
    bench.waiting(characters=[0, 0, 9])
    bench.advance(FIRST_WAIT_S)
    grant = client.get(start=True)
    assert grant is not None
    client.not_sent(grant)
    client.ask(start=True)
    bench.advance(1.1)
    assert client.grants[-1].is_probe


def test_429_401_and_404_are_answers() -> None:
    bench = Bench()
    client = Client(bench, "characters")
    for status in (404, 403, 401, 400) * 5:
        grant = client.get(region="eu")
        if grant is not None:
            client.ends(grant, status)
    assert not statistics_of(bench.limiter, bench.now).hosts[0].is_down
