"""Bodies about realms (recorded 2019-2026)."""

from jobs.models.common import Body, Link, Number
from jobs.names import Name


class ConnectedRealmIndex(Body, frozen=True):
    """`/data/wow/connected-realm/index`: links only."""

    connected_realms: list[Link]


class Kind(Body, frozen=True):
    """{"type": "UP", …}; some bodies have null for the type."""

    type: str | None = None


class Realm(Body, frozen=True):
    """One realm of a connected realm."""

    id: Number
    slug: str
    name: Name
    locale: str | None = None
    timezone: str | None = None
    type: Kind = Kind()


class ConnectedRealm(Body, frozen=True):
    """`/data/wow/connected-realm/{id}`: the realms that share an auction house."""

    id: Number
    realms: list[Realm]
    status: Kind = Kind()
    population: Kind = Kind()
