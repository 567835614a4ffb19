"""A supervisor of its own, for tests that kill it: print the pids of all that it started, then wait.

python -m tests.pools.driver RUN_DIR REPLICAS
"""

import asyncio
import json
import sys
from pathlib import Path

from tests.pools.harness import Scene, a_worker


async def main(run_dir: Path, replicas: int) -> None:
    scene = Scene(run_dir, a_worker("work", replicas))
    await scene.pools.start()
    pids = await scene.ready(replicas)
    print(json.dumps([*scene.pools.statistics().zygote_pids, *pids.values()]), flush=True)
    await asyncio.sleep(60)


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1]), int(sys.argv[2])))
