"""Events as lines: for machines, for people, never with a credential."""

import io
import json
import logging

import pytest

from supervisor.control.log import LibraryHandler, LogListener
from supervisor.control.summary import Summary
from supervisor.core.events import Events
from supervisor.core.messages.replica_supervisor import Tally
from supervisor.settings.config import Log
from tests.control.snapshots import snapshot_of
from tests.support.clock import FakeClock


@pytest.fixture
def stream(monkeypatch: pytest.MonkeyPatch) -> io.StringIO:
    monkeypatch.delenv("JOURNAL_STREAM", raising=False)
    return io.StringIO()


def test_without_a_terminal_a_line_is_json(stream: io.StringIO, clock: FakeClock) -> None:
    LogListener(Log(), clock, stream)("replica_exited", {"worker": "characters", "status": "signal 9", "crashed": True})
    assert json.loads(stream.getvalue()) == {
        "at": "2023-11-14T22:13:20.000Z",
        "level": "warning",
        "event": "replica_exited",
        "worker": "characters",
        "status": "signal 9",
        "crashed": True,
    }


def test_for_people_it_is_one_line_and_the_traceback_below(stream: io.StringIO, clock: FakeClock) -> None:
    LogListener(Log(form="console"), clock, stream)("request_failed", {"path": "/jobs", "traceback": "Traceback: x"})
    first, second = stream.getvalue().splitlines()
    assert "request_failed" in first
    assert "path=/jobs" in first
    assert second == "    Traceback: x"


HOSTILE = [
    "a\nforged event=key_unlocked", "\x1b]0;owned\x07\x1b[2J", "\u202egnirts", "\x9b31m", "\u2028", "\x00",
    "half \ud800", "\r", 'q"="', "\U000e0001", "🧙 é z\u0301",
]  # fmt: skip  # words in rows


@pytest.mark.parametrize("text", HOSTILE)
def test_text_of_strangers_stays_on_its_line_and_moves_no_cursor(
    stream: io.StringIO, clock: FakeClock, text: str
) -> None:
    LogListener(Log(), clock, stream)("replica_log", {"line": text, "name": text})
    (line,) = stream.getvalue().split("\n")[:-1]
    assert line.isprintable()
    assert line.encode()
    assert json.loads(line)["line"] == text
    stream.seek(0)
    stream.truncate()
    LogListener(Log(form="console"), clock, stream)("replica_log", {"line": text, "traceback": f"x\n{text}"})
    first, *more = stream.getvalue().split("\n")[:-1]
    assert "replica_log" in first
    assert all(each.isprintable() for each in (first, *more))
    assert all(each.startswith("    ") for each in more)


def test_what_is_below_the_level_is_not_written(stream: io.StringIO, clock: FakeClock) -> None:
    listener = LogListener(Log(level="warning"), clock, stream)
    listener("config_applied", {})
    assert stream.getvalue() == ""
    listener.configure(Log(level="info"))
    listener("config_applied", {})
    assert "config_applied" in stream.getvalue()


def test_credentials_are_masked_wherever_they_stand(stream: io.StringIO, clock: FakeClock) -> None:
    fields = {"client_secret": "hunter2", "headers": {"Authorization": "Bearer hunter2"}, "token_s": 3}
    LogListener(Log(), clock, stream)("token_obtained", fields)
    line = json.loads(stream.getvalue())
    assert "hunter2" not in stream.getvalue()
    assert line["token_s"] == 3


def test_under_the_journal_a_line_begins_with_its_priority(clock: FakeClock, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JOURNAL_STREAM", "8:1")
    stream = io.StringIO()
    LogListener(Log(), clock, stream)("config_refused", {})
    assert stream.getvalue().startswith('<4>{"at"')


def test_a_lost_reader_of_the_log_stops_nothing(clock: FakeClock, stream: io.StringIO) -> None:
    listener = LogListener(Log(), clock, stream)
    stream.close()
    listener("config_applied", {})


def test_warnings_of_libraries_join_the_log(stream: io.StringIO, clock: FakeClock) -> None:
    handler = LibraryHandler(LogListener(Log(), clock, stream))
    logger = logging.Logger("asyncio")
    logger.addHandler(handler)
    logger.info("chatter")
    logger.error("Task was destroyed")
    line = json.loads(stream.getvalue())
    assert (line["event"], line["logger"], line["message"]) == ("library_logged", "asyncio", "Task was destroyed")


def test_the_summary_is_one_event_for_each_worker_with_work(clock: FakeClock) -> None:
    events, seen = Events(), []
    events.subscribe(lambda name, fields: seen.append((name, fields)))
    snapshot = snapshot_of(clock)
    clock.set(clock.monotonic() + 60)
    snapshot.measurements.add("characters", Tally({"done": 90, "gone": 5, "skipped": 3, "retry": 2, "snooze": 4}))
    Summary(snapshot=lambda: snapshot, events=events, clock=clock).run_once()
    assert seen == [
        (
            "worker_summary",
            {
                "worker": "characters",
                "total": 100,
                "ok": 90,
                "gone": 5,
                "skipped": 3,
                "failed": 2,
                "per_s": 1.63,
                "success_percent": 98.0,
                "waiting": 1204,
                "limited_by": "concurrency",
            },
        )
    ]
