"""Read an .env file, and find in it what the configuration says too.

    # a comment
    export CHARACTERS_WORKER_CONCURRENCY=3     # of workers.characters
    OSINT_REPLICAS="8"                         # of tags.osint

Nothing is expanded: a value is what stands there, without its quotes.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from supervisor.core.errors import UsageError
from supervisor.settings.edit import Setting
from supervisor.settings.pins import CONCURRENCY, REPLICAS, value_of, variable_of
from supervisor.settings.report import nearest

_LINE = re.compile(r"\s*(?:export\s+)?([A-Za-z_][A-Za-z0-9_.]*)\s*=\s*(.*?)\s*")
_QUOTED = re.compile(r"""(["'])(.*?)\1\s*(?:#.*)?""")


@dataclass(frozen=True, slots=True, kw_only=True)
class Imported:
    """settings: as the configuration names them. ours, strangers: the variables that are one, or none of them.

    known: every variable that would be one.
    """

    settings: Mapping[Setting, int | str]
    ours: tuple[str, ...]
    strangers: tuple[str, ...]
    known: tuple[str, ...]


def parse(text: str, name: str) -> dict[str, str]:
    """Return variable → value; the last of several lines counts. UsageError: a line that is none, with `name`:line."""
    found: dict[str, str] = {}
    for number, line in enumerate(text.splitlines(), 1):
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        match = _LINE.fullmatch(line)
        if match is None:
            raise UsageError(f"{name}:{number}: expected NAME=value")
        found[match[1]] = _value(match[2])
    return found


def imported(variables: Mapping[str, str], workers: Iterable[str], tags: Iterable[str], name: str) -> Imported:
    """Return what the variables say about these workers and tags.

    UsageError: a variable that is made like ours is of no worker, or its value is neither a number nor "auto".
    """
    places: dict[str, Setting] = {
        variable_of(worker) + CONCURRENCY: ("workers", worker, "concurrency") for worker in workers
    }
    places |= {variable_of(tag) + REPLICAS: ("tags", tag, "replicas") for tag in tags}
    settings: dict[Setting, int | str] = {}
    for variable, text in variables.items():
        if variable not in places:
            if variable.endswith((CONCURRENCY, REPLICAS)):
                raise UsageError(f"{name}: {variable}: no such worker or tag{nearest(variable, places)}")
            continue
        value = value_of(text)
        if type(value) is not int and value != "auto":
            raise UsageError(f"{name}: {variable}: expected a number, got {text[:40]!r}")
        settings[places[variable]] = value
    return Imported(
        settings=settings,
        ours=tuple(variable for variable in variables if variable in places),
        strangers=tuple(variable for variable in variables if variable not in places),
        known=tuple(places),
    )


def _value(text: str) -> str:
    quoted = _QUOTED.fullmatch(text)
    return quoted[2] if quoted else re.split(r"\s+#|^#", text, maxsplit=1)[0]
