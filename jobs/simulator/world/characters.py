"""One character, made from its place in the world whenever somebody asks."""

from dataclasses import dataclass
from typing import Literal

from jobs.simulator.world.geography import Realm
from jobs.simulator.world.guilds import Guild
from jobs.simulator.world.people import ALLIANCE, HORDE, RACES, SPECIALIZATIONS, TOP_LEVEL, Specialization

State = Literal["valid", "invalid", "missing"]  # missing: 404 everywhere; invalid: is_valid false, the rest 404
DAY_S = 86_400.0
LONGEST_ABSENCE_DAYS = 45
_CLASSES = tuple(SPECIALIZATIONS)


@dataclass(frozen=True, slots=True, kw_only=True)
class Character:
    """Everything that several bodies must agree on. Times are the world's seconds since 1970."""

    realm: Realm
    index: int
    number: int
    id: int
    name: str
    account: int
    guild: Guild | None
    rank: int
    state: State
    faction: str
    race: int
    class_id: int
    spec: Specialization
    gender: int
    level: int
    item_level: int
    achievement_points: int
    logins: int
    last_login: float
    titled: bool

    @property
    def region(self) -> str:
        """The region of its realm."""
        return self.realm.region

    @property
    def entity(self) -> str:
        """`region/realm/name`, lower case, as jobs name it."""
        return f"{self.realm.region}/{self.realm.slug}/{self.name.lower()}"


@dataclass(frozen=True, slots=True)
class Nature:
    """What a character was born with, read from twelve 16-bit numbers of its hash."""

    bits: tuple[int, ...]

    def state(self, valid_share: float) -> State:
        """Return whether the API still knows this character; half of the lost ones are 404, half are not valid."""
        if self.bits[0] < valid_share * 65_536:
            return "valid"
        return "missing" if self.bits[1] & 1 else "invalid"

    def faction(self, guild: Guild | None) -> str:
        """Return the guild's faction, or an own one."""
        if guild is not None:
            return guild.faction
        return ALLIANCE if self.bits[2] & 1 else HORDE

    def race(self, faction: str) -> int:
        """Return a race of that faction."""
        return RACES[faction][self.bits[3] % len(RACES[faction])]

    def calling(self) -> tuple[int, Specialization]:
        """Return class id and specialization."""
        class_id = _CLASSES[self.bits[4] % len(_CLASSES)]
        specs = SPECIALIZATIONS[class_id]
        return class_id, specs[self.bits[5] % len(specs)]

    def level(self) -> int:
        """Return TOP_LEVEL for seven of ten, else something from 10."""
        return TOP_LEVEL if self.bits[6] < 45_000 else 10 + self.bits[6] % (TOP_LEVEL - 10)

    def rank(self, place: int) -> int:
        """Return the guild rank: 0 for the master (place 0), 1..9 for others, more of the low ones."""
        return 0 if place == 0 else 1 + max(self.bits[7] % 9, self.bits[8] % 9)

    def last_login(self, now: float) -> tuple[float, int]:
        """Return the last login at or before `now` and how many there were: one each 1..45 days, regularly."""
        every_s = DAY_S * (1.0 + LONGEST_ABSENCE_DAYS * (self.bits[9] / 65_536) ** 2)
        phase = self.bits[10] / 65_536
        logins = int(now / every_s - phase)
        return (logins + phase) * every_s, logins
