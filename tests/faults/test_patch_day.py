"""Patch day: for two hours a field of the mounts has another name, and two fifths of the known characters are denied.

Hours are skipped; simulated API, limiter, job code, database and everything that shows them are the real ones.
"""

import shutil
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from jobs import characters_rows
from jobs.models.character import Mount
from jobs.models.common import Body
from jobs.simulator.world.edits import apply
from supervisor.cli.ailments import findings_of_worker
from supervisor.core.database_settings import FreshnessSettings, TierSettings
from supervisor.pools.brakes import MIN_BODIES
from tests.faults.rig import Rig, rig
from tests.faults.watching import Watch

pytestmark = pytest.mark.slow

HOUR_S, DAY_S = 3600.0, 86_400.0
REPLICAS = 3
REALMS, PEOPLE = 2, 80
STEP_MIN, ROUND_MIN = 2, 20
DENIED_SHARE = 0.4
MOST_HIDDEN = 25
"""Twenty denials are a handful of friends who left; from then on it is the API that is wrong."""
WORKERS = ("characters", "guilds")
FRESHNESS = [FreshnessSettings(worker="characters", tiers=[TierSettings(every_s=2 * HOUR_S)], keep_waiting=1000)]
RENAMED = {"match": "^character-mounts$", "do": "rename", "field": "mounts", "to": "steeds"}


class Steeds(Body, frozen=True):
    """The mounts as the patch has them."""

    mounts: list[Mount] = msgspec.field(name="steeds")


class Realm:
    """The people of one rig, and what became of them."""

    def __init__(self, running: Rig) -> None:
        self.rig = running
        self.watch = Watch(running, STEP_MIN)
        world = running.simulator.gateway.world
        self.people = [world.numbered("eu", number).entity for number in range(PEOPLE)]
        guilds = [guild for group in world.geographies["eu"].groups for guild in world.guilds_of(group[0]).guilds]
        self.guilds = [f"eu/{guild.realm.slug}/{guild.slug}" for guild in guilds]
        self.denied = self.people[: int(DENIED_SHARE * PEOPLE)]

    async def meet(self) -> None:
        """Read everybody, twice a day apart, so that the brakes know what is usual."""
        for _ in range(2):
            for entity in self.people:
                await self.rig.enqueue("characters", entity, max_age_s=0)
            await self.rig.work_off(*WORKERS)
            await self.rig.pause(DAY_S)

    async def live(self, hours: float) -> None:
        """Let time pass by the minute; in each ROUND_MIN everybody plays, and all and the guilds are asked for once."""
        steps = ROUND_MIN // STEP_MIN
        for minute in range(0, round(hours * 60), STEP_MIN):
            playing = self.people[minute // STEP_MIN % steps :: steps]
            self.edit("log_in", playing)
            for entity in playing:
                await self.rig.enqueue("characters", entity, max_age_s=0)
            if minute % ROUND_MIN == 0:
                for entity in self.guilds:
                    await self.rig.enqueue("guilds", entity, max_age_s=0)
            await self.rig.pause(STEP_MIN * 60.0)
            await self.rig.work_off(*WORKERS)
            self.watch.scrape()

    def edit(self, what: str, entities: list[str]) -> None:
        apply(self.rig.simulator.gateway.world, {what: entities})

    async def count(self, where: str, table: str = "characters") -> int:
        return int((await self.rig.rows(f"SELECT count(*) AS n FROM {table} WHERE {where}"))[0]["n"])

    async def those(self, where: str) -> set[str]:
        """Return who is so."""
        rows = await self.rig.rows(f"SELECT region, realm, name FROM characters WHERE {where}")
        return {f"{row['region']}/{row['realm']}/{row['name']}" for row in rows}

    def asked(self, endpoint: str) -> int:
        return sum(self.rig.simulator.gateway.endpoints[endpoint].values())


@pytest.fixture
async def realm(tmp_path: Path) -> AsyncIterator[Realm]:
    options: dict[str, Any] = {"realms": REALMS, "characters_per_realm": PEOPLE // REALMS}
    async with rig(tmp_path, crew=REPLICAS, freshness=FRESHNESS, **options) as running:
        realm = Realm(running)
        await realm.meet()
        yield realm


async def test_a_patch_day_costs_no_data_little_quota_and_one_command(
    realm: Realm, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    patched_at = realm.rig.clock.wall()
    known, members = await realm.count("summary_success_at > 0"), await realm.count("1", "guild_members")
    before = realm.asked("character-mounts")
    realm.edit("opt_out", realm.denied)
    realm.rig.faults(RENAMED)
    await realm.live(2.0)

    # While it lasts: what can be read is fresh, what cannot is named and left alone.
    lately = realm.rig.clock.wall() - 1.1 * ROUND_MIN * 60.0
    living = set(realm.people) - set(realm.denied)
    assert living == await realm.those(f"summary_success_at > {lately} AND pets_success_at > {lately}")
    assert await realm.count(f"mounts_success_at > {patched_at}") == 0
    status = realm.watch.worker("characters")
    assert list(status["braked"]) == ["character/mounts"]
    assert status["purge_brake_since"]
    findings = {each.check: each.fix for each in findings_of_worker("characters", status)}
    assert "gatherer jobs retry --worker characters --outcome unparsed" in findings["characters: character/mounts"]
    assert "characters: absences" in findings
    wasted = realm.asked("character-mounts") - before
    assert 10 <= wasted <= MIN_BODIES + REPLICAS + 120, "enough to be sure, then one a minute"
    told = [fields["endpoint"] for fields in realm.rig.named("endpoint_braked")]
    assert told == ["character/mounts"]

    # Nothing is lost: what was hidden before the brake is few, and nothing was deleted.
    assert await realm.count("gone_since IS NOT NULL") < MOST_HIDDEN
    assert await realm.count("summary_success_at > 0") == known
    assert await realm.count("1", "guild_members") == members
    assert await realm.count("kind = 'LEAVE'", "events") == 0

    # The API comes to its senses, and the parser learns the new name.
    realm.edit("restore", realm.denied)
    part = characters_rows.PARTS["mounts"]
    fixed = characters_rows.Part(part.path, Steeds, part.columns, part.values)
    monkeypatch.setitem(characters_rows.PARTS, "mounts", fixed)
    realm.rig.renew("characters")
    status_code, answer = await realm.rig.ask("jobs.retry", worker="characters", outcome="unparsed")
    assert (status_code, answer["matched"] > 0) == (200, True)
    await realm.rig.work_off(*WORKERS)
    assert living <= await realm.those(f"mounts_success_at > {patched_at}")
    assert realm.watch.worker("characters")["braked"] == {}

    # What was hidden comes back by itself, at the second look that would have deleted it.
    await realm.live(ROUND_MIN / 60.0)
    await realm.rig.pause(49 * HOUR_S)
    await realm.live(ROUND_MIN / 60.0)
    assert await realm.count("gone_since IS NOT NULL") == 0
    assert await realm.those(f"mounts_success_at > {patched_at}") == set(realm.people)
    assert realm.watch.worker("characters")["purge_brake_since"] is None
    assert await realm.count("kind = 'LEAVE'", "events") == 0
    if shutil.which("promtool") is None:
        pytest.skip("promtool is not installed: apt-get install prometheus")
    assert realm.watch.alerts(tmp_path, {"GathererPurgeBrake": 1, "GathererUnparsed": 1}) == ""
