"""What the database claims to know: all that no fault may move."""

from typing import Any

from tests.faults.rig import Rig

TABLES = (
    "characters", "guilds", "guild_members", "events", "profiles", "items", "realms", "auction_snapshots",
    "item_prices", "index_positions",
)  # fmt: skip  # a list of words
ATTEMPTS = ("last_attempt_at", "wanted_at")
"""Tried in vain, wished for: neither says anything about the world."""


async def facts(rig: Rig) -> dict[str, list[dict[str, Any]]]:
    """Return the rows of every table, without what an attempt in vain may note."""
    found = {}
    for table in TABLES:
        rows = await rig.rows(f"SELECT * FROM {table}")
        kept = [{name: value for name, value in row.items() if name not in ATTEMPTS} for row in rows]
        found[table] = [row for row in kept if table != "items" or row["item_success_at"] or row["gone_since"]]
    return found


def fresh_at(row: dict[str, Any]) -> dict[str, Any]:
    """Return the moments at which the parts of an entity were read."""
    return {name: value for name, value in row.items() if name.endswith("_success_at")}
