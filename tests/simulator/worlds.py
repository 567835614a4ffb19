"""Small worlds for the simulator's tests, and bodies asked of them without a socket."""

import json
from typing import Any

from jobs.simulator.bodies.ask import Ask, Page
from jobs.simulator.options import Options
from jobs.simulator.packing import Packed
from jobs.simulator.recent import Recent
from jobs.simulator.routes import Routes
from jobs.simulator.world.clock import WorldClock
from jobs.simulator.world.world import World
from tests.support.clock import FakeClock

OPTIONS = Options(
    realms=6, characters_per_realm=400, auctions=800, commodities=900, leaderboard=20, latency_median=0.0, valid=0.75
)


def make_world(options: Options = OPTIONS, clock: FakeClock | None = None) -> World:
    clock = clock or FakeClock()
    return World(
        seed=options.seed,
        realms=options.realms,
        characters_per_realm=options.characters_per_realm,
        valid_share=options.valid,
        clock=WorldClock(monotonic=clock.monotonic, start=1_790_000_000.0),
    )


class Reader:
    """Asks a world for bodies by path, as a client does."""

    def __init__(self, world: World, *, region: str = "eu", locale: str = "en_GB", options: Options = OPTIONS) -> None:
        memory: Recent[Packed] = Recent(1 << 24, lambda packed: len(packed.deflated))
        self.ask = Ask(world=world, options=options, memory=memory, region=region, locale=locale)
        self._routes = Routes()

    def page(self, path: str) -> Page | None:
        endpoint, parts = self._routes.find(path)
        assert endpoint is not None, path
        return endpoint.render(self.ask, *parts)

    def raw(self, path: str) -> bytes:
        page = self.page(path)
        assert page is not None, f"404: {path}"
        return page.packed.plain(page.rest) if page.packed else page.rest

    def json(self, path: str) -> Any:
        return json.loads(self.raw(path))
