"""Worker characters: one character's summary, pets, mounts and pictures, and the history of its changes.

    unknown, hidden or dead     status ─ valid ─▶ summary, pets, mounts, media at once      5 requests
    known                       summary ─ same last login ─▶ nothing more                    1 request
                                        └ another one ─▶ pets, mounts, media                 4 requests
    denied                      status or summary says 404, or is_valid is false            1 request

Known characters are asked for their status too when that was last done 30 days ago (the API's terms
ask for it). Each part is fresh by itself: one that fails, is braked or does not parse leaves the
others stored and stays due, because it still carries another login than the summary.
"""

import asyncio
from dataclasses import replace
from typing import TypeAlias

import msgspec

from jobs import api, freshness
from jobs.characters_rows import PARTS, Part, guild_of, part_row, summary_row
from jobs.models.character import Status, Summary
from supervisor.worker.sdk import ClaimedJob, Done, Effect, Gone, NewJob, Outcome, Priority, Skipped, Work

NOMINAL_REQUESTS = 5
STATUS_EVERY_S = 30 * 86_400.0
KNOWN_GUILD_MAX_AGE_S = 7 * 86_400.0


class Known(msgspec.Struct, frozen=True, kw_only=True):
    """What the tables know of the character when the job is claimed; all None or empty = unknown."""

    id: int | None = None
    guild_id: int | None = None
    last_login_at: float | None = None
    gone_since: float | None = None
    absent_at: float | None = None
    status_success_at: float | None = None
    summary_success_at: float | None = None
    pets_login_at: float | None = None
    mounts_login_at: float | None = None
    media_login_at: float | None = None
    member_of: str = "[]"

    @property
    def is_living(self) -> bool:
        """Tell whether the character was seen and not denied since."""
        return self.summary_success_at is not None and self.gone_since is None

    def due(self, login_at: float) -> list[str]:
        """Return the parts that were not read under this login; login_at 0 = unknown = all."""
        logins = {"pets": self.pets_login_at, "mounts": self.mounts_login_at, "media": self.media_login_at}
        return [part for part, read_at in logins.items() if not login_at or read_at != login_at]

    def status_is_due(self, now: float) -> bool:
        """Tell whether the terms want the status asked."""
        return not self.is_living or self.status_success_at is None or now - self.status_success_at > STATUS_EVERY_S


PartAnswers: TypeAlias = dict[str, api.Answer[object]]


async def run(job: ClaimedJob, work: Work) -> Outcome:
    """Bring one character up to date with as few requests as it takes."""
    known = msgspec.convert(job.context, Known)
    return _fresh(job, known, work.clock.wall()) or await Scan(job, work, known).run()


def _fresh(job: ClaimedJob, known: Known, now: float) -> Skipped | None:
    """Return the outcome of a job that needs no request."""
    denied_s = freshness.age_if_fresh(job, known.absent_at, now, freshness.DENIED_MAX_AGE_S)
    if known.gone_since is not None and denied_s is not None:
        return Skipped(note=freshness.note("gone, asked", denied_s), saved=1)
    age_s = freshness.age_if_fresh(job, known.summary_success_at, now)
    if age_s is None or not known.is_living or known.due(known.last_login_at or 0.0):
        return None
    return Skipped(note=freshness.note("fresh", age_s), saved=NOMINAL_REQUESTS)


class Scan:
    """One run over one character: what was asked, and what the answers amount to."""

    def __init__(self, job: ClaimedJob, work: Work, known: Known) -> None:
        self._job = job
        self._work = work
        self._known = known
        self._status_checked = False
        self._requests = 0

    async def run(self) -> Outcome:
        """Ask in the order that the module's head draws."""
        if self._known.status_is_due(self._work.clock.wall()):
            status = await self._ask("status", Status, "status")
            if isinstance(status, api.Missing) or (isinstance(status, api.Found) and not status.value.is_valid):
                return self._missing()
            if not isinstance(status, api.Found):
                return self._unanswered(status)
            self._status_checked = True
        if self._known.is_living:
            return await self._summary_first()
        return await self._all_at_once()

    async def _summary_first(self) -> Outcome:
        summary = await self._ask("summary", Summary)
        if not isinstance(summary, api.Found):
            return self._no_summary(summary)
        due = self._known.due(_login_at(summary.value))
        return self._outcome(summary.value, await self._ask_parts(due))

    async def _all_at_once(self) -> Outcome:
        async with asyncio.TaskGroup() as group:
            asked = group.create_task(self._ask("summary", Summary), name="summary")
            parts = group.create_task(self._ask_parts(list(PARTS)), name="parts")
        summary = asked.result()
        if not isinstance(summary, api.Found):
            return self._no_summary(summary)
        return self._outcome(summary.value, parts.result())

    async def _ask_parts(self, wanted: list[str]) -> PartAnswers:
        async with asyncio.TaskGroup() as group:
            tasks = {name: group.create_task(self._ask_part(name, PARTS[name]), name=name) for name in wanted}
        return {name: task.result() for name, task in tasks.items()}

    async def _ask_part(self, name: str, part: Part) -> api.Answer[object]:
        return await self._ask(name, part.model, *part.path)

    async def _ask(self, name: str, model: type[api.T], *below: str) -> api.Answer[api.T]:
        parts = self._job.parts
        answer = await api.fetch(
            self._work,
            api.path("profile", "wow", "character", parts["realm"], parts["name"], *below),
            model,
            endpoint=f"character/{name}",
            namespace="profile",
            region=parts["region"],
        )
        self._requests += not api.is_braked(answer)
        return answer

    def _missing(self) -> Gone:
        return Gone(effects=[Effect("character_missing", [{}])], note="the API knows no such character")

    def _no_summary(self, answer: api.Answer[Summary]) -> Outcome:
        if not isinstance(answer, api.Missing):
            return self._unanswered(answer)
        if not self._status_checked:
            return self._missing()
        # The API contradicts itself: it keeps the character and has lost its page. That comes and goes
        # by itself or ends with a login, so it is neither fresh nor gone, and not worth more requests now.
        return Skipped(effects=self._attempt(), note="status says valid, summary says 404: the API has lost it")

    def _unanswered(self, answer: api.Answer[api.T]) -> Outcome:
        if isinstance(answer, api.Broken):
            return replace(api.unparsed(answer), effects=self._attempt())
        assert isinstance(answer, api.Failed), answer
        return replace(api.retry(answer), effects=self._attempt())

    def _attempt(self) -> list[Effect]:
        return [Effect("character_attempt", [{"status_checked": self._status_checked}])]

    def _outcome(self, summary: Summary, answers: PartAnswers) -> Outcome:
        """Store what was found; then the worst answer of a part decides what becomes of the job."""
        effects, follow_ups = self._effects(summary, answers), self._follow_ups(summary)
        failed = [each for each in answers.values() if isinstance(each, api.Failed)]
        failed.sort(key=api.is_braked)
        if failed and not api.is_braked(failed[0]):
            return replace(api.retry(failed[0]), effects=effects, follow_ups=follow_ups)
        broken = next((each for each in answers.values() if isinstance(each, api.Broken)), None)
        if broken:
            return replace(api.unparsed(broken), effects=effects, follow_ups=follow_ups)
        if failed:
            return replace(api.rest(failed[0]), effects=effects, follow_ups=follow_ups)
        saved = max(0, NOMINAL_REQUESTS - self._requests)
        if not answers:
            return Skipped(effects=effects, follow_ups=follow_ups, saved=saved, note="unchanged since its last login")
        return Done(effects=effects, follow_ups=follow_ups, saved=saved)

    def _effects(self, summary: Summary, answers: PartAnswers) -> list[Effect]:
        locale = str(self._work.api["locale"])
        row = summary_row(summary, self._job.parts["region"], locale, _login_at(summary))
        effects = [Effect("character_seen", [row | {"status_checked": self._status_checked}])]
        for name, answer in answers.items():
            if isinstance(answer, api.Found | api.Missing):
                value = answer.value if isinstance(answer, api.Found) else None
                effects.append(Effect(f"character_{name}", [part_row(PARTS[name], value, _login_at(summary))]))
        return effects

    def _follow_ups(self, summary: Summary) -> list[NewJob]:
        """Ask for the guild when we do not know it, and for the profile when the character has played."""
        jobs = []
        guild = guild_of(summary, self._job.parts["region"])
        members = msgspec.json.decode(self._known.member_of, type=list[str])
        if guild and summary.guild and summary.guild.id != self._known.guild_id and guild not in members:
            jobs.append(self._follow_up("guilds", guild, max_age_s=KNOWN_GUILD_MAX_AGE_S))
        if self._known.last_login_at != _login_at(summary):
            jobs.append(self._follow_up("profile", self._job.entity))
        return jobs

    def _follow_up(self, worker: str, entity: str, max_age_s: float | None = None) -> NewJob:
        provenance = f"characters {self._job.entity}"
        return NewJob(
            worker=worker, entity=entity, priority=Priority.BACKGROUND, max_age_s=max_age_s, provenance=provenance
        )


def _login_at(summary: Summary) -> float:
    """Return the last login in wall seconds, 0 = the API does not say."""
    return (summary.last_login_timestamp or 0) / 1000.0
