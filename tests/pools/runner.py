"""Stand in for the worker runtime: a replica that only lives, as its environment's BEHAVIOUR says.

work (default)   READY, heartbeats, ends on Drain          crash      exits 3 at once
refuse           exits 78 at once                          never      never READY
deaf             READY, ignores Drain                      flood      READY, then prints without end
mute             READY, closes its socket and lives on     spawn      READY, starts a child that ends, and dies
leak             READY, keeps LEAK_BYTES more              exit       READY, exits with $CODE
"""

import asyncio
import os
import socket
from pathlib import Path

from supervisor.core.errors import ConfigurationError
from supervisor.core.messages.replica_supervisor import Configure, Drain, Drained, Heartbeat, Ready, Release, ToReplica
from supervisor.core.messages.supervisor_zygote import Fork
from supervisor.core.wire import Channel

HEARTBEAT_EVERY_S = 0.05
LEAK_BYTES = 60_000_000


def run_replica(spec: Fork, control_fd: int) -> int:
    behaviour = os.environ.get("BEHAVIOUR", "work")
    print(f"{spec.replica} behaves: {behaviour}")
    if behaviour == "crash":
        return 3
    if behaviour == "refuse":
        raise ConfigurationError(["nothing here can work"])
    if behaviour == "descriptors":
        print("descriptors", sorted(int(path.name) for path in Path("/proc/self/fd").iterdir() if path.is_symlink()))
    return asyncio.run(StandIn(behaviour).live(control_fd))


class StandIn:
    def __init__(self, behaviour: str) -> None:
        self.behaviour = behaviour
        self.done = asyncio.Event()
        self.kept = b""
        self.channel = Channel(ToReplica, self.receive, self.closed)

    async def live(self, control_fd: int) -> int:

        await asyncio.get_running_loop().create_unix_connection(
            lambda: self.channel, sock=socket.socket(fileno=control_fd)
        )
        if self.behaviour == "never":
            await asyncio.sleep(60)
        self.channel.send(Ready(os.getpid()))
        await asyncio.sleep(0)
        await self.misbehave(control_fd)
        while not self.done.is_set():
            self.channel.send(Heartbeat(0))
            await asyncio.sleep(HEARTBEAT_EVERY_S)
        self.channel.send(Drained())
        self.channel.send(Release(7, 1))
        self.channel.close()
        await asyncio.sleep(0)
        return 0

    async def misbehave(self, control_fd: int) -> None:
        if self.behaviour == "flood":
            while not self.done.is_set():
                print("x" * 1000 + "\n" + "y" * 20_000)
                await asyncio.sleep(0)
        if self.behaviour == "mute":
            self.closed = lambda error: None  # type: ignore[method-assign]
            self.channel._closed = self.closed
            self.channel.close()
            await asyncio.sleep(60)
        if self.behaviour == "leak":
            self.kept = b"x" * LEAK_BYTES
        if self.behaviour == "exit":
            os._exit(int(os.environ["CODE"]))
        if self.behaviour == "spawn":
            # The child outlives its parent for a moment, so that the supervisor adopts it.
            await asyncio.create_subprocess_exec("sleep", "0.2")
            os._exit(4)

    def receive(self, message: object) -> None:
        match message:
            case Configure():
                print(f"concurrency {message.concurrency}")
                self.channel.send(Heartbeat(0, message.concurrency))
            case Drain() if self.behaviour != "deaf":
                self.done.set()

    def closed(self, error: Exception | None) -> None:
        if not self.done.is_set():
            os._exit(1)
