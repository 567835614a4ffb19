"""Between the supervisor and a zygote. A SOCK_SEQPACKET pair given at exec; descriptors travel beside."""

from typing import TypeAlias

from supervisor.core.messages.base import Message


class Fork(Message, frozen=True):
    """Fork one replica. Beside it travel two descriptors: its control socket and its log pipe."""

    replica: str
    worker: str
    module: str
    path: str
    database_socket: str
    environment: dict[str, str] = {}


class Forked(Message, frozen=True):
    """The replica runs as `pid`; its pidfd travels beside."""

    replica: str
    pid: int


class ForkFailed(Message, frozen=True):
    """No process was made; `error` says why."""

    replica: str
    error: str


class Reaped(Message, frozen=True):
    """The zygote has waited for the replica; status as of os.waitstatus_to_exitcode (negative = signal)."""

    replica: str
    pid: int
    status: int


FromZygote: TypeAlias = Forked | ForkFailed | Reaped
