"""What keeps a worker from doing more, in one word: the first of these that holds.

paused            a person said so
no replica        none is ready: starting, dying again and again, or 0 configured
no key            no usable key has its tag
api down          the API does not answer; it is probed, and jobs wait without spending attempts
hour, second      the keys' windows are spent, or (second) let many of the latest permits wait while jobs do
nothing to do     no job waits
database          it is away; or commits take too long, or pile up
disk              there is no room for what its jobs store (the files cannot be written, or `min_free` holds it)
concurrency       every slot works: more concurrency or replicas would do more
"""

from supervisor.control.snapshot import Snapshot
from supervisor.core.messages.supervisor_database import Pulse

REASONS = (
    "paused",
    "no replica",
    "database",
    "disk",
    "no key",
    "api down",
    "hour",
    "second",
    "nothing to do",
    "concurrency",
)
SLOW_COMMIT_S = 0.25
LONG_BACKLOG = 500  # requests that wait for a transaction


def limited_by(snapshot: Snapshot, worker: str) -> str:
    """Return the word for `worker`, which must be configured."""
    pool = snapshot.pools.workers.get(worker)
    if snapshot.config.workers[worker].paused or (pool is not None and pool.paused):
        return "paused"
    if pool is None or pool.effective_replicas == 0:
        return "no replica"
    if snapshot.database.state != "ready":
        return "database"
    pulse = snapshot.database.pulse
    if pulse is not None and worker in pulse.stopped:
        return "disk"
    permits = snapshot.limiter.workers.get(worker)
    if permits is not None and permits.limited_by:
        return permits.limited_by
    if not any(snapshot.waiting(worker)):
        return "nothing to do"
    if pulse is None or is_slow(pulse):
        return "database"
    # A window lets requests go in bursts: between two of them a key has room that is as good as spent.
    return "second" if permits is not None and permits.is_kept_waiting else "concurrency"


def is_slow(pulse: Pulse) -> bool:
    """Tell whether commits take too long or pile up."""
    return pulse.commit_p99_s > SLOW_COMMIT_S or pulse.queued > LONG_BACKLOG
