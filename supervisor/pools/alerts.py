"""Alerts as an input to autoscale: each is counted once, whoever repeats it, and taken back when it is resolved.

    firing ──served──▶ lifted by a step ──resolved──▶ over (owed until taken back)
       └───────────────resolved────────────────────────▶ over

What is known of them is `CountedAlert`, which outlives a restart. One of which nobody has spoken for SILENCE_S
counts as resolved: its sender may be gone, and a lift must not stay for ever.
"""

from dataclasses import dataclass
from datetime import timedelta

import msgspec

from supervisor.settings.moves import CountedAlert, moment

SILENCE_S = 86_400.0  # Alertmanager repeats a firing alert every 4 hours, unless told otherwise
MOST = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Alert:
    """One alert as it came in. fingerprint, starts_at: which alert, and which time. worker: "" = it names none."""

    fingerprint: str
    starts_at: str
    worker: str
    name: str
    is_firing: bool

    @property
    def id(self) -> str:
        """Return what is counted once."""
        return f"{self.fingerprint} {self.starts_at}"


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertAnswer:
    """What becomes of one alert. action: moved, waits, counted (before), none or ignored.

    before, after: concurrency in each replica, None = of no worker that may be moved.
    """

    alert: Alert
    action: str
    why: str
    before: int | None = None
    after: int | None = None


class AlertBook:
    """Every alert that is known, by id, oldest first.

    At most MOST: those that are over go first, those that have lifted something last.
    """

    def __init__(self, known: list[CountedAlert]) -> None:
        self._known = {alert.id: alert for alert in known}

    def all(self) -> list[CountedAlert]:
        """Return what is to be kept."""
        return list(self._known.values())

    def firing(self, worker: str) -> list[CountedAlert]:
        """Return the alerts of `worker` that are not over."""
        return [alert for alert in self._known.values() if alert.worker == worker and not alert.over]

    def lifted(self, worker: str) -> int:
        """Return by how much the firing alerts of `worker` have lifted it."""
        return sum(alert.lifted for alert in self.firing(worker))

    def unserved(self, worker: str) -> CountedAlert | None:
        """Return the first alert of `worker` that fires and has not lifted it."""
        return next((alert for alert in self.firing(worker) if not alert.lifted), None)

    def fire(self, alert: Alert, wall: float) -> bool:
        """Take a firing alert; tell whether it is new.

        One that starts anew without having been resolved (its sender was restarted) goes on with what it has.
        """
        known = self._known.get(alert.id) or self._earlier(alert)
        if known is not None:
            del self._known[known.id]
            self._known[alert.id] = msgspec.structs.replace(known, id=alert.id, seen=moment(wall))
            return False
        self._known[alert.id] = CountedAlert(id=alert.id, worker=alert.worker, name=alert.name, seen=moment(wall))
        self._make_room()
        return True

    def serve(self, id: str, lifted: int) -> None:
        """Note that the alert has lifted its worker."""
        self._known[id] = msgspec.structs.replace(self._known[id], lifted=lifted)

    def resolve(self, id: str, wall: float) -> int | None:
        """End an alert; return how much is to be taken back, None = it was not firing here."""
        known = self._known.get(id)
        if known is None or known.over:
            return None
        self._known[id] = msgspec.structs.replace(known, over=True, seen=moment(wall))
        return known.lifted

    def settle(self, worker: str) -> None:
        """Forget what the alerts of `worker` have lifted: a person has set it anew. They stay counted."""
        for alert in self.firing(worker):
            self._known[alert.id] = msgspec.structs.replace(alert, over=True)

    def silent(self, wall: float) -> list[CountedAlert]:
        """Return the firing alerts of which nobody has spoken for SILENCE_S, and drop old ones that are over."""
        before = moment(wall) - timedelta(seconds=SILENCE_S)
        old = [alert for alert in self._known.values() if alert.seen < before]
        for alert in old:
            if alert.over:
                del self._known[alert.id]
        return [alert for alert in old if not alert.over]

    def forget(self, worker: str) -> None:
        """Drop every alert of a worker that is gone."""
        self._known = {id: alert for id, alert in self._known.items() if alert.worker != worker}

    def _earlier(self, alert: Alert) -> CountedAlert | None:
        same = (known for known in self.firing(alert.worker) if known.id.split(" ")[0] == alert.fingerprint)
        return next(same, None)

    def _make_room(self) -> None:
        least_missed = sorted(self._known.values(), key=lambda alert: (not alert.over, alert.lifted > 0))
        for alert in least_missed[: max(0, len(self._known) - MOST)]:
            del self._known[alert.id]
