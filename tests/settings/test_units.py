import contextlib
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from supervisor.settings import units


@pytest.mark.parametrize(
    ("written", "expected_s"),
    [(30, 30.0), (0.5, 0.5), ("10m", 600.0), ("24h", 86400.0), ("7d", 604800.0), ("1h30m", 5400.0), ("500ms", 0.5)]
    + [("2w", 1209600.0), ("1.5 h", 5400.0), (" 1h 30m ", 5400.0)],
)
def test_durations_are_numbers_of_seconds_or_texts_with_units(written: Any, expected_s: float) -> None:
    assert units.seconds(written) == pytest.approx(expected_s)


@pytest.mark.parametrize("written", ["", " ", "10", "m", "10x", "-5m", "1e3s", -1, True, None, [], float("nan")])
def test_what_is_no_duration_is_refused(written: Any) -> None:
    with pytest.raises(ValueError):
        units.seconds(written)


def test_a_duration_over_a_century_is_refused() -> None:
    with pytest.raises(ValueError):
        units.seconds("99999999999999999w")


@pytest.mark.parametrize(
    ("written", "expected"), [(0, 0), (500, 500), ("2GB", 2 * 10**9), ("2GiB", 2 * 2**30), ("1.5 MB", 1_500_000)]
)
def test_sizes_are_bytes_or_texts_with_units(written: Any, expected: int) -> None:
    assert units.size_bytes(written) == expected


@pytest.mark.parametrize("written", ["", "2", "GB", "2gb", -1, 1.5, True, "9" * 1000 + "GB"])
def test_what_is_no_size_is_refused(written: Any) -> None:
    with pytest.raises(ValueError):
        units.size_bytes(written)


@given(st.text())
def test_any_text_is_a_duration_or_a_value_error(text: str) -> None:
    with contextlib.suppress(ValueError):
        assert 0 <= units.seconds(text) <= units.MAX_DURATION_S


@pytest.mark.parametrize(
    ("duration_s", "said"), [(360.0, "6 min"), (5400.0, "1.5 h"), (0.5, "0.5 s"), (2592000, "30 d")]
)
def test_durations_are_said_for_people(duration_s: float, said: str) -> None:
    assert units.say_duration(duration_s) == said
