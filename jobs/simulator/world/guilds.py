"""Guilds of one connected realm: who is in which, both ways, without a table of members.

The population of a group of realms is shuffled; the first three quarters of the shuffled places are cut into guilds
of 5 to 680 members, the rest belong to none. A guild lives on one realm of the group, its members on any of them,
so a character's guild is often at home in another realm than the character.
"""

from bisect import bisect_right
from dataclasses import dataclass
from random import Random

from jobs.simulator.chance import Shuffle, dice
from jobs.simulator.world.geography import Realm, slug_of
from jobs.simulator.world.people import ALLIANCE, HORDE

LEAST_MEMBERS, MOST_MEMBERS = 5, 680
MEDIAN_MEMBERS, SPREAD = 45.0, 1.0
GUILDED_SHARE = 0.75
_ID_BASE = 50_000_000
_LATIN = (
    [
        "Amber",
        "Broken",
        "Crooked",
        "Dusty",
        "Eternal",
        "Faded",
        "Gentle",
        "Hidden",
        "Idle",
        "Jolly",
        "Lost",
        "Merry",
        "Noisy",
        "Patient",
        "Quiet",
        "Restless",
    ],
    [
        "Anvils",
        "Badgers",
        "Candles",
        "Drummers",
        "Envoys",
        "Ferrymen",
        "Gardeners",
        "Herons",
        "Lanterns",
        "Millers",
        "Owls",
        "Pilgrims",
        "Tinkers",
    ],
)
_ACCENTED = (
    ["Légion", "Tempête", "Forêt", "Lumière", "Éclipse", "Rivière", "Brume", "Étoile"],
    ["Égarée", "Sauvage", "Dorée", "Cachée", "Oubliée", "Murmurée"],
)
_CYRILLIC = (
    ["Тихие", "Старые", "Вольные", "Ночные", "Медные", "Дальние", "Весёлые", "Ленивые"],
    ["Странники", "Барсуки", "Лодочники", "Садовники", "Фонари", "Мельники", "Стражи", "Совы"],
)
_HANGUL = (
    ["고요한", "오래된", "푸른", "숨은", "빛나는", "느린"],
    ["나그네", "등불", "오소리", "정원사", "파수꾼", "올빼미"],
)
_WORDS = {"frFR": _ACCENTED, "ruRU": _CYRILLIC, "koKR": _HANGUL}


@dataclass(frozen=True, slots=True, kw_only=True)
class Guild:
    """One guild. `first` and `size` are its places among the shuffled population; the master holds the first."""

    region: str
    realm: Realm
    number: int
    id: int
    name: str
    slug: str
    faction: str
    first: int
    size: int


class GroupGuilds:
    """All guilds of one connected realm, and the shuffle that says who is in them."""

    def __init__(self, seed: int, realms: list[Realm], per_realm: int) -> None:
        """per_realm: characters on each realm, ≥ 1."""
        self.realms = realms
        self._per_realm = per_realm
        first = realms[0]
        self._shuffle = Shuffle(len(realms) * per_realm, seed, first.region, "guilds", first.group)
        self.guilds: list[Guild] = []
        chance = dice(seed, first.region, "guild sizes", first.group)
        room = int(self._shuffle.size * GUILDED_SHARE)
        place = 0
        while room - place >= LEAST_MEMBERS or not self.guilds:
            guild = self._make(chance, place, room)
            self.guilds.append(guild)
            place += guild.size
        self._firsts = [guild.first for guild in self.guilds]
        self._end = place
        self.by_slug = {(guild.realm.slug, guild.slug): guild for guild in self.guilds}

    def guild_of(self, realm: Realm, index: int) -> tuple[Guild | None, int]:
        """Return the guild of a character and its place there (0 is the master); (None, 0) when it has none."""
        place = self._shuffle.forward((realm.index - self.realms[0].index) * self._per_realm + index)
        if place >= self._end:
            return None, 0
        guild = self.guilds[bisect_right(self._firsts, place) - 1]
        return guild, place - guild.first

    def members(self, guild: Guild) -> list[tuple[Realm, int]]:
        """Return (realm, index on it) of each member, the master first."""
        found = []
        for place in range(guild.first, guild.first + guild.size):
            realm, index = divmod(self._shuffle.backward(place), self._per_realm)
            found.append((self.realms[realm], index))
        return found

    def _make(self, chance: Random, place: int, room: int) -> Guild:
        number = len(self.guilds)
        size = int(MEDIAN_MEMBERS * chance.lognormvariate(0.0, SPREAD))
        size = max(1, min(max(LEAST_MEMBERS, size), MOST_MEMBERS, room - place))
        realm = self.realms[chance.randrange(len(self.realms))]
        name = _name(realm, number)
        return Guild(
            region=realm.region,
            realm=realm,
            number=number,
            id=_ID_BASE + realm.group_id * 10_000 + number,
            name=name,
            slug=slug_of(name),
            faction=ALLIANCE if chance.random() < 0.5 else HORDE,
            first=place,
            size=size,
        )


def _name(realm: Realm, number: int) -> str:
    firsts, seconds = _WORDS.get(realm.locale, _LATIN)
    room = len(firsts) * len(seconds)
    turn, place = divmod(number, room)
    second, first = divmod(Shuffle(room, realm.region, "guild names", realm.group).forward(place), len(firsts))
    return f"{firsts[first]} {seconds[second]}" + (f" {turn + 1}" if turn else "")
