"""One run of the database process, as its supervisor sees it: a socket and a pidfd, no task."""

import asyncio
import os
import signal
import socket
import subprocess
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from supervisor.core.messages.base import Message
from supervisor.core.messages.supervisor_database import DatabaseToSupervisor
from supervisor.core.program import child_command
from supervisor.core.wire import Channel

# What the process may see of our environment: enough to run Python, nothing that could be a credential.
INHERITED = {"PATH", "HOME", "LANG", "TZ", "TMPDIR", "VIRTUAL_ENV", "LD_LIBRARY_PATH"}
INHERITED_PREFIXES = ("LC_", "PYTHON")


class Child:
    """A started process. Make it on the main thread: it dies with the thread that made it.

    exited: its exit status, negative = signal. OSError when it cannot be started.
    """

    def __init__(self, *, state_dir: Path, run_dir: Path, supervisor: str, receive: Callable[[Any], None]) -> None:
        loop = asyncio.get_running_loop()
        self.exited: asyncio.Future[int] = loop.create_future()
        self.channel = Channel(DatabaseToSupervisor, receive, lambda error: None)
        self._loop = loop
        self._ours, theirs = socket.socketpair()
        try:
            self._process = _launch(state_dir, run_dir, supervisor, theirs.fileno())
        except OSError:
            self._ours.close()
            raise
        finally:
            theirs.close()
        self.pid = self._process.pid
        self._pidfd = os.pidfd_open(self.pid)
        loop.add_reader(self._pidfd, self._reap)

    async def connect(self) -> None:
        """Open the channel; messages sent before would be dropped."""
        await self._loop.connect_accepted_socket(lambda: self.channel, self._ours)

    def send(self, message: Message) -> None:
        """Send a word; dropped when the process is gone."""
        self.channel.send(message)

    def kill(self) -> None:
        """End it now; safe when it has ended."""
        if not self.exited.done():
            signal.pidfd_send_signal(self._pidfd, signal.SIGKILL)

    def _reap(self) -> None:
        self._loop.remove_reader(self._pidfd)
        os.close(self._pidfd)
        self.channel.close()
        if not self.exited.done():
            self.exited.set_result(self._process.wait())


def _launch(state_dir: Path, run_dir: Path, supervisor: str, control_fd: int) -> "subprocess.Popen[bytes]":
    command = child_command(
        "database",
        *("--control-fd", str(control_fd)),
        *("--state-dir", str(state_dir)),
        *("--run-dir", str(run_dir)),
        *("--parent", str(os.getpid())),
        *("--supervisor", supervisor),
    )
    return subprocess.Popen(
        command, pass_fds=[control_fd], env=_clean(os.environ), stdin=subprocess.DEVNULL, start_new_session=True
    )


def _clean(environment: Mapping[str, str]) -> dict[str, str]:
    return {
        name: value for name, value in environment.items() if name in INHERITED or name.startswith(INHERITED_PREFIXES)
    }
