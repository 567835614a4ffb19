"""Durations and sizes as people write them: 30, "10m", "1h30m", "2GB"."""

import math
import re
from typing import Any

MAX_DURATION_S = 100 * 366 * 86_400.0

_SECONDS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3_600.0, "d": 86_400.0, "w": 604_800.0}
_BYTES = {"B": 1, "kB": 10**3, "KB": 10**3, "MB": 10**6, "GB": 10**9, "TB": 10**12}
_BYTES |= {"KiB": 2**10, "MiB": 2**20, "GiB": 2**30, "TiB": 2**40}
_DURATION_PART = re.compile(r"\s*(\d+(?:\.\d+)?)\s*(ms|s|m|h|d|w)")
_SIZE = re.compile(r"\s*(\d+(?:\.\d+)?)\s*([A-Za-z]+)\s*")


def is_number(value: object) -> bool:
    """Tell whether a TOML value is a finite number; true and false are not."""
    try:
        return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
    except OverflowError:  # an integer beyond what a number can be
        return False


def seconds(value: Any) -> float:
    """Return the seconds of a number or of a text such as "10m". ValueError when it is neither, or over a century."""
    if isinstance(value, str):
        total = _sum_of_parts(value)
    elif is_number(value):
        total = float(value)
    else:
        raise ValueError
    if not 0.0 <= total <= MAX_DURATION_S:
        raise ValueError
    return total


def _sum_of_parts(text: str) -> float:
    total, position = 0.0, 0
    while position < len(text.rstrip()):
        part = _DURATION_PART.match(text, position)
        if part is None:
            raise ValueError
        total += float(part[1]) * _SECONDS[part[2]]
        position = part.end()
    if not position:
        raise ValueError
    return total


def size_bytes(value: Any) -> int:
    """Return the bytes of a whole number or of a text such as "2GB" (10^9) or "2GiB" (2^30). ValueError otherwise."""
    if isinstance(value, int) and not isinstance(value, bool) and value >= 0:
        return value
    match = _SIZE.fullmatch(value) if isinstance(value, str) and len(value) <= 40 else None
    if match is None or match[2] not in _BYTES:
        raise ValueError
    return int(float(match[1]) * _BYTES[match[2]])


def say_duration(duration_s: float) -> str:
    """Return a duration for people: 5400 → "1.5 h"."""
    for unit, name in ((86_400.0, "d"), (3_600.0, "h"), (60.0, "min")):
        if duration_s >= unit:
            value = duration_s / unit
            return f"{value:,.0f} {name}" if value >= 100.0 else f"{value:.3g} {name}"
    return f"{duration_s:.3g} s"
