"""Before anything of the state is touched: wait while its disk is full.

Ending instead would be tried again by systemd, but only so often; then somebody who has made room would have to start
us by hand.
"""

import shutil
import sys
from pathlib import Path

from supervisor.core.clock import Clock
from supervisor.database.damage import has_room

LOOK_EVERY_S = 2.0
# The journal of permits and two empty databases.
NEW_STATE_BYTES = 32 * 1024 * 1024


async def wait_for_room(state_dir: Path, clock: Clock) -> None:
    """Return when there is room to start; says once that it waits."""
    folder = next(each for each in (state_dir, *state_dir.parents) if each.exists())
    is_new = not (state_dir / "limiter.journal").exists()
    has_said = False
    while not (has_room(folder, NEW_STATE_BYTES) if is_new else has_room(folder)):
        if not has_said:
            free = shutil.disk_usage(folder).free
            print(
                f"gatherer: no room is left on the disk of {state_dir} ({free:,} bytes free); waiting, make room"
                " and it starts by itself",
                file=sys.stderr,
                flush=True,
            )
        has_said = True
        await clock.sleep_until(clock.monotonic() + LOOK_EVERY_S)
