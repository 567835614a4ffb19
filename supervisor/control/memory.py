"""How much memory the program really takes: PSS, which counts a page shared by n processes as 1/n each.

RSS would count the zygote's pages once more for every replica. Source: proc(5), smaps_rollup.
"""

import asyncio
from collections.abc import Callable, Mapping
from pathlib import Path

import psutil

from supervisor.core.clock import Clock

EVERY_S = 15.0


def pss_bytes(pid: int) -> int:
    """Return a process's proportional share of memory; 0 when it is gone or not ours to see."""
    try:
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    except OSError:
        return 0
    return sum(int(line.split()[1]) * 1024 for line in lines if line.startswith("Pss:"))


def tree_pss_bytes(pid: int) -> dict[int, int]:
    """Return {pid: bytes} of a process and all that descend from it. Milliseconds of kernel time per process."""
    try:
        processes = [psutil.Process(pid), *psutil.Process(pid).children(recursive=True)]
    except psutil.NoSuchProcess:
        return {}
    return {process.pid: pss_bytes(process.pid) for process in processes}


class Memory:
    """Keep the last measurement of a process tree; measured in a thread, because it blocks.

    measured(pss_bytes): called with each measurement, {pid: bytes}.
    """

    def __init__(self, *, pid: int, clock: Clock, measured: Callable[[Mapping[int, int]], None]) -> None:
        self._pid = pid
        self._clock = clock
        self._measured = measured
        self.pss_bytes: dict[int, int] = {}

    async def run(self) -> None:
        """Measure every EVERY_S until cancelled."""
        while True:
            await self.run_once()
            await self._clock.sleep_until(self._clock.monotonic() + EVERY_S)

    async def run_once(self) -> None:
        """Measure now."""
        self.pss_bytes = await asyncio.to_thread(tree_pss_bytes, self._pid)
        self._measured(self.pss_bytes)
