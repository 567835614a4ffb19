"""Names as the API writes them, and names as we key them.

The API writes most names as text, or, when the request named no locale, as an object of a dozen
locales; both decode as `Name`. Keys follow the rules of `supervisor/core/entity.py`: realm slugs
come from the API and are never derived, character names are lower case in NFC, accents stay.
"""

import unicodedata
from typing import TypeAlias
from urllib.parse import unquote

from supervisor.core import entity
from supervisor.core.errors import UsageError

Name: TypeAlias = str | dict[str, str | None]

FALLBACK_LOCALE = "en_GB"
GUILD_PATTERN = "region/realm/guild:name"
CHARACTER_PATTERN = "region/realm/name"


def text(name: Name | None, locale: str = FALLBACK_LOCALE) -> str:
    """Return one text of a name: in `locale`, else in English, else in any language; "" when it has none."""
    if name is None or isinstance(name, str):
        return name or ""
    wanted = (name.get(locale), name.get(FALLBACK_LOCALE), name.get("en_US"), *name.values())
    return next((each for each in wanted if each), "")


def character_entity(region: str, realm: str, name: str) -> str:
    """Return "eu/stormrage/sheday"; "" when the parts cannot be an entity."""
    return _entity(CHARACTER_PATTERN, region, realm, name)


def guild_entity(region: str, realm: str, name: str, href: str = "") -> str:
    """Return "eu/stormrage/avalerion"; "" when the parts cannot be an entity.

    href: the guild's link in the API, whose last part is the API's own slug; a slug made from the
    name is the second best (older and newer bodies have guilds without a link).
    """
    slug = unquote(href.split("?")[0].rsplit("/", 1)[-1]) if "/data/wow/guild/" in href else name
    return _entity(GUILD_PATTERN, region, realm, slug)


def character_name(name: str) -> str:
    """Return the name as a key: lower case, NFC, accents kept."""
    return unicodedata.normalize("NFC", name.lower())


def _entity(pattern: str, *parts: str) -> str:
    try:
        return entity.canonical(pattern, "/".join(parts))
    except UsageError:
        return ""
