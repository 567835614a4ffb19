"""Faults of the API, as the simulator plays them: never a 429, which would hide one of our making."""

from collections import Counter
from random import Random
from typing import Any

from scripts.benchmarks.system import World

Rule = dict[str, Any]

WHERE = ("", "", "character-", "guild-", "item", "auctions|commodities", "leaderboard")
# A restarted program asks for nothing but tokens, ever more seldom: a burst of so many would outlast any patience.
ALL_BUT_TOKENS = "^(?!.*token)"
FEW = 2
SHARES = (0.02, 0.1, 0.3)
# Bodies of these are objects, so a list is a shape that nobody knows: unparsed, and then braked.
SHAPED = ("character-pets", "character-mounts", "character-equipment", "guild-roster", "item$")


class Weather:
    """Changes the simulator's faults; done: how many requests suffered which."""

    def __init__(self, world: World, chance: Random) -> None:
        self._world = world
        self._chance = chance
        self.done: Counter[str] = Counter()
        self._named: list[str] = []

    def change(self) -> None:
        """Have other faults, or none."""
        self._put([] if self._chance.random() < 0.3 else [self._any() for _ in range(self._chance.randint(1, 3))])

    def clear(self) -> None:
        """Have no faults from now on."""
        self._put([])

    def revoke(self) -> None:
        """End the tokens of one client: its next requests are answered 401."""
        client = self._chance.choice(sorted(self._world.statistics()["clients"]))
        self._world.post("revoke", {"client": client})
        self.done["tokens revoked"] += 1

    def _put(self, rules: list[tuple[str, Rule]]) -> None:
        for name, rule in zip(self._named, self._world.get("faults"), strict=True):
            self.done[name] += rule["applied"]
        self._world.post("faults", [rule for _, rule in rules])
        self._named = [name for name, _ in rules]

    def _any(self) -> tuple[str, Rule]:
        """Return (name, rule). Bursts are bounded, so that something always gets through."""
        where, share = self._chance.choice(WHERE), self._chance.choice(SHARES)
        status = self._chance.choice((500, 502, 503, 504))
        kinds: list[tuple[str, Rule]] = [
            ("5xx in a burst", {"do": "status", "status": status, "times": self._chance.randint(20, 200)}),
            ("5xx now and then", {"do": "status", "status": status, "share": share}),
            ("connections reset", {"do": "reset", "share": share}),
            ("bodies cut", {"do": "cut", "share": share}),
            ("bodies slow", {"do": "slow", "seconds": self._chance.uniform(0.5, 4.0), "share": 0.1}),
            ("answers late", {"do": "delay", "seconds": self._chance.uniform(0.5, 4.0), "share": 0.1}),
            ("answers too late", {"do": "delay", "seconds": 31.0, "times": FEW}),
            ("HTML with status 200", {"do": "html", "share": share}),
            ("404 without a body", {"do": "empty404", "share": share}),
            ("JSON that ends early", {"do": "malformed", "share": share}),
            ("JSON of another shape", {"do": "status", "status": 200, "body": "[]", "share": share}),
        ]
        name, rule = self._chance.choice(kinds)
        if name == "JSON of another shape":
            where = self._chance.choice(SHAPED)
        if rule.get("times", 0) > FEW:
            where = where or ALL_BUT_TOKENS
        return name, rule | {"match": where}
