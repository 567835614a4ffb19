"""All keys, and which may serve whom.

A worker may use the keys that carry its tag ("any" = all), for a region those that name it or name
none. Which of them to spend next: `candidates.py`.
"""

from collections.abc import Callable, Iterable

import msgspec

from supervisor.limiter.candidates import Candidates
from supervisor.limiter.hosts import Hosts
from supervisor.limiter.key import CONFIGURED, Key, identity_of
from supervisor.limiter.past import Past, Record
from supervisor.settings.config import Api, Config
from supervisor.settings.config import Key as KeySettings

ANY_TAG = "any"
MAX_REMEMBERED = 1000
"""Regions are texts that replicas send."""

OpenRecord = Callable[[bytes, float], tuple[Record, Past]]
"""(identity, longest window in seconds) → the key's page in the journal and what it says."""


class KeyRing:
    """The keys of the configuration, in its order, and those that have left it with requests on their account.

    adopt(key, requests, now): a process before this one had so many in flight, and nobody speaks of them any more.
    """

    def __init__(self, adopt: Callable[[Key, int, float], None]) -> None:
        self._adopt = adopt
        self.keys: tuple[Key, ...] = ()
        self._known: dict[bytes, Key] = {}
        self._candidates: dict[tuple[str, str], Candidates] = {}
        self._config: Config | None = None
        self._hosts: dict[str, Hosts] = {}
        self._open_record: OpenRecord | None = None

    def configure(self, config: Config, now: float) -> dict[Key, str]:
        """Take a configuration over; return the keys whose credential must be obtained, and why (`key.py`).

        A key is the same when API and client id are, whatever its name: what it has spent stays spent,
        also while it is not in the file.
        """
        self._config = config
        changed: dict[Key, str] = {}
        keys: list[Key] = []
        for settings in merged(config.keys):
            api = config.apis[settings.api]
            key = self._known.get(identity_of(settings))
            if key is None:
                key = Key(settings, api)
                self._known[key.identity] = key
                self._restore(key, now)
                changed[key] = CONFIGURED
            else:
                longest_s = key.quota.longest.per_s
                why = key.reshape(settings, api, now)
                if why or key not in self.keys:
                    changed[key] = why if key in self.keys else CONFIGURED
                if longest_s != key.quota.longest.per_s and self._open_record is not None:
                    key.record, _ = self._open_record(key.identity, key.quota.longest.per_s)
            key.hosts = self._hosts_of(api)
            keys.append(key)
        self.keys = tuple(keys)
        self._candidates.clear()
        for key in keys:
            key.flexibility = sum(_serves(key, worker.tag) for worker in config.workers.values())
        return changed

    def hosts(self) -> list[Hosts]:
        """Return the hosts of every API that has a key."""
        return list(dict.fromkeys(key.hosts for key in self.keys))

    def open_records(self, open_record: OpenRecord, now: float) -> None:
        """Let every key count what the journal says, now and when further keys appear."""
        self._open_record = open_record
        for key in self._known.values():
            self._restore(key, now)

    def candidates(self, worker: str, region: str) -> Candidates:
        """Return the keys that may serve a request of `worker` in `region` ("" = any)."""
        found = self._candidates.get((worker, region))
        if found is None:
            if len(self._candidates) >= MAX_REMEMBERED:
                self._candidates.clear()
            found = self._candidates[worker, region] = self._find(worker, region)
        return found

    def _find(self, worker: str, region: str) -> Candidates:
        settings = self._config.workers.get(worker) if self._config is not None else None
        if settings is None:
            return Candidates()
        serving = [key for key in self.keys if _serves(key, settings.tag) and not key.settings.disabled]
        if region:
            serving = [key for key in serving if not key.settings.regions or region in key.settings.regions]
        return Candidates(serving)

    def _hosts_of(self, api: Api) -> Hosts:
        """Return the hosts of an API: those that we know, unless it has moved or waits for another time."""
        known = self._hosts.get(api.name)
        if known is None or not known.is_of(api):
            known = self._hosts[api.name] = Hosts(api)
        return known

    def _restore(self, key: Key, now: float) -> None:
        if self._open_record is not None:
            record, past = self._open_record(key.identity, key.quota.longest.per_s)
            self._adopt(key, key.restore(record, past, now), now)


def merged(keys: Iterable[KeySettings]) -> list[KeySettings]:
    """Return the keys with those of one API and client id made one: they have one quota, whatever the file says."""
    found: dict[bytes, KeySettings] = {}
    for key in keys:
        first = found.setdefault(identity_of(key), key)
        if first is key:
            continue
        tags = tuple(dict.fromkeys(first.tags + key.tags))
        regions = tuple(dict.fromkeys(first.regions + key.regions)) if first.regions and key.regions else ()
        found[identity_of(key)] = msgspec.structs.replace(first, tags=tags, regions=regions)
    return list(found.values())


def _serves(key: Key, tag: str) -> bool:
    return tag == ANY_TAG or tag in key.settings.tags
