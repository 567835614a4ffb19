"""Any bytes in the place of the journal are a journal or a damaged one, which counts as spent; never an exception."""

import contextlib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from supervisor.limiter.journal import FILE_BYTES
from supervisor.limiter.journal_head import HEAD_BYTES
from supervisor.limiter.journal_page import WORD_BYTES
from tests.limiter.machine import Machine
from tests.support.fuzzing import fuzz

# Places that are looked at: the head, the first page's head and ring, the second page.
PLACES = (
    st.integers(0, 11)
    | st.integers(HEAD_BYTES // 8, HEAD_BYTES // 8 + 40)
    | st.integers(0, FILE_BYTES // WORD_BYTES - 1)
)
WORDS = st.sampled_from(
    [0, 1, 2**64 - 1, 0x7FF0000000000000, 0x7FF8000000000000, 0xFFF0000000000000, 2**63, 0x7FEFFFFFFFFFFFFF]
) | st.integers(0, 2**64 - 1)


def written(folder: Path) -> Machine:
    machine = Machine(folder)
    machine.start("osint-1", "osint-2")
    machine.spend(20)
    machine.crash()
    return machine


def use(machine: Machine) -> None:
    """Start over whatever is there; a request may be had or not, and what is counted stays within bounds."""
    machine.start("osint-1", "osint-2")
    try:
        replica = machine.bench.replica()
        grant = replica.get()
        if grant is not None:
            replica.answered(grant)
        machine.pass_time(5.0)
        machine.journal.stamp()
        machine.journal.sync()
    finally:
        machine.stop()
    machine.start("osint-1", "osint-2")
    machine.stop()


@given(st.lists(st.tuples(PLACES, WORDS), min_size=1, max_size=4))
@fuzz(40)
def test_any_word_of_the_journal_may_be_wrong(
    tmp_path_factory: pytest.TempPathFactory, changes: list[tuple[int, int]]
) -> None:
    machine = written(tmp_path_factory.mktemp("journal"))
    with machine.path.open("r+b") as file:
        for place, word in changes:
            file.seek(place * WORD_BYTES)
            file.write(word.to_bytes(WORD_BYTES, "little"))
    use(machine)


@given(st.binary(max_size=5000))
@fuzz(20)
def test_any_bytes_are_a_damaged_journal(tmp_path_factory: pytest.TempPathFactory, content: bytes) -> None:
    machine = Machine(tmp_path_factory.mktemp("journal"))
    machine.path.write_bytes(content)
    use(machine)
    machine.start()
    assert machine.frees_in_s() > 0.0  # nobody knows what was spent
    with contextlib.suppress(OSError):
        machine.stop()
