"""Worker noops: does nothing, and sends no request."""

from supervisor.worker.sdk import ClaimedJob, Done, Outcome, Work

DONE = Done()


async def run(job: ClaimedJob, work: Work) -> Outcome:
    """Be done."""
    return DONE
