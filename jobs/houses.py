"""What we know of an auction house, and what a new answer for it is worth. Pure: decides, does nothing.

Of each house the latest published reading is known (or none). An answer is compared with it:

    same or older Last-Modified     nothing new (the API's nodes do not always agree)
    same content                    nothing new, under a newer date
    far fewer auctions              doubted: believed only when the API still says so hours later
    anything else                   a new reading, numbered by its Last-Modified
"""

from calendar import timegm
from collections.abc import Mapping
from dataclasses import dataclass
from email.utils import parsedate_tz
from typing import Any

import msgspec

COMMODITIES = "commodities"

_houses = msgspec.json.Decoder(list[tuple[str, str, int]])

# A whole house does not sell out within the hour, but the API has served empty and short ones. Two
# hours are longer than two of its publications; an auction lives 12 h or more.
DOUBT_BELOW = 0.2
DOUBT_FROM_AUCTIONS = 200
BELIEVE_AFTER_S = 2 * 3600.0
# Clocks differ by seconds. A date of tomorrow is wrong, and as a reading's number would make all that follow older.
AHEAD_S = 3600.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """A published reading. snapshot: its number. checked_at, doubted_at: wall seconds."""

    snapshot: int
    last_modified: str
    sha256: str
    auctions: int
    checked_at: float
    doubted_at: float | None


def published(context: Mapping[str, Any]) -> Reading | None:
    """Return the latest published reading out of a job's context, None for a house never seen."""
    return Reading(**context) if context else None


def known_houses(context: Mapping[str, Any], region: str) -> dict[str, int]:
    """Return a region's houses and their latest published snapshots (0 = never) out of `index_context`."""
    known = _houses.decode(context.get("houses") or "[]")
    return {house: snapshot for in_region, house, snapshot in known if in_region == region}


def believable(last_modified: str, now: float) -> str:
    """Return a Last-Modified as it came; "" for one that is no date, or not one of the past."""
    seconds = _seconds(last_modified)
    return last_modified if seconds is not None and 0 < seconds <= now + AHEAD_S else ""


def snapshot_number(last_modified: str, now: float, known: Reading | None) -> int:
    """Return the number of an answer: its Last-Modified as seconds since 1970.

    Without a date the wall clock counts, and then at least one more than the published reading,
    because its content may well be new.
    """
    seconds = _seconds(last_modified)
    return max(int(now), known.snapshot + 1 if known else 0) if seconds is None else seconds


def is_doubtful(auctions: int, known: Reading | None, now: float) -> bool:
    """Tell whether a body of so many auctions is too small to be believed (yet).

    A house never seen may be empty. A cut body never comes here: it is no JSON.
    """
    if known is None or known.auctions < DOUBT_FROM_AUCTIONS or auctions >= known.auctions * DOUBT_BELOW:
        return False
    return known.doubted_at is None or now - known.doubted_at < BELIEVE_AFTER_S


def _seconds(date: str) -> int | None:
    """Return the seconds since 1970 of an HTTP date, days of one digit too (recorded 2020); None when it is none."""
    if not date.isascii():
        return None
    parsed = parsedate_tz(date)
    if parsed is None:
        return None
    try:
        return timegm(parsed[:6] + (0, 0, 0)) - (parsed[9] or 0)
    except (ValueError, OverflowError):
        return None
