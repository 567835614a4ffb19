"""Changes to the world as tests send them: POST /_simulator/world.

{"log_in": ["eu/silvermoon/name", …], "invalidate": […], "opt_out": […], "restore": […], "new_id": […],
 "leave_guild": […], "rename": {"eu/silvermoon/name": "Newname"}, "advance_s": 3600}
"""

from collections.abc import Callable, Mapping
from typing import Any

from jobs.simulator.world.characters import Character
from jobs.simulator.world.world import World


class EditError(ValueError):
    """An edit names something that is not there; the text says what."""


def apply(world: World, edits: Mapping[str, Any]) -> int:
    """Apply all edits and return how many there were. An unknown name stops at that edit with `EditError`."""
    done = 0
    world.edits += 1
    for what, value in edits.items():
        if what == "advance_s":
            world.clock.advance(float(value))
            done += 1
        elif what == "rename":
            for entity, name in value.items():
                character = _find(world, entity)
                world.changes.rename((character.region, character.number), character.realm, str(name))
                done += 1
        elif what in _EDITS:
            for entity in value:
                _EDITS[what](world, _find(world, entity))
                done += 1
        else:
            raise EditError(f"unknown edit {what!r}; known: advance_s, rename, {', '.join(_EDITS)}")
    return done


def _find(world: World, entity: str) -> Character:
    region, _, rest = entity.partition("/")
    realm, _, name = rest.partition("/")
    character = world.find(region, realm, name) if region in world.geographies else None
    if character is None:
        raise EditError(f"no such character: {entity}")
    return character


def _log_in(world: World, character: Character) -> None:
    world.changes.logged_in[(character.region, character.number)] = world.clock.now()


def _set_state(state: str) -> Callable[[World, Character], None]:
    def edit(world: World, character: Character) -> None:
        world.changes.state[(character.region, character.number)] = state

    return edit


def _new_id(world: World, character: Character) -> None:
    world.changes.ids[(character.region, character.number)] = character.id + 500_000_000


def _leave_guild(world: World, character: Character) -> None:
    world.changes.guildless.add((character.region, character.number))


_EDITS: dict[str, Callable[[World, Character], None]] = {
    "log_in": _log_in,
    "invalidate": _set_state("invalid"),
    "opt_out": _set_state("missing"),
    "restore": _set_state("valid"),
    "new_id": _new_id,
    "leave_guild": _leave_guild,
}
