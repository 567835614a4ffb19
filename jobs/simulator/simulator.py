"""Puts a simulator together and opens its socket."""

import asyncio
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from random import Random
from weakref import WeakSet

from jobs.simulator.clients import Clients
from jobs.simulator.control import Control
from jobs.simulator.faults import Faults
from jobs.simulator.gateway import Gateway
from jobs.simulator.latency import Latency
from jobs.simulator.options import Options
from jobs.simulator.server import Connection
from jobs.simulator.world.clock import WorldClock
from jobs.simulator.world.world import World


class Simulator:
    """A running simulator. `start`, then `base_url`; `stop` may be called twice."""

    def __init__(self, options: Options, monotonic: Callable[[], float] = time.monotonic) -> None:
        """monotonic: the clock that counts; tests turn their own by hand."""
        clock = WorldClock(
            monotonic=monotonic,
            start=options.world_start or time.time(),
            speed=options.world_clock_speed,
        )
        world = World(
            seed=options.seed,
            realms=options.realms,
            characters_per_realm=options.characters_per_realm,
            valid_share=options.valid,
            clock=clock,
        )
        self._options = options
        self._thread = ThreadPoolExecutor(1, "bodies")
        self.gateway = Gateway(
            options=options,
            clients=Clients(options),
            world=world,
            latency=Latency(median_s=options.latency_median, sigma=options.latency_sigma, seed=options.seed),
            faults=Faults(Random(options.seed)),
            monotonic=monotonic,
            thread=self._thread,
        )
        self.gateway.control = Control(self.gateway)
        self._connections: WeakSet[Connection] = WeakSet()
        self._server: asyncio.Server | None = None
        self.base_url = ""

    async def start(self) -> None:
        """Listen. Raises OSError when the address is taken."""
        host, _, port = self._options.listen.rpartition(":")
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(self._connect, host, int(port), backlog=1024)
        address = self._server.sockets[0].getsockname()
        self.base_url = f"http://{host}:{address[1]}"

    @property
    def token_url(self) -> str:
        """Where tokens are to be had."""
        return f"{self.base_url}/oauth/token"

    async def stop(self) -> None:
        """Close the socket and all connections."""
        if self._server is not None:
            self._server.close()
            self._server = None
        for connection in list(self._connections):
            connection.close()
        self._thread.shutdown(wait=False, cancel_futures=True)

    def _connect(self) -> Connection:
        connection = Connection(self.gateway)
        self._connections.add(connection)
        return connection
