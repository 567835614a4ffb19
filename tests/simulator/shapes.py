"""Shapes of JSON: each path with the types found there, lists and objects of locales folded.

    {"a": [{"b": 1}]}  →  {".a": {"list"}, ".a[]": {"object"}, ".a[].b": {"integer"}}
An object whose keys are all locales is the type "locales" and has no paths below it.
"""

import re
from collections import defaultdict
from typing import Any

Shape = dict[str, set[str]]
_LOCALE = re.compile(r"[a-z]{2}_[A-Z]{2}")
_NAMES = {str: "text", int: "integer", float: "number", bool: "boolean", type(None): "null", list: "list"}


def shape_of(*bodies: Any) -> Shape:
    """Return the shape of one body or the union of several."""
    found: Shape = defaultdict(set)
    for body in bodies:
        _walk(body, "", found)
    found.pop("", None)
    return dict(found)


def _walk(value: Any, path: str, found: Shape) -> None:
    if isinstance(value, dict):
        if value and all(_LOCALE.fullmatch(key) for key in value):
            found[path].add("locales")
            return
        found[path].add("object")
        for key, below in value.items():
            _walk(below, f"{path}.{key}", found)
        return
    found[path].add(_NAMES[type(value)])
    if isinstance(value, list):
        for below in value:
            _walk(below, f"{path}[]", found)
