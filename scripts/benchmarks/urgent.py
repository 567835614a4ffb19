"""An urgent refresh while an endless background backlog fills the hour, hour after hour in virtual time.

The real limiter with the production preset's keys (hour "paced"), 24 slots of characters (8 replicas
of 3), jobs of 1 + 4 requests at 250 ms lognormal latency. Each virtual minute, at a random moment,
somebody asks for an urgent refresh; its time runs from the asking to its last answer. See `virtual.py`
for what is real and what is not: processes, sockets and SQLite are delays there.
"""

import argparse
import os
import tempfile
from pathlib import Path
from random import Random

from scripts.benchmarks.configuration import preset
from scripts.benchmarks.report import Report
from scripts.benchmarks.system import percentile
from scripts.benchmarks.virtual import WORKER, Job, Queue, Replica, Server, Slot, Timeline
from supervisor.core.events import Events
from supervisor.limiter.key import Credential
from supervisor.limiter.limiter import Limiter
from supervisor.settings.config import Config
from supervisor.settings.reading import load

HOUR_S = 3600.0
MINUTE_S = 60.0
# The last refreshes may end after the last hour.
FINISH_S = 60.0


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="scripts/bench urgent")
    parser.add_argument("--hours", type=int, default=4, help="virtual hours")
    parser.add_argument("--latency", type=float, default=0.25, help="median round trip, seconds")
    parser.add_argument("--sigma", type=float, default=0.4, help="of the lognormal round trip; 0 = constant")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args(arguments)
    config = configuration()
    random = Random(options.seed)
    timeline = Timeline()
    limiter = Limiter(config=config, events=Events(), random=random, now=timeline.now)
    for key in limiter.ring.keys:
        key.set_credential(Credential(headers={"Authorization": f"Bearer {key.name}"}))
    server = Server(timeline, random, latency_s=options.latency, sigma=options.sigma)
    queue = Queue(timeline, limiter)
    worker = config.workers[WORKER]
    replicas = [Replica(timeline, limiter, server, queue, name=f"{WORKER}#{n}") for n in range(worker.replicas)]
    for replica in replicas:
        for _ in range(worker.concurrency):
            Slot(replica).start()
    for minute in range(options.hours * 60):
        timeline.after(minute * MINUTE_S + random.uniform(0.0, MINUTE_S), queue.refresh)
    timeline.run(limiter, options.hours * HOUR_S + FINISH_S)
    return judge(options, queue, server)


def configuration() -> Config:
    """Return the production preset as a supervisor would read it, with its hour paced."""
    with tempfile.TemporaryDirectory(prefix="gatherer-") as folder:
        path = Path(folder) / "config.toml"
        path.touch(mode=0o600)
        text = preset("production", "http://127.0.0.1:1", "http://127.0.0.1:1/token", hour_lifted=False, hour="paced")
        path.write_text(text)
        return load(path, environment={name: os.environ[name] for name in ("HOME", "PATH") if name in os.environ})


def judge(options: argparse.Namespace, queue: Queue, server: Server) -> int:
    report = Report("urgent")
    took = [job.ended_at - job.asked_at for job in queue.asked]
    report.add("urgent refreshes", len(took))
    report.add("refresh p50, s", percentile(took, 0.50))
    report.add("refresh p95, s", percentile(took, 0.95), at_most=2.0)
    report.add("worst hour's p95, s", max(by_hour(queue.asked, options.hours).values()), at_most=2.0)
    report.add("refresh max, s", max(took))
    report.add("429s", server.refused, at_most=0)
    report.add("most of a key in an hour", peak(server, HOUR_S), at_most=36_000)
    report.add("most of a key in a second", peak(server, 1.0), at_most=100)
    requests = sum(len(arrivals) for arrivals in server.arrivals.values())
    last = (options.hours - 1) * HOUR_S
    steady = sum(at >= last for arrivals in server.arrivals.values() for at in arrivals if at < last + HOUR_S)
    report.add("requests, all", requests)
    report.add("share of the last hour spent", steady / (36_000 * len(server.arrivals)))
    report.add("background jobs done", queue.background_done)
    report.details = {
        "options": vars(options),
        "p95_by_hour_s": by_hour(queue.asked, options.hours),
        "requests_by_hour": {hour: spent(server, hour) for hour in range(options.hours)},
    }
    return report.finish({"urgent refresh": [(job.asked_at, job.ended_at - job.asked_at) for job in queue.asked]}, "s")


def by_hour(jobs: list[Job], hours: int) -> dict[int, float]:
    """Return the 95th percentile of each hour."""
    return {
        hour: percentile([job.ended_at - job.asked_at for job in jobs if int(job.asked_at // HOUR_S) == hour], 0.95)
        for hour in range(hours)
    }


def spent(server: Server, hour: int) -> dict[str, int]:
    """Return the requests that arrived in an hour, by key."""
    return {key: sum(int(at // HOUR_S) == hour for at in arrivals) for key, arrivals in server.arrivals.items()}


def peak(server: Server, span_s: float) -> int:
    """Return the most arrivals of any key in any window (t - span, t]."""
    return max(_peak(arrivals, span_s) for arrivals in server.arrivals.values())


def _peak(arrivals: list[float], span_s: float) -> int:
    most = first = 0
    for last, at in enumerate(arrivals):
        while arrivals[first] <= at - span_s:
            first += 1
        most = max(most, last - first + 1)
    return most
