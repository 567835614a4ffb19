"""The first configuration of a new installation: short, with the user's keys, everything else at its default."""

from collections.abc import Sequence

from supervisor.core.errors import UsageError
from supervisor.settings.apis import A_REGION, REGION
from supervisor.settings.table import A_NAME, NAME

TAGS = ("osint", "dma")

_HEAD = """\
# Gatherer's configuration. A saved edit takes effect within a second; `gatherer check` lists mistakes.
# Every other setting has a default: see config/config.toml of the installation.

state_dir = "var"

[apis.blizzard]
region = "{region}"
"""
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
    if not key_names or len(set(key_names)) != len(key_names):
        raise UsageError("name at least one key, and each only once")
    for name in key_names:
        if not NAME.fullmatch(name):
            raise UsageError(f"key {name!r}: expected {A_NAME}")
    if not REGION.fullmatch(region):
        raise UsageError(f"region {region!r}: expected {A_REGION}")
    keys = (_KEY.format(name=name, tags=_quoted(tags)) for name, tags in _tags(key_names).items())
    return _HEAD.format(region=region) + "".join(keys) + _REST


def _tags(key_names: Sequence[str]) -> dict[str, tuple[str, ...]]:
    tags = {name: tuple(tag for tag in TAGS if name.startswith(tag)) or TAGS for name in key_names}
    # A tag without a key would leave its workers waiting for ever.
    if {tag for some in tags.values() for tag in some} != set(TAGS):
        return dict.fromkeys(key_names, TAGS)
    return tags


def _quoted(tags: Sequence[str]) -> str:
    return ", ".join(f'"{tag}"' for tag in tags)
