"""The OpenAPI document: valid, complete, and true of what is answered."""

import json
import re
from typing import Any

import msgspec
import pytest
from openapi_spec_validator import OpenAPIV31SpecValidator

from supervisor.control import shapes
from supervisor.control.addresses import ROUTES
from supervisor.control.dashboard import assets
from supervisor.control.http import ControlServer
from supervisor.control.openapi import document
from supervisor.control.status import status_of
from tests.control.fake_face import FakeFace
from tests.control.serving import call
from tests.control.snapshots import snapshot_of
from tests.support.clock import FakeClock

DOCUMENT = document(ROUTES, "1.2.3")


def operations() -> list[tuple[str, str, dict[str, Any]]]:
    return [(method, path, found) for path, methods in DOCUMENT["paths"].items() for method, found in methods.items()]


def test_the_document_is_valid_openapi() -> None:
    OpenAPIV31SpecValidator(DOCUMENT).validate()
    assert (DOCUMENT["openapi"], DOCUMENT["info"]["version"]) == ("3.1.0", "1.2.3")


async def test_every_address_that_is_served_is_described(server: ControlServer) -> None:
    served = {
        (route.method, re.sub(r"{(\w+):(?:[^{}]|{[^{}]*})*}", r"{\1}", route.resource.canonical))
        for runner in server._runners
        for route in runner.app.router.routes()
        if route.method != "HEAD" and route.resource is not None
    }
    described = {(method.upper(), path) for method, path, _ in operations()}
    assert described == {(method, path) for method, path in served if path not in assets.load()}
    assert len(described) == len(ROUTES)


def test_every_operation_says_what_it_does_and_has_a_name_of_its_own() -> None:
    assert all(found["summary"].endswith(".") for _, _, found in operations())
    names = [found["operationId"] for _, _, found in operations()]
    assert len(set(names)) == len(names)


async def test_it_is_served(server: ControlServer) -> None:
    status, answer, _ = await call(server, "GET", "/openapi.json")
    assert (status, answer["paths"].keys()) == (200, DOCUMENT["paths"].keys())


def test_the_guides_call_stands_in_it_as_it_is_checked() -> None:
    body = DOCUMENT["paths"]["/workers/concurrency"]["post"]["requestBody"]["content"]["application/json"]["schema"]
    schema = DOCUMENT["components"]["schemas"][body["anyOf"][0]["$ref"].rpartition("/")[2]]
    assert schema["properties"]["concurrency"]["anyOf"][0] == {"type": "integer", "minimum": 0, "maximum": 256}
    assert (schema["required"], schema["additionalProperties"]) == (["worker"], False)


def test_the_status_has_all_that_is_promised(clock: FakeClock) -> None:
    status = json.loads(json.dumps(status_of(snapshot_of(clock))))
    assert msgspec.convert(status, shapes.Status, strict=True).pid == status["pid"]


@pytest.mark.parametrize(
    "path", ["/jobs?limit=many", "/jobs?state=lost", "/jobs?stat=available", "/export", "/jobs/1/wait?timeout_s=-1"]
)
async def test_a_query_is_checked_by_its_type(server: ControlServer, face: FakeFace, path: str) -> None:
    status, answer, _ = await call(server, "GET", path)
    assert (status, face.asked) == (422, [])
    assert answer["detail"].startswith("query: ")
