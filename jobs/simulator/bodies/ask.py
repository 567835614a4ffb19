"""What a body function is asked with and what it gives back, and the parts that all bodies share."""

from dataclasses import dataclass
from functools import lru_cache
from typing import Any
from urllib.parse import quote

import msgspec

from jobs.simulator.options import Options
from jobs.simulator.packing import Packed
from jobs.simulator.recent import Recent
from jobs.simulator.world.characters import Character
from jobs.simulator.world.geography import Realm
from jobs.simulator.world.guilds import Guild
from jobs.simulator.world.world import World

BUILD = "11.2.5_63796"
LOCALES = ["en_US", "es_MX", "pt_BR", "de_DE", "en_GB", "es_ES", "fr_FR", "it_IT", "ru_RU", "ko_KR", "zh_TW", "zh_CN"]
_LOCALE_OF = {locale.lower(): locale for locale in LOCALES}
Json = dict[str, Any]
Text = str | dict[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Speech:
    """How an answer speaks. locale: "en_GB", or "" when none was asked for; each name is then in 12 locales."""

    region: str
    locale: str

    def text(self, words: str) -> Text:
        """Return a name that the game translates. (Names of players and guilds are never translated.)"""
        return _all_locales(words) if not self.locale else _translated(words, self.locale)

    def static(self, path: str) -> Json:
        """Return {"href"} into the game data of this build."""
        return {
            "href": f"https://{self.region}.api.blizzard.com/data/wow/{path}?namespace=static-{BUILD}-{self.region}"
        }

    def dynamic(self, path: str) -> Json:
        """Return {"href"} into the data that changes."""
        return {"href": f"https://{self.region}.api.blizzard.com/data/wow/{path}?namespace=dynamic-{self.region}"}

    def profile(self, path: str) -> Json:
        """Return {"href"} into the profile data; guilds belong to them though their path begins with data/wow."""
        return {"href": f"https://{self.region}.api.blizzard.com/{path}?namespace=profile-{self.region}"}

    def named(self, kind: str, number: int, words: str) -> Json:
        """Return {"key", "name", "id"} of something of the game, such as a class or a pet."""
        return {"key": self.static(f"{kind}/{number}"), "name": self.text(words), "id": number}

    def typed(self, kind: str, words: str) -> Json:
        """Return {"type", "name"}."""
        return {"type": kind, "name": self.text(words)}


@dataclass(frozen=True, slots=True, kw_only=True)
class Ask(Speech):
    """One question."""

    world: World
    options: Options
    memory: Recent[Packed]

    def realm(self, realm: Realm) -> Json:
        """Return {"key", "name", "id", "slug"} of a realm."""
        return {
            "key": self.dynamic(f"realm/{realm.id}"),
            "name": self.text(realm.name),
            "id": realm.id,
            "slug": realm.slug,
        }

    def short_realm(self, realm: Realm) -> Json:
        """Return {"key", "id", "slug"}: rosters and leaderboards leave the name out."""
        return {"key": self.dynamic(f"realm/{realm.id}"), "id": realm.id, "slug": realm.slug}

    def character(self, character: Character) -> Json:
        """Return {"key", "name", "id", "realm"}, as most bodies of a character repeat it."""
        return {
            "key": self.character_link(character),
            "name": character.name,
            "id": character.id,
            "realm": self.realm(character.realm),
        }

    def character_link(self, character: Character) -> Json:
        """Return {"href"} of a character."""
        return self.profile(character_path(character))

    def guild(self, guild: Guild) -> Json:
        """Return {"key", "name", "id", "realm"} of a guild."""
        return {
            "key": self.profile(guild_path(guild)),
            "name": guild.name,
            "id": guild.id,
            "realm": self.realm(guild.realm),
        }

    def found(self, realm_slug: str, name: str) -> Character | None:
        """Return a character whose data is to be had: it exists and is valid."""
        character = self.world.find(self.region, realm_slug, name)
        return character if character is not None and character.state == "valid" else None


@dataclass(frozen=True, slots=True)
class Page:
    """A found body: `rest` alone, or after `packed`. modified: the world's seconds since 1970, 0 = no Last-Modified."""

    rest: bytes
    modified: float = 0.0
    packed: Packed | None = None


def page(body: Any, modified: float = 0.0) -> Page:
    """Return a page of a body that was built as Python values."""
    return Page(msgspec.json.encode(body), modified)


def self_link(link: Json) -> Json:
    """Return {"self": link}."""
    return {"self": link}


def character_path(character: Character) -> str:
    """Return the path of a character without a leading slash, percent-encoded."""
    return f"profile/wow/character/{quote(character.realm.slug)}/{quote(character.name.lower())}"


def guild_path(guild: Guild) -> str:
    """Return the path of a guild without a leading slash, percent-encoded."""
    return f"data/wow/guild/{quote(guild.realm.slug)}/{quote(guild.slug)}"


def locale_of(asked: str) -> str:
    """Return the locale meant by `asked` (any case); en_US when there is no such locale."""
    return _LOCALE_OF.get(asked.lower(), "en_US")


def _translated(words: str, locale: str) -> str:
    return words if locale.startswith("en") or words.isdigit() else f"{words} ({locale[:2]})"


@lru_cache(maxsize=8192)
def _all_locales(words: str) -> dict[str, str]:
    return {locale: _translated(words, locale) for locale in LOCALES}
