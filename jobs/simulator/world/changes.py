"""What tests have changed in the world by request: the only thing of it that is stored.

A change names a character by its number in its region, so it holds through renames.
"""

from dataclasses import dataclass, field

from jobs.simulator.world.geography import Realm

Key = tuple[str, int]  # region, number of the character in it


@dataclass(slots=True)
class Changes:
    """Overlays on the world.

    logged_in: last login in the world's seconds; state: see `characters.State`; ids: an id that replaces the first.
    """

    logged_in: dict[Key, float] = field(default_factory=dict)
    state: dict[Key, str] = field(default_factory=dict)
    ids: dict[Key, int] = field(default_factory=dict)
    guildless: set[Key] = field(default_factory=set)
    names: dict[Key, str] = field(default_factory=dict)
    _renamed: dict[tuple[str, str, str], Key] = field(default_factory=dict)

    def rename(self, key: Key, realm: Realm, name: str) -> None:
        """Give a character another name on its realm; under the old one it is unknown from now on."""
        old = self.names.get(key)
        if old is not None:
            self._renamed.pop((key[0], realm.slug, old.lower()), None)
        self.names[key] = name
        self._renamed[(key[0], realm.slug, name.lower())] = key

    def named(self, region: str, realm_slug: str, name: str) -> Key | None:
        """Return who was renamed to `name`."""
        return self._renamed.get((region, realm_slug, name.lower()))
