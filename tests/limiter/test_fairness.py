"""Whose turn it is when there is less than everybody wants."""

from tests.limiter.support import Bench, Replica, api, config, key, worker


class Busy(Replica):
    """A replica with an endless backlog of one priority, whose requests are answered at once."""

    def __init__(self, bench: Bench, name: str, priority: int, waiters: int = 150) -> None:
        super().__init__(bench, name)
        self.priority = priority
        self.served = 0
        for _ in range(waiters):
            self.ask(priority=priority, wait_s=1e6)

    def answer_all(self) -> None:
        for grant in self.grants[self.served :]:
            self.answered(grant)
            self.ask(priority=self.priority, wait_s=1e6)
            self.served += 1


def serve(bench: Bench, replicas: list[Busy], seconds: float) -> list[int]:
    """Let time pass with every grant answered at once; return what each got."""

    def answer_all() -> None:
        for replica in replicas:
            replica.answer_all()

    answer_all()
    before = [replica.served for replica in replicas]
    bench.advance(seconds, answer_all)
    return [replica.served - served for replica, served in zip(replicas, before, strict=True)]


BURST = api(hour="burst")


def test_workers_share_a_key_by_weight() -> None:
    bench = Bench(config(BURST, worker("characters", weight=3.0), worker("guilds", weight=1.0)))
    characters, guilds = serve(bench, [Busy(bench, "characters", 2), Busy(bench, "guilds", 2)], 30.0)
    assert characters + guilds == 3000 - 100
    assert 2.9 < characters / guilds < 3.1


def test_urgent_weighs_eight_times_and_starves_nobody() -> None:
    bench = Bench(config(BURST, worker("characters"), worker("guilds")))
    characters, guilds = serve(bench, [Busy(bench, "characters", 0), Busy(bench, "guilds", 2)], 30.0)
    assert 7.5 < characters / guilds < 8.5


def test_who_was_away_gets_no_arrears() -> None:
    bench = Bench(config(BURST, worker("characters"), worker("guilds")))
    first = Busy(bench, "characters", 2)
    serve(bench, [first], 20.0)
    characters, guilds = serve(bench, [first, Busy(bench, "guilds", 2)], 10.0)
    assert 0.9 < guilds / characters < 1.1


def test_a_busy_key_does_not_push_on_those_who_wait_at_a_slow_one() -> None:
    slow = key("dma-1", tags=("dma",), use=0.05)
    bench = Bench(
        config(BURST, key("osint-1"), slow, worker("characters"), worker("items", "dma"), worker("index", "any"))
    )
    serve(bench, [Busy(bench, name, 2) for name in ("characters", "items", "index")], 30.0)
    at_slow = {name: count for (name, _), count in bench.key("dma-1").statuses.items()}
    assert 0.8 < at_slow["items"] / at_slow["index"] < 1.25


def test_connections_of_a_worker_take_turns() -> None:
    bench = Bench()
    holder = Busy(bench, "characters", 0, 100)
    many, few = Busy(bench, "characters", 0, 50), Busy(bench, "characters", 0, 5)
    for grant in holder.grants[:10]:
        holder.not_sent(grant)
    assert (len(many.grants), len(few.grants)) == (5, 5)


def test_who_comes_again_with_a_refused_request_goes_first_and_in_the_order_of_its_return() -> None:
    bench = Bench()
    holder = Busy(bench, "characters", 0, 100)
    replica, other = bench.replica(), bench.replica()
    asked = [replica.ask(), other.ask(), replica.ask(again=True), other.ask(again=True)]
    for grant in holder.grants[:4]:
        holder.not_sent(grant)
    first = {"replica": replica.grants[0].ask, "other": other.grants[0].ask}
    assert first == {"replica": asked[2], "other": asked[3]}
    assert (len(replica.grants), len(other.grants)) == (2, 2)


def test_who_comes_again_can_be_cancelled_and_is_refused_at_its_deadline() -> None:
    bench = Bench()
    Busy(bench, "characters", 0, 100)
    replica = bench.replica()
    replica.cancel(replica.ask(again=True))
    replica.ask(again=True, wait_s=5.0)
    bench.advance(6.0)
    assert replica.refusals == ["timeout waiting"]
    assert bench.limiter.dispatcher.waiting == 0


def test_urgent_goes_before_background_and_started_jobs_before_starts() -> None:
    bench = Bench()
    holder = Busy(bench, "characters", 0, 100)
    bench.waiting(characters=[0, 9, 0])
    replica = bench.replica()
    start = replica.ask(start=True)
    background = replica.ask(priority=2)
    normal = replica.ask(priority=1)
    urgent = replica.ask(priority=0)
    for grant in holder.grants[:4]:
        holder.not_sent(grant)
    assert [grant.ask for grant in replica.grants] == [urgent, normal, start, background]


def test_a_start_is_granted_only_while_a_job_waits_and_each_takes_one() -> None:
    bench = Bench()
    replica = bench.replica()
    for _ in range(5):
        replica.ask(start=True)
    assert replica.grants == []
    bench.waiting(characters=[1, 0, 2])
    assert len(replica.grants) == 3
    bench.waiting(characters=[0, 0, 0])
    bench.waiting()
    assert len(replica.grants) == 3
    bench.waiting(characters=[0, 1, 0])
    assert len(replica.grants) == 4


def test_a_start_has_the_priority_of_the_best_waiting_job() -> None:
    bench = Bench(config(api(windows=(*api().windows[:1], type(api().windows[0])(requests=100, per_s=3600.0)))))
    spender = bench.replica()
    for _ in range(95):
        assert spender.get(priority=0)
    replica = bench.replica()
    bench.waiting(characters=[0, 5, 5])
    replica.ask(start=True)
    assert replica.grants == [], "the last tenth of the hour is urgent's"
    bench.waiting(characters=[1, 5, 5])
    assert len(replica.grants) == 1


def test_a_paused_worker_starts_nothing_and_its_started_jobs_go_on() -> None:
    bench = Bench()
    replica = bench.replica()
    bench.waiting(characters=[0, 0, 9])
    bench.configure(config(worker(paused=True)))
    replica.ask(start=True)
    assert replica.grants == []
    assert replica.get()
    bench.configure(config(worker()))
    assert len(replica.grants) == 2


def test_a_worker_paused_by_the_configuration_starts_nothing() -> None:
    bench = Bench(config(worker(paused=True)))
    bench.waiting(characters=[0, 0, 9])
    replica = bench.replica()
    replica.ask(start=True)
    assert replica.grants == []
    bench.configure(config(worker()))
    bench.arm_keys()
    assert len(replica.grants) == 1
