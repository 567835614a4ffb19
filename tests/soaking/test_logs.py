"""A log with an accident in it makes its auditor object."""

from scripts.soaking.audits.logs import accidents

EVENT = '{"at": "2026-11-25T03:02:34.138Z", "level": "error", "event": "host_down"}'


def test_events_are_no_accident_even_when_a_kill_cut_one() -> None:
    assert accidents([EVENT, EVENT[:20], ""]) == []


def test_traceback_is_found_bare_and_inside_an_event() -> None:
    inside = '{"event": "replica_log", "line": "Traceback (most recent call last):"}'
    assert accidents([EVENT, "Task exception was never retrieved", inside]) == [
        "the log says: Task exception was never retrieved",
        f"the log says: {inside}",
    ]


def test_many_accidents_are_counted() -> None:
    assert accidents(["Traceback"] * 9)[-1] == "9 such lines in all"
