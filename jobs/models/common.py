"""Shapes that many bodies share."""

import msgspec

from jobs.names import Name


class Body(msgspec.Struct, frozen=True, gc=False):
    """Base of all shapes: unknown fields are skipped, named ones must be of their type."""


class Ref(Body, frozen=True):
    """Something that has a number: {"key": …, "id": 6}."""

    id: int


class Named(Body, frozen=True):
    """Something that has a number and a name: {"id": 10, "name": "Monk"}."""

    id: int
    name: Name | None = None


class Typed(Body, frozen=True):
    """One of a fixed set: {"type": "HORDE", "name": "Horde"}."""

    type: str


class RealmRef(Body, frozen=True):
    """A realm where another thing names it; rosters have no realm name."""

    id: int
    slug: str


class Link(Body, frozen=True):
    """{"href": "https://…"}."""

    href: str = ""
