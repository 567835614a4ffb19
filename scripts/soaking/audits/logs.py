"""The log is events and nothing else: a traceback in it, or bare text, is an accident that nobody planned for."""

from collections.abc import Iterable

SHOWN = 5


def accidents(lines: Iterable[str]) -> list[str]:
    """Find tracebacks, also those of replicas inside an event, and text that is no event.

    A line that a SIGKILL cut off still begins as an event.
    """
    found = [line for line in lines if line.strip() and ("Traceback" in line or not line.startswith("{"))]
    return [f"the log says: {line.strip()[:300]}" for line in found[:SHOWN]] + (
        [f"{len(found)} such lines in all"] if len(found) > SHOWN else []
    )
