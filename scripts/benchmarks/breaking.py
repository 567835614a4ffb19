"""Files that no configuration can be, made of one that is: what slips, crashes and full disks leave behind."""

import random
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from supervisor.core.errors import ConfigurationError
from supervisor.settings.reload import Source

WRONG_VALUES = (b'"many"', b"-1", b"1.5", b"[]", b"{}", b"true", b"99999", b'""', b"1e9", b"= 3", b"0x")
UNKNOWN = (b"concurency", b"replica", b"conc", b"wieght", b"targt_per_s", b"Concurrency", b"jobs")


@dataclass(frozen=True)
class Broken:
    """One broken file. content: None = deleted."""

    kind: str
    content: bytes | None

    def expected(self, path: Path) -> str:
        """Return the pattern of every line that must be said about it: a file that is gone has no lines."""
        return re.escape(str(path)) + (": " if self.content is None else r":\d+: ")


def broken_edits(good: bytes, path: Path, count: int, chance: random.Random) -> Iterator[Broken]:
    """Yield `count` files that differ and are each refused by a program that runs on `good`.

    What a truncation leaves may be a configuration (half of them are valid TOML); only those that must be
    refused are broken.
    """
    judge = path.with_name("judged.toml")
    judge.write_bytes(good)
    judge.chmod(0o600)
    source = Source(judge, {}, {})
    running = source.read()
    seen: set[bytes | None] = {good}
    yielded = 0
    while yielded < count:
        each = _any(good, chance, deleted=yielded % 25 == 24, empty=yielded % 25 == 12)
        if each.content in seen and each.content:
            continue
        if each.content is not None:
            judge.write_bytes(each.content)
            try:
                source.reread(running, insist=False)
                continue
            except ConfigurationError:
                pass
        seen.add(each.content)
        yielded += 1
        yield each


def _any(good: bytes, chance: random.Random, *, deleted: bool, empty: bool) -> Broken:
    if deleted:
        return Broken("deleted", None)
    if empty:
        return Broken("empty", b"")
    kind = chance.choice(("truncated", "wrong type", "unknown name", "garbage"))
    if kind == "truncated":
        return Broken(kind, good[: chance.randrange(1, len(good))])
    lines = good.splitlines(keepends=True)
    settings = [number for number, line in enumerate(lines) if b" = " in line]
    at = chance.choice(settings)
    name, _, value = lines[at].partition(b" = ")
    if kind == "wrong type":
        lines[at] = name + b" = " + chance.choice(WRONG_VALUES) + b"\n"
    elif kind == "unknown name":
        lines[at] = chance.choice(UNKNOWN) + b"_" + str(chance.randrange(100)).encode() + b" = " + value
    else:
        lines[at] = bytes(chance.randrange(256) for _ in range(chance.randrange(1, 20))) + b"\n"
    return Broken(kind, b"".join(lines))
