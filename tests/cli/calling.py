"""What the fixture `call` is."""

from typing import Protocol

from click.testing import Result


class Call(Protocol):
    """Run a command against the daemon in memory; text or bytes for stdin."""

    def __call__(self, *arguments: str, stdin: str | bytes | None = None) -> Result: ...
