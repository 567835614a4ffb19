"""The first configuration of a new installation: short, with the user's keys, everything else at its default."""

from collections.abc import Sequence

from supervisor.core.errors import UsageError
from supervisor.settings.apis import A_REGION, REGION
from supervisor.settings.table import A_NAME, NAME

TAGS = ("osint", "dma")

_HEAD = """\
# Gatherer's configuration. A saved edit takes effect within a second; `gatherer check` lists mistakes.
# Every other setting has a default: see {manual}.

{folders}

[apis.blizzard]
region = "{region}"
"""
_OWN_MANUAL, _SYSTEM_MANUAL = "config/config.toml of the installation", "/usr/share/doc/gatherer/config.toml"
_OWN_FOLDERS = 'state_dir = "var"'
# Said here and not left to systemd, so that commands find the service too.
_SYSTEM_FOLDERS = """\
state_dir = "/var/lib/gatherer"
run_dir = "/run/gatherer\""""
_KEY = """
[[keys]]
name = "{name}"
tags = [{tags}]
client_id = "replace-me-{name}"
client_secret_file = "{name}.secret" # put the client secret into this file and chmod 600 it
"""
_REST = """
[workers.characters]
job = "jobs.characters"
tag = "osint"
concurrency = 2
replicas = 2
weight = 4

[workers.guilds]
job = "jobs.guilds"
tag = "osint"
concurrency = 2
weight = 2

[workers.profile]
job = "jobs.profile"
tag = "osint"

[workers.items]
job = "jobs.items"
tag = "dma"
concurrency = 2

[workers.auctions]
job = "jobs.auctions"
tag = "dma"
weight = 4

[workers.index]
job = "jobs.index"
tag = "any"

[schedules.realms]
worker = "index"
args = { of = "realms" }
every = "1d"

[schedules.auctions]
worker = "index"
args = { of = "auctions" }
every = "10m"

[schedules.seeds]
worker = "index"
args = { of = "seeds" }
every = "6h"

[schedules.items]
worker = "index"
args = { of = "items" }
every = "1h"

[freshness.characters]

[freshness.guilds]
"""


def starter(key_names: Sequence[str], *, region: str = "eu") -> str:
    """Return the text of a first config.toml with these keys.

    A key named after a tag ("osint-1") serves that tag, any other serves all. UsageError: a name is
    unusable or given twice, there is none, or the region is unusable.
    """
    _must_be_usable(key_names)
    if not REGION.fullmatch(region):
        raise UsageError(f"region {region!r}: expected {A_REGION}")
    keys = (_KEY.format(name=name, tags=_quoted(tags)) for name, tags in _tags(key_names).items())
    return _HEAD.format(manual=_OWN_MANUAL, folders=_OWN_FOLDERS, region=region) + "".join(keys) + _REST


def packaged() -> str:
    """Return the text of the configuration that a system package installs: no key yet, and the system's folders."""
    keys = "# Keys stand in keys.d/, one file each: sudo gatherer init /etc/gatherer --key NAME\n"
    head = _HEAD.format(manual=_SYSTEM_MANUAL, folders=_SYSTEM_FOLDERS, region="eu")
    return f"{head}\n{keys}{_REST}"


def key_files(key_names: Sequence[str]) -> dict[str, str]:
    """Return {name: text of keys.d/NAME.toml}; each secret is in NAME.secret beside it. UsageError as in `starter`."""
    _must_be_usable(key_names)
    return {name: _KEY.format(name=name, tags=_quoted(tags)).lstrip() for name, tags in _tags(key_names).items()}


def _must_be_usable(key_names: Sequence[str]) -> None:
    if not key_names or len(set(key_names)) != len(key_names):
        raise UsageError("name at least one key, and each only once")
    for name in key_names:
        if not NAME.fullmatch(name):
            raise UsageError(f"key {name!r}: expected {A_NAME}")


def _tags(key_names: Sequence[str]) -> dict[str, tuple[str, ...]]:
    tags = {name: tuple(tag for tag in TAGS if name.startswith(tag)) or TAGS for name in key_names}
    # A tag without a key would leave its workers waiting for ever.
    if {tag for some in tags.values() for tag in some} != set(TAGS):
        return dict.fromkeys(key_names, TAGS)
    return tags


def _quoted(tags: Sequence[str]) -> str:
    return ", ".join(f'"{tag}"' for tag in tags)
