"""What is for sale, hour by hour of the world's clock: a pure function, nothing is kept.

A house has so many stalls. On each stall one auction follows another, each up for 12, 24 or 48 hours, a quarter of
them sold early and the stall empty until the next. So a snapshot shares most auctions with the one before it, and
an auction's id, item and price are the same in all snapshots that show it.

Publishing (recorded: all realms of a region within two minutes of each other, each hour at the region's minute):

    hour 7 ──┬─ minute of the region ─┬─ realm A: +12 s  ─ snapshot 7 is served, with this moment as Last-Modified
             │  until here: snapshot 6 └─ realm B: +71 s
"""

from collections.abc import Iterator
from dataclasses import dataclass

from jobs.simulator.chance import draw
from jobs.simulator.world.clock import HOUR_S

_DURATIONS_H = (12, 24, 48, 48)
_MASK = (1 << 64) - 1
_FIRST_ID = 1_800_000_000
_EPOCH_H = 438_000  # the last hours of 2019: ids count from there, so that they stay short
_SPREAD_S = 100
_OCCUPIED = 0.875  # three quarters of the auctions stay up, the rest on average for half their time


@dataclass(frozen=True, slots=True)
class Lot:
    """One auction. chance: 64 bits that decide on item and price."""

    id: int
    chance: int
    left_h: int

    @property
    def time_left(self) -> str:
        """SHORT < 30 min, MEDIUM < 2 h, LONG < 12 h, VERY_LONG; hours are as fine as snapshots are."""
        if self.left_h <= 1:
            return "SHORT" if self.chance & 1 else "MEDIUM"
        if self.left_h == 2:
            return "MEDIUM"
        return "LONG" if self.left_h <= 12 else "VERY_LONG"


def published(seed: int, region: str, house: int, now: float) -> tuple[int, float]:
    """Return the number of the newest snapshot of a house and when it appeared (≤ now).

    house: connected realm id, 0 for the region's commodities.
    """
    late_s = draw(seed, region, "minute") % 50 * 60 + draw(seed, region, house, "spread") % _SPREAD_S
    hour = int((now - late_s) // HOUR_S)
    return hour, float(hour * HOUR_S + late_s)


def lots(seed: int, region: str, house: int, hour: int, count: int) -> Iterator[Lot]:
    """Yield the auctions of a snapshot, about `count` of them."""
    stalls = round(count / _OCCUPIED)
    salt = draw(seed, region, house, "stalls")
    for stall in range(stalls):
        nature = _mix(salt + stall)
        up_for = _DURATIONS_H[nature & 3]
        turn, age = divmod(hour + (nature >> 8) % up_for, up_for)
        chance = _mix(nature ^ turn * 0x9E3779B97F4A7C15 & _MASK)
        ends_h = up_for if chance & 12 else 1 + (chance >> 40) % up_for
        if age < ends_h:
            yield Lot(_FIRST_ID + (hour - age - _EPOCH_H) * stalls + stall, chance, up_for - age)


def _mix(number: int) -> int:
    """Scatter 64 bits (the finalizer of splitmix64); ten times cheaper than a cryptographic hash."""
    number = (number ^ number >> 30) * 0xBF58476D1CE4E5B9 & _MASK
    number = (number ^ number >> 27) * 0x94D049BB133111EB & _MASK
    return number ^ number >> 31
