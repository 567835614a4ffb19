"""Which realms there are: the connected-realm index, then each connected realm.

Everything else that asks realm by realm starts from table `realms`; slugs are the API's own.
"""

import asyncio
import re
from dataclasses import replace
from typing import Any, TypeAlias

import msgspec

from jobs import api, names
from jobs.locales import names_json
from jobs.models.realms import ConnectedRealm, ConnectedRealmIndex
from supervisor.worker.sdk import Done, Effect, Outcome, Work

AT_ONCE = 4
PASSES = 2

Row: TypeAlias = dict[str, Any]
Answers: TypeAlias = dict[int, api.Answer[ConnectedRealm]]


async def read_realms(work: Work, region: str) -> Outcome:
    """Read all realms of `region`: about 90 requests.

    What was read is stored even when others failed; only a complete run hides realms that the
    index no longer names.
    """
    index = await _fetch(work, region, ConnectedRealmIndex, "index")
    if not isinstance(index, api.Found):
        return _end(index, [], 0)
    numbers = connected_realms(index.value)
    if not numbers:
        # Absence is not deletion: a region without realms is a fault of the API, not an end of the world.
        return api.retry(api.Failed(error=f"the index of {region} names no connected realm", reason="body"))
    answers = await _read_all(work, region, numbers)
    found = [answer.value for answer in answers.values() if isinstance(answer, api.Found)]
    rows = [row for each in found for row in _rows(each, region, str(work.api["locale"]))]
    worst = _worst(answers)
    effects = [Effect("realm_upsert", rows)]
    if worst is None:
        there = msgspec.json.encode([each.id for each in found]).decode()
        known = {"realm_region": region, "connected_realms": there}
        effects.append(Effect("realms_gone", [known]))
    return _end(worst, effects, len(rows))


def connected_realms(index: ConnectedRealmIndex) -> list[int]:
    """Return the numbers out of the index's links: ".../connected-realm/509?namespace=dynamic-eu" → 509."""
    found = (re.search(r"/connected-realm/(\d+)", link.href) for link in index.connected_realms)
    return [int(match.group(1)) for match in found if match]


async def _read_all(work: Work, region: str, numbers: list[int]) -> Answers:
    """Ask for each, a few at once, and once more for those that failed: of ninety, one often does."""
    answers: Answers = {}
    turns = asyncio.Semaphore(AT_ONCE)

    async def read(number: int) -> None:
        async with turns:
            answers[number] = await _fetch(work, region, ConnectedRealm, number)

    for _ in range(PASSES):
        async with asyncio.TaskGroup() as group:
            for number in numbers:
                if isinstance(answers.get(number, api.Failed(error="")), api.Failed):
                    group.create_task(read(number), name=f"connected realm {region}/{number}")
    return answers


async def _fetch(work: Work, region: str, model: type[api.T], last: str | int) -> api.Answer[api.T]:
    return await api.fetch(
        work,
        api.path("data", "wow", "connected-realm", last),
        model,
        endpoint="connected-realm/index" if last == "index" else "connected-realm",
        namespace="dynamic",
        region=region,
    )


def _rows(connected: ConnectedRealm, region: str, locale: str) -> list[Row]:
    """Return the parameters of statement `realm_upsert`, one row per realm."""
    return [
        {
            "realm_region": region,
            "id": realm.id,
            "slug": realm.slug,
            "name": names.text(realm.name),
            "names": names_json(realm.name, locale),
            "connected_realm_id": connected.id,
            "locale": realm.locale,
            "timezone": realm.timezone,
            "type": realm.type.type,
            "population": connected.population.type,
            "status": connected.status.type,
        }
        for realm in connected.realms
    ]


def _worst(answers: Answers) -> api.Failed | api.Broken | None:
    """Return a failure if there is one, else a broken shape; a 404 is a realm just merged away."""
    failed = next((each for each in answers.values() if isinstance(each, api.Failed)), None)
    broken = next((each for each in answers.values() if isinstance(each, api.Broken)), None)
    return failed or broken


def _end(worst: api.Answer[Any] | None, effects: list[Effect], realms: int) -> Outcome:
    match worst:
        case None:
            return Done(effects=effects, note=f"{realms} realms")
        case api.Failed():
            return replace(api.retry(worst), effects=effects)
        case api.Broken():
            return replace(api.unparsed(worst), effects=effects)
        case _:
            return api.retry(api.Failed(error="the API denies that it has an index of connected realms"))
