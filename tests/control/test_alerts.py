"""The webhooks of Alertmanager and Grafana, read."""

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from supervisor.control.alerts import MOST_CHARACTERS, answer_to, is_webhook, read_webhook
from supervisor.core.errors import UsageError
from supervisor.pools.alerts import Alert, AlertAnswer

WEBHOOKS = Path(__file__).parent / "webhooks"
BACKLOG = Alert(
    fingerprint="9f1b6bd31f1c3d4a",
    starts_at="2026-11-24T21:15:02.417Z",
    worker="characters",
    name="QueueBacklog",
    is_firing=True,
)


def test_alertmanagers_body_is_read() -> None:
    firing, resolved = read_webhook((WEBHOOKS / "alertmanager.json").read_bytes())
    assert firing == BACKLOG
    assert (resolved.worker, resolved.is_firing, resolved.starts_at) == ("items", False, "2026-11-24T20:01:32.417Z")


def test_grafanas_body_is_read() -> None:
    [alert] = read_webhook((WEBHOOKS / "grafana.json").read_bytes())
    assert (alert.worker, alert.name, alert.is_firing) == ("guilds", "Backlog of guilds", True)
    assert alert.id == "77bd2c9a03e1f5b8 2026-11-24T22:40:00+01:00"


@pytest.mark.parametrize("name", ["alertmanager", "grafana"])
def test_a_webhook_is_told_from_a_persons_request(name: str) -> None:
    assert is_webhook((WEBHOOKS / f"{name}.json").read_bytes())
    assert not is_webhook(b'{"worker": "characters", "concurrency": 3}')
    assert not is_webhook(b'["alerts"]')
    assert not is_webhook(b"{")


def one(**fields: object) -> bytes:
    return json.dumps({"alerts": [{"status": "firing"} | fields]}).encode()


def test_the_label_worker_comes_before_the_label_queue() -> None:
    [alert] = read_webhook(one(labels={"worker": "guilds", "queue": "items"}))
    assert alert.worker == "guilds"


def test_an_alert_without_either_label_names_no_worker() -> None:
    [alert] = read_webhook(one(labels={"alertname": "Disk"}))
    assert alert.worker == ""


def test_without_a_fingerprint_its_labels_tell_an_alert_apart() -> None:
    [one_way] = read_webhook(one(labels={"queue": "items", "alertname": "A"}))
    [the_other] = read_webhook(one(labels={"alertname": "A", "queue": "items"}))
    [another] = read_webhook(one(labels={"alertname": "A", "queue": "guilds"}))
    assert one_way.id == the_other.id != another.id


def test_texts_are_bounded() -> None:
    [alert] = read_webhook(one(labels={"queue": "q" * 9999, "alertname": "a" * 9999}, fingerprint="f" * 9999))
    assert max(len(alert.worker), len(alert.name), len(alert.fingerprint)) == MOST_CHARACTERS


@pytest.mark.parametrize(
    ("body", "word"),
    [
        (b"{", "no webhook"),
        (b"[]", "Expected `object`"),
        (b"{}", "missing required field `alerts`"),
        (b'{"alerts": 3}', "$.alerts"),
        (b'{"alerts": [{"labels": {}}]}', "missing required field `status`"),
        (b'{"alerts": [{"status": "firing", "labels": {"queue": 7}}]}', "$.alerts[0].labels"),
    ],
)
def test_anything_else_is_refused_with_its_place(body: bytes, word: str) -> None:
    with pytest.raises(UsageError) as caught:
        read_webhook(body)
    assert word in str(caught.value)


@given(st.binary(max_size=200))
def test_no_body_breaks_the_reader(body: bytes) -> None:
    is_webhook(body)
    try:
        read_webhook(body)
    except UsageError:
        return


def test_the_answer_says_what_is_done_and_why() -> None:
    answer = AlertAnswer(alert=BACKLOG, action="moved", why="the keys have room", before=3, after=4)
    [taken] = answer_to([answer]).alerts
    assert (taken.worker, taken.alert, taken.status, taken.action) == ("characters", "QueueBacklog", "firing", "moved")
    assert (taken.why, taken.before, taken.after) == ("the keys have room", 3, 4)
