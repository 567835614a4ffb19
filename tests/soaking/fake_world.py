"""The simulator's world and faults without its server, as the soak speaks to them."""

from random import Random
from typing import Any, cast

from jobs.simulator.faults import Faults
from jobs.simulator.world.edits import apply
from scripts.benchmarks.system import World
from tests.simulator.worlds import make_world


class FakeWorld:
    """world, faults: what the soak has changed."""

    def __init__(self) -> None:
        self.world = make_world()
        self.faults = Faults(Random(1))
        self.revoked: list[str] = []

    def as_world(self) -> World:
        return cast(World, self)

    def get(self, path: str) -> Any:
        assert path == "faults"
        return self.faults.report()

    def post(self, path: str, body: Any) -> Any:
        if path == "faults":
            return self.faults.replace(body)
        if path == "world":
            return apply(self.world, body)
        assert path == "revoke"
        return self.revoked.append(body["client"])

    def statistics(self) -> dict[str, Any]:
        return {"clients": {"osint-1": {}}}

    def entities(self, kind: str, limit: int) -> list[str]:
        if kind == "guilds":
            return ["eu/silvermoon/owls"]
        count = len(self.world.geographies["eu"].realms) * self.world.per_realm
        return [self.world.numbered("eu", number).entity for number in range(min(limit, count))]
