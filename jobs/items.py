"""Worker `items`: one item and its icon.

    never read, or old      item ─ found ─▶ media                                2 requests
    item read, icon not     media                                                1 request
    denied                  item says 404                                        1 request

The media of a number that is no item is never asked for: in a sweep of all numbers that is half of
the requests. Entity: region/item. An item is the same in all regions, so it is fresh when any of
them was read.
"""

from dataclasses import replace
from typing import Any, TypeAlias

import msgspec

from jobs import api, freshness, names
from jobs.locales import names_json
from jobs.models.items import Item, ItemMedia
from supervisor.worker.sdk import ClaimedJob, Done, Effect, Gone, Outcome, Skipped, Work

NOMINAL_REQUESTS = 2
# Items change with the game's patches, every few weeks.
ITEM_MAX_AGE_S = 86_400.0

Row: TypeAlias = dict[str, Any]


class Known(msgspec.Struct, frozen=True, kw_only=True):
    """What the table knows of the item when the job is claimed; moments are wall seconds."""

    last_attempt_at: float = 0.0
    item_success_at: float | None = None
    media_success_at: float | None = None
    gone_since: float | None = None

    @property
    def read_at(self) -> float | None:
        """When both parts were read."""
        if self.gone_since is not None or self.item_success_at is None or self.media_success_at is None:
            return None
        return min(self.item_success_at, self.media_success_at)


async def run(job: ClaimedJob, work: Work) -> Outcome:
    """Bring one item up to date."""
    known, now = msgspec.convert(job.context, Known), work.clock.wall()
    fresh = _fresh(job, known, now)
    if fresh is not None:
        return fresh
    if _lacks_only_media(job, known, now):
        return await _with_media(job, work, [], saved=1)
    answer = await _ask(job, work, Item, "item")
    match answer:
        case api.Missing():
            return Gone(effects=[Effect("item_gone", [{}])], note="the API knows no such item")
        case api.Broken():
            return replace(api.unparsed(answer), effects=[Effect("item_attempted", [{}])])
        case api.Failed():
            return api.retry(answer)
        case api.Found():
            row = item_row(answer.value, str(work.api["locale"]))
            return await _with_media(job, work, [Effect("item_upsert", [row])])
        case api.NotModified():
            raise AssertionError("nothing conditional was asked")


async def _with_media(job: ClaimedJob, work: Work, effects: list[Effect], saved: int = 0) -> Outcome:
    """Add the icon; what was read of the item is stored whatever becomes of its media."""
    answer = await _ask(job, work, ItemMedia, "media", "item")
    match answer:
        case api.Failed():
            return replace(api.rest(answer), effects=effects)
        case api.Broken():
            return replace(api.unparsed(answer), effects=effects or [Effect("item_attempted", [{}])])
        case api.Found():
            row = media_row(answer.value)
        case _:
            row = media_row(ItemMedia())
    return Done(effects=[*effects, Effect("item_media", [row])], saved=saved)


async def _ask(job: ClaimedJob, work: Work, model: type[api.T], *kind: str) -> api.Answer[api.T]:
    return await api.fetch(
        work,
        api.path("data", "wow", *kind, job.parts["item"]),
        model,
        endpoint="/".join(reversed(kind)),
        namespace="static",
        region=job.parts["region"],
        params={"locale": ""},  # names in every language cost no further request
    )


def item_row(item: Item, locale: str) -> Row:
    """Return the parameters of statement `item_upsert`. locale: of a body whose names are plain text."""
    return {
        "name": names.text(item.name),
        "names": names_json(item.name, locale),
        "quality": item.quality.type,
        "class_id": item.item_class.id,
        "class": names.text(item.item_class.name),
        "subclass_id": item.item_subclass.id,
        "subclass": names.text(item.item_subclass.name),
        "inventory_type": item.inventory_type.type,
        "level": item.level,
        "required_level": item.required_level,
        "purchase_price": item.purchase_price,
        "sell_price": item.sell_price,
        "is_equippable": item.is_equippable,
        "is_stackable": item.is_stackable,
    }


def media_row(media: ItemMedia) -> Row:
    """Return the parameters of statement `item_media`; the icon's name is its file's, without ".jpg"."""
    url = next((asset.value for asset in media.assets if asset.key == "icon"), None)
    return {"icon_url": url, "icon": url.rsplit("/", 1)[-1].rsplit(".", 1)[0] if url else None}


def _fresh(job: ClaimedJob, known: Known, now: float) -> Skipped | None:
    """Return the outcome of a job that needs no request."""
    if known.gone_since is not None:
        denied_s = freshness.age_if_fresh(job, known.last_attempt_at, now, freshness.DENIED_MAX_AGE_S)
        return None if denied_s is None else Skipped(note=freshness.note("gone, asked", denied_s), saved=1)
    age_s = freshness.age_if_fresh(job, known.read_at, now, ITEM_MAX_AGE_S)
    return None if age_s is None else Skipped(note=freshness.note("fresh", age_s), saved=NOMINAL_REQUESTS)


def _lacks_only_media(job: ClaimedJob, known: Known, now: float) -> bool:
    """Tell whether the item itself is fresh, and its media was not read since: a retry after a broken second half."""
    if known.gone_since is not None or known.item_success_at is None:
        return False
    if freshness.age_if_fresh(job, known.item_success_at, now, ITEM_MAX_AGE_S) is None:
        return False
    return known.media_success_at is None or known.media_success_at < known.item_success_at
