"""Characters and guilds out of public leaderboards, so that an empty database fills itself.

    mythic keystone    a few realms a run, all in turn; the current period      2 requests a realm
    PvP                brackets of the current season                           1 + 1 a bracket
    hall of fame       guilds that finished a raid early                        2 a raid

Each source may bring a third of `limit`; one that does not answer leaves the others. What we know
already costs no request: the jobs carry a max_age.
"""

from collections.abc import AsyncGenerator, Iterable
from contextlib import aclosing
from urllib.parse import urlsplit

import msgspec

from jobs import api, names
from jobs.houses import COMMODITIES, known_houses
from jobs.models.leaderboards import (
    HallOfFame,
    KeystoneIndex,
    KeystoneLeaderboard,
    PvpLeaderboard,
    PvpSeasonIndex,
    Ranked,
)
from supervisor.worker.sdk import ClaimedJob, Done, Effect, NewJob, Outcome, Priority, Work

SOURCES = 3
FACTIONS = ("alliance", "horde")


class SeedArgs(msgspec.Struct, frozen=True, kw_only=True):
    """Args of "seeds". limit: jobs to stage at most, ≥ 1. realms, dungeons: keystone leaderboards asked for.

    raids: slugs, as in the hall of fame's address. max_age_s: of the characters and guilds.
    """

    limit: int = 3000
    realms: int = 3
    dungeons: int = 1
    brackets: tuple[str, ...] = ("2v2", "3v3", "rbg")
    raids: tuple[str, ...] = ("manaforge-omega", "liberation-of-undermine", "nerubar-palace")
    max_age_s: float = 86_400.0


async def find_seeds(job: ClaimedJob, work: Work, region: str, args: SeedArgs) -> Outcome:
    """Stage what the leaderboards name. Retry or Unparsed only when no leaderboard could be read at all."""
    realms = _next_realms(job, region, args.realms)
    harvest = _Harvest(work, region)
    share = max(1, args.limit // SOURCES)
    found = [
        *await _first(share, "characters", harvest.keystones(realms, args.dungeons)),
        *await _first(share, "characters", harvest.pvp(args.brackets)),
        *await _first(share, "guilds", harvest.fame(args.raids)),
    ]
    if harvest.failures and not harvest.answers:
        worst = harvest.failures[0]
        return api.unparsed(worst) if isinstance(worst, api.Broken) else api.retry(worst)
    jobs = [_follow_up(job, worker, entity, args) for worker, entity in dict.fromkeys(found)]
    await work.stage(jobs)
    effects = [Effect("index_position", [{"position": realms[-1] + 1}])] if realms else []
    failures = f"; {len(harvest.failures)} leaderboards could not be read" if harvest.failures else ""
    return Done(effects=effects, note=f"{len(jobs)} characters and guilds{failures}")


class _Harvest:
    """One round of leaderboards of a region: what was asked and what failed."""

    def __init__(self, work: Work, region: str) -> None:
        self._work = work
        self._region = region
        self.answers = 0
        self.failures: list[api.Failed | api.Broken] = []

    async def keystones(self, realms: list[int], dungeons: int) -> AsyncGenerator[str, None]:
        """Yield the members of each realm's best groups."""
        for realm in realms:
            where = api.path("data", "wow", "connected-realm", realm, "mythic-leaderboard", "index")
            index = await self._ask(where, KeystoneIndex, "mythic-leaderboard/index")
            for link in index.current_leaderboards[:dungeons] if index else []:
                # The link alone knows dungeon and period; its address counts, not its host.
                board = await self._ask(urlsplit(link.key.href).path, KeystoneLeaderboard, "mythic-leaderboard")
                for group in board.leading_groups if board else []:
                    for each in self._characters(member.profile for member in group.members):
                        yield each

    async def pvp(self, brackets: Iterable[str]) -> AsyncGenerator[str, None]:
        """Yield the characters of each bracket of the current season."""
        seasons = await self._ask(api.path("data", "wow", "pvp-season", "index"), PvpSeasonIndex, "pvp-season/index")
        for bracket in brackets if seasons else []:
            assert seasons is not None
            where = api.path("data", "wow", "pvp-season", seasons.current_season.id, "pvp-leaderboard", bracket)
            board = await self._ask(where, PvpLeaderboard, "pvp-leaderboard")
            for each in self._characters(entry.character for entry in (board.entries if board else [])):
                yield each

    async def fame(self, raids: Iterable[str]) -> AsyncGenerator[str, None]:
        """Yield the guilds of our region; a hall of fame has those of the whole world."""
        for raid in raids:
            for faction in FACTIONS:
                where = api.path("data", "wow", "leaderboard", "hall-of-fame", raid, faction)
                hall = await self._ask(where, HallOfFame, "hall-of-fame")
                for entry in hall.entries if hall else []:
                    guild = entry.guild
                    if guild is not None and entry.region == self._region:
                        yield names.guild_entity(self._region, guild.realm.slug, guild.name)

    async def _ask(self, where: str, model: type[api.T], endpoint: str) -> api.T | None:
        """Return the answer; None = there is none now, which is counted unless it is a plain 404."""
        answer = await api.fetch(self._work, where, model, endpoint=endpoint, namespace="dynamic", region=self._region)
        if isinstance(answer, api.Failed | api.Broken):
            self.failures.append(answer)
            return None
        self.answers += 1
        return answer.value if isinstance(answer, api.Found) else None

    def _characters(self, ranked: Iterable[Ranked | None]) -> Iterable[str]:
        for each in ranked:
            if each is not None:
                yield names.character_entity(self._region, each.realm.slug, each.name)


async def _first(limit: int, worker: str, entities: AsyncGenerator[str, None]) -> list[tuple[str, str]]:
    """Return the first `limit` different entities for `worker`; what cannot be an entity is skipped."""
    found: dict[str, None] = {}
    async with aclosing(entities):
        async for entity in entities:
            if entity:
                found[entity] = None
            if len(found) >= limit:
                break
    return [(worker, entity) for entity in found]


def _next_realms(job: ClaimedJob, region: str, count: int) -> list[int]:
    """Return the next few connected realms by number, going round."""
    position = int(job.context.get("position") or 0)
    numbers = sorted(int(house) for house in known_houses(job.context, region) if house != COMMODITIES)
    after = [number for number in numbers if number >= position]
    return (after + numbers)[: min(count, len(numbers))]


def _follow_up(job: ClaimedJob, worker: str, entity: str, args: SeedArgs) -> NewJob:
    return NewJob(
        worker=worker,
        entity=entity,
        priority=Priority.BACKGROUND,
        max_age_s=args.max_age_s,
        provenance=f"index {job.entity}",
    )
