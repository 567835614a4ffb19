"""A leaking fake makes the auditor of memory object."""

import random

from scripts.soaking.audits.memory import CACHE_MB, LEAST_SAMPLES, gained, growing, large, leaked, page_cache

TIMES = [2.0 * n for n in range(300)]  # ten minutes


def test_noise_and_a_wild_sample_are_flat() -> None:
    chance = random.Random(1)
    samples = [(at, 50.0 + chance.uniform(-1.0, 1.0)) for at in TIMES]
    samples[150] = (samples[150][0], 400.0)
    assert growing({"supervisor/1": samples}) == []
    assert abs(gained(samples)) < 0.2


def test_leak_of_a_megabyte_a_minute_is_found_under_noise() -> None:
    chance = random.Random(1)
    samples = [(at, 50.0 + at / 60.0 + chance.uniform(-1.0, 1.0)) for at in TIMES]
    (finding,) = growing({"supervisor/1": samples})
    assert finding.startswith("memory of supervisor/1 grew by ")


def test_a_page_cache_that_fills_is_no_leak_and_the_rest_of_the_database_must_not_grow() -> None:
    cache_mb = page_cache([20_000_000, 300_000_000])
    assert cache_mb == 20.0 + CACHE_MB
    fills = [(at, min(75.0, 25.0 + at / 10.0)) for at in TIMES]
    assert growing({"database/1": fills}, cache_mb) == []
    assert growing({"supervisor/1": fills}, cache_mb) != []
    leaks = [(at, 60.0 + at / 15.0) for at in TIMES]
    assert growing({"database/1": leaks}, cache_mb) == [
        "database/1 took 99.9 MB, 53.6 of them for its page cache at most"
    ]
    assert len(growing({"database/1": leaks}, page_cache([1_000_000]))) == 2


def test_process_that_lived_too_short_says_nothing() -> None:
    assert growing({"items#1/2": [(float(n), 10.0 * n) for n in range(LEAST_SAMPLES - 1)]}) == []


def test_replica_that_was_too_large_once_is_found() -> None:
    assert large({"auctions": 150.0, "characters": 12.0}) == []
    assert large({"characters": 80.0}) == ["a replica of characters took 80 MB, at most 64 are usual"]


def test_descriptors_that_stay_open_are_found() -> None:
    before = {"supervisor pipe": 60, "database file": 12}
    assert leaked(before, {"supervisor pipe": 61, "database file": 12}) == []
    assert leaked(before, {"supervisor pipe": 64, "supervisor socket": 5}) == [
        "supervisor pipe: 64 descriptors at rest, 60 before",
        "supervisor socket: 5 descriptors at rest, 0 before",
        "nobody counted the descriptors of database again",
    ]
    assert leaked({}, {}) == ["no descriptors were counted"]
