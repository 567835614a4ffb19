"""Chance that always falls the same way: every draw is a hash of what it is about.

Nothing of the world is stored, so the same seed and the same entity must give the same answer in any order and
in any process (`hash()` of a string is salted by the process and will not do).
"""

from hashlib import blake2b
from math import gcd
from random import Random

_WHOLE = float(1 << 64)


def draw(*entity: object) -> int:
    """Return 64 bits that depend on `entity` alone."""
    text = "/".join(map(str, entity))
    return int.from_bytes(blake2b(text.encode(), digest_size=8).digest(), "little")


def share(*entity: object) -> float:
    """Return a number in [0, 1) that depends on `entity` alone."""
    return draw(*entity) / _WHOLE


def dice(*entity: object) -> Random:
    """Return dice for many draws about `entity`; they cost about 10 µs, a single `draw` 2 µs."""
    return Random(draw(*entity))


class Shuffle:
    """A fixed disorder of 0..size-1 that can be undone, without a table: a·n + b mod size."""

    def __init__(self, size: int, *entity: object) -> None:
        self.size = size
        self._factor = _coprime(size, draw("factor", *entity))
        self._offset = draw("offset", *entity) % size
        self._undo = pow(self._factor, -1, size) if size > 1 else 0

    def forward(self, number: int) -> int:
        """Return the place of `number`."""
        return (number * self._factor + self._offset) % self.size

    def backward(self, place: int) -> int:
        """Return the number at `place`."""
        return (place - self._offset) * self._undo % self.size


def _coprime(size: int, near: int) -> int:
    factor = near % size or 1
    while gcd(factor, size) != 1:
        factor += 1
    return factor
