"""Entities: the things that jobs are about, written as text.

An entity is parts joined by "/", as its kind's pattern says in the job package's `manifest.toml`:

    pattern                entity
    region/realm/name      eu/kaelthas/zoé
    region/number          eu/18803
    region/number:item     eu/18803            (a number that is called "item")
    word:of                auctions

Parts by their type; `type:name` gives a part a name of its own:

    region   eu us kr tw cn, or any short word of letters
    realm    a slug: lower case, apostrophes and dots deleted, blanks to "-", accents kept
             (slugs as recorded in realm indexes: kaelthas, la-croisade-écarlate)
    name     lower case, NFC, 1..64 characters, no "/" and no control character
    guild    as realm, but dots and hyphens are kept
    number   a positive integer without leading zeros
    word     a-z 0-9 _ - and "."

The canonical text is what dedup, tables and the API paths use; people may type it in any case.
"""

import re
import unicodedata
from collections.abc import Callable
from functools import cache
from typing import NamedTuple

from supervisor.core.errors import UsageError

MAX_PART_CHARACTERS = 64
_BLANKS = re.compile(r"\s+")
_NOT_IN_SLUGS = re.compile(r"['’`´.()]")


def canonical(pattern: str, text: str) -> str:
    """Return `text` in the one form that stands for this entity.

    UsageError names the part and the reason. canonical(p, canonical(p, t)) == canonical(p, t).
    """
    slots = _slots(pattern)
    parts = text.strip().split("/")
    if len(parts) != len(slots):
        raise UsageError(f"entity {text[:80]!r}: expected {pattern} ({len(slots)} parts), got {len(parts)}")
    return "/".join([_canonical_part(slot, part, text) for slot, part in zip(slots, parts, strict=True)])


def split(pattern: str, entity: str) -> dict[str, str]:
    """Return the parts of a canonical entity by name."""
    return dict(zip([slot.name for slot in _slots(pattern)], entity.split("/"), strict=True))


def from_args(pattern: str, args: dict[str, object], *, region: str) -> str:
    """Return the entity that `args` spell out by part name; a missing region is `region`."""
    values = {"region": region} | {name: str(value) for name, value in args.items()}
    names = [slot.name for slot in _slots(pattern)]
    missing = [name for name in names if name not in values]
    if missing:
        raise UsageError(f"args {str(args)[:80]!r}: {', '.join(missing)} missing for entity {pattern}")
    return canonical(pattern, "/".join(values[name] for name in names))


def slug(text: str) -> str:
    """Return a realm's slug from its display name: `Kael'thas` → kaelthas."""
    # Composed again: a deleted apostrophe may have stood between a letter and its accent.
    return unicodedata.normalize("NFC", _BLANKS.sub("-", _NOT_IN_SLUGS.sub("", _name(text))))


def _guild(text: str) -> str:
    return _BLANKS.sub("-", _name(text))


def _name(text: str) -> str:
    return unicodedata.normalize("NFC", text.strip().lower())


def _number(text: str) -> str:
    return text.strip()


_FOLD: dict[str, Callable[[str], str]] = {
    "region": _name,
    "realm": slug,
    "name": _name,
    "guild": _guild,
    "number": _number,
    "word": _name,
}
_SHAPE = {
    "region": re.compile(r"[a-z]{1,8}"),
    "realm": re.compile(r"[^\W_](?:[\w-]*\w)?"),
    "name": re.compile(r"[^/\x00-\x1f\x7f]+"),
    "guild": re.compile(r"[^/\x00-\x1f\x7f]+"),
    "number": re.compile(r"[1-9][0-9]{0,17}"),
    "word": re.compile(r"[a-z0-9][a-z0-9_.-]*"),
}


class _Slot(NamedTuple):
    type: str
    name: str


@cache
def _slots(pattern: str) -> list[_Slot]:
    """Return the parts of a pattern; cached, because a guild's roster asks a thousand times."""
    return [_Slot(part.split(":")[0], part.split(":")[-1]) for part in pattern.split("/")]


def _canonical_part(slot: _Slot, part: str, whole: str) -> str:
    folded = _FOLD[slot.type](part)
    if not folded:
        raise UsageError(f"entity {whole[:80]!r}: {slot.name} is empty")
    if len(folded) > MAX_PART_CHARACTERS:
        raise UsageError(
            f"entity {whole[:80]!r}: {slot.name} has {len(folded)} characters, at most {MAX_PART_CHARACTERS}"
        )
    if not _SHAPE[slot.type].fullmatch(folded) or not folded.isprintable():
        raise UsageError(f"entity {whole[:80]!r}: {part[:40]!r} is no {slot.type}")
    return folded
