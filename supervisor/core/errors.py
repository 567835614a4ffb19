"""Errors that cross a module border.

    GathererError                 what an operator may see; has an exit code
    ├── ConfigurationError  78    a file, an environment variable or a flag is wrong
    ├── UsageError          2     the command line or the input is wrong
    │   └── MalformedError  2     the input is not even of its format
    ├── RefusedError        1     the answer is no (already running, already ended)
    │   ├── NotFoundError   1     there is no such thing
    │   └── ForbiddenError  1     the configuration does not allow it
    ├── UnavailableError    75    something that should answer does not; try again
    └── WireError           70    the other side of a socket breaks the protocol

Each carries one sentence for a person: what happened, to which thing, what to do next.
"""

from typing import ClassVar


class GathererError(Exception):
    """Base of everything that is reported to the operator as one sentence."""

    exit_code: ClassVar[int] = 70


class ConfigurationError(GathererError):
    """Say that the configuration cannot be used; `problems` has one line each, with file:line."""

    exit_code = 78

    def __init__(self, problems: list[str]) -> None:
        super().__init__("\n".join(problems))
        self.problems = problems


class UsageError(GathererError):
    """Say that a command line or an input line cannot be used as it stands."""

    exit_code = 2


class MalformedError(UsageError):
    """Say that an input is not even of its format, such as a body that is no JSON."""


class RefusedError(GathererError):
    """Say that the request is understood and the answer is no."""

    exit_code = 1


class NotFoundError(RefusedError):
    """Say that there is no such thing."""


class ForbiddenError(RefusedError):
    """Say that the configuration does not allow it."""


class UnavailableError(GathererError):
    """Say that a part that should answer does not answer now."""

    exit_code = 75


class WireError(GathererError):
    """Say that a peer sent something that is not a frame of our protocol."""
