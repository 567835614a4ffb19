"""Memory and descriptors over time: flat, or somebody keeps what is no longer needed."""

import statistics
from collections.abc import Iterable, Mapping, Sequence
from itertools import combinations
from typing import TypeAlias

from supervisor.database.opening import CACHE_KIB

Series: TypeAlias = Sequence[tuple[float, float]]
"""(seconds, MB) in the order of time."""

# What a process may gain over a whole window, and of what it has: caches that fill, the page's ten minutes of charts.
MAY_GAIN_MB, MAY_GAIN_SHARE = 4.0, 0.05
LEAST_SAMPLES = 10
MOST_POINTS = 200
MOST_REPLICA_MB = {"auctions": 200.0}
MOST_OTHER_REPLICA_MB = 64.0
DATABASE_MB = 36.0
"""What the database process may take beside its page cache; 24 to 27 are usual."""
CACHE_MB = CACHE_KIB * 1024 / 1e6
"""The most that SQLite keeps of each file's pages."""
MAY_GAIN_DESCRIPTORS = 3


def slope(series: Series) -> float:
    """Return the median slope over all pairs (Theil-Sen), MB a second: a few wild samples do not move it."""
    step = max(1, len(series) // MOST_POINTS)
    pairs = combinations(series[::step], 2)
    return statistics.median((b - a) / (t - s) for (s, a), (t, b) in pairs if t > s)


def gained(series: Series) -> float:
    """Return what the slope amounts to over the whole series, MB."""
    return slope(series) * (series[-1][0] - series[0][0])


def page_cache(sizes: Iterable[int]) -> float:
    """Return how many MB of the files of these sizes (bytes) the database process may keep, once it has read them."""
    return sum(min(size / 1e6, CACHE_MB) for size in sizes)


def growing(series: Mapping[str, Series], cache_mb: float = 0.0) -> list[str]:
    """Find processes that grow, by name. One with fewer than LEAST_SAMPLES did not live long enough to say.

    The database process fills its page cache of `cache_mb` as it reads, and must stay below that and a little.
    """
    findings = []
    for name, samples in sorted(series.items()):
        if len(samples) < LEAST_SAMPLES:
            continue
        median = statistics.median(mb for _, mb in samples)
        is_database = name.startswith("database/")
        may_gain = MAY_GAIN_MB + MAY_GAIN_SHARE * median + (cache_mb if is_database else 0.0)
        if (gain := gained(samples)) > may_gain:
            seconds = samples[-1][0] - samples[0][0]
            findings.append(f"memory of {name} grew by {gain:.1f} MB in {seconds:.0f} s, to {samples[-1][1]:.1f} MB")
        most = max(mb for _, mb in samples)
        if is_database and most > DATABASE_MB + cache_mb:
            findings.append(f"{name} took {most:.1f} MB, {cache_mb:.1f} of them for its page cache at most")
    return findings


def large(most_mb: Mapping[str, float]) -> list[str]:
    """Find replicas that were ever too large, by worker."""
    return [
        f"a replica of {worker} took {mb:.0f} MB, at most {limit:.0f} are usual"
        for worker, mb in sorted(most_mb.items())
        if mb > (limit := MOST_REPLICA_MB.get(worker, MOST_OTHER_REPLICA_MB))
    ]


def leaked(before: Mapping[str, int], after: Mapping[str, int]) -> list[str]:
    """Compare the descriptors of each role and kind, both counted at rest under the same configuration."""
    if not before:
        return ["no descriptors were counted"]
    findings = [
        f"{what}: {n} descriptors at rest, {before.get(what, 0)} before"
        for what, n in sorted(after.items())
        if n > before.get(what, 0) + MAY_GAIN_DESCRIPTORS
    ]
    unseen = {what.split()[0] for what in before} - {what.split()[0] for what in after}
    return findings + [f"nobody counted the descriptors of {role} again" for role in sorted(unseen)]
