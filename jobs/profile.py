"""Worker profile: what a character wears, plays, achieves and crafts.

    equipment, specializations, mythic-keystone-profile, encounters/raids, professions
    ─ five requests at once, then processing into one row ─▶ done
    ─ all of them 404 ─▶ gone

A 404 of some parts only means that the API has none now (never ran a keystone, or lost it): the part
keeps what was known and is not asked again soon. Each part is fresh by itself, so a retry asks only
for what failed.
"""

import asyncio
from dataclasses import replace
from typing import Any, TypeAlias

import msgspec

from jobs import api, freshness
from jobs.profile_rows import PARTS, Part, part_row
from supervisor.worker.sdk import ClaimedJob, Done, Effect, Gone, Outcome, Skipped, Work

Answers: TypeAlias = dict[str, api.Answer[Any]]


class Known(msgspec.Struct, frozen=True, kw_only=True):
    """When each part was last read (0 = never), and whether the API denies the character."""

    gone_since: float | None = None
    absent_at: float | None = None
    equipment_success_at: float = 0.0
    specializations_success_at: float = 0.0
    keystones_success_at: float = 0.0
    raids_success_at: float = 0.0
    professions_success_at: float = 0.0

    def success_at(self, part: str) -> float:
        """Return the moment of `part`."""
        return float(getattr(self, f"{part}_success_at"))


async def run(job: ClaimedJob, work: Work) -> Outcome:
    """Bring one profile up to date."""
    known, now = msgspec.convert(job.context, Known), work.clock.wall()
    denied_s = freshness.age_if_fresh(job, known.absent_at, now, freshness.DENIED_MAX_AGE_S)
    if known.gone_since is not None and denied_s is not None:
        return Skipped(note=freshness.note("gone, asked", denied_s), saved=len(PARTS))
    due = _due(job, known, now)
    if not due:
        oldest_s = now - min(known.success_at(part) for part in PARTS)
        return Skipped(note=freshness.note("fresh", oldest_s), saved=len(PARTS))
    answers = await _ask_all(job, work, due)
    if all(isinstance(answer, api.Missing) for answer in answers.values()) and len(due) == len(PARTS):
        return Gone(effects=[Effect("profile_missing", [{}])], note="the API knows no such character")
    return _outcome(answers, _effects(answers, str(work.api["locale"])))


def _due(job: ClaimedJob, known: Known, now: float) -> list[str]:
    if known.gone_since is not None:
        return list(PARTS)
    return [part for part in PARTS if freshness.age_if_fresh(job, known.success_at(part), now) is None]


async def _ask_all(job: ClaimedJob, work: Work, due: list[str]) -> Answers:
    async with asyncio.TaskGroup() as group:
        tasks = {name: group.create_task(_ask(job, work, name, PARTS[name]), name=name) for name in due}
    return {name: task.result() for name, task in tasks.items()}


async def _ask(job: ClaimedJob, work: Work, name: str, part: Part) -> api.Answer[Any]:
    return await api.fetch(
        work,
        api.path("profile", "wow", "character", job.parts["realm"], job.parts["name"], *part.path),
        part.model,
        endpoint=f"profile/{name}",
        namespace="profile",
        region=job.parts["region"],
    )


def _effects(answers: Answers, locale: str) -> list[Effect]:
    """Return the rows of every part that was answered; no answer at all is only an attempt."""
    rows = {
        name: part_row(PARTS[name], answer.value if isinstance(answer, api.Found) else None, locale)
        for name, answer in answers.items()
        if isinstance(answer, api.Found | api.Missing)
    }
    found = any(isinstance(answer, api.Found) for answer in answers.values())
    first = Effect("profile_seen" if found else "profile_attempt", [{}])
    return [first, *(Effect(f"profile_{name}", [row]) for name, row in rows.items())]


def _outcome(answers: Answers, effects: list[Effect]) -> Outcome:
    """Let the worst answer decide what becomes of the job; what was found is stored in any case."""
    failed = [each for each in answers.values() if isinstance(each, api.Failed)]
    failed.sort(key=api.is_braked)
    if failed and not api.is_braked(failed[0]):
        return replace(api.retry(failed[0]), effects=effects)
    broken = next((each for each in answers.values() if isinstance(each, api.Broken)), None)
    if broken:
        return replace(api.unparsed(broken), effects=effects)
    if failed:
        return replace(api.rest(failed[0]), effects=effects)
    return Done(effects=effects, saved=len(PARTS) - len(answers))
