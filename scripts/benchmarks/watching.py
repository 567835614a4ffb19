"""What it costs to be looked at: 50 open pages, a scrape with 40 replicas, the first paint of the page.

One supervisor with 40 replicas under a steady load. CPU is the supervisor's alone, as the kernel counts it; the
pages are 50 streams of one reader process, so that reading them costs the supervisor nothing.
"""

import argparse
import shutil
import subprocess
import sys
import time
import urllib.request
from statistics import median
from typing import Any

import psutil

from scripts.benchmarks.configuration import CLIENTS, preset
from scripts.benchmarks.report import Report
from scripts.benchmarks.system import System, gatherer, percentile, scratch, simulator
from supervisor.control.measurements import Measurements
from supervisor.core.clock import SystemClock
from supervisor.worker.measures import Measures

PAGES = 50
SCRAPES = 40
MEASURED_JOBS = 50_000
JOBS_A_TALLY = 5
REPLICAS = {"characters": 14, "guilds": 8, "profile": 8, "items": 6, "auctions": 2, "index": 2}
WORLD = ["--realms", "12", "--characters-per-realm", "2000", "--latency-median", "0.08"]
FLAGS = ["--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking", "--disable-sync"]
READER = """
import asyncio, sys
async def follow(port):
    reader, writer = await asyncio.open_connection("127.0.0.1", port, limit=2**24)
    writer.write(b"GET /events HTTP/1.1\\r\\nHost: localhost\\r\\n\\r\\n")
    while await reader.read(65536):
        pass
async def main():
    await asyncio.gather(*(follow(int(sys.argv[1])) for _ in range(int(sys.argv[2]))))
asyncio.run(main())
"""


def main(arguments: list[str]) -> int:
    options = argparse.ArgumentParser(prog="scripts/bench watching")
    options.add_argument("--seconds", type=float, default=15.0, help="of each part")
    seconds = options.parse_args(arguments).seconds
    report = Report("watching")
    with scratch() as folder, simulator(folder, CLIENTS, WORLD) as world:
        config = preset("production", world.base_url, world.token_url, workers=_sizes())
        with gatherer(folder, config) as system:
            port = system.port()
            system.enqueue("characters", world.entities("characters", 20_000))
            time.sleep(5.0)
            _counting(report, system, seconds)
            _pages(report, system, port, seconds)
            _scrapes(report, port)
            _paint(report, port)
    return report.finish()


def _sizes() -> dict[str, dict[str, object]]:
    return {
        name: {
            "job": f"jobs.{name}",
            "tag": {"items": "dma", "auctions": "dma", "index": "any"}.get(name, "osint"),
            "concurrency": 2,
            "replicas": replicas,
        }
        for name, replicas in REPLICAS.items()
    }


def _counting(report: Report, system: System, seconds: float) -> None:
    """Set what a job costs to measure (replica and supervisor) against what it costs to do."""
    before, began = sum(system.cpu_s().values()), _ended(system)
    time.sleep(seconds)
    job_s = (sum(system.cpu_s().values()) - before) / max(1, _ended(system) - began)
    measures, sums = Measures(), Measurements(SystemClock())
    started = time.process_time()
    for number in range(MEASURED_JOBS):
        measures.finished("done", 0.2, 0)
        if number % JOBS_A_TALLY == 0 and (tally := measures.take()) is not None:
            sums.add("characters", tally)
    counting_s = (time.process_time() - started) / MEASURED_JOBS
    report.add("CPU of a job, ms", 1000 * job_s)
    report.add("of which to measure it, share", counting_s / job_s, at_most=0.02)


def _ended(system: System) -> int:
    workers = system.daemon.get("/workers")["workers"].values()
    return sum(sum(worker["since_start"]["outcomes"].values()) for worker in workers)


def _pages(report: Report, system: System, port: int, seconds: float) -> None:
    """Take the CPU share without, with, without and with pages, so that a change of the load shows."""
    alone: list[float] = []
    watched: list[float] = []
    for _ in range(2):
        alone.append(_cpu_share(system, seconds))
        reader = subprocess.Popen([sys.executable, "-c", READER, str(port), str(PAGES)])
        time.sleep(2.0)
        watched.append(_cpu_share(system, seconds))
        reader.kill()
        reader.wait()
    report.add("supervisor, no page, share of a core", median(alone))
    report.add(f"supervisor, {PAGES} pages, share of a core", median(watched))
    report.add(f"{PAGES} open pages, share of a core", median(watched) - median(alone), at_most=0.05)


def _cpu_share(system: System, seconds: float) -> float:
    process = psutil.Process(system.process.pid)
    before, began = process.cpu_times(), time.monotonic()
    time.sleep(seconds)
    after = process.cpu_times()
    return float(after.user + after.system - before.user - before.system) / (time.monotonic() - began)


def _scrapes(report: Report, port: int) -> None:
    took: list[float] = []
    size = 0
    for _ in range(SCRAPES):
        began = time.monotonic()
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=30) as answer:
            size = len(answer.read())
        took.append(1000 * (time.monotonic() - began))
        time.sleep(0.1)
    report.add("scrape, median ms, 40 replicas", median(took), at_most=20.0)
    report.add("scrape, p95 ms", percentile(took, 0.95))
    report.add("scrape, kB", size / 1000)


def _paint(report: Report, port: int) -> None:
    chromium = shutil.which("chromium")
    if chromium is None:
        print("no chromium: the page is not measured (apt-get install chromium)")
        return
    from playwright.sync_api import sync_playwright  # noqa: PLC0415 - only where there is a browser

    painted: list[float] = []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=FLAGS)
        for turn in range(8):
            page = browser.new_context().new_page()
            page.goto(f"http://127.0.0.1:{port}")
            page.wait_for_selector("#key-cards article")
            seen: Any = page.evaluate("performance.getEntriesByName('first-contentful-paint')[0].startTime")
            if turn:  # the first one starts the renderer
                painted.append(seen)
            sizes: Any = page.evaluate("performance.getEntriesByType('resource').map((each) => each.transferSize)")
            page.context.close()
        browser.close()
    report.add("first paint, median ms", median(painted), at_most=300.0)
    report.add("transferred, kB", sum(sizes) / 1000, at_most=120.0)
