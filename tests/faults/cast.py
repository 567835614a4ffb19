"""Who meets the faults: one entity of each worker that is known and due, and a character that nobody knows yet."""

from collections.abc import Iterator

from tests.faults.rig import Rig

REST_S = 2 * 86_400.0


class Cast:
    """Entities of one rig's world."""

    def __init__(self, rig: Rig) -> None:
        self._rig = rig
        self._world = rig.simulator.gateway.world
        guild = self._world.guilds_of(self._world.geographies["eu"].groups[0][0]).guilds[0]
        item = next(number for number in range(100, 200) if self._world.has_item(number))
        self.known = [
            ("characters", self._world.numbered("eu", 5).entity),
            ("guilds", f"eu/{guild.realm.slug}/{guild.slug}"),
            ("profile", self._world.numbered("eu", 5).entity),
            ("items", f"eu/{item}"),
            ("index", "realms"),
            ("auctions", "eu/commodities"),
        ]

    async def meet(self) -> None:
        """Read all of them once; nothing to do when the test before has left everything read."""
        if self._rig.is_tidy:
            return
        self._rig.heal()
        for worker, entity in self.known:
            row = await self._rig.run(worker, entity, max_age_s=0)
            assert row["state"] == "completed", row

    def due(self) -> Iterator[tuple[str, str]]:
        """Let two days pass, let the character play; yield everybody, a stranger first, and no key is held guilty."""
        self._rig.is_tidy = False
        self._rig.skip(REST_S)
        self._world.changes.logged_in["eu", 5] = self._world.clock.now()
        for each in [("characters", self._world.numbered("eu", next(self._rig.strangers)).entity), *self.known]:
            self._rig.unlock()
            yield each
