"""What answers do to a key's standing."""

from collections.abc import Callable
from random import Random

import pytest

from supervisor.limiter.feedback import (
    FORBIDDEN_IN_A_ROW,
    HALF_FOR_S,
    MAX_PARK_S,
    RECOVER_EVERY_S,
    REFRESH_GAP_S,
    Standing,
    State,
    Verdict,
)

RANDOM = Random(7)


def answered(standing: Standing, status: int, now: float = 100.0, **how: object) -> Verdict:
    return standing.answered(status, now=now, random=RANDOM, **how)  # type: ignore[arg-type]


@pytest.mark.parametrize("retry_after_s", [-1.0, 0.0, 1.0])
def test_a_429_parks_the_key_for_a_second_at_least(retry_after_s: float) -> None:
    standing = Standing()
    assert answered(standing, 429, retry_after_s=retry_after_s) is Verdict.PARKED
    assert not standing.allows(101.0, in_flight=0)
    assert standing.allows(101.01, in_flight=0)


def test_jitter_is_added_to_a_long_retry_after_and_never_subtracted() -> None:
    ends = set()
    for _ in range(20):
        standing = Standing()
        answered(standing, 429, retry_after_s=30.0)
        ends.add(standing.parked_until)
    assert min(ends) >= 130.0
    assert max(ends) <= 131.1
    assert len(ends) == 20


def test_a_wild_retry_after_does_not_lock_the_key_for_ever() -> None:
    standing = Standing()
    answered(standing, 429, retry_after_s=1e9)
    assert standing.parked_until <= 100.0 + MAX_PARK_S + 2


def test_a_shorter_park_never_shortens_a_longer_one() -> None:
    standing = Standing()
    answered(standing, 429, retry_after_s=30.0)
    answered(standing, 429, now=101.0)
    assert standing.parked_until >= 130.0


def test_after_a_park_one_request_probes_then_half_then_all() -> None:
    standing = Standing()
    answered(standing, 429)
    assert standing.allows(102.0, in_flight=0)
    assert not standing.allows(102.0, in_flight=1)
    answered(standing, 500, now=102.1)
    assert not standing.allows(102.1, in_flight=1), "a 500 does not prove that the limit lets us through"
    answered(standing, 200, now=102.2)
    assert standing.allows(102.2, in_flight=30)
    assert standing.share(102.2, 100) == 0.5
    assert standing.allows(102.2 + HALF_FOR_S, in_flight=30)
    assert standing.share(102.2 + HALF_FOR_S, 100) == 1.0
    assert standing.is_plain


def test_a_probe_that_is_refused_parks_again() -> None:
    standing = Standing()
    answered(standing, 429)
    assert standing.allows(102.0, in_flight=0)
    answered(standing, 429, now=102.0)
    assert not standing.allows(102.5, in_flight=0)


def test_a_429_that_our_count_does_not_explain_lowers_the_limit_which_recovers_one_by_one() -> None:
    standing = Standing()
    answered(standing, 429, used_share=0.7)
    assert standing.share(100.0, 100) == pytest.approx(0.7)
    assert standing.share(100.0 + 10 * RECOVER_EVERY_S, 100) == pytest.approx(0.8)
    assert standing.share(100.0 + 31 * RECOVER_EVERY_S, 100) == 1.0


def test_a_429_at_full_use_lowers_nothing() -> None:
    standing = Standing()
    answered(standing, 429, used_share=0.95)
    assert standing.share(100.0, 100) == 1.0


def test_a_401_refreshes_once_and_a_401_with_the_new_token_quarantines() -> None:
    standing = Standing()
    assert answered(standing, 401) is Verdict.REFRESH
    assert answered(standing, 401, is_current=False) is Verdict.NOTHING, "the other requests of the old token"
    assert answered(standing, 401) is Verdict.QUARANTINED
    assert "401" in standing.reason


def test_a_401_after_the_new_token_has_served_refreshes_only_now_and_then() -> None:
    standing = Standing()
    assert answered(standing, 401) is Verdict.REFRESH
    answered(standing, 200, now=101.0)
    assert answered(standing, 401, now=102.0) is Verdict.NOTHING
    assert answered(standing, 401, now=101.0 + REFRESH_GAP_S) is Verdict.REFRESH


def test_a_fixed_credential_is_quarantined_after_three_401_in_a_row() -> None:
    standing = Standing()
    verdicts = [answered(standing, 401, is_renewable=False) for _ in range(3)]
    assert verdicts == [Verdict.NOTHING, Verdict.NOTHING, Verdict.QUARANTINED]


def test_403_again_and_again_quarantines_and_one_success_starts_the_count_anew() -> None:
    standing = Standing()
    for _ in range(FORBIDDEN_IN_A_ROW - 1):
        assert answered(standing, 403) is Verdict.NOTHING
    answered(standing, 404)
    for _ in range(FORBIDDEN_IN_A_ROW - 1):
        assert answered(standing, 403) is Verdict.NOTHING
    assert answered(standing, 403) is Verdict.QUARANTINED


def test_a_verified_key_probes_and_one_more_refusal_is_enough() -> None:
    standing = Standing()
    standing.quarantine("403 for 10 requests in a row")
    assert not standing.allows(1e9, in_flight=0)
    standing.verified()
    assert standing.state is State.PROBING
    assert answered(standing, 403) is Verdict.QUARANTINED


def test_5xx_is_not_the_limiters_matter() -> None:
    standing = Standing()
    for status in (500, 502, 503, 504):
        assert answered(standing, status) is Verdict.NOTHING
    assert standing.is_plain


@pytest.mark.parametrize("lock", [lambda one: one.park(1e9, "429"), lambda one: one.quarantine("401 again")])
def test_a_person_unlocks_a_key_and_one_request_probes(lock: Callable[[Standing], object]) -> None:
    standing = Standing()
    answered(standing, 429, used_share=0.5)
    lock(standing)
    standing.forgive()
    assert standing.allows(100.0, in_flight=0)
    assert not standing.allows(100.0, in_flight=1)
    answered(standing, 200)
    standing.settle(100.0 + HALF_FOR_S)
    assert standing.is_plain


def test_unlocking_a_key_in_order_changes_nothing() -> None:
    standing = Standing()
    standing.forgive()
    assert standing.is_plain
