"""The production preset, turned to the simulator: its replicas, concurrency, weights and limits as shipped."""

import tomllib
from typing import Any
from urllib.parse import urlsplit

import tomli_w

from scripts.benchmarks import deeds
from scripts.benchmarks.configuration import preset
from scripts.benchmarks.system import World
from scripts.soaking.plan import ITEMS
from supervisor.settings.shipped import shipped

SECRET = "hush-6f1d0c5ab94e"
PER_SECOND, PER_HOUR = 100, 36_000
# As in production.toml, but often, and so that they stay within the small world.
SCHEDULES = {
    "realms": {"worker": "index", "args": {"of": "realms"}, "every": "40s", "priority": "urgent"},
    "auctions": {"worker": "index", "args": {"of": "auctions"}, "every": "20s"},
    "seeds": {"worker": "index", "args": {"of": "seeds"}, "every": "30s"},
    "items": {
        "worker": "index",
        "args": {"of": "items", "first": 1, "last": ITEMS, "count": 100},
        "every": "15s",
    },
}
# Nothing that the audit asks for may be deleted before it looks.
RETENTION = {
    "auctions": "30d",
    "auction_snapshots": "90d",
    "item_prices": "30d",
    "jobs_completed": "7d",
    "jobs_discarded": "14d",
}


def broken(world: World, port: int) -> str:
    """Return what the soak runs on: everything through the proxy at `port`."""
    theirs = urlsplit(world.base_url).netloc
    urls = [url.replace(theirs, f"127.0.0.1:{port}") for url in (world.base_url, world.token_url)]
    return tomli_w.dumps(_production(*urls) | {"schedules": SCHEDULES})


def unbroken(world: World) -> str:
    """Return the same for the run without faults: no proxy, no limits of the second, as fast as it can."""
    settings = _production(world.base_url, world.token_url)
    settings["apis"]["blizzard"] |= {"windows": [{"requests": 5000, "per": "1s"}], "hour": "burst"}
    return tomli_w.dumps(settings)


def _production(base_url: str, token_url: str) -> dict[str, Any]:
    settings = tomllib.loads(preset("production", base_url, token_url, hour_lifted=False, hour="paced", secret=SECRET))
    settings["freshness"] = tomllib.loads(shipped("production.toml"))["freshness"]
    settings["retention"] = RETENTION
    settings["storage"] = {"min_free": "100MB"}
    settings["workers"]["deeds"] = deeds.worker(replicas=2, concurrency=2)
    return settings
