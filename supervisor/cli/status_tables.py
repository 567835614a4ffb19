"""The status as tables for a terminal.

    WORKER      CONCURRENCY  REPLICAS  LIMITED BY   URGENT  NORMAL  BACKGROUND  LATER  EXECUTING  JOBS/S  TARGET
    characters  2            5         hour              0      12       1,204     31         10    18.2      50

Where desired and effective differ, both are shown: "2 of 3". LATER: jobs whose time has not come
(scheduled, snoozed, waiting for another attempt).
"""

from collections.abc import Iterator
from typing import Any, TypeAlias

from rich.console import RenderableType
from rich.markup import escape
from rich.table import Table

from supervisor.cli.human import ago, count, rate, share, size
from supervisor.settings.units import say_duration

Status: TypeAlias = dict[str, Any]

CALM = ("nothing to do", "")
STATE_STYLES = {"ok": "green", "parked": "yellow", "probing": "yellow", "no token": "yellow", "quarantined": "bold red"}


def draw(status: Status) -> Iterator[RenderableType]:
    """Yield what to print, from the heading to the complaints."""
    yield _heading(status)
    yield workers_table(status["workers"])
    yield ""
    yield keys_table(status["keys"])
    yield ""
    yield from (_outage(host, status["now"]) for host in status.get("hosts", []) if host["state"] == "down")
    yield from _complaints(status)


def workers_table(workers: Status) -> Table:
    """Return one row for each worker."""
    table = _table("WORKER", "CONCURRENCY", "REPLICAS", "LIMITED BY")
    for name in ("URGENT", "NORMAL", "BACKGROUND", "LATER", "EXECUTING", "JOBS/S", "TARGET", "OK/MIN", "FAILED/MIN"):
        table.add_column(name, justify="right")
    for name, worker in workers.items():
        table.add_row(name, *_pool_cells(worker), *_work_cells(worker))
    return table


def keys_table(keys: list[Status]) -> Table:
    """Return one row for each key; windows from the shortest."""
    table = _table("KEY", "TAGS", "STATE")
    spans = sorted({window["per_s"] for key in keys for window in key["windows"]})
    for span in spans:
        table.add_column(f"USED IN {say_duration(span)}".upper(), justify="right")
    for name in ("LEFT", "IN FLIGHT", "REQUESTS", "REASON"):
        table.add_column(name, justify="left" if name == "REASON" else "right")
    for key in keys:
        windows = {window["per_s"]: window for window in key["windows"]}
        used = [_window(windows.get(span)) for span in spans]
        style = STATE_STYLES.get(key["state"], "")
        state = f"[{style}]{key['state']}[/]" if style else key["state"]
        table.add_row(
            escape(key["name"]), ",".join(key.get("tags", [])), state, *used, _left(key["windows"]),
            count(key.get("in_flight", 0)), count(key.get("granted", 0)), escape(_reason(key)),
        )  # fmt: skip  # the cells in the order of the columns
    return table


def _pool_cells(worker: Status) -> list[str]:
    desired, effective = worker["desired"], worker["effective"]
    limited_by = worker["limited_by"]
    return [
        _concurrency(effective["concurrency"], desired["concurrency"]),
        _of(effective["replicas"], desired["replicas"]),
        limited_by if limited_by in CALM else f"[yellow]{limited_by}[/]",
    ]


def _work_cells(worker: Status) -> list[str]:
    waiting = worker.get("waiting", {})
    minute = worker.get("last_minute", {})
    target = worker.get("target_per_s")
    return [
        *(count(waiting.get(priority, 0)) for priority in ("urgent", "normal", "background")),
        count(sum(worker.get("queue", {}).get(state, 0) for state in ("scheduled", "retryable"))),
        count(worker.get("executing", 0)),
        rate(worker["per_s"]),
        "–" if target is None else f"{target:g}",
        count(minute.get("succeeded", 0)),
        count(minute.get("failed", 0)),
    ]


def _window(window: Status | None) -> str:
    if window is None:
        return "–"
    return f"{window['used']:,} of {window['limit']:,} ({share(window['used'], window['limit'])})"


def _left(windows: list[Status]) -> str:
    """Return what is left of the longest window, the one that binds in the long run."""
    longest = max(windows, key=lambda window: window["per_s"])
    return count(max(0, longest["limit"] - longest["used"]))


def _reason(key: Status) -> str:
    parked_for_s = key.get("parked_for_s", 0)
    parked = f"for {say_duration(parked_for_s)}" if parked_for_s > 0 else ""
    return " ".join(part for part in (key.get("reason", ""), parked) if part)


def _heading(status: Status) -> str:
    config = status["config"]
    parts = [f"pid {status['pid']}", f"up {say_duration(status.get('uptime_s', 0))}"]
    parts.append(f"configuration {config['generation']}" + (f" ({config['path']})" if config.get("path") else ""))
    if status.get("memory_pss_bytes"):
        parts.append(f"memory {size(sum(status['memory_pss_bytes'].values()))}")
    return escape(", ".join(parts)) + "\n"


def _complaints(status: Status) -> Iterator[str]:
    config = status["config"]
    reload = config["last_reload"]
    if not reload["ok"]:
        when = ago(reload.get("at"), status.get("now", 0))
        yield f"[bold red]The last edit ({when}) is not in force:[/]"
        yield from (f"  {escape(error)}" for error in reload["errors"])
    yield from (f"[yellow]restart to apply:[/] {escape(each)}" for each in config.get("needs_restart", []))
    for reason in status.get("reasons_not_ready", []):
        yield f"[yellow]not ready:[/] {escape(reason)}"
    for name, worker in status["workers"].items():
        minute = worker.get("last_minute", {})
        if minute.get("problem"):
            yield f"[yellow]{name}:[/] {count(minute.get('failed', 0))} failed this minute: {escape(minute['problem'])}"
        if worker.get("degraded"):
            yield f"[bold red]{name}:[/] its replicas keep dying; last: {escape(worker.get('last_exit', ''))}"
    for name, worker in status["workers"].items():
        moved = worker.get("autoscale")
        if moved and moved["who"]:
            when = ago(moved["since"], status.get("now", 0))
            by = f"moved to {moved['concurrency']} by {moved['who']} {when}: {moved['why']}"
            yield f"[dim]{name}:[/] {escape(by)}"
        if moved and moved["note"]:
            yield f"[dim]{name} stays at {moved['concurrency']}:[/] {escape(moved['note'])}"
    for setting, variable in config.get("pinned", {}).items():
        yield f"[dim]{setting} is pinned by {variable}[/]"


def _concurrency(effective: int, desired: int | str) -> str:
    return f"{effective} (auto)" if isinstance(desired, str) else _of(effective, desired)


def _outage(host: Status, now: float) -> str:
    failed = f"{host['failed']} of {host['of']} requests failed, {host['why']}"
    probe = host["next_probe_in_s"]
    down = say_duration(max(1, round(now - host["down_since"])))
    when = f"in {say_duration(max(1, round(probe)))}" if probe > 0 else "now"
    return (
        f"[bold red]{escape(host['host'])} is down[/] for {down} ({escape(failed)}): its jobs"
        f" wait and spend no attempt. It is probed again {when} and used when it answers; nothing to do, unless other"
        f" programs reach it: then look at base_url, DNS and the network of this machine."
    )


def _of(effective: int, desired: int) -> str:
    return str(desired) if effective == desired else f"[yellow]{effective} of {desired}[/]"


def _table(*columns: str) -> Table:
    table = Table(box=None, pad_edge=False, header_style="bold", padding=(0, 2, 1, 0), show_lines=False)
    table.padding = (0, 2, 0, 0)
    for column in columns:
        table.add_column(column, no_wrap=True)
    return table
