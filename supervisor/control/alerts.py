"""POST /alerts: the webhooks of Alertmanager (version 4) and Grafana, which share one shape, read as alerts.

    {"alerts": [{"status": "firing" | "resolved", "labels": {"alertname": …, "worker" or "queue": …},
                 "startsAt": …, "fingerprint": …, …}, …], …}

What else they send is not looked at. An alert names its worker by the label `worker`, which our own metrics carry,
or `queue`, which the bullmq_… aliases carry; so a rule over either needs no label of its own.

Sources: https://prometheus.io/docs/alerting/latest/configuration/#webhook_config and
https://grafana.com/docs/grafana/latest/alerting/configure-notifications/manage-contact-points/integrations/webhook-notifier/
(both seen 2026-11-24).
"""

import hashlib

import msgspec

from supervisor.core.errors import UsageError
from supervisor.core.text import printable
from supervisor.pools.alerts import Alert, AlertAnswer

RESOLVED = "resolved"
WORKER_LABELS = ("worker", "queue")
MOST_CHARACTERS = 100


class SentAlert(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """One alert as it is sent. starts_at tells one firing from the next; it is compared, never calculated with."""

    status: str
    labels: dict[str, str] = {}
    starts_at: str = ""
    fingerprint: str = ""


class Webhook(msgspec.Struct, frozen=True, kw_only=True):
    """One notification: a group of alerts."""

    alerts: list[SentAlert]


class TakenAlert(msgspec.Struct, frozen=True, kw_only=True):
    """What becomes of one alert: see `AlertAnswer`."""

    worker: str
    alert: str
    status: str
    action: str
    why: str
    before: int | None
    after: int | None


class TakenAlerts(msgspec.Struct, frozen=True, kw_only=True):
    """The answer to a webhook, in the order of its alerts."""

    alerts: list[TakenAlert]


def is_webhook(body: bytes) -> bool:
    """Tell whether a body is an alert webhook rather than something else in JSON."""
    try:
        fields = msgspec.json.decode(body, type=dict[str, msgspec.Raw])
    except (msgspec.DecodeError, RecursionError):
        return False
    return "alerts" in fields


def read_webhook(body: bytes) -> list[Alert]:
    """Return the alerts of a webhook. UsageError: it is none."""
    try:
        webhook = msgspec.json.decode(body, type=Webhook)
    except (msgspec.DecodeError, RecursionError) as error:
        raise UsageError(f"no webhook of Alertmanager or Grafana: {error}") from error
    return [_alert(sent) for sent in webhook.alerts]


def answer_to(answers: list[AlertAnswer]) -> TakenAlerts:
    """Return what the sender is told."""
    return TakenAlerts(
        alerts=[
            TakenAlert(
                worker=answer.alert.worker,
                alert=answer.alert.name,
                status="firing" if answer.alert.is_firing else RESOLVED,
                action=answer.action,
                why=answer.why,
                before=answer.before,
                after=answer.after,
            )
            for answer in answers
        ]
    )


def _alert(sent: SentAlert) -> Alert:
    worker = next((sent.labels[label] for label in WORKER_LABELS if sent.labels.get(label)), "")
    return Alert(
        fingerprint=_short(sent.fingerprint or _fingerprint(sent.labels)),
        starts_at=_short(sent.starts_at),
        worker=_short(worker),
        name=_short(sent.labels.get("alertname", "without a name")),
        is_firing=sent.status != RESOLVED,
    )


def _short(text: str) -> str:
    return printable(text[:MOST_CHARACTERS])[:MOST_CHARACTERS]


def _fingerprint(labels: dict[str, str]) -> str:
    """Return what tells alerts apart where the sender gives nothing: their labels."""
    return hashlib.sha256(msgspec.json.encode(sorted(labels.items()))).hexdigest()[:16]
