"""Doctored counts and arrivals make the auditor of limits object."""

from typing import Any

from scripts.soaking.audits.limits import exceeded


def statistics(requests: int, refused: int = 0, answered: int = 0) -> dict[str, Any]:
    client = {"requests": requests, "refused_second": refused, "refused_hour": 0, "by_status": {"429": answered}}
    return {"clients": {"osint-1": client}}


def test_a_full_second_is_no_finding() -> None:
    arrivals = {"osint-1": [0.0, 0.5, 1.0, 1.5]}
    assert exceeded(statistics(4), arrivals, per_second=2, per_hour=4) == []


def test_refusals_and_answers_with_429_are_found() -> None:
    assert exceeded(statistics(0, refused=1, answered=2), {}, per_second=2, per_hour=4) == [
        "1 requests were over a limit by the simulator's count",
        "2 requests were answered 429",
    ]


def test_second_and_hour_are_counted_from_the_log_of_arrivals() -> None:
    arrivals = {"osint-1": [0.0, 0.5, 0.9, 100.0, 200.0]}
    assert exceeded(statistics(5), arrivals, per_second=2, per_hour=4) == [
        "3 requests of a key within 1 s, allowed are 2",
        "5 requests of a key within 3600 s, allowed are 4",
    ]


def test_log_that_lacks_requests_proves_nothing() -> None:
    assert exceeded(statistics(3), {"osint-1": [0.0]}, per_second=2, per_hour=4) == [
        "2 requests are counted but not in the log of arrivals"
    ]
