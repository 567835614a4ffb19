"""Any body of POST /alerts and /workers/concurrency is understood or refused in a sentence."""

# ruff: noqa: E501 - tables of nasty values are read along the line

import json
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from supervisor.control.alerts import MOST_CHARACTERS, is_webhook, read_webhook
from supervisor.control.scale import parse
from supervisor.core.errors import UsageError
from tests.support.fuzzing import fuzz

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)
ALERTS = st.fixed_dictionaries(
    {},
    optional={
        "alerts": st.lists(st.dictionaries(st.sampled_from(("status", "labels", "startsAt", "fingerprint")), JSON))
        | JSON,
        "x": JSON,
    },
)
SCALES = st.fixed_dictionaries({}, optional=dict.fromkeys(("worker", "concurrency", "replicas", "x"), JSON))
DEEP = [
    opening * 200_000
    for opening in (b"[", b'{"alerts":', b'{"x":', b'{"worker":', b'{"alerts":[{"labels":{"a":', b'{"alerts":[{"x":[')
]


def read(body: bytes) -> None:
    with suppress(UsageError):
        parse(body)
    if not is_webhook(body):
        return
    with suppress(UsageError):
        for alert in read_webhook(body):
            texts = (alert.fingerprint, alert.starts_at, alert.worker, alert.name)
            assert all(isinstance(text, str) and len(text) <= MOST_CHARACTERS and text.encode() for text in texts)


@given(st.binary(max_size=60))
@fuzz(100)
def test_any_bytes_are_a_body_or_refused(body: bytes) -> None:
    read(body)


@given(ALERTS | SCALES | JSON)
@fuzz(150)
def test_any_json_is_a_body_or_refused(content: Any) -> None:
    read(json.dumps(content).encode())


@pytest.mark.parametrize("body", [*DEEP, *(part + b"1" for part in DEEP), b'{"alerts":[' + b"9" * 100_000 + b"]}", b'{"worker":"x","replicas":' + b"9" * 9999 + b"}"],
    ids=lambda body: body[:14].decode())  # fmt: skip
def test_deep_and_huge_bodies_are_refused(body: bytes) -> None:
    read(body)


def test_labels_of_a_webhook_are_cut_short() -> None:
    labels = {"alertname": "a" * 10**6, "worker": "w" * 10**6}
    (alert,) = read_webhook(
        json.dumps({"alerts": [{"status": "firing", "labels": labels, "fingerprint": "f" * 10**6}]}).encode()
    )
    assert {len(alert.name), len(alert.worker), len(alert.fingerprint)} == {MOST_CHARACTERS}
