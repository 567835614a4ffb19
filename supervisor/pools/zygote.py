"""The zygote: a process that has imported everything once and forks replicas on request.

Its life:
 1. exec'ed by the supervisor with one SOCK_SEQPACKET socket; armed to die with it;
 2. imports the runner and the job modules with the garbage collector off, warms up what is imported
    lazily, freezes the heap (gc.freeze), so that the collector never writes to the shared pages;
 3. waits: a `Fork` with two descriptors (control socket, log pipe) → a child, answered by `Forked`
    with the child's pidfd; a child that ends → waited for, told as `Reaped`;
 4. EOF on the socket → exits; its children are armed to die with it.

It must never start a thread or an event loop: a fork copies one thread and every lock as it is. So it
counts its OS tasks before each fork and refuses when there is more than one. The replica must never
return into the zygote's loop: it ends with os._exit.

    gatherer --child zygote FD PARENT_PID MODULE:FUNCTION [MODULE ...]
"""

import faulthandler
import gc
import importlib
import os
import select
import signal
import socket
import ssl
import sys
import traceback
from collections.abc import Callable
from datetime import datetime
from typing import TypeAlias

import msgspec

from supervisor.core.errors import GathererError
from supervisor.core.messages.base import Message
from supervisor.core.messages.supervisor_zygote import Fork, Forked, ForkFailed, Reaped
from supervisor.core.program import die_with_parent
from supervisor.pools import kernel

Run: TypeAlias = Callable[[Fork, int], int]

MAX_PACKET_BYTES = 128 * 1024
CONTROL_FD = 3
REPLICA_OOM_SCORE = 500
EXIT_INTERNAL = 70

_decode = msgspec.msgpack.Decoder(Fork).decode
_encode = msgspec.msgpack.Encoder().encode


def main(argv: list[str]) -> int:
    """Run the zygote. argv: descriptor of the socket, pid of the supervisor, runner, modules to import."""
    fd, parent_pid, runner, *modules = argv
    die_with_parent(int(parent_pid))
    kernel.name_process("zygote")
    # Ctrl-C, a closed terminal and `timeout` reach the whole group; ending replicas is the supervisor's decision.
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    gc.disable()
    run = load(runner)
    preload(modules)
    warm_up()
    gc.collect()
    gc.freeze()
    Zygote(socket.socket(fileno=int(fd)), run).serve()
    return 0


def load(runner: str) -> Run:
    """Return the function named as "package.module:function". ImportError, AttributeError when there is none."""
    module, _, function = runner.partition(":")
    run: Run = getattr(importlib.import_module(module), function)
    return run


def preload(modules: list[str]) -> None:
    """Import `modules`. A broken one is only noted: its own replicas will fail by it, the others must not."""
    for module in modules:
        try:
            importlib.import_module(module)
        except (Exception, SystemExit):
            print(f"zygote: {module} cannot be imported; its replicas will try it themselves", file=sys.stderr)
            traceback.print_exc()
        if kernel.count_tasks() > 1:
            print(f"zygote: importing {module} has started a thread; no replica can be forked", file=sys.stderr)


def warm_up() -> None:
    """Touch what Python imports or builds at first use, so that replicas share it instead of each making it."""
    ssl.create_default_context()
    "warm".encode("idna")
    datetime.strptime("2000-01-01", "%Y-%m-%d")  # imports _strptime under a lock of its own
    socket.getaddrinfo("127.0.0.1", 443, type=socket.SOCK_STREAM)  # a numeric host asks no server


class Zygote:
    """The request loop: one thread, one poll, no signal handler."""

    def __init__(self, supervisor: socket.socket, run: Run) -> None:
        self._socket = supervisor
        self._run = run
        # pidfd → (replica, pid). A pidfd is open from the fork until the child has been waited for.
        self._children: dict[int, tuple[str, int]] = {}
        self._poll = select.poll()
        self._poll.register(supervisor, select.POLLIN)

    def serve(self) -> None:
        """Fork and reap until the supervisor closes the socket."""
        is_open = True
        while is_open:
            for fd, _ in self._poll.poll():
                if fd == self._socket.fileno():
                    is_open = self._take_request()
                else:
                    self._reap(fd)

    def _take_request(self) -> bool:
        try:
            data, fds, _, _ = socket.recv_fds(self._socket, MAX_PACKET_BYTES, 2, socket.MSG_CMSG_CLOEXEC)
        except ConnectionResetError:  # EOF, and the supervisor had not read our last words
            return False
        if not data:
            return False
        request = _decode(data)
        try:
            self._fork(request, fds)
        finally:
            for fd in fds:
                os.close(fd)
        return True

    def _fork(self, request: Fork, fds: list[int]) -> None:
        problem = self._why_not(fds)
        if problem:
            self._send(ForkFailed(request.replica, problem))
            return
        sys.stdout.flush()
        sys.stderr.flush()
        zygote_pid = os.getpid()
        try:
            pid = os.fork()
        except OSError as error:
            self._send(ForkFailed(request.replica, f"fork: {error}"))
            return
        if pid == 0:
            self._socket.detach()  # its number is about to become another descriptor, which it must not close
            become_replica(self._run, request, control=fds[0], log=fds[1], zygote_pid=zygote_pid)
        self._watch(request, pid)

    def _why_not(self, fds: list[int]) -> str:
        if len(fds) != 2:
            return f"expected 2 descriptors, got {len(fds)}"
        tasks = kernel.count_tasks()
        return f"the zygote has {tasks} OS tasks: a module started a thread" if tasks > 1 else ""

    def _watch(self, request: Fork, pid: int) -> None:
        # Nobody but us may wait for the child, and we do not before its pidfd is open: `pid` is still its number.
        try:
            pidfd = os.pidfd_open(pid)
        except OSError as error:
            os.kill(pid, signal.SIGKILL)
            os.waitpid(pid, 0)
            self._send(ForkFailed(request.replica, f"pidfd_open: {error}"))
            return
        self._children[pidfd] = (request.replica, pid)
        self._poll.register(pidfd, select.POLLIN)
        self._send(Forked(request.replica, pid), pidfd)

    def _reap(self, pidfd: int) -> None:
        replica, pid = self._children.pop(pidfd)
        self._poll.unregister(pidfd)
        os.close(pidfd)
        _, status = os.waitpid(pid, 0)
        self._send(Reaped(replica, pid, os.waitstatus_to_exitcode(status)))

    def _send(self, message: Message, *fds: int) -> None:
        try:
            socket.send_fds(self._socket, [_encode(message)], fds)
        except BrokenPipeError:
            os._exit(0)  # the supervisor is gone, and so are we in a moment


def become_replica(run: Run, spec: Fork, *, control: int, log: int, zygote_pid: int) -> None:
    """Run the replica in this freshly forked process and end it. Never returns."""
    code = EXIT_INTERNAL
    try:
        die_with_parent(zygote_pid)
        keep_only(control, log)
        signal.pthread_sigmask(signal.SIG_SETMASK, [])
        kernel.name_process(spec.replica)
        kernel.volunteer_for_oom(REPLICA_OOM_SCORE)
        faulthandler.enable()
        sys.stdout.reconfigure(line_buffering=True)  # type: ignore[union-attr]  # TextIO lacks it; ours has it
        os.environ.update(spec.environment)
        if spec.path:
            sys.path.insert(0, spec.path)
        gc.enable()
        code = run(spec, CONTROL_FD)
    except GathererError as error:
        print(error, file=sys.stderr)
        code = error.exit_code
    except SystemExit as error:
        code = error.code if isinstance(error.code, int) else EXIT_INTERNAL
    except BaseException:
        traceback.print_exc()
    finally:
        end(code)


def keep_only(control: int, log: int) -> None:
    """Make `log` stdout and stderr, `control` CONTROL_FD, stdin empty, and close every other descriptor."""
    empty = os.open(os.devnull, os.O_RDONLY)
    os.dup2(empty, 0)
    os.dup2(log, 1)
    os.dup2(log, 2)
    if control != CONTROL_FD:
        os.dup2(control, CONTROL_FD)
    os.set_inheritable(CONTROL_FD, False)
    os.closerange(CONTROL_FD + 1, os.sysconf("SC_OPEN_MAX"))


def end(code: int) -> None:
    """Flush and leave without running anything that the zygote had registered for its own exit."""
    try:
        sys.stdout.flush()
        sys.stderr.flush()
    finally:
        os._exit(code)
