"""Few numbers, each value in exactly one bucket."""

import pytest

from supervisor.core.histogram import Histogram, merged


def test_each_value_is_counted_once_at_its_bound() -> None:
    histogram = Histogram((0.1, 1.0))
    for value in (0.1, 0.5, 3.0):
        histogram.observe(value)
    seen = histogram.statistics()
    assert seen.buckets() == [("0.1", 1.0), ("1", 2.0), ("+Inf", 3.0)]
    assert (seen.count, seen.sum) == (3, 3.6)


def test_a_quantile_lies_within_its_bucket() -> None:
    histogram = Histogram((0.1, 1.0))
    for value in (0.05, 0.5, 0.6, 0.7):
        histogram.observe(value)
    seen = histogram.statistics()
    assert seen.quantile(0.25) == pytest.approx(0.1)
    assert seen.quantile(0.5) == pytest.approx(0.4)
    assert seen.quantile(1.0) == pytest.approx(1.0)


def test_what_lies_beyond_the_last_bound_counts_as_the_bound_and_nothing_as_zero() -> None:
    histogram = Histogram((0.1, 1.0))
    assert histogram.statistics().quantile(0.99) == 0.0
    histogram.observe(60.0)
    assert histogram.statistics().quantile(0.99) == 1.0


def test_a_difference_has_only_what_came_later() -> None:
    histogram = Histogram((0.1, 1.0))
    histogram.observe(0.05)
    before = histogram.statistics()
    histogram.observe(0.5)
    recent = histogram.statistics().since(before)
    assert (recent.counts, recent.sum) == ((0, 1, 0), 0.5)


def test_a_sum_has_the_values_of_all_parts() -> None:
    one, other = Histogram((0.1, 1.0)), Histogram((0.1, 1.0))
    one.observe(0.05)
    other.observe(0.5)
    total = merged([one.statistics(), other.statistics()])
    assert total is not None and total.counts == (1, 1, 0)
    assert total.sum == pytest.approx(0.55)
    assert merged([]) is None
