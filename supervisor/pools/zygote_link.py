"""The supervisor's end of one zygote: start it, ask it for forks, hear of exits, notice its death.

Everything but the wait for an answer happens in callbacks of the event loop, so a link needs no task.
A zygote that has died is not restarted here; `zygotes.py` makes a new link.
"""

import asyncio
import contextlib
import os
import socket
import subprocess
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import msgspec

from supervisor.core.clock import Clock
from supervisor.core.errors import UnavailableError
from supervisor.core.events import Events
from supervisor.core.messages.supervisor_zygote import Fork, Forked, ForkFailed, FromZygote, Reaped
from supervisor.core.program import child_command
from supervisor.pools import exits, kernel
from supervisor.pools.log_pipe import LogPipe

MAX_PACKET_BYTES = 128 * 1024
# What a child may see of our environment: enough to run Python and to reach the network, nothing that
# could be a credential, no socket of systemd. Workers add their own with `environment`.
INHERITED = {"PATH", "HOME", "LANG", "TZ", "TMPDIR", "VIRTUAL_ENV", "LD_LIBRARY_PATH", "USER", "LOGNAME"}
INHERITED_PREFIXES = ("LC_", "PYTHON", "SSL_CERT_")

_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(FromZygote).decode


class ForkError(UnavailableError):
    """Say that the zygote answered and made no process."""


class ZygoteLostError(UnavailableError):
    """Say that the zygote died, or does not answer, before it made the process."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Child:
    """A forked replica. The receiver owns `pidfd`; `status` gets the exit status, None = the zygote is gone."""

    pid: int
    pidfd: int
    status: "asyncio.Future[int | None]"


def clean_environment(environment: Mapping[str, str]) -> dict[str, str]:
    """Return the part of `environment` that children may inherit."""
    return {
        name: value for name, value in environment.items() if name in INHERITED or name.startswith(INHERITED_PREFIXES)
    }


class ZygoteLink:
    """One living zygote. Must be made on the main thread: the zygote dies with the thread that made it.

    OSError when it cannot be started. modules: imported before the first fork.
    ended(link): called once, when the process has gone.
    """

    def __init__(
        self,
        *,
        generation: int,
        runner: str,
        modules: Sequence[str],
        clock: Clock,
        events: Events,
        ended: Callable[["ZygoteLink"], None],
    ) -> None:
        self.generation = generation
        self.started_at = clock.monotonic()
        self.is_alive = True
        self.is_stuck = False
        self._ended = ended
        self._events = events
        self._loop = asyncio.get_running_loop()
        self._forks: dict[str, asyncio.Future[Child]] = {}
        self._statuses: dict[int, asyncio.Future[int | None]] = {}
        self._socket, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        log_fd, log_end = os.pipe()
        command = child_command("zygote", str(theirs.fileno()), str(os.getpid()), runner, *modules)
        try:
            self._process = _launch(command, keep=theirs.fileno(), output=log_end)
        except OSError:
            self._socket.close()
            os.close(log_fd)
            raise
        finally:
            theirs.close()
            os.close(log_end)
        self.pid = self._process.pid
        self._pidfd = os.pidfd_open(self.pid)
        self._log = LogPipe(log_fd, clock, self._emit_line, self._emit_dropped)
        self._socket.setblocking(False)
        self._loop.add_reader(self._socket.fileno(), self._readable)
        self._loop.add_reader(self._pidfd, self._exited)
        events.emit("zygote_started", pid=self.pid, generation=generation)

    async def fork(self, request: Fork, *, control: int, log: int, timeout_s: float) -> Child:
        """Return a new replica that has `control` and `log` (the caller keeps and closes its own copies).

        ForkError: the zygote says no. ZygoteLostError: it died or did not answer; a process that it
        makes after all is killed.
        """
        if not self.is_alive:
            raise ZygoteLostError("the zygote has died")
        answer: asyncio.Future[Child] = self._loop.create_future()
        self._forks[request.replica] = answer
        try:
            socket.send_fds(self._socket, [_encode(request)], [control, log])
            return await asyncio.wait_for(answer, timeout_s)
        except TimeoutError as error:
            self.is_stuck = True
            raise ZygoteLostError(f"the zygote has not answered for {timeout_s:g} s") from error
        except OSError as error:
            raise ZygoteLostError(f"the zygote cannot be asked: {error}") from error
        finally:
            self._forks.pop(request.replica, None)

    def close(self) -> None:
        """Let the zygote end: it exits at EOF, and its remaining children with it. Safe when called twice."""
        if self._socket.fileno() >= 0:
            self._loop.remove_reader(self._socket.fileno())
            self._socket.close()

    def kill(self) -> None:
        """SIGKILL the zygote; its children die with it."""
        if self.is_alive:
            kernel.kill(self._pidfd)

    def _readable(self) -> None:
        while self._socket.fileno() >= 0:
            try:
                data, fds, _, _ = socket.recv_fds(self._socket, MAX_PACKET_BYTES, 1, socket.MSG_CMSG_CLOEXEC)
            except BlockingIOError:
                return
            except OSError:
                data, fds = b"", []
            if not data:
                self.close()  # it is about to exit; the pidfd says when it has
                return
            self._receive(_decode(data), fds)

    def _receive(self, message: FromZygote, fds: list[int]) -> None:
        match message:
            case Forked(pid=pid):
                self._deliver(message.replica, pid, fds)
            case ForkFailed(error=error):
                answer = self._forks.get(message.replica)
                if answer is not None and not answer.done():
                    answer.set_exception(ForkError(error))
            case Reaped(pid=pid, status=status):
                _resolve(self._statuses.pop(pid, None), status)

    def _deliver(self, replica: str, pid: int, fds: list[int]) -> None:
        answer = self._forks.get(replica)
        if fds and answer is not None and not answer.done():
            status = self._statuses[pid] = self._loop.create_future()
            answer.set_result(Child(pid=pid, pidfd=fds[0], status=status))
            return
        for fd in fds:  # nobody waits any more
            kernel.kill(fd)
            os.close(fd)

    def _exited(self) -> None:
        self._readable()  # what it said before it died
        self.is_alive = False
        self._loop.remove_reader(self._pidfd)
        os.close(self._pidfd)
        self.close()
        status = self._process.wait()  # returns at once: the pidfd said so
        self._log.close()
        for answer in self._forks.values():
            if not answer.done():
                answer.set_exception(ZygoteLostError("the zygote died"))
        for future in self._statuses.values():
            _resolve(future, None)
        self._events.emit("zygote_exited", pid=self.pid, generation=self.generation, status=exits.describe(status))
        self._ended(self)

    def _emit_line(self, line: str) -> None:
        self._events.emit("zygote_log", generation=self.generation, line=line)

    def _emit_dropped(self, lines: int) -> None:
        self._events.emit("zygote_log_dropped", generation=self.generation, lines=lines)


def _launch(command: Sequence[str], *, keep: int, output: int) -> "subprocess.Popen[bytes]":
    return subprocess.Popen(
        command,
        pass_fds=[keep],
        stdin=subprocess.DEVNULL,
        stdout=output,
        stderr=output,
        env=clean_environment(os.environ),
    )


def _resolve(future: "asyncio.Future[int | None] | None", status: int | None) -> None:
    # A replica that no longer waits has cancelled it.
    if future is not None:
        with contextlib.suppress(asyncio.InvalidStateError):
            future.set_result(status)
