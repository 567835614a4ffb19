"""Worker `auctions`: one auction house, or a region's commodities, in one conditional request.

  1. ask with the published reading's date; 304, an older or the same date: nothing to do
  2. wait for this machine's turn for a big body, open it, compare its content
  3. send rows and prices ahead, invisible; the finish publishes them with one auction_snapshots row

Entity: region/house, where house is a connected realm's number or "commodities". Only the finish
moves the date that the next request names, so a reading is complete or it never was.
"""

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import sha256
from operator import attrgetter
from typing import Any, TypeAlias

import msgspec

from jobs import api, freshness, houses
from jobs.houses import COMMODITIES, Reading
from jobs.memory import release_memory
from jobs.models.auctions import Auction, Commodities, Commodity, House
from jobs.prices import NOT_FOR_SALE, ItemPrice, chunks, statistics
from supervisor.worker.sdk import ClaimedJob, Done, Effect, Gone, Outcome, Response, Skipped, Work

CHUNK_ROWS = 500
IN_FLIGHT = 3
# Stray elements without an id are known (one, recorded); more of them is another shape.
MAX_STRAY = 1
MAX_STRAY_SHARE = 0.01
PRICED_FROM_AUCTIONS = 100
MOST_BODY_BYTES = 256 * 1024 * 1024

Offers: TypeAlias = list[Auction] | list[Commodity]
Row: TypeAlias = dict[str, Any]

_house = msgspec.json.Decoder(House)
_commodities = msgspec.json.Decoder(Commodities)
_encode = msgspec.json.Encoder().encode


@dataclass(frozen=True, slots=True, kw_only=True)
class Download:
    """A new answer of a house, not yet opened. known: the published reading it is compared with."""

    house: str
    response: Response
    last_modified: str
    known: Reading | None
    snapshot: int

    @property
    def endpoint(self) -> str:
        """Name of what was asked, for people, metrics and the brake."""
        return _endpoint(self.house)


async def run(job: ClaimedJob, work: Work) -> Outcome:
    """Bring the house up to date."""
    known = houses.published(job.context)
    age_s = _age_if_asked_for(job, known, work.clock.wall())
    if age_s is not None:
        return Skipped(saved=1, note=freshness.note("compared", age_s))
    new = await _ask(job, work, known)
    if not isinstance(new, Download):
        return new
    try:
        async with await work.big_body():
            return await _store(new, work)
    finally:
        del new
        release_memory()


async def _ask(job: ClaimedJob, work: Work, known: Reading | None) -> Download | Outcome:
    """Send the one request; return a body worth opening, or what became of the job without one."""
    house = job.parts["house"]
    answer = await api.ask(
        work,
        _path(house),
        endpoint=_endpoint(house),
        namespace="dynamic",
        region=job.parts["region"],
        modified_since=known.last_modified if known else "",
        most_bytes=MOST_BODY_BYTES,
    )
    match answer:
        case api.Failed():
            return api.retry(answer)
        case api.Missing():
            return Gone(note="the API has no such auction house")
        case api.NotModified():
            return _unchanged(known, "not modified")
    now = work.clock.wall()
    last_modified = houses.believable(answer.last_modified, now)
    snapshot = houses.snapshot_number(last_modified, now, known)
    if known is not None and snapshot <= known.snapshot:
        return _not_newer(known, snapshot)
    return Download(house=house, response=answer.value, last_modified=last_modified, known=known, snapshot=snapshot)


async def _store(new: Download, work: Work) -> Outcome:
    """Open, compare, parse and send ahead. What is no longer needed is let go before the next step."""
    body = api.open_body(new.response, new.endpoint)
    if isinstance(body, api.Failed):
        return api.retry(body)
    digest, body_bytes = sha256(body).hexdigest(), len(body)
    if new.known is not None and digest == new.known.sha256:
        return _unchanged(new.known, "same content under a newer date", new.last_modified)
    offers = _offers(new, body, work)
    del body
    if isinstance(offers, api.Broken):
        return api.unparsed(offers)
    if isinstance(offers, api.Failed):
        return api.retry(offers)
    auctions = len(offers)
    if houses.is_doubtful(auctions, new.known, work.clock.wall()):
        return _doubted(new, auctions)
    items = len(await _send_ahead(new, offers, work))
    content = {"sha256": digest, "body_bytes": body_bytes, "auctions": auctions, "items": items}
    row: Row = {"snapshot": new.snapshot, "last_modified": new.last_modified, **content}
    return Done(effects=[Effect("auction_publish", [row])], note=f"{auctions} auctions of {items} items")


def _offers(new: Download, body: bytes, work: Work) -> Offers | api.Broken | api.Failed:
    """Return the body's auctions by rising id, so that a chunk's rows are neighbours in the table."""
    parsed = _parse(new.house, body)
    if isinstance(parsed, House | Commodities):
        offers: Any = [each for each in parsed.auctions if each.id and each.item_id()]
        strange = _strangeness(len(parsed.auctions), offers)
        parsed = api.Broken(endpoint=new.endpoint, error=strange, body=body[: api.MAX_KEPT_BODY_BYTES])
        if not strange:
            work.parsed(new.endpoint, True)
            offers.sort(key=attrgetter("id"))
            return offers  # type: ignore[no-any-return]  # one of the two lists; mypy would want both spelt out
    if isinstance(parsed, api.Broken):
        work.parsed(new.endpoint, False)
    return parsed


def _parse(house: str, body: bytes) -> House | Commodities | api.Broken | api.Failed:
    if house == COMMODITIES:
        return api.parse(body, _commodities, _endpoint(house))
    return api.parse(body, _house, _endpoint(house))


def _strangeness(found: int, offers: Offers) -> str:
    """Return why the elements look like a changed shape, "" when they do not.

    All their fields are optional, so a renamed one would not fail to parse.
    """
    skipped = found - len(offers)
    if skipped > MAX_STRAY + found * MAX_STRAY_SHARE:
        return f"{skipped} of {found} auctions have no id or no item"
    if len(offers) >= PRICED_FROM_AUCTIONS and all(each.price() is None for each in offers):
        return f"none of {found} auctions has a price"
    return ""


def _chunks_of(offers: Offers) -> Iterator[list[tuple[int | str | None, ...]]]:
    for start in range(0, len(offers), CHUNK_ROWS):
        yield [each.row() for each in offers[start : start + CHUNK_ROWS]]


async def _send_chunks(work: Work, rows: Iterator[Row]) -> None:
    """Store the rows ahead, IN_FLIGHT at a time: the database works while the next ones are made (20 % faster)."""
    room = asyncio.Semaphore(IN_FLIGHT)
    async with asyncio.TaskGroup() as group:
        for row in rows:
            await room.acquire()
            sending = group.create_task(work.rows("auction_upsert", [row]), name="auction chunk")
            sending.add_done_callback(lambda _: room.release())


async def _send_ahead(new: Download, offers: Offers, work: Work) -> list[ItemPrice]:
    seen = {"snapshot": new.snapshot, "published": new.known.snapshot if new.known else 0}
    await _send_chunks(work, (seen | {"auctions": _encode(rows).decode()} for rows in _chunks_of(offers)))
    prices = statistics(_price_of(each) for each in offers)
    for first, last, chunk in chunks(prices, CHUNK_ROWS):
        row = {"snapshot": new.snapshot, "first_item": first, "last_item": last, "prices": _encode(chunk).decode()}
        await work.rows("price_upsert", [row])
    return prices


def _price_of(offer: Auction | Commodity) -> tuple[int, int, int]:
    price = offer.price()
    return offer.item_id(), NOT_FOR_SALE if price is None else price, offer.quantity


def _unchanged(known: Reading | None, why: str, last_modified: str = "") -> Skipped:
    """Note the comparison; a newer date of the same content is the one to ask with next time."""
    if known is None:
        return Skipped(note=why)
    row: Row = {"snapshot": known.snapshot, "last_modified": last_modified or known.last_modified}
    return Skipped(effects=[Effect("auction_checked", [row])], note=why)


def _not_newer(known: Reading, snapshot: int) -> Skipped:
    """An answer as old as the published one says that nothing is newer; an older one says nothing."""
    if snapshot == known.snapshot:
        return _unchanged(known, "same date as the published reading")
    return Skipped(note=f"older than the published reading by {known.snapshot - snapshot} s")


def _doubted(new: Download, auctions: int) -> Skipped:
    assert new.known is not None, "only a known house can be doubted"
    note = f"{auctions} auctions after {new.known.auctions}: not believed before {houses.BELIEVE_AFTER_S / 3600:g} h"
    return Skipped(effects=[Effect("auction_doubted", [{"snapshot": new.known.snapshot}])], note=note)


def _age_if_asked_for(job: ClaimedJob, known: Reading | None, now: float) -> float | None:
    """Without a max_age a house is always compared: an unchanged one costs a 304."""
    if job.max_age_s is None or known is None:
        return None
    return freshness.age_if_fresh(job, known.checked_at, now)


def _path(house: str) -> str:
    if house == COMMODITIES:
        return "/data/wow/auctions/commodities"
    return api.path("data", "wow", "connected-realm", house, "auctions")


def _endpoint(house: str) -> str:
    return COMMODITIES if house == COMMODITIES else "auctions"
