"""One key's page of the journal: 8-byte words, each stored at once.

    word 0..3    identity of the key (sha256); all zero = the page is free
    word 4       seconds per bucket, a double ≥ 1
    word 5       requests in flight
    word 6       parked until (journal time, a double; 0 = not parked)
    word 7       check of words 0..4
    word 8..     buckets, a ring: number of the bucket << 32 | requests << 8 | check; 0 = never used
A bucket's number is journal time divided by its length, rounded down; its slot is that modulo SLOTS. Its
requests count at its end. A word is one store to mapped memory, so a killed process leaves no half
word; anything else that does not check is damage.
"""

import math
import struct
import zlib

WORD_BYTES = 8
PAGE_BYTES = 32768
HEAD_WORDS = 8
SLOTS = PAGE_BYTES // WORD_BYTES - HEAD_WORDS
KEPT_BUCKETS = SLOTS - 64
"""Older buckets than this many are not read: they may be about to be overwritten."""
MAX_AHEAD_BUCKETS = 4
MIN_BUCKET_S = 1.0
BUCKETS_PER_WINDOW = 3600
MAX_COUNT = 2**24 - 1


def bucket_s_for(longest_s: float) -> float:
    """Return the bucket length for a longest window of `longest_s`."""
    return max(MIN_BUCKET_S, longest_s / BUCKETS_PER_WINDOW)


def pack_bucket(number: int, requests: int) -> int:
    """Return the word of one bucket."""
    body = (number & 0xFFFFFFFF) << 32 | min(requests, MAX_COUNT) << 8
    return body | _check(body)


def unpack_bucket(word: int) -> tuple[int, int]:
    """Return (number, requests). ValueError when the word does not check."""
    if word & 0xFF != _check(word & ~0xFF):
        raise ValueError(f"bucket {word:016x} does not check")
    return word >> 32, word >> 8 & MAX_COUNT


def _check(body: int) -> int:
    # Never 0 for a used bucket's neighbours by chance alone: a multiplicative hash of the whole body.
    return (body * 0x9E3779B97F4A7C15 >> 56 ^ 0xA5) & 0xFF


class Page:
    """One key's page, as a `Record`. words, doubles: views of the same mapped memory.

    base: journal time minus monotonic seconds. is_dirty: changed since the journal last looked.
    """

    __slots__ = ("_base", "_bucket_s", "_doubles", "_words", "is_dirty")

    def __init__(self, words: "memoryview[int]", doubles: "memoryview[float]", base: float) -> None:
        self._words = words
        self._doubles = doubles
        self._base = base
        self._bucket_s = doubles[4]
        self.is_dirty = False

    def mark(self, in_flight: int) -> None:
        """Write down the requests in flight."""
        self._words[5] = in_flight
        self.is_dirty = True

    def charge(self, now: float, in_flight: int) -> None:
        """Count one request in its bucket, then write down those still in flight."""
        self._add(now + self._base, 1)
        self._words[5] = in_flight
        self.is_dirty = True

    def park(self, until: float) -> None:
        """Write down until when the key is parked."""
        self._doubles[6] = until + self._base
        self.is_dirty = True

    @property
    def identity(self) -> bytes:
        """Return whose page this is; zeros = nobody's."""
        return self._words[0:4].tobytes()

    @property
    def in_flight(self) -> int:
        """Return the requests in flight."""
        return int(self._words[5])

    @property
    def parked_until(self) -> float:
        """Return until when the key is parked, in journal time."""
        return float(self._doubles[6])

    def format(self, identity: bytes, longest_s: float) -> None:
        """Make this the empty page of `identity`."""
        self._words[:] = memoryview(bytes(PAGE_BYTES)).cast("Q")
        self._bucket_s = bucket_s_for(longest_s)
        self._doubles[4] = self._bucket_s
        self._words[7] = _head_check(identity, self._bucket_s)
        self._words[0:4] = memoryview(identity).cast("Q")
        self.is_dirty = True

    def check(self) -> None:
        """Raise ValueError when the page is damaged."""
        bucket_s = self._doubles[4]
        if not (math.isfinite(bucket_s) and bucket_s >= MIN_BUCKET_S):
            raise ValueError(f"{bucket_s} s per bucket")
        if self._words[7] != _head_check(self.identity, bucket_s):
            raise ValueError("the head does not check")
        if not math.isfinite(self.parked_until):
            raise ValueError("parked for ever")
        for slot in range(HEAD_WORDS, len(self._words)):
            if self._words[slot] and unpack_bucket(self._words[slot])[0] % SLOTS != slot - HEAD_WORDS:
                raise ValueError(f"bucket in slot {slot} belongs elsewhere")

    def charges(self, journal_now: float) -> list[tuple[float, int]]:
        """Return (end of bucket in journal time, requests), oldest first."""
        newest = int(journal_now // self._bucket_s)
        found = []
        for word in self._words[HEAD_WORDS:]:
            if not word:
                continue
            number, requests = unpack_bucket(word)
            if newest - KEPT_BUCKETS < number:
                # What nobody answered is counted a little ahead (`Key.charge_unseen`); nothing lies far ahead.
                number = min(number, newest + MAX_AHEAD_BUCKETS)
                found.append(((number + 1) * self._bucket_s, requests))
        return sorted(found)

    def spend(self, journal_now: float) -> None:
        """Count more than any limit now: for a page whose content cannot be trusted."""
        self._add(journal_now, MAX_COUNT)
        self.is_dirty = True

    def refill(self, longest_s: float, charges: list[tuple[float, int]]) -> None:
        """Lay the ring out anew for another longest window, keeping what was spent."""
        identity, in_flight, parked_until = self.identity, self.in_flight, self.parked_until
        self.format(identity, longest_s)
        self._words[5] = in_flight
        self._doubles[6] = parked_until
        for at, requests in charges:
            # `at` is the end of an old bucket; just before it is inside it.
            self._add(at - 1e-6, requests)

    @property
    def bucket_s(self) -> float:
        """Return the seconds per bucket."""
        return self._bucket_s

    def _add(self, journal_at: float, requests: int) -> None:
        number = int(journal_at // self._bucket_s)
        slot = HEAD_WORDS + number % SLOTS
        word = self._words[slot]
        if word >> 32 == number:
            requests += word >> 8 & MAX_COUNT
        self._words[slot] = pack_bucket(number, requests)


def _head_check(identity: bytes, bucket_s: float) -> int:
    return zlib.crc32(identity + struct.pack("=d", bucket_s)) | 1 << 32
