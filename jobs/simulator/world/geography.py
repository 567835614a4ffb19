"""Realms of a region and the groups (connected realms) that share one auction house and one population.

Realm names are public; where the list ends, invented ones follow. Slugs follow the API's rules (recorded in its
realm index, 2019): lower case, apostrophes and hyphens deleted, spaces become hyphens, accents kept; Russian
realms have Latin slugs.
"""

from dataclasses import dataclass

from jobs.simulator.chance import Shuffle, draw

REGIONS = {"us": 1, "kr": 2, "eu": 3, "tw": 4}
REGION_NAMES = {"us": "North America", "kr": "Korea", "eu": "Europe", "tw": "Taiwan"}
TIMEZONES = {"us": "America/New_York", "kr": "Asia/Seoul", "eu": "Europe/Paris", "tw": "Asia/Taipei"}
CATEGORIES = {
    "enGB": "English",
    "enUS": "United States",
    "deDE": "German",
    "frFR": "French",
    "itIT": "Italian",
    "ptBR": "Portuguese",
    "ruRU": "Russian",
    "koKR": "Korea",
    "zhTW": "Taiwan",
}
_GROUP_SIZES = (1, 2, 3, 1, 2)
_ID_BASES = {"us": 5, "eu": 500, "kr": 201, "tw": 963}
_KNOWN: dict[str, tuple[tuple[str, str], ...]] = {
    "eu": (
        ("Silvermoon", "enGB"),
        ("Argent Dawn", "enGB"),
        ("Kazzak", "enGB"),
        ("Kael'thas", "frFR"),
        ("La Croisade écarlate", "frFR"),
        ("Confrérie du Thorium", "frFR"),
        ("Festung der Stürme", "deDE"),
        ("Azjol-Nerub", "deDE"),
        ("Die ewige Wacht", "deDE"),
        ("Soulflayer", "ruRU"),
        ("Gordunni", "ruRU"),
        ("Pozzo dell'Eternità", "itIT"),
        ("Aggra (Português)", "ptBR"),
        ("Twilight's Hammer", "enGB"),
        ("Howling Fjord", "ruRU"),
        ("Draenor", "enGB"),
        ("Tarren Mill", "enGB"),
        ("Ravencrest", "enGB"),
    ),
    "us": (
        ("Area 52", "enUS"),
        ("Illidan", "enUS"),
        ("Mal'Ganis", "enUS"),
        ("Bleeding Hollow", "enUS"),
        ("Moon Guard", "enUS"),
        ("Quel'Thalas", "enUS"),
        ("Proudmoore", "enUS"),
        ("Gallywix", "ptBR"),
    ),
    "kr": (("Azshara", "koKR"), ("Hyjal", "koKR"), ("Zul'jin", "koKR")),
    "tw": (("Shadowmoon", "zhTW"), ("Sundown Marsh", "zhTW"), ("Arthas", "zhTW")),
}
_FIRST = [
    "Ashen",
    "Bitter",
    "Copper",
    "Drowned",
    "Ember",
    "Fallow",
    "Glass",
    "Hollow",
    "Iron",
    "Jade",
    "Kindled",
    "Last",
    "Mourning",
    "Northern",
    "Oaken",
]
_SECOND = [
    "Anchorage",
    "Barrow",
    "Crossing",
    "Deep",
    "Escarpment",
    "Ford",
    "Grove",
    "Harbour",
    "Isle",
    "Keep",
    "Landing",
    "Mire",
    "Orchard",
    "Reach",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Realm:
    """One realm. `group` counts connected realms from 0, `group_id` is the id that the API gives to that group."""

    region: str
    index: int
    id: int
    name: str
    slug: str
    locale: str
    group: int
    group_id: int


def slug_of(name: str) -> str:
    """Return the API's slug of a realm's or guild's display name."""
    kept = "".join(letter for letter in name.lower() if letter not in "'-()")
    return "-".join(kept.split())


class Geography:
    """All realms of one region; at most a few hundred, so they are made once and kept."""

    def __init__(self, seed: int, region: str, count: int) -> None:
        """count: realms in this region, ≥ 1."""
        self.region = region
        self.realms: list[Realm] = []
        self.groups: list[list[Realm]] = []
        while len(self.realms) < count:
            size = _GROUP_SIZES[draw(seed, region, "group", len(self.groups)) % len(_GROUP_SIZES)]
            self._add_group(seed, min(size, count - len(self.realms)))
        self.by_slug = {realm.slug: realm for realm in self.realms}
        self.by_id = {realm.id: realm for realm in self.realms}
        self.group_by_id = {group[0].group_id: group for group in self.groups}

    def _add_group(self, seed: int, size: int) -> None:
        first, group = len(self.realms), len(self.groups)
        base = _ID_BASES[self.region]
        for index in range(first, first + size):
            name, locale = _named(seed, self.region, index)
            self.realms.append(
                Realm(
                    region=self.region,
                    index=index,
                    id=base + index,
                    name=name,
                    slug=slug_of(name),
                    locale=locale,
                    group=group,
                    group_id=base + first,
                )
            )
        self.groups.append(self.realms[first:])


def _named(seed: int, region: str, index: int) -> tuple[str, str]:
    known = _KNOWN[region]
    if index < len(known):
        return known[index]
    room = len(_FIRST) * len(_SECOND)
    turn, place = divmod(index - len(known), room)
    second, first = divmod(Shuffle(room, seed, region, "realms").forward(place), len(_FIRST))
    name = f"{_FIRST[first]} {_SECOND[second]}" + (f" {turn + 1}" if turn else "")
    return name, known[0][1]
