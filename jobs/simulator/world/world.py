"""The world: finds characters, guilds, realms and items of a seed, and takes changes from tests."""

from collections.abc import Iterator
from functools import lru_cache
from hashlib import blake2b
from struct import unpack
from typing import cast

from jobs.simulator.chance import Shuffle, draw
from jobs.simulator.spelling import Script, script_of
from jobs.simulator.world.accounts import Accounts
from jobs.simulator.world.changes import Changes
from jobs.simulator.world.characters import Character, Nature, State
from jobs.simulator.world.clock import WorldClock
from jobs.simulator.world.geography import REGIONS, Geography, Realm
from jobs.simulator.world.guilds import GroupGuilds, Guild

_ID_BASE = 60_000_000
_ITEM_SHARE = 0.6
HIGHEST_ITEM_ID = 250_000


class World:
    """A pure function of (seed, sizes) and the clock, under the `changes`.

    Nothing grows with the number of entities asked for, apart from the changes and one small table of guilds for
    each connected realm that was visited.
    """

    def __init__(
        self, *, seed: int, realms: int, characters_per_realm: int, valid_share: float, clock: WorldClock
    ) -> None:
        self.seed = seed
        self.per_realm = characters_per_realm
        self.valid_share = valid_share
        self.clock = clock
        self.changes = Changes()
        self.edits = 0  # counted up by each edit, so that remembered bodies of before are not served after
        self.geographies = {region: Geography(seed, region, realms) for region in REGIONS}
        self._accounts = {region: Accounts(seed, region, realms * characters_per_realm) for region in REGIONS}
        self._guilds: dict[tuple[str, int], GroupGuilds] = {}

    def realm(self, region: str, slug: str) -> Realm | None:
        """Return a realm by its slug."""
        return self.geographies[region].by_slug.get(slug)

    def guilds_of(self, realm: Realm) -> GroupGuilds:
        """Return the guilds of the connected realm of `realm`."""
        key = (realm.region, realm.group)
        if key not in self._guilds:
            group = self.geographies[realm.region].groups[realm.group]
            self._guilds[key] = GroupGuilds(self.seed, group, self.per_realm)
        return self._guilds[key]

    def guild(self, region: str, realm_slug: str, slug: str) -> Guild | None:
        """Return a guild by the slugs of its own realm and name."""
        realm = self.realm(region, realm_slug)
        return self.guilds_of(realm).by_slug.get((realm_slug, slug)) if realm else None

    def members(self, guild: Guild) -> list[Character]:
        """Return the members of a guild, the master first; who left by request is not among them."""
        found = [self.at(realm, index) for realm, index in self.guilds_of(guild.realm).members(guild)]
        return [member for member in found if member.guild is not None]

    def find(self, region: str, realm_slug: str, name: str) -> Character | None:
        """Return who has this name now (case does not matter), None when nobody has."""
        realm = self.realm(region, realm_slug)
        if realm is None:
            return None
        renamed = self.changes.named(region, realm_slug, name)
        if renamed is not None:
            return self.numbered(region, renamed[1])
        script, shuffle = self._spelling(realm)
        number = script.read(name)
        if number is None or number >= shuffle.size:
            return None
        index = shuffle.backward(number)
        known = index < self.per_realm and (region, self._number(realm, index)) not in self.changes.names
        return self.at(realm, index) if known else None

    def numbered(self, region: str, number: int) -> Character:
        """Return a character by its number in the region."""
        realm, index = divmod(number, self.per_realm)
        return self.at(self.geographies[region].realms[realm], index)

    def alts(self, character: Character) -> list[Character]:
        """Return all characters of the same account, `character` among them."""
        numbers = self._accounts[character.region].characters_of(character.account)
        return [self.numbered(character.region, number) for number in numbers]

    def at(self, realm: Realm, index: int) -> Character:
        """Return the character at a place of a realm (0 ≤ index < characters_per_realm)."""
        number = self._number(realm, index)
        key = (realm.region, number)
        born = f"{self.seed}/{realm.region}/{number}".encode()
        nature = Nature(unpack("<12H", blake2b(born, digest_size=24).digest()))
        guild, place = self.guilds_of(realm).guild_of(realm, index)
        if key in self.changes.guildless:
            guild = None
        faction = nature.faction(guild)
        class_id, spec = nature.calling()
        last_login, logins = self._login(key, nature)
        level = nature.level()
        return Character(
            realm=realm,
            index=index,
            number=number,
            id=self.changes.ids.get(key, _ID_BASE + REGIONS[realm.region] * 20_000_000 + number),
            name=self.changes.names.get(key) or self._name(realm, index),
            account=self._accounts[realm.region].account_of(number),
            guild=guild,
            rank=nature.rank(place),
            state=cast(State, self.changes.state.get(key) or nature.state(self.valid_share)),
            faction=faction,
            race=nature.race(faction),
            class_id=class_id,
            spec=spec,
            gender=nature.bits[1] >> 1 & 1,
            level=level,
            item_level=level * 7 + 40 + (nature.bits[11] % 90) + logins % 7,
            achievement_points=nature.bits[8] % 40_000 + 5 * (logins % 100),
            logins=logins,
            last_login=last_login,
            titled=bool(nature.bits[2] & 2),
        )

    def some(self, region: str, *why: object, count: int) -> Iterator[Character]:
        """Yield `count` characters of a region that `why` picks (a leaderboard, say); the same ones each time."""
        shuffle = Shuffle(len(self.geographies[region].realms) * self.per_realm, self.seed, region, *why)
        for place in range(min(count, shuffle.size)):
            yield self.numbered(region, shuffle.forward(place))

    def has_item(self, item_id: int) -> bool:
        """Return whether an item of this id exists; there are gaps, as in the real list."""
        return 0 < item_id <= HIGHEST_ITEM_ID and _item_exists(self.seed, item_id)

    def _login(self, key: tuple[str, int], nature: Nature) -> tuple[float, int]:
        last_login, logins = nature.last_login(self.clock.now())
        requested = self.changes.logged_in.get(key, 0.0)
        return (requested, logins + 1) if requested > last_login else (last_login, logins)

    def _number(self, realm: Realm, index: int) -> int:
        return realm.index * self.per_realm + index

    def _name(self, realm: Realm, index: int) -> str:
        script, shuffle = self._spelling(realm)
        return script.spell(shuffle.forward(index))

    def _spelling(self, realm: Realm) -> tuple[Script, Shuffle]:
        return _spelling(self.seed, realm.region, realm.index, realm.locale, self.per_realm)


@lru_cache(maxsize=4096)
def _spelling(seed: int, region: str, realm: int, locale: str, names: int) -> tuple[Script, Shuffle]:
    script = script_of(locale)
    middles = 1 if script.room(1) >= 4 * names else 2
    return script, Shuffle(script.room(middles), seed, region, "names", realm)


@lru_cache(maxsize=65_536)
def _item_exists(seed: int, item_id: int) -> bool:
    return draw(seed, "item", item_id) % 100 < _ITEM_SHARE * 100
