"""The OpenAPI 3.1 document, made from the table of addresses and from the types that check and describe.

Nothing in it is written twice: what it says of a query or a body is what refuses one.
"""

import re
from collections.abc import Iterable, Sequence
from http import HTTPStatus
from typing import Any

import msgspec

from supervisor.control.route import Route
from supervisor.control.shapes import Problem

JSON = "application/json"
PROBLEM = "application/problem+json"
TITLE = "Gatherer"
# Answered without a token; see `guard.py`.
OPEN = {"/healthz", "/readyz"}

_PART = re.compile(r"{(\w+)(?::((?:[^{}]|{[^{}]*})*))?}")
_REF = "#/components/schemas/{name}"


def document(routes: Sequence[Route], version: str) -> dict[str, Any]:
    """Return the whole document as plain data."""
    types = [*_types(routes), Problem]
    found, components = msgspec.json.schema_components(types, ref_template=_REF)
    schemas = dict(zip(map(_key, types), found, strict=True))
    paths: dict[str, dict[str, Any]] = {}
    for route in routes:
        operation = _operation(route, schemas, components)
        paths.setdefault(_address(route.path), {})[route.method.lower()] = operation
    queries = {route.query.__name__ for route in routes if route.query}
    return {
        "openapi": "3.1.0",
        "info": {"title": TITLE, "version": version, "description": "Watch and steer a running Gatherer."},
        "security": [{}, {"token": []}],
        "paths": paths,
        "components": {
            "schemas": {name: schema for name, schema in components.items() if name not in queries},
            "securitySchemes": {"token": {"type": "http", "scheme": "bearer"}},
        },
    }


def _types(routes: Iterable[Route]) -> list[Any]:
    types: dict[int, Any] = {}
    for route in routes:
        answers = [found for answer in route.answers.values() for found in as_tuple(answer)]
        for found in (*answers, *route.bodies, route.query):
            if found is not None and not isinstance(found, str):
                types[_key(found)] = found
    return list(types.values())


def _key(found: Any) -> int:
    return hash(found)


def _operation(route: Route, schemas: dict[int, Any], components: dict[str, Any]) -> dict[str, Any]:
    operation: dict[str, Any] = {"summary": route.summary, "operationId": _name(route)}
    parameters = [*_path_parameters(route.path), *_query_parameters(route, components)]
    if parameters:
        operation["parameters"] = parameters
    if route.bodies:
        content = {JSON: {"schema": _any_of(route.bodies, schemas)}}
        operation["requestBody"] = {"required": True, "content": content}
    answers = {str(status): _answer(status, found, schemas) for status, found in route.answers.items()}
    problem = schemas[_key(Problem)]
    for status in sorted(_refusals(route)):
        answers.setdefault(
            str(status), {"description": HTTPStatus(status).phrase, "content": {PROBLEM: {"schema": problem}}}
        )
    operation["responses"] = answers
    if route.path in OPEN:
        operation["security"] = []
    return operation


def _answer(status: int, found: Any, schemas: dict[int, Any]) -> dict[str, Any]:
    is_text = isinstance(found, str)
    content = {found: {"schema": {"type": "string"}}} if is_text else {JSON: {"schema": _any_of(found, schemas)}}
    return {"description": HTTPStatus(status).phrase, "content": content}


def _any_of(found: Any, schemas: dict[int, Any]) -> dict[str, Any]:
    options = [schemas[_key(option)] for option in as_tuple(found)]
    return dict(options[0]) if len(options) == 1 else {"anyOf": options}


def as_tuple(found: Any) -> tuple[Any, ...]:
    """Return one or several types as several."""
    return found if isinstance(found, tuple) else (found,)


def _refusals(route: Route) -> set[int]:
    """Return the statuses of all problems that the address may answer with."""
    statuses = set() if route.path in OPEN else {401}
    if route.is_change:
        statuses |= {403, 404, 409}
    if "{" in route.path:
        statuses |= {404}
    if route.query or route.bodies or route.asks_database or "{" in route.path:
        statuses |= {422}
    if route.bodies:
        statuses |= {400, 413}
    if route.asks_database:
        statuses |= {404, 413, 503, 504}
    if route.path == "/events":
        statuses |= {503}
    return statuses


def _address(path: str) -> str:
    return _PART.sub(r"{\1}", path)


def _name(route: Route) -> str:
    words = re.findall(r"\w+", _address(route.path))
    return "_".join([route.method.lower(), *words])


def _path_parameters(path: str) -> list[dict[str, Any]]:
    parameters = []
    for name, pattern in _PART.findall(path):
        schema: dict[str, Any] = {"type": "string", "minLength": 1}
        if pattern.startswith(r"\d"):
            schema = {"type": "integer", "minimum": 0, "maximum": 10**18 - 1}
        parameters.append({"name": name, "in": "path", "required": True, "schema": schema})
    return parameters


def _query_parameters(route: Route, components: dict[str, Any]) -> list[dict[str, Any]]:
    if route.query is None:
        return []
    schema = components[route.query.__name__]
    required = schema.get("required", [])
    return [
        {"name": name, "in": "query", "required": name in required, "schema": of_field}
        for name, of_field in schema["properties"].items()
    ]
