"""What is around Gatherer: the file and its secrets, the machine's limits, its clock, the way to the API.

Read only. The network check opens a connection and sends nothing, so it costs no key a request.
"""

import ctypes
import os
import resource
import shutil
import socket
import sqlite3
import stat
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

from supervisor.cli.diagnosis import Finding, Severity
from supervisor.core.clock import Clock
from supervisor.core.errors import ConfigurationError, UnavailableError
from supervisor.database import damage
from supervisor.settings.config import Config
from supervisor.settings.reading import load

CONNECT_WITHIN_S = 5.0
SLOW_CONNECT_S = 0.25
FILES_FOR_EACH_REPLICA = 16
FILES_OF_ITS_OWN = 256
TIME_ERROR = 5  # adjtimex(2): the clock is not synchronized
OLDEST_SQLITE = (3, 35, 0)


def look(path: Path | None, clock: Clock) -> Iterator[Finding]:
    """Yield findings about the configuration at `path` and this machine. None: there is no file."""
    yield from _versions()
    yield from _clock()
    if path is None:
        yield Finding(
            check="file",
            severity=Severity.WARNING,
            seen="no config.toml found",
            why="the defaults gather nothing",
            fix="gatherer init",
        )
        return
    try:
        config = load(path, environment=os.environ)
    except ConfigurationError as error:
        yield Finding(
            check="file",
            severity=Severity.PROBLEM,
            seen="; ".join(error.problems),
            why="it cannot be used as it is",
            fix="correct these lines; gatherer check repeats them",
        )
        return
    except PermissionError as error:
        yield Finding(
            check="file",
            severity=Severity.WARNING,
            seen=str(error),
            why="it cannot be looked at from here",
            fix="sudo -u gatherer gatherer doctor",
        )
        return
    yield from _file(config)
    yield from _machine(config)
    yield from _network(config, clock)


def _versions() -> Iterator[Finding]:
    good = sqlite3.sqlite_version_info >= OLDEST_SQLITE
    yield Finding(
        check="SQLite",
        severity=Severity.OK if good else Severity.PROBLEM,
        seen=sqlite3.sqlite_version,
        why="" if good else "RETURNING needs 3.35",
        fix="" if good else "use the packaged gatherer, or a newer Python",
    )


def _clock() -> Iterator[Finding]:
    # The struct begins with modes (0 = only read); 256 bytes hold it on every Linux.
    state = ctypes.CDLL(None).adjtimex(ctypes.create_string_buffer(256))
    if state == TIME_ERROR:
        yield Finding(
            check="clock",
            severity=Severity.WARNING,
            seen="the kernel says that it is not synchronized",
            why="limits do not depend on it, but schedules, freshness and what is shown do",
            fix="timedatectl set-ntp true",
        )
    else:
        yield Finding(check="clock", severity=Severity.OK, seen="synchronized")


def _file(config: Config) -> Iterator[Finding]:
    for warning in config.warnings:
        yield Finding(check="file", severity=Severity.WARNING, seen=warning, why="it is used as it is", fix="")
    for source in config.sources:
        if source.suffix != ".toml" and source.exists() and source.stat().st_mode & (stat.S_IRGRP | stat.S_IROTH):
            yield Finding(
                check="permissions",
                severity=Severity.WARNING,
                seen=f"{source} can be read by others",
                why="it is a secret",
                fix=f"chmod 600 {source}",
            )
    if not config.warnings:
        yield Finding(check="file", severity=Severity.OK, seen=f"{config.path}: nothing to say against it")


def _machine(config: Config) -> Iterator[Finding]:
    replicas = sum(worker.replicas for worker in config.workers.values())
    needed = FILES_OF_ITS_OWN + FILES_FOR_EACH_REPLICA * replicas
    _, files = resource.getrlimit(resource.RLIMIT_NOFILE)  # `gatherer run` raises its own up to that
    if files < needed:
        yield Finding(
            check="open files",
            severity=Severity.PROBLEM,
            seen=f"{files} may be open, {replicas} replicas need {needed}",
            why="replicas would fail to start",
            fix="LimitNOFILE= in the unit, or ulimit -n",
        )
    if config.state_dir.exists():
        yield from _files(config.state_dir)
        if not os.access(config.state_dir, os.W_OK):
            yield Finding(
                check="permissions",
                severity=Severity.WARNING,
                seen=f"{config.state_dir} cannot be written by this user",
                why="only whoever runs Gatherer must be able to",
                fix=f"chown -R gatherer {config.state_dir}",
            )
        free = shutil.disk_usage(config.state_dir).free
        if free < config.min_free_bytes:
            yield Finding(
                check="disk",
                severity=Severity.PROBLEM,
                seen=f"{free / 1e9:.1f} GB free at {config.state_dir}",
                why=f"[storage] min_free is {config.min_free_bytes / 1e9:.1f} GB: auctions stop",
                fix="make room, or lower [retention]",
            )


def _files(state_dir: Path) -> Iterator[Finding]:
    try:
        damage.look(state_dir)
    except ConfigurationError as error:
        yield Finding(
            check="database files",
            severity=Severity.PROBLEM,
            seen=str(error),
            why="Gatherer does not start on them",
            fix='docs/operations.md, "When a file is damaged"',
        )
    except (OSError, UnavailableError):  # not ours to read: whoever runs Gatherer can
        return


def _network(config: Config, clock: Clock) -> Iterator[Finding]:
    for api in config.apis.values():
        if not any(key.api == api.name for key in config.keys):
            continue
        url = urlsplit(api.base_url.replace("{region}", api.region))
        host, port = url.hostname or "", url.port or (443 if url.scheme == "https" else 80)
        began = clock.monotonic()
        try:
            socket.create_connection((host, port), CONNECT_WITHIN_S).close()
        except OSError as error:
            yield Finding(
                check=f"way to {host}",
                severity=Severity.PROBLEM,
                seen=str(error),
                why="nothing can be gathered from it",
                fix="base_url, DNS (getent hosts), the firewall, in this order",
            )
            continue
        took_s = clock.monotonic() - began
        slow = took_s > SLOW_CONNECT_S
        yield Finding(
            check=f"way to {host}",
            severity=Severity.WARNING if slow else Severity.OK,
            seen=f"connected in {took_s * 1000:.0f} ms",
            why="each job waits for several answers" if slow else "",
            fix='concurrency = "auto" makes up for latency' if slow else "",
        )
