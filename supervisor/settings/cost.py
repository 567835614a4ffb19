"""What one job of a worker costs: requests and seconds. Nominal until something was measured."""

import math
from collections.abc import Mapping
from typing import Any

import msgspec

from supervisor.settings.config import Config, Value, Worker
from supervisor.settings.packages import nominal_requests, nominal_rounds

ROUND_TRIP_S = 0.1
"""Assumed seconds from a request to its answer; measured ones take its place."""

OWN_S = 0.02
"""Seconds of a job that are no request: claim, reading the answers, the commit of its finish (assumed)."""

TURN_S = 0.005
"""Seconds between two jobs of a slot that neither counts: its next permit, which crosses two sockets (assumed)."""

ANY_CRON_S = 60.0
"""A cron line fires at most once a minute."""


class Cost(Value, frozen=True):
    """One job. job_s: from its claim to the next one's, when no permit is waited for. round_trip_s: of one request.

    offered_per_s: jobs a second that come in at most, None = always enough. measured_jobs: how many
    jobs these figures come from, 0 = nominal.
    """

    requests: float
    job_s: float
    round_trip_s: float
    offered_per_s: float | None = None
    measured_jobs: int = 0


def nominal(config: Config, worker: Worker, round_trip_s: float = ROUND_TRIP_S) -> Cost:
    """Return what the package's manifest says of a job, when each request takes `round_trip_s`.

    A worker that is fed by schedules and not by [freshness] gets only what they bring.
    """
    requests = nominal_requests(worker.job, worker.path)
    return Cost(
        requests=requests,
        job_s=seconds(requests, nominal_rounds(worker.job, worker.path), round_trip_s),
        round_trip_s=round_trip_s,
        offered_per_s=_scheduled_per_s(config, worker.name),
    )


def seconds(requests: float, rounds: float, round_trip_s: float) -> float:
    """Return the seconds of a job whose last round sends all that is left at once.

    The slowest of n answers takes about 1 + 0.226 · log2 n times the mean (lognormal, sigma 0.4, n ≤ 8).
    """
    at_once = max(1.0, requests - (rounds - 1.0))
    return (rounds + 0.226 * math.log2(at_once)) * round_trip_s + OWN_S


def measured(worker: Worker, status: Mapping[str, Any], least: int) -> Cost | None:
    """Return what the status of a running worker tells; None before it has ended `least` jobs.

    status: `workers.NAME` of GET /workers. The wait for permits is taken out of the jobs' seconds: rounds
    after the first each wait once (the first has its permit when the job starts).
    """
    since_start = status["since_start"]
    outcomes: Mapping[str, int] = since_start["outcomes"]
    jobs = sum(count for outcome, count in outcomes.items() if outcome not in ("retry", "snooze"))
    trips, waits = since_start.get("round_trip_seconds"), since_start.get("permit_wait_seconds")
    if jobs < least or not trips or not trips["count"]:
        return None
    requests, round_trip_s = trips["count"] / jobs, trips["sum"] / trips["count"]
    rounds = min(nominal_rounds(worker.job, worker.path), requests)
    wait_s = waits["sum"] / waits["count"] * max(0.0, rounds - 1.0) if waits["count"] else 0.0
    job_s = since_start["job_seconds"]["sum"] / jobs
    return Cost(
        requests=requests,
        job_s=max(job_s - wait_s, rounds * round_trip_s) + TURN_S,
        round_trip_s=round_trip_s,
        offered_per_s=_offered_per_s(status),
        measured_jobs=jobs,
    )


def offered(nominal: Cost, status: Mapping[str, Any]) -> Cost:
    """Return nominal costs with what a running worker that has not ended enough jobs says of its queue."""
    return msgspec.structs.replace(nominal, offered_per_s=_offered_per_s(status))


def _offered_per_s(status: Mapping[str, Any]) -> float | None:
    return float(status["per_s"]) if status["limited_by"] == "nothing to do" else None


def _scheduled_per_s(config: Config, worker: str) -> float | None:
    schedules = [schedule for schedule in config.schedules.values() if schedule.worker == worker]
    if not schedules or worker in config.freshness:
        return None
    return sum(1.0 / (schedule.every_s or ANY_CRON_S) for schedule in schedules)
