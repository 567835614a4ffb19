"""A body that is not quite what it should be never breaks a job, and is fresh only where it was read.

Bodies of the simulated API in the recorded shapes; one of those that a job is given is changed: a field dropped,
renamed, of another type or another field's, bytes cut, flipped or put in. Real job code, real SQLite.
"""

import asyncio
import importlib
import json
from collections.abc import Iterator, Mapping
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from supervisor.worker.sdk import Done, Effect
from tests.jobs.harness import Harness
from tests.jobs.support import FakeWork, Scripted, missing
from tests.simulator.worlds import OPTIONS, Reader, make_world
from tests.support.clock import FakeClock

pytestmark = pytest.mark.slow

EXAMPLES = 120
WRONG: list[Any] = [
    None, "", "x", "\0", "ÿ" * 600, 0, -1, 1.5, 1e300, 2**63, 2**64 - 1, 10**30, True, [], {}, [[]], {"id": None},
]  # fmt: skip  # a list of values
CLOCK = FakeClock()
WORLD = make_world(OPTIONS, CLOCK)
READER = Reader(WORLD)
GUILD = WORLD.guilds_of(WORLD.geographies["eu"].groups[0][0]).guilds[0]
CHARACTER = next(each for each in (WORLD.numbered("eu", n) for n in range(50)) if each.state == "valid")
ITEM = next(number for number in range(100, 200) if WORLD.has_item(number))
JOBS = [
    ("characters", CHARACTER.entity),
    ("guilds", f"eu/{GUILD.realm.slug}/{GUILD.slug}"),
    ("profile", CHARACTER.entity),
    ("items", f"eu/{ITEM}"),
    ("auctions", "eu/commodities"),
    ("auctions", f"eu/{WORLD.geographies['eu'].groups[0][0].group_id}"),
    ("index", "realms"),
    ("index", "seeds"),
]
FRESH = {
    "character/status": ("characters", "status_success_at"),
    "character/summary": ("characters", "summary_success_at"),
    "character/pets": ("characters", "pets_success_at"),
    "character/mounts": ("characters", "mounts_success_at"),
    "character/media": ("characters", "media_success_at"),
    "guild/summary": ("guilds", "summary_success_at"),
    "guild/roster": ("guilds", "roster_success_at"),
    "profile/equipment": ("profiles", "equipment_success_at"),
    "profile/specializations": ("profiles", "specializations_success_at"),
    "profile/keystones": ("profiles", "keystones_success_at"),
    "profile/raids": ("profiles", "raids_success_at"),
    "profile/professions": ("profiles", "professions_success_at"),
    "item": ("items", "item_success_at"),
    "item/media": ("items", "media_success_at"),
    "commodities": ("auction_snapshots WHERE realm = 'commodities'", "published_at"),
    "auctions": ("auction_snapshots WHERE realm <> 'commodities'", "published_at"),
    "connected-realm/index": ("realms", "seen_at"),
}
"""By endpoint: where it is written down that it was read."""


class MutatingApi:
    """Answers from the world, the request number `which` with a changed body."""

    def __init__(self, which: int, change: "Change") -> None:
        self._which = which
        self._change = change
        self.paths: list[str] = []

    async def get(
        self, path: str, *, region: str = "", params: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None, most_bytes: int = 0,
    ) -> Scripted:  # fmt: skip  # one line a name would be a page
        number = len(self.paths)
        self.paths.append(path)
        page = READER.page(path)
        if page is None:
            return missing()
        body = page.packed.plain(page.rest) if page.packed else page.rest
        return Scripted(body=self._change.of(body) if number == self._which else body)


class Change:
    """One change, drawn as it is applied."""

    def __init__(self, data: st.DataObject) -> None:
        self._data = data

    def of(self, body: bytes) -> bytes:
        kind = self._data.draw(
            st.sampled_from(["drop", "rename", "retype", "splice", "twice", "cut", "flip", "insert"])
        )
        if kind in ("cut", "flip", "insert"):
            at = self._data.draw(st.integers(0, len(body) - 1))
            junk = self._data.draw(st.binary(min_size=1, max_size=8))
            return {
                "cut": body[:at],
                "flip": body[:at] + junk + body[at + 1 :],
                "insert": body[:at] + junk + body[at:],
            }[kind]
        value = json.loads(body)
        places = list(_places(value))
        holder, key = places[self._data.draw(st.integers(0, len(places) - 1))]
        if kind == "drop":
            del holder[key]
        elif kind == "rename" and isinstance(key, str):
            holder[key + "_new"] = holder.pop(key)
        elif kind == "splice":
            other, other_key = places[self._data.draw(st.integers(0, len(places) - 1))]
            holder[key] = json.loads(json.dumps(other[other_key]))
        elif kind == "twice" and isinstance(holder, list):
            holder.append(holder[key])
        else:
            holder[key] = self._data.draw(st.sampled_from(WRONG))
        return json.dumps(value, ensure_ascii=False).encode()


def _places(value: Any, depth: int = 0) -> Iterator[tuple[Any, Any]]:
    """Yield (container, key) of a body's values; of a list only the first three, the rest are alike."""
    if depth > 8:
        return
    items = value.items() if isinstance(value, dict) else enumerate(value[:3]) if isinstance(value, list) else ()
    for key, below in items:
        yield value, key
        yield from _places(below, depth + 1)


@pytest.fixture(scope="module")
def stored(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Harness]:
    harness = Harness(tmp_path_factory.mktemp("mutations"), now=CLOCK.wall())
    yield harness
    harness.close()


@settings(
    max_examples=EXAMPLES, deadline=None, database=None, derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow, HealthCheck.data_too_large],
)  # fmt: skip  # as above
@given(job=st.sampled_from(JOBS), is_known=st.booleans(), which=st.integers(0, 5), data=st.data())
def test_a_changed_body_breaks_no_job_and_is_fresh_only_where_it_was_read(
    job: tuple[str, str], is_known: bool, which: int, data: st.DataObject, stored: Harness
) -> None:
    _empty(stored)
    if is_known:
        _run(job, stored, MutatingApi(-1, Change(data)))
    stored.now += 40 * 86_400.0
    before = _moments(stored)
    work = _run(job, stored, MutatingApi(which, Change(data)))
    after = _moments(stored)
    moved = {endpoint for endpoint in FRESH if after[endpoint] > before[endpoint]}
    broken, read = ({endpoint for endpoint, ok in work.shapes if ok is wanted} for wanted in (False, True))
    assert not moved & broken, (moved, broken)
    assert moved <= read | {"item/media"}, (moved, read)


def _run(job: tuple[str, str], stored: Harness, api: MutatingApi) -> FakeWork:
    """Run a job and store what it brings, rows sent ahead too."""
    worker, entity = job
    work = FakeWork(api, CLOCK)  # type: ignore[arg-type]  # a client too
    claimed = stored.claim(worker, entity, max_age_s=0)
    outcome = asyncio.run(importlib.import_module(f"jobs.{worker}").run(claimed, work))
    ahead = [Effect(statement, rows) for statement, rows in work.stored]
    stored.finish(claimed, Done(effects=ahead))
    stored.finish(claimed, outcome)
    return work


def _empty(stored: Harness) -> None:
    """Forget everybody: each example is one of its own."""
    stored.now = CLOCK.wall()
    for table in stored.dump():
        stored.db.execute(f"DELETE FROM {table}")


def _moments(stored: Harness) -> dict[str, float]:
    """Return for each endpoint when it was last read, of anybody."""
    return {
        endpoint: float(stored.rows(f"SELECT coalesce(max({column}), 0) FROM {table}")[0][0])
        for endpoint, (table, column) in FRESH.items()
    }
