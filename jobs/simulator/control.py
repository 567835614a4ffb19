"""The simulator's own requests, under /_simulator/: they need no token and count nowhere.

GET  statistics                       what the judge saw (see `tally`)
GET  faults, POST faults              the rules in force; replace them (see `faults`)
GET  arrivals?after=S                 {client: [moments of its requests after S]}, with `keep_arrivals`
POST world                            change the world (see `world.edits`)
POST revoke {"client": ID}            end that client's tokens
POST secret {"client": ID, "secret"}  that client's secret is this from now on; tokens stay
POST reset                            forget counts, windows and faults; world and tokens stay
GET  characters?region=eu&limit=&after=   entities of the world for a load: {"entities": ["eu/realm/name"], "next"}
GET  guilds?region=eu&limit=&after=
"""

from bisect import bisect_right
from collections.abc import Callable
from typing import Any

import msgspec

from jobs.simulator.faults import FaultError
from jobs.simulator.gateway import CONTROL, Gateway
from jobs.simulator.http1 import Answer, Request
from jobs.simulator.world.edits import EditError, apply

_MOST_ENTITIES = 10_000


class Control:
    """Answers the simulator's own requests."""

    def __init__(self, gateway: Gateway) -> None:
        self._gateway = gateway
        self._doors: dict[tuple[str, str], Callable[[Request, Any], Any]] = {
            ("GET", "statistics"): lambda request, body: self.statistics(),
            ("GET", "faults"): lambda request, body: gateway.faults.report(),
            ("POST", "faults"): self._replace_faults,
            ("GET", "arrivals"): self._arrivals,
            ("POST", "world"): lambda request, body: {"applied": apply(gateway.world, body)},
            ("POST", "revoke"): lambda request, body: {"revoked": gateway.clients.revoke(body["client"])},
            ("POST", "secret"): self._change_secret,
            ("POST", "reset"): self._reset,
            ("GET", "characters"): self._characters,
            ("GET", "guilds"): self._guilds,
        }

    def __call__(self, request: Request, body: bytes) -> Answer:
        """Answer one request; a wrong one gets 400 with {"error"}."""
        door = self._doors.get((request.method, request.path.removeprefix(CONTROL)))
        if door is None:
            return _json(404, {"error": f"no such request; there are {sorted(' '.join(door) for door in self._doors)}"})
        try:
            return _json(200, door(request, msgspec.json.decode(body) if body else None))
        except (FaultError, EditError, msgspec.DecodeError, KeyError, TypeError, ValueError, AttributeError) as error:
            return _json(400, {"error": f"{type(error).__name__}: {error}"})

    def statistics(self) -> dict[str, Any]:
        """Return everything that was counted."""
        gateway, options = self._gateway, self._gateway.options
        return {
            "clients": gateway.clients.report(gateway.monotonic()),
            "endpoints": {name: dict(counts) for name, counts in sorted(gateway.endpoints.items())},
            "limit": {
                "mode": options.limit_mode,
                "per_second": options.per_second,
                "per_hour": options.per_hour,
                "hour_effect": options.hour_effect,
                "count_refused": options.count_refused,
            },
            "faults": gateway.faults.report(),
            "world_now": gateway.world.clock.now(),
        }

    def _arrivals(self, request: Request, body: Any) -> Any:
        after = float(request.parameters().get("after", "0"))
        clients = self._gateway.clients.known.values()
        return {client.name: client.arrivals[bisect_right(client.arrivals, after) :].tolist() for client in clients}

    def _replace_faults(self, request: Request, body: Any) -> Any:
        self._gateway.faults.replace(body)
        return self._gateway.faults.report()

    def _change_secret(self, request: Request, body: Any) -> Any:
        self._gateway.clients.known[body["client"]].secret = str(body["secret"])
        return {}

    def _reset(self, request: Request, body: Any) -> Any:
        self._gateway.clients.reset()
        self._gateway.endpoints.clear()
        self._gateway.faults.replace([])
        return {}

    def _characters(self, request: Request, body: Any) -> Any:
        world = self._gateway.world
        region, limit, after = _range(request)
        last = len(world.geographies[region].realms) * world.per_realm
        numbers = range(after, min(last, after + limit))
        entities = [world.numbered(region, number).entity for number in numbers]
        return {"entities": entities, "next": numbers.stop if numbers.stop < last else None}

    def _guilds(self, request: Request, body: Any) -> Any:
        world = self._gateway.world
        region, limit, after = _range(request)
        groups = world.geographies[region].groups
        guilds = [guild for group in groups for guild in world.guilds_of(group[0]).guilds]
        chosen = guilds[after : after + limit]
        entities = [f"{region}/{guild.realm.slug}/{guild.slug}" for guild in chosen]
        return {"entities": entities, "next": after + limit if after + limit < len(guilds) else None}


def _range(request: Request) -> tuple[str, int, int]:
    asked = request.parameters()
    limit = min(_MOST_ENTITIES, int(asked.get("limit", "100")))
    return asked.get("region", "eu"), limit, int(asked.get("after", "0"))


def _json(status: int, body: Any) -> Answer:
    return Answer(status=status, body=msgspec.json.encode(body))
