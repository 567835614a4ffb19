"""concurrency = "auto" and the law behind it: what it settles at, how soon, and what it never does."""

from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from supervisor.pools.autoscale import Averages, Observation, decide
from supervisor.settings.config import AUTO, Autoscale
from tests.pools.plant import Stand

MOST = 256


def observation(
    *, concurrency: int = 4, written: int = 3, bounds: Autoscale | None = None, lifted: int = 0, **averages: float | str
) -> Observation:
    seen = {"span_s": 10.0, "waiting": 5000.0, "wanting": 1.0, "open": 1.0, "per_s": 50.0} | averages
    return Observation(
        now=1000.0,
        bounds=bounds or Autoscale(),
        written=written,
        rest=written + lifted,
        concurrency=concurrency,
        replicas=2,
        averages=Averages(**seen),  # type: ignore[arg-type]  # numbers and two texts, as the caller says
    )


@pytest.mark.parametrize("job_s", [0.05, 0.2, 0.8, 3.0])
@pytest.mark.parametrize("replicas", [1, 4, 8])
def test_auto_finds_just_enough_from_a_cold_start_within_a_minute(tmp_path: Path, job_s: float, replicas: int) -> None:
    stand = Stand(tmp_path, bounds=Autoscale(max=MOST, waiting_above=0, cooldown_s=5.0, auto=True))
    stand.plant.job_s, stand.plant.replicas = job_s, replicas
    stand.run(60)
    assert stand.plant.throughput() >= 0.95 * stand.plant.per_s
    needed = stand.plant.per_s * job_s
    assert stand.plant.slots <= max(1.75 * needed + replicas, replicas)


def test_auto_stays_where_it_settled(tmp_path: Path) -> None:
    stand = Stand(tmp_path)
    stand.run(90)
    settled = len(stand.moves)
    stand.run(400)
    assert stand.moves[settled:] == []


def test_auto_follows_the_keys_down_and_up(tmp_path: Path) -> None:
    stand = Stand(tmp_path)
    stand.run(60)
    stand.plant.per_s, stand.plant.spent = 10.0, "hour"
    stand.run(60)
    assert 5 <= stand.plant.slots <= 10
    assert "the keys' hour is the limit" in stand.why
    stand.plant.per_s = 40.0
    stand.run(60)
    assert stand.plant.throughput() >= 0.95 * 40


def test_auto_does_not_move_without_work(tmp_path: Path) -> None:
    stand = Stand(tmp_path)
    stand.plant.waiting = 0
    stand.run(300)
    assert stand.moves == []


def test_growth_that_brings_nothing_is_taken_back_and_not_tried_for_a_while(tmp_path: Path) -> None:
    stand = Stand(tmp_path, bounds=Autoscale(max=200, waiting_above=0, cooldown_s=5.0, auto=True))
    stand.plant.per_s, stand.plant.most_per_s = 500.0, 16.0  # the machine is the bottleneck: 8 slots
    stand.run(500)
    assert stand.plant.throughput() == 16.0
    assert stand.plant.slots <= 12
    assert [cause for _, _, _, cause in stand.moves].count("plateau") == 1
    assert "did not help" in stand.why


@pytest.mark.parametrize(
    ("trouble", "word"),
    [("refused_share", "429"), ("failed_share", "5xx"), ("database_slow", "slow to commit")],
)
def test_trouble_makes_it_back_off_and_come_back_by_steps(tmp_path: Path, trouble: str, word: str) -> None:
    stand = Stand(tmp_path)
    stand.run(60)
    before = stand.plant.concurrency
    assert before is not None
    setattr(stand.plant, trouble, True if trouble == "database_slow" else 0.3)
    stand.run(15)
    assert stand.plant.concurrency is not None
    assert stand.plant.concurrency < before
    assert word in stand.why or any(word in str(event.get("why")) for event in stand.noted)
    setattr(stand.plant, trouble, False)
    grown = len(stand.moves)
    stand.run(120)
    assert stand.plant.throughput() >= 0.95 * 40
    assert all(after - was == 1 for _, was, after, cause in stand.moves[grown:] if cause == "wanted")


def test_a_written_number_rises_by_steps_while_the_queue_is_long_and_comes_back(tmp_path: Path) -> None:
    stand = Stand(tmp_path, bounds=Autoscale(max=6, cooldown_s=60.0), concurrency=3)
    stand.plant.per_s = 500.0
    stand.run(400)
    assert stand.plant.concurrency == 6
    assert [after for _, _, after, _ in stand.moves] == [4, 5, 6]
    assert "max is 6" in stand.why
    stand.plant.waiting = 700
    stand.run(100)
    assert stand.plant.concurrency == 6  # between half and all of waiting_above nothing moves
    stand.plant.waiting = 400
    stand.run(400)
    assert stand.plant.concurrency == 3


def test_a_written_number_does_not_rise_while_the_keys_are_spent(tmp_path: Path) -> None:
    stand = Stand(tmp_path, bounds=Autoscale(cooldown_s=5.0), concurrency=3)
    stand.plant.per_s = 8.0
    stand.run(300)
    assert stand.moves == []
    assert "the keys' second is the limit" in stand.why


@pytest.mark.parametrize(("word", "why"), [("no key", "no usable key"), ("api down", "the API does not answer")])
def test_where_nothing_can_be_sent_there_is_no_reason_to_move(tmp_path: Path, word: str, why: str) -> None:
    stand = Stand(tmp_path)
    stand.plant.per_s, stand.plant.spent = 0.0, word
    stand.run(60)
    assert stand.moves == []
    assert why in stand.why


@pytest.mark.slow
@settings(max_examples=40, deadline=None)
@given(
    seed=st.integers(0, 1000),
    bounds=st.builds(
        lambda low, more, above, step, cooldown, auto: Autoscale(
            min=low, max=max(1, low + more), waiting_above=above, step=step, cooldown_s=cooldown, auto=auto
        ),
        st.integers(0, 4), st.integers(0, 40), st.sampled_from([0, 1000]), st.integers(1, 5),
        st.sampled_from([0.0, 5.0, 30.0]), st.booleans(),
    ),
    changes=st.lists(
        st.tuples(
            st.sampled_from(["per_s", "job_s", "waiting", "refused_share", "failed_share", "database_slow"]),
            st.floats(0.01, 1.0),
            st.integers(1, 40),
        ),
        max_size=6,
    ),
)  # fmt: skip  # the strategies in the order of the names
def test_never_outside_the_bounds_and_never_twice_within_the_cooldown(
    tmp_path_factory: pytest.TempPathFactory, seed: int, bounds: Autoscale, changes: list[tuple[str, float, int]]
) -> None:
    stand = Stand(tmp_path_factory.mktemp("state"), bounds=bounds, seed=seed)
    scales = {"per_s": 100.0, "job_s": 1.0, "waiting": 5000.0}
    for name, share, seconds in changes:
        value = share * scales.get(name, 0.1)
        setattr(
            stand.plant, name, int(value) if name == "waiting" else value > 0.05 if name == "database_slow" else value
        )
        for _ in range(seconds):
            stand.run(1)
            assert stand.plant.concurrency is not None
            assert bounds.min <= stand.plant.concurrency <= bounds.max
    moments = [at for at, _, _, _ in stand.moves]
    assert all(b - a >= bounds.cooldown_s - 1e-6 for a, b in zip(moments, moments[1:], strict=False))


@pytest.mark.slow
@settings(max_examples=12, deadline=None)
@example(seed=0, per_s=135.0, job_s=2.0, replicas=1, noise=0.0)  # as much as the bounds allow, which is less
@given(
    seed=st.integers(0, 1000),
    per_s=st.floats(5.0, 200.0),
    job_s=st.floats(0.05, 2.0),
    replicas=st.integers(1, 8),
    noise=st.floats(0.0, 0.15),
)
def test_on_a_steady_plant_it_converges_and_then_stands_still(
    tmp_path_factory: pytest.TempPathFactory, seed: int, per_s: float, job_s: float, replicas: int, noise: float
) -> None:
    stand = Stand(
        tmp_path_factory.mktemp("state"),
        seed=seed,
        bounds=Autoscale(max=MOST, waiting_above=0, cooldown_s=5, auto=True),
    )
    stand.plant.per_s, stand.plant.job_s = per_s, job_s
    stand.plant.replicas, stand.plant.noise = replicas, noise
    stand.run(90)
    settled = len(stand.moves)
    stand.run(200)
    assert stand.moves[settled:] == []
    possible_per_s = MOST * replicas / job_s
    assert stand.plant.throughput() >= 0.95 * min(per_s, possible_per_s)


@settings(max_examples=50)
@given(
    concurrency=st.integers(0, 20),
    held=st.floats(0, 40),
    open_share=st.floats(0, 1),
    waiting=st.floats(0, 1e6),
    lifted=st.integers(0, 3),
    trouble=st.sampled_from(["", "3 of 9 requests failed"]),
    auto=st.booleans(),
)
def test_a_decision_is_within_the_bounds_and_has_a_reason(
    concurrency: int, held: float, open_share: float, waiting: float, lifted: int, trouble: str, auto: bool
) -> None:
    bounds = Autoscale(min=1, max=10, auto=auto)
    decision = decide(
        observation(
            concurrency=concurrency, bounds=bounds, lifted=lifted, held=held, held_by="second" if held else "",
            open=open_share, waiting=waiting, trouble=trouble,
        )
    )  # fmt: skip  # one idea
    assert 1 <= decision.concurrency <= 10
    assert decision.why
    if held >= 2 and not trouble:
        assert decision.concurrency <= max(concurrency, 1)


def test_looks_before_a_move_do_not_count_after_it(tmp_path: Path) -> None:
    stand = Stand(tmp_path, bounds=AUTO)
    stand.run(5.1)
    assert len(stand.moves) == 1
    stand.run(2)
    assert "cooldown" in stand.why
