"""What systemd is told, on a real socket."""

import dataclasses
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from supervisor.control.snapshot import Reload, Snapshot
from supervisor.control.systemd import Systemd, are_pools_ready, status_line
from tests.control.snapshots import pool_of, snapshot_of
from tests.support.clock import FakeClock


class Listener:
    """systemd's end of the socket, and what our end is made of."""

    def __init__(self, path: Path) -> None:
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.bind(str(path))
        self.socket.setblocking(False)
        self.clock = FakeClock()
        self.snapshot = with_pool(effective_replicas=5)
        environment = {"NOTIFY_SOCKET": str(path), "WATCHDOG_USEC": "30000000"}
        self.systemd = Systemd(environment=environment, snapshot=lambda: self.snapshot, clock=self.clock)

    def heard(self) -> list[str]:
        lines: list[str] = []
        while True:
            try:
                lines += self.socket.recv(4096).decode().splitlines()
            except BlockingIOError:
                return lines


def with_pool(**pool: object) -> Snapshot:
    snapshot = snapshot_of(FakeClock())
    pools = dataclasses.replace(snapshot.pools, workers={"characters": pool_of(**pool)})
    return dataclasses.replace(snapshot, pools=pools)


@pytest.fixture
def listener(tmp_path: Path) -> Iterator[Listener]:
    listener = Listener(tmp_path / "notify")
    yield listener
    listener.systemd.close()
    listener.socket.close()


def test_ready_is_said_once_and_only_when_every_replica_is_there(listener: Listener) -> None:
    listener.snapshot = with_pool(effective_replicas=4)
    systemd = listener.systemd
    systemd.run_once()
    assert "READY=1" not in listener.heard()
    listener.snapshot = with_pool(effective_replicas=5)
    systemd.run_once()
    assert "READY=1" in listener.heard()
    systemd.run_once()
    assert listener.heard() == ["WATCHDOG=1"]


def test_pool_that_keeps_dying_does_not_hold_up_the_others() -> None:
    assert are_pools_ready(with_pool(effective_replicas=1, degraded=True))
    assert not are_pools_ready(with_pool(effective_replicas=0, degraded=True))


def test_starting_database_asks_for_more_time(listener: Listener) -> None:
    database = dataclasses.replace(listener.snapshot.database, state="starting")
    listener.snapshot = dataclasses.replace(listener.snapshot, database=database)
    listener.systemd.run_once()
    assert "EXTEND_TIMEOUT_USEC=60000000" in listener.heard()


def test_reload_is_told_with_its_time_and_ends_with_ready(listener: Listener) -> None:
    systemd = listener.systemd
    systemd.run_once()
    listener.heard()
    systemd.listen("reload_begun", {})
    assert listener.heard() == ["RELOADING=1", f"MONOTONIC_USEC={int(listener.clock.monotonic() * 1e6)}"]
    systemd.listen("reload_ended", {})
    assert listener.heard() == ["READY=1"]


def test_status_names_the_refused_edit_first() -> None:
    refused = Reload(at=0.0, errors=("config.toml:14: workers.items.replicas: expected an integer",))
    line = status_line(dataclasses.replace(with_pool(effective_replicas=4), reload=refused))
    assert line.startswith("EDIT REFUSED: config.toml:14: ")
    assert "4 of 5 replicas ready; 1 of 1 keys usable" in line


def test_draining_is_told_at_once(listener: Listener) -> None:
    systemd = listener.systemd
    systemd.listen("supervisor_draining", {})
    assert "STOPPING=1" in listener.heard()


def test_without_systemd_nothing_is_said(listener: Listener) -> None:
    systemd = Systemd(environment={}, snapshot=lambda: listener.snapshot, clock=listener.clock)
    systemd.run_once()
    assert listener.heard() == []
