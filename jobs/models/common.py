"""Shapes that many bodies share."""

from typing import Annotated, TypeAlias

import msgspec

from jobs.names import Name

Number: TypeAlias = Annotated[int, msgspec.Meta(le=2**63 - 1)]
"""An integer that a table can hold; a larger one is another shape."""


class Body(msgspec.Struct, frozen=True, gc=False):
    """Base of all shapes: unknown fields are skipped, named ones must be of their type."""


class Ref(Body, frozen=True):
    """Something that has a number: {"key": …, "id": 6}."""

    id: Number


class Named(Body, frozen=True):
    """Something that has a number and a name: {"id": 10, "name": "Monk"}."""

    id: Number
    name: Name | None = None


class Typed(Body, frozen=True):
    """One of a fixed set: {"type": "HORDE", "name": "Horde"}."""

    type: str


class RealmRef(Body, frozen=True):
    """A realm where another thing names it; rosters have no realm name."""

    id: Number
    slug: str


class Link(Body, frozen=True):
    """{"href": "https://…"}."""

    href: str = ""
