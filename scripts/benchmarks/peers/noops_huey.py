"""Huey on SQLite, for `scripts/bench queue`: python noops_huey.py give|work FSYNC FOLDER N AT_ONCE.

give: enqueue N no-ops. work: say that it is ready, wait for the word to go, then be a consumer with AT_ONCE threads. As
shipped, but for its choice of fsync (FSYNC "yes" or "no") and results of None, which it keeps here, because its task
leaves the file before it runs: only a kept result says that one has finished.
"""

import os
import sys
import time
from pathlib import Path

from huey import SqliteHuey

ROLE, FSYNC, FOLDER, N, AT_ONCE = sys.argv[1:6]

huey = SqliteHuey("noops", filename=f"{FOLDER}/huey.db", fsync=FSYNC == "yes", store_none=True)


@huey.task()
def noop(number: int) -> None:
    pass


def work() -> None:
    consumer = huey.create_consumer(workers=int(AT_ONCE))
    (Path(FOLDER) / f"ready-{os.getpid()}").touch()
    while not (Path(FOLDER) / "go").exists():
        time.sleep(0.01)
    consumer.run()


if ROLE == "give":
    for number in range(int(N)):
        noop(number)
else:
    work()
