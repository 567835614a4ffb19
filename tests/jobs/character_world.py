"""One character's pages, to be changed by a test, around the real worker and a real SQLite."""

from typing import Any

from jobs import characters
from supervisor.worker.sdk import Outcome
from tests.jobs import bodies
from tests.jobs.harness import Harness
from tests.jobs.support import FakeWork, Scripted, ScriptedApi, ok
from tests.support.clock import FakeClock

ENTITY = "eu/stormrage/sheday"
DAY_S = 86_400.0
ALL = ["/status", "", "/collections/pets", "/collections/mounts", "/character-media"]


class World:
    """One character's pages, a database and a clock; `scan` runs a whole job."""

    def __init__(self, database: Harness, clock: FakeClock) -> None:
        self.database = database
        self.clock = clock
        self.pages: dict[str, Scripted] = {
            "/status": ok(bodies.status()),
            "": ok(bodies.summary()),
            "/collections/pets": ok(bodies.pets(11, 12, 13)),
            "/collections/mounts": ok(bodies.mounts(*range(40))),
            "/character-media": ok(bodies.media()),
        }
        self.braked: set[str] = set()
        self.asked: list[str] = []

    async def scan(self, entity: str = ENTITY, **job: Any) -> Outcome:
        self.database.now = self.clock.wall()
        claimed = self.database.claim("characters", entity, **job)
        base = f"/profile/wow/character/{claimed.parts['realm']}/{claimed.parts['name']}"
        work = FakeWork(ScriptedApi({base + page: answer for page, answer in self.pages.items()}), self.clock)
        work.braked = self.braked
        outcome = await characters.run(claimed, work)
        self.database.finish(claimed, outcome)
        self.asked = [path.removeprefix(base) for path in work.client.paths]
        return outcome

    def row(self) -> dict[str, Any]:
        return self.database.row("SELECT * FROM characters WHERE name = 'sheday'")

    def log_in(self) -> None:
        """The character plays: another last login."""
        later_ms = int(self.clock.wall() * 1000)
        self.pages[""] = ok(bodies.summary(last_login_timestamp=later_ms))
