"""Metrics of what is stored: how much is known, how fresh it is, and how much disk is left.

gatherer_entities{kind,age_le}     living entities whose last success is at most `age_le` seconds ago, as buckets
gatherer_fresh_ratio{kind}         share of them that is as fresh as [freshness] asks for
gatherer_purge_brake{kind}         1 while absences are not believed: nothing is hidden, nothing is deleted
gatherer_disk_…                    free space, and whether auctions or all background work stopped for want of it

Counted by the database process about once a minute (`database/census.py`).
"""

from collections.abc import Iterator
from itertools import accumulate

from prometheus_client.core import GaugeMetricFamily, Metric

from supervisor.control.snapshot import Snapshot


def stored(snapshot: Snapshot) -> Iterator[Metric]:
    """Yield the families; none before the first count."""
    yield from _census(snapshot)
    yield from _disk(snapshot)


def _census(snapshot: Snapshot) -> Iterator[Metric]:
    census = snapshot.database.census
    if census is None:
        return
    entities = GaugeMetricFamily("gatherer_entities", "Entities by age of success.", labels=["kind", "age_le"])
    fresh = GaugeMetricFamily("gatherer_fresh_ratio", "Share that is fresh enough.", labels=["kind"])
    brake = GaugeMetricFamily("gatherer_purge_brake", "1 while absences are not believed.", labels=["kind"])
    names = [*(f"{bound_s:g}" for bound_s in census.bounds_s), "+Inf"]
    for kind, counted in census.kinds.items():
        for name, count in zip(names, accumulate(counted.by_age), strict=True):
            entities.add_metric([kind, name], count)
        ratio = snapshot.fresh_ratio(kind)
        if ratio is not None:
            fresh.add_metric([kind], ratio)
        brake.add_metric([kind], float(kind in census.brakes))
    yield from (entities, fresh, brake)


def _disk(snapshot: Snapshot) -> Iterator[Metric]:
    pulse = snapshot.database.pulse
    if pulse is None:
        return
    yield GaugeMetricFamily("gatherer_disk_free_bytes", "Free where state_dir is.", value=pulse.free_bytes)
    yield GaugeMetricFamily("gatherer_disk_min_free_bytes", "[storage] min_free.", value=pulse.min_free_bytes)
    stopped = GaugeMetricFamily("gatherer_disk_stopped", "1 while it does not run for want of disk.", labels=["work"])
    stopped.add_metric(["auctions"], float(pulse.bulk_stopped))
    stopped.add_metric(["background"], float(pulse.background_stopped))
    yield stopped
