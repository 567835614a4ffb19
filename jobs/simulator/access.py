"""Credentials, namespaces and headers: who asks, in which region, and what every answer says about itself."""

from jobs.simulator.bodies.ask import BUILD, Ask, locale_of
from jobs.simulator.clients import Client, Clients
from jobs.simulator.http1 import Request
from jobs.simulator.options import Options
from jobs.simulator.packing import Packed
from jobs.simulator.recent import Recent
from jobs.simulator.routes import Endpoint
from jobs.simulator.world.geography import REGIONS
from jobs.simulator.world.world import World


def identify(clients: Clients, request: Request, now: float) -> tuple[Client, bool]:
    """Return the client of a request and whether its credentials are right; the unknown client without any."""
    scheme, _, value = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() == "bearer":
        return clients.by_token(value.strip(), now)
    if scheme.lower() == "basic":
        return clients.by_basic(value.strip())
    return clients.unknown, False


def region_of(request: Request, parameters: dict[str, str], kind: str) -> str | None:
    """Return the region of the namespace "kind-region" (static: also "static-build-region"), None when it is wrong."""
    namespace = request.headers.get("battlenet-namespace") or parameters.get("namespace", "")
    first, _, rest = namespace.lower().partition("-")
    build, _, region = rest.rpartition("-")
    if first != kind or region not in REGIONS or (build and not (kind == "static" and build[0].isdigit())):
        return None
    return region


def ask(world: World, options: Options, memory: Recent[Packed], region: str, parameters: dict[str, str]) -> Ask:
    """Return what a body function needs to know of a request."""
    asked = parameters.get("locale", "")
    locale = locale_of(asked) if asked else ""
    return Ask(world=world, options=options, memory=memory, region=region, locale=locale)


def lines(endpoint: Endpoint, region: str) -> list[bytes]:
    """Return the header lines of a found resource (made once for each endpoint and region; do not change them)."""
    found = endpoint.lines.get(region)
    if found is None:
        build = f"-{BUILD}" if endpoint.namespace == "static" else ""
        text = f"battlenet-namespace: {endpoint.namespace}{build}-{region}\r\nvary: accept-encoding\r\n"
        text += "x-content-type-options: nosniff\r\nx-frame-options: SAMEORIGIN\r\n"
        if endpoint.schema is not None:
            text += f"battlenet-schema: {endpoint.schema}\r\nbattlenet-schema-revision: {endpoint.revision}\r\n"
        if endpoint.max_age is not None:
            text += f"Cache-Control: public, max-age={endpoint.max_age}\r\n"
        found = endpoint.lines[region] = [text.encode()]
    return found
