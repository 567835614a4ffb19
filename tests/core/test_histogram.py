"""Few numbers, each value in exactly one bucket."""

from supervisor.core.histogram import Histogram


def test_each_value_is_counted_once_at_its_bound() -> None:
    histogram = Histogram((0.1, 1.0))
    for value in (0.1, 0.5, 3.0):
        histogram.observe(value)
    seen = histogram.statistics()
    assert seen.buckets() == [("0.1", 1.0), ("1", 2.0), ("+Inf", 3.0)]
    assert (seen.count, seen.sum) == (3, 3.6)
