"""Worker guilds: one guild's summary and roster, and the history of who joined, left, rose and fell.

    summary ─ 404 ─▶ gone                                        1 request
            └ found ─▶ roster ─ whole ─▶ one diff in SQL         2 requests
                              └ short ─▶ again in half an hour

A roster is short when it is empty, or lacks more members of the summary's member_count than
SHORT_BY allows: summary and roster are published by different clocks, so a few may be missing, but
a cut roster must never read as a mass departure. Members of other realms keep their own realm.
New members are asked for as background characters.
"""

import json
from collections.abc import Callable
from dataclasses import replace

import msgspec

from jobs import api, freshness, names
from jobs.models.guild import Guild, Member, Roster
from supervisor.worker.sdk import ClaimedJob, Done, Effect, Gone, NewJob, Outcome, Priority, Retry, Skipped, Work

NOMINAL_REQUESTS = 2
SHORT_BY_MEMBERS = 3
SHORT_BY_SHARE = 0.05
# The API keeps a roster for three hours (Cache-Control, recorded 2019), so asking at once is in vain.
SHORT_AGAIN_S = 1800.0
KNOWN_CHARACTER_MAX_AGE_S = 12 * 3600.0
# More follow-ups than this go ahead of the finish, in chunks, and keep its transaction small.
MOST_FOLLOW_UPS_IN_FINISH = 500
CHUNK = 500


class Known(msgspec.Struct, frozen=True, kw_only=True):
    """What the tables know of the guild when the job is claimed. members: JSON list of "realm/number"."""

    gone_since: float | None = None
    absent_at: float | None = None
    summary_success_at: float | None = None
    roster_success_at: float | None = None
    members: str = "[]"


async def run(job: ClaimedJob, work: Work) -> Outcome:
    """Bring one guild and its roster up to date."""
    known = msgspec.convert(job.context, Known)
    skipped = _fresh(job, known, work.clock.wall())
    if skipped:
        return skipped
    guild = await _ask(job, work, "summary", Guild)
    if isinstance(guild, api.Missing):
        return Gone(effects=[Effect("guild_missing", [{}])], note="the API knows no such guild")
    if not isinstance(guild, api.Found):
        return _unanswered(guild, [Effect("guild_attempt", [{}])], api.retry)
    seen = Effect("guild_seen", [_guild_row(guild.value)])
    roster = await _ask(job, work, "roster", Roster, "roster")
    if not isinstance(roster, api.Found):
        return _unanswered(roster, [seen], api.rest)
    members = roster.value.members
    if is_short(len(members), guild.value.member_count):
        error = f"the roster has {len(members)} of {guild.value.member_count} members"
        return Retry(effects=[seen], error=error, after_s=SHORT_AGAIN_S)
    follow_ups = await _hand_over(work, _new_members(job, known, members))
    return Done(effects=[seen, Effect("guild_roster", [_roster_row(members)])], follow_ups=follow_ups)


def is_short(members: int, member_count: int) -> bool:
    """Tell whether a roster lacks so many of the guild's members that it must be incomplete."""
    lacking = member_count - members
    return members == 0 or lacking > max(SHORT_BY_MEMBERS, SHORT_BY_SHARE * member_count)


def _fresh(job: ClaimedJob, known: Known, now: float) -> Skipped | None:
    denied_s = freshness.age_if_fresh(job, known.absent_at, now, freshness.DENIED_MAX_AGE_S)
    if known.gone_since is not None and denied_s is not None:
        return Skipped(note=freshness.note("gone, asked", denied_s), saved=1)
    age_s = freshness.age_if_fresh(job, known.roster_success_at, now)
    if age_s is None or known.gone_since is not None:
        return None
    return Skipped(note=freshness.note("fresh", age_s), saved=NOMINAL_REQUESTS)


async def _ask(job: ClaimedJob, work: Work, name: str, model: type[api.T], *below: str) -> api.Answer[api.T]:
    parts = job.parts
    return await api.fetch(
        work,
        api.path("data", "wow", "guild", parts["realm"], parts["name"], *below),
        model,
        endpoint=f"guild/{name}",
        namespace="profile",  # although the path begins with /data (recorded 2019)
        region=parts["region"],
    )


def _unanswered(
    answer: api.Answer[api.T], effects: list[Effect], of_failed: Callable[[api.Failed], Outcome]
) -> Outcome:
    """Judge an answer that is not the wanted one; a missing roster of an existing guild passes."""
    if isinstance(answer, api.Broken):
        return replace(api.unparsed(answer), effects=effects)
    if isinstance(answer, api.Failed):
        return replace(of_failed(answer), effects=effects)
    return Retry(effects=effects, error="the guild is found, its roster is not", after_s=SHORT_AGAIN_S)


def _guild_row(guild: Guild) -> dict[str, object]:
    return {
        "id": guild.id,
        "display_name": guild.name,
        "faction": guild.faction.type,
        "achievement_points": guild.achievement_points,
        "member_count": guild.member_count,
        "created_at": guild.created_timestamp / 1000.0 if guild.created_timestamp else None,
    }


def _roster_row(members: list[Member]) -> dict[str, object]:
    """Return the roster as the one parameter of `guild_roster`."""
    rows = [
        [
            each.character.realm.slug,
            each.character.id,
            names.character_name(each.character.name),
            each.character.level,
            each.character.playable_class.id,
            each.character.playable_race.id,
            each.rank,
        ]
        for each in members
    ]
    return {"members": json.dumps(rows, ensure_ascii=False, separators=(",", ":"))}


def _new_members(job: ClaimedJob, known: Known, members: list[Member]) -> list[NewJob]:
    """Return a background job per member that the guild did not have when the job was claimed.

    A scan that ran in between makes this a list too long, never too short, and dedup and max_age
    make the surplus cheap; the history does not come from here but from SQL.
    """
    before = set(msgspec.json.decode(known.members, type=list[str]))
    new = [each.character for each in members if f"{each.character.realm.slug}/{each.character.id}" not in before]
    entities = [names.character_entity(job.parts["region"], each.realm.slug, each.name) for each in new]
    return [
        NewJob(
            worker="characters",
            entity=entity,
            priority=Priority.BACKGROUND,
            max_age_s=KNOWN_CHARACTER_MAX_AGE_S,
            provenance=f"guilds {job.entity}",
        )
        for entity in entities
        if entity
    ]


async def _hand_over(work: Work, jobs: list[NewJob]) -> list[NewJob]:
    """Stage a long list ahead of the finish; return what rides in the finish itself."""
    if len(jobs) <= MOST_FOLLOW_UPS_IN_FINISH:
        return jobs
    for start in range(0, len(jobs), CHUNK):
        await work.stage(jobs[start : start + CHUNK])
    return []
