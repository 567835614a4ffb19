"""Houses for the tests of worker auctions: small bodies, and a run that stores what it sends ahead."""

from typing import Any

from jobs import auctions
from supervisor.worker.sdk import Effect, Outcome
from tests.jobs.harness import Harness
from tests.jobs.support import FakeWork, Scripted, ScriptedApi, ok
from tests.support.clock import FakeClock

HOUSE = "eu/509"
PATH = "/data/wow/connected-realm/509/auctions"
COMMODITIES_PATH = "/data/wow/auctions/commodities"

# Readings an hour apart, as HTTP dates and as numbers.
FIRST, SECOND, THIRD = 1_699_990_000, 1_699_993_600, 1_699_997_200
DATES = {
    FIRST: "Tue, 14 Nov 2023 19:26:40 GMT",
    SECOND: "Tue, 14 Nov 2023 20:26:40 GMT",
    THIRD: "Tue, 14 Nov 2023 21:26:40 GMT",
}


def auction(number: int, item: int = 7, price: int | None = 100, **fields: Any) -> dict[str, Any]:
    """Return one auction of a realm's house."""
    made = {"id": number, "item": {"id": item}, "quantity": 1, "time_left": "LONG"} | fields
    return made if price is None else made | {"buyout": price}


def body(*auctions_: dict[str, Any]) -> dict[str, Any]:
    return {"_links": {}, "connected_realm": {}, "auctions": list(auctions_), "commodities": {}}


def reading(snapshot: int, *auctions_: dict[str, Any]) -> Scripted:
    """Return a 200 of the reading that has this number."""
    return ok(body(*auctions_), last_modified=DATES[snapshot])


class HouseRun:
    """A harness and a scripted house; `run` claims, runs, stores and finishes one job."""

    def __init__(self, harness: Harness, house: str = HOUSE, path: str = PATH) -> None:
        self.harness = harness
        self.house = house
        self.path = path
        self.work = FakeWork(ScriptedApi({}), FakeClock(wall=harness.now))

    async def run(self, *answers: Scripted, finishes: bool = True, **fields: Any) -> Outcome:
        """Run one job against `answers`. finishes False: its replica dies after the last chunk."""
        self.work = FakeWork(ScriptedApi({self.path: list(answers)}), FakeClock(wall=self.harness.now))
        job = self.harness.claim("auctions", self.house, **fields)
        outcome = await auctions.run(job, self.work)
        for statement, rows in self.work.stored:
            self.harness.apply(job, Effect(statement, rows))
        if finishes:
            self.harness.finish(job, outcome)
        return outcome

    def current(self) -> list[int]:
        """Return the auctions that a reader sees now."""
        region, house = self.house.split("/")
        found = self.harness.rows(
            """SELECT auction_id FROM market.auctions AS a
               JOIN (SELECT region, realm, max(snapshot) AS latest FROM auction_snapshots GROUP BY region, realm) AS s
               ON s.region = a.region AND s.realm = a.realm
               WHERE a.region = ? AND a.realm = ? AND first_snapshot <= latest AND last_snapshot >= latest""",
            region,
            house,
        )
        return [number for (number,) in found]

    def price(self, item: int) -> tuple[Any, ...] | None:
        """Return (min_price, market_price, quantity, auctions) of an item as a reader sees it now."""
        found = self.harness.rows(
            """SELECT min_price, market_price, quantity, auctions FROM item_prices
               WHERE item_id = ? AND snapshot <= (SELECT max(snapshot) FROM auction_snapshots)
               ORDER BY snapshot DESC LIMIT 1""",
            item,
        )
        return found[0] if found else None
