"""Fingerprints of collections: equal means the same account.

Pets and mounts belong to the account, so all of its characters list the same ones. What enters:

    pets     each pet's own number and its species. The number is unique to the pet, so two
             accounts never agree by chance. Level, name and favourites change between two scans
             of two characters of one account, so they stay out.
    mounts   the mounts' numbers, without those of one character only. They are no one's own:
             small collections agree by chance, so below MIN_MOUNTS there is no fingerprint.

The API promises no order of its lists, so everything is sorted before it is hashed. A fingerprint
is 16 hexadecimal digits (64 bits of BLAKE2b): the same on every machine and in every version of
Python, and safe in JSON, whose numbers end at 53 bits.
"""

import struct
from collections.abc import Iterable
from hashlib import blake2b

MIN_MOUNTS = 20


def of_pets(pets: Iterable[tuple[int, int]]) -> str | None:
    """Return the fingerprint of (pet number, species) pairs; None when there are none."""
    pairs = sorted(set(pets))
    return _digest("pets", [number for pair in pairs for number in pair]) if pairs else None


def of_mounts(mounts: Iterable[int]) -> str | None:
    """Return the fingerprint of mount numbers; None below MIN_MOUNTS of them."""
    numbers = sorted(set(mounts))
    return _digest("mounts", numbers) if len(numbers) >= MIN_MOUNTS else None


def _digest(what: str, numbers: list[int]) -> str:
    packed = struct.pack(f"<{len(numbers)}Q", *numbers)
    return blake2b(packed, digest_size=8, person=what.encode()).hexdigest()
