"""What was spent is known after a restart, a crash, a reboot and a damage."""

import math
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from supervisor.core.errors import RefusedError
from supervisor.core.messages.replica_supervisor import Grant
from supervisor.limiter.journal_head import HEAD_BYTES
from supervisor.limiter.journal_page import PAGE_BYTES, WORD_BYTES, pack_bucket, unpack_bucket
from supervisor.limiter.past import LINGER_S
from supervisor.settings.config import Window
from tests.limiter.machine import Machine
from tests.limiter.support import Replica, api, config

LIMIT = 10  # of the machine's short window


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    return Machine(tmp_path)


def test_a_key_never_seen_is_unspent(machine: Machine) -> None:
    bench = machine.start()
    assert bench.key().origin == "new"
    assert machine.frees_in_s() == 0.0


def test_after_a_clean_restart_the_hour_is_known_and_the_second_costs_a_window_at_most(machine: Machine) -> None:
    machine.start()
    machine.spend(25)
    machine.stop()
    machine.pass_time(0.4)
    bench = machine.start()
    assert bench.key().origin == "restored"
    assert machine.used() == 25
    assert 0.5 < machine.frees_in_s() < 0.7


def test_a_clean_restart_after_a_while_costs_nothing(machine: Machine) -> None:
    machine.start()
    machine.spend(5)
    machine.stop()
    machine.pass_time(10.0)
    machine.start()
    assert machine.frees_in_s() == 0.0


def test_after_a_crash_the_second_is_full_for_a_window_and_what_was_in_flight_lingers(machine: Machine) -> None:
    """Counterexample 14: a restart within a second must not double the window."""
    bench = machine.start()
    machine.spend(5)
    replica = bench.replica()
    for _ in range(4):
        assert replica.get()
    machine.crash()
    machine.start()
    assert machine.used() == 9
    machine.pass_time(0.99)
    assert machine.room() <= 0
    machine.pass_time(0.02)
    assert machine.room() == LIMIT - 4
    machine.pass_time(LINGER_S - 0.1)
    assert machine.room() == LIMIT - 4, "the server may have counted them at the last moment"
    machine.pass_time(0.1)
    assert machine.room() == LIMIT


def test_what_was_in_flight_lingers_also_over_a_second_crash(machine: Machine) -> None:
    replica = machine.start().replica()
    for _ in range(4):
        assert replica.get()
    machine.crash()
    machine.start()
    machine.pass_time(0.5)
    machine.crash()
    machine.start()
    machine.pass_time(1.1)
    assert machine.room() == LIMIT - 4


def test_a_crash_right_after_a_crash_counts_what_was_in_flight_once(machine: Machine) -> None:
    replica = machine.start().replica()
    for _ in range(4):
        assert replica.get()
    for _ in range(3):
        machine.crash()
        machine.start()
        assert machine.used() == 4


def test_a_stop_right_after_a_crash_does_not_forget_what_may_still_be_counted(machine: Machine) -> None:
    """The request in flight at the crash may be counted for a linger, whatever becomes of the run after it."""
    assert machine.start().replica().get() is not None
    machine.crash()
    machine.start()
    machine.stop()
    machine.pass_time(1.5)
    assert machine.start().key().quota.in_flight == 1


def test_spent_requests_expire_after_an_hour_across_restarts(machine: Machine) -> None:
    machine.start()
    machine.spend(10)
    machine.stop()
    machine.pass_time(1800.0)
    machine.start()
    machine.spend(10)
    machine.crash()
    machine.pass_time(1803.0)
    machine.start()
    assert machine.used() == 10


def test_a_park_survives_a_restart(machine: Machine) -> None:
    replica = machine.start().replica()
    grant = replica.get()
    assert grant is not None
    replica.answered(grant, 429, retry_after_s=60.0)
    machine.stop()
    machine.pass_time(5.0)
    machine.start()
    assert 55.0 < machine.frees_in_s() < 57.1


@pytest.mark.parametrize(("off_s", "left"), [(0.0, 20), (1000.0, 20), (3700.0, 0)])
def test_a_reboot_counts_the_time_that_the_machine_was_off(machine: Machine, off_s: float, left: int) -> None:
    machine.start()
    machine.spend(20)
    machine.stop()
    machine.reboot(off_s)
    machine.start()
    assert machine.used() == left


def test_a_wall_clock_that_went_back_over_a_reboot_lets_no_time_pass(machine: Machine) -> None:
    machine.start()
    machine.spend(20)
    machine.stop()
    machine.reboot(-7200.0)
    machine.start()
    assert machine.used() == 20


def test_a_wall_clock_that_jumps_without_a_reboot_is_not_noticed(machine: Machine) -> None:
    machine.start()
    machine.spend(20)
    for jump in (3600.0, -3600.0):
        machine.stop()
        machine.clock.jump_wall(jump)
        machine.start()
        assert machine.used() == 20


def test_power_loss_counts_two_seconds_at_full_speed_as_unknown(machine: Machine) -> None:
    machine.start()
    machine.spend(20)
    machine.crash()
    machine.reboot(60.0)
    machine.start()
    assert machine.used() == 20 + 20


@pytest.mark.parametrize(
    "damage",
    [
        lambda data: b"",
        lambda data: b"not a journal" * 100,
        lambda data: data[: len(data) // 2],
        lambda data: b"\xff" + data[1:],
        lambda data: data[: 4 * WORD_BYTES] + b"\x01" + data[4 * WORD_BYTES + 1 :],
    ],
    ids=["empty", "text", "cut", "magic", "head"],
)
def test_a_damaged_journal_means_spent_for_an_hour(machine: Machine, damage: object) -> None:
    machine.start()
    machine.spend(5)
    machine.stop()
    machine.path.write_bytes(damage(machine.path.read_bytes()))  # type: ignore[operator]
    bench = machine.start("osint-1", "osint-2")
    assert len(bench.heard.named("journal_damaged")) == 1
    assert [one.origin for one in bench.limiter.ring.keys] == ["damaged", "damaged"]
    assert machine.used() == 100
    machine.stop()
    machine.pass_time(1800.0)
    machine.start("osint-1", "osint-3")
    assert machine.used() == 100
    assert machine.used("osint-3") == 100, "it may be a key whose page was lost"
    assert 1795.0 < machine.frees_in_s() < 1810.0


def test_a_damaged_page_spends_its_key_and_leaves_the_others(machine: Machine) -> None:
    machine.start("a", "b")
    machine.spend(4)
    machine.stop()
    data = bytearray(machine.path.read_bytes())
    used = next(n for n in range(HEAD_BYTES + 8 * WORD_BYTES, HEAD_BYTES + PAGE_BYTES) if data[n])
    data[used] ^= 0x10
    machine.path.write_bytes(data)
    machine.start("a", "b")
    assert (machine.used("a"), machine.used("b")) == (100, 2)


def test_two_supervisors_cannot_hold_one_journal(machine: Machine) -> None:
    machine.start()
    with pytest.raises(RefusedError, match="another supervisor"):
        machine.start()


def test_a_key_that_was_away_for_an_hour_gives_its_page_back(machine: Machine) -> None:
    machine.start("a")
    machine.spend(3)
    machine.stop()
    machine.pass_time(5000.0)
    machine.start("b")
    assert list(machine.journal._pages.values()) == [0]


def test_another_longest_window_keeps_what_was_spent(machine: Machine) -> None:
    machine.start()
    machine.spend(30)
    day = api(windows=(Window(requests=10, per_s=1.0), Window(requests=500, per_s=86_400.0)), hour="burst")
    machine.bench.configure(config(day))
    assert machine.bench.key().quota.longest.count == 30
    machine.stop()
    machine.start()
    assert machine.used() == 30


@given(st.integers(0, 2**32 - 1), st.integers(1, 2**24 - 1))
def test_a_bucket_survives_its_word(number: int, requests: int) -> None:
    word = pack_bucket(number, requests)
    assert unpack_bucket(word) == (number, requests)
    assert word < 2**64


@pytest.mark.parametrize("bit", range(64))
def test_a_flipped_bit_of_a_bucket_is_found(bit: int) -> None:
    with pytest.raises(ValueError, match="does not check"):
        unpack_bucket(pack_bucket(1234, 9) ^ 1 << bit)


@pytest.mark.slow
@settings(max_examples=60, deadline=None)
@given(
    script=st.lists(
        st.tuples(st.sampled_from(["spend", "hold", "stop", "crash", "reboot"]), st.integers(0, 12)), max_size=12
    )
)
def test_restarts_at_any_point_never_forget_a_request(
    tmp_path_factory: pytest.TempPathFactory, script: list[tuple[str, int]]
) -> None:
    machine = Machine(tmp_path_factory.mktemp("journal"))
    machine.start()
    sent: list[float] = []
    for what, how in script:
        if what in ("spend", "hold"):
            replica = machine.bench.replica()
            for _ in range(how):
                grant = replica.get()
                if grant is None:
                    break
                sent.append(machine.clock.wall())
                if what == "spend":
                    replica.answered(grant)
            machine.pass_time(how / 3)
        else:
            machine.crash() if what == "crash" else machine.stop()
            if what == "reboot":
                machine.reboot(off_s=how)
                machine.boot_id = bytes([len(sent) % 250 + 1, how]) * 8
            machine.pass_time(how / 7)
            machine.start()
        young = sum(machine.clock.wall() - at <= 3600.0 for at in sent)
        assert machine.used() >= min(100, young)


@pytest.mark.slow
@settings(max_examples=40, deadline=None)
@given(
    script=st.lists(
        st.tuples(st.sampled_from(["ask", "answer", "wait", "crash"]), st.integers(1, 12)), min_size=5, max_size=30
    )
)
@example([("ask", 12), ("answer", 12), ("crash", 1), ("wait", 1), ("ask", 1)])
def test_no_second_holds_more_than_the_limit_over_crashes(
    tmp_path_factory: pytest.TempPathFactory, script: list[tuple[str, int]]
) -> None:
    """The server counts a request when it likes: from its grant to its answer, or to LINGER_S after a crash."""
    machine = Machine(tmp_path_factory.mktemp("journal"))
    replica = machine.start().replica()
    spans: list[tuple[Grant, list[float]]] = []  # [granted, end]
    for what, how in script:
        now = machine.clock.monotonic()
        out = [(grant, span) for grant, span in spans if span[1] == math.inf]
        if what == "wait":
            machine.pass_time(how / 5)
        elif what == "crash":
            for _, span in out:
                span[1] = now + LINGER_S
            machine.crash()
            replica = machine.start().replica()
        elif what == "answer":
            for grant, span in out[:how]:
                span[1] = now
                replica.answered(grant)
        else:
            spans += [(grant, [now, math.inf]) for grant in take(replica, how)]
        now = machine.clock.monotonic()
        assert sum(end > now - 1.0 for _, (_, end) in spans) <= LIMIT


def take(replica: Replica, n: int) -> Iterator[Grant]:
    """Yield up to `n` grants that can be had at once."""
    for _ in range(n):
        grant = replica.get()
        if grant is None:
            replica.cancel(replica.last_ask)
            return
        yield grant
