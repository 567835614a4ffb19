"""Let a key's quota learn from an answer, and say when what it had learnt is trusted no more."""

from supervisor.core.events import Events
from supervisor.core.messages.replica_supervisor import Release
from supervisor.limiter.feedback import SHORT_PARK_S, State
from supervisor.limiter.key import Key
from supervisor.limiter.permit import Permit


def learn(permit: Permit, message: Release, events: Events, now: float) -> None:
    """Show an answer to the quota of its key; worth a call only while `evidence.learns`."""
    news = permit.key.quota.learn(
        sent_at=permit.granted_at, now=now, rtt_s=message.rtt_s, date_s=message.date_s, path=message.path
    )
    if news:
        events.emit("mode_doubted", level="warning", key=permit.key.name, why=news)


def doubt(key: Key, message: Release, events: Events, now: float) -> None:
    """Put what lets slots go early in doubt, once for each park: a 429 came, and not about a long window."""
    if key.standing.state is State.PARKED or message.retry_after_s > SHORT_PARK_S:
        return
    news = key.quota.doubt(now)
    if news:
        events.emit("mode_doubted", level="warning", key=key.name, why=f"429: {news}")
