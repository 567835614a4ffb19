"""Each way the API can answer, and what `fetch` makes of it."""

import json
from typing import Any

import msgspec
import pytest

from jobs import api
from supervisor.worker.sdk import Retry, Snooze, Unparsed
from tests.jobs.support import FakeWork, Scripted, ScriptedApi, cut, empty_404, fails, html, missing, ok, status
from tests.support.clock import FakeClock

PATH = "/profile/wow/character/stormrage/sheday"


class Thing(msgspec.Struct):
    id: int


class Named(msgspec.Struct):
    id: int
    name: str = ""


async def fetch(answer: Scripted, clock: FakeClock, **options: Any) -> tuple[api.Answer[Thing], FakeWork]:
    work = FakeWork(ScriptedApi({PATH: answer}), clock)
    given = {"endpoint": "character/summary", "namespace": "profile", "region": "eu"} | options
    return await api.fetch(work, PATH, Thing, **given), work


async def test_a_body_of_the_right_shape_is_found(clock: FakeClock) -> None:
    answer, work = await fetch(ok({"id": 5, "new_field": []}, last_modified="Sat, 3 Oct 2020 10:00:00 GMT"), clock)
    assert answer == api.Found(value=Thing(id=5), last_modified="Sat, 3 Oct 2020 10:00:00 GMT", raw_bytes=26)
    assert work.shapes == [("character/summary", True)]


async def test_a_request_names_namespace_locale_and_region(clock: FakeClock) -> None:
    _, work = await fetch(ok({"id": 5}), clock, region="us", params={"x": "y"}, modified_since="yesterday")
    assert work.client.requests == [
        {
            "path": PATH,
            "region": "us",
            "params": {"locale": "en_GB", "x": "y"},
            "headers": {"Battlenet-Namespace": "profile-us", "If-Modified-Since": "yesterday"},
        }
    ]


async def test_a_404_in_the_apis_words_is_missing(clock: FakeClock) -> None:
    answer, _ = await fetch(missing(), clock)
    assert answer == api.Missing()


@pytest.mark.parametrize(
    "answer",
    [
        empty_404(),
        status(404, b"<html>Not Found</html>"),
        status(404, b'{"code": 403}'),
        status(404, b"[]"),
        status(403, json.dumps({"code": 403, "type": "BLZWEBAPI00000403", "detail": "Forbidden"}).encode()),
        status(500),
        status(502, b"<html>"),
        status(503),
        status(504),
        status(304),
        html(),
        ok(b""),
        cut({"id": 5, "name": "long enough to be cut"}),
        cut({"id": "wrong before the cut", "name": "long enough"}),
        fails("timeout"),
        fails("connection"),
        fails("rejected"),
    ],
)
async def test_everything_that_means_nothing_is_failed_and_never_absence(answer: Scripted, clock: FakeClock) -> None:
    judged, work = await fetch(answer, clock)
    assert isinstance(judged, api.Failed)
    assert isinstance(api.retry(judged), Retry)
    assert work.shapes == []


@pytest.mark.parametrize(
    "body", [b'\xef\xbb\xbf{"id": 5}', b'{"id": 1, "id": 5}', b' \n{"id":5}\n', b'{"id":5,"x":"\xff"}']
)
async def test_json_that_is_odd_but_says_one_thing_is_read(body: bytes, clock: FakeClock) -> None:
    judged, _ = await fetch(ok(body), clock)
    assert isinstance(judged, api.Found)
    assert judged.value == Thing(id=5)


@pytest.mark.parametrize(
    "body", [b'{"id":5,"name":"\xff"}', b'{"id":5,"x":' + b"[" * 100_000, b"[" * 100_000, b"\x1f\x8b"]
)
async def test_bytes_that_cannot_be_read_are_failed(body: bytes, clock: FakeClock) -> None:
    work = FakeWork(ScriptedApi({PATH: ok(body)}), clock)
    judged = await api.fetch(work, PATH, Named, endpoint="character/summary", namespace="profile", region="eu")
    assert isinstance(judged, api.Failed)
    assert work.shapes == []


async def test_whole_json_of_another_shape_is_broken_and_told_to_the_brake(clock: FakeClock) -> None:
    judged, work = await fetch(ok({"id": "five"}), clock)
    assert isinstance(judged, api.Broken)
    assert api.unparsed(judged) == Unparsed(
        endpoint="character/summary",
        error="character/summary: Expected `int`, got `str` - at `$.id`",
        body=b'{"id": "five"}',
    )
    assert work.shapes == [("character/summary", False)]


async def test_not_modified_answers_a_conditional_request_only(clock: FakeClock) -> None:
    judged, _ = await fetch(status(304), clock, modified_since="Sat, 3 Oct 2020 10:00:00 GMT")
    assert judged == api.NotModified()


async def test_retry_after_is_kept_within_bounds(clock: FakeClock) -> None:
    soon, _ = await fetch(status(503, retry_after="7"), clock)
    late, _ = await fetch(status(503, retry_after="86400"), clock)
    odd, _ = await fetch(status(503, retry_after="Wed, 21 Oct 2026 07:28:00 GMT"), clock)
    assert [judged.after_s for judged in (soon, late, odd) if isinstance(judged, api.Failed)] == [7.0, 600.0, None]


@pytest.mark.parametrize(("reason", "after_s"), [("draining", 0.0), ("no permit", 30.0)])
async def test_what_is_nobodys_fault_spends_no_attempt(reason: str, after_s: float, clock: FakeClock) -> None:
    judged, _ = await fetch(fails(reason), clock)
    assert isinstance(judged, api.Failed)
    outcome = api.retry(judged)
    assert isinstance(outcome, Snooze)
    assert outcome.after_s == after_s


async def test_a_braked_endpoint_is_not_asked(clock: FakeClock) -> None:
    work = FakeWork(ScriptedApi({}), clock)
    work.braked = {"character/mounts"}
    judged = await api.fetch(work, PATH, Thing, endpoint="character/mounts", namespace="profile", region="eu")
    assert api.is_braked(judged)
    assert work.client.requests == []


def test_paths_are_percent_encoded_utf8() -> None:
    assert api.path("character", "howling-fjord", "альве/é", 7) == (
        "/character/howling-fjord/%D0%B0%D0%BB%D1%8C%D0%B2%D0%B5%2F%C3%A9/7"
    )
