"""Worker `index`: what makes work for the others. Its entity says which.

    realms      which realms there are (jobs/realms.py)                  about 90 requests
    auctions    one job per auction house that we know of                no request
    items       one job per item number of the next range                no request
    seeds       characters and guilds out of leaderboards (jobs/seeds)   a dozen requests

A region may stand behind a dot ("realms.us"), so that two regions are two jobs; without one it is
args.region, or the API's default.
"""

from typing import Any

import msgspec

from jobs.houses import COMMODITIES, known_houses
from jobs.realms import read_realms
from jobs.seeds import SeedArgs, find_seeds
from supervisor.worker.sdk import ClaimedJob, Discard, Done, Effect, NewJob, Outcome, Work


class AuctionArgs(msgspec.Struct, frozen=True, kw_only=True):
    """Args of "auctions". min_age_s: houses published less than so long ago are left alone, ≥ 0."""

    min_age_s: float = 0.0


class ItemArgs(msgspec.Struct, frozen=True, kw_only=True):
    """Args of "items": `count` numbers a run, from `first` to `last` and then again.

    max_age_s: items read less than so long ago cost no request.
    """

    first: int = 1
    last: int = 250_000
    count: int = 1000
    max_age_s: float = 30 * 86_400.0


async def run(job: ClaimedJob, work: Work) -> Outcome:
    """Do what the entity's first word says."""
    of, _, region = job.parts["of"].partition(".")
    region = region or str(job.args.get("region") or work.api["region"])
    try:
        match of:
            case "realms":
                return await read_realms(work, region)
            case "auctions":
                return _all_houses(job, region, msgspec.convert(job.args, AuctionArgs), work.clock.wall())
            case "items":
                return await _next_items(job, region, msgspec.convert(job.args, ItemArgs), work)
            case "seeds":
                return await find_seeds(job, work, region, msgspec.convert(job.args, SeedArgs))
    except msgspec.ValidationError as error:
        return Discard(error=f"index {job.entity}: args: {error}")
    return Discard(error=f"index {job.entity}: expected realms, auctions, items or seeds")


def _all_houses(job: ClaimedJob, region: str, args: AuctionArgs, now: float) -> Done:
    """Fan out; a region without realms gets its realms read first, and the next run finds them."""
    known = known_houses(job.context, region)
    if not known:
        return Done(follow_ups=[_follow_up(job, "index", f"realms.{region}")], note=f"no realms of {region} yet")
    due = [house for house, snapshot in known.items() if now - snapshot >= args.min_age_s]
    due.sort(key=lambda house: house != COMMODITIES)
    jobs = [_follow_up(job, "auctions", f"{region}/{house}") for house in due]
    return Done(follow_ups=jobs, saved=len(known) - len(due), note=f"{len(jobs)} of {len(known)} houses")


async def _next_items(job: ClaimedJob, region: str, args: ItemArgs, work: Work) -> Outcome:
    position = int(job.context.get("position") or 0)
    start = position if args.first <= position <= args.last else args.first
    end = min(start + args.count, args.last + 1)
    jobs = [_follow_up(job, "items", f"{region}/{item}", max_age_s=args.max_age_s) for item in range(start, end)]
    await work.stage(jobs)
    return Done(effects=[Effect("index_position", [{"position": end}])], note=f"items {start} to {end - 1}")


def _follow_up(job: ClaimedJob, worker: str, entity: str, **fields: Any) -> NewJob:
    return NewJob(worker=worker, entity=entity, priority=job.priority, provenance=f"index {job.entity}", **fields)
