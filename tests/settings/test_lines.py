import tomllib
from typing import Any

import tomli_w
from hypothesis import given, settings
from hypothesis import strategies as st

from supervisor.settings.lines import Place, locate

TEXT = '''\
top = 1
[workers.characters]
job = "a"   # [not.a.table]
text = """
[fake]
fake = 1
"""
windows = [
  { requests = 1, per = "1s" },
  # a comment with ]
  { requests = 2,
    per = "1h" },
]
inline = { deep = { deeper = [1, 2] } }
"quoted.key".sub = 3

[[keys]]
name = "one"
[keys.extra]
x = 1
[[keys]]
name = "two"
[keys.extra]
x = 2
'''


def test_every_kind_of_setting_is_found_on_its_line() -> None:
    lines = locate(TEXT)
    assert lines["top",] == 1
    assert lines["workers",] == 2
    assert lines["workers", "characters", "job"] == 3
    assert lines["workers", "characters", "text"] == 4
    assert lines["workers", "characters", "windows", 0, "per"] == 9
    assert lines["workers", "characters", "windows", 1] == 11
    assert lines["workers", "characters", "windows", 1, "per"] == 12
    assert lines["workers", "characters", "inline", "deep", "deeper", 1] == 14
    assert lines["workers", "characters", "quoted.key", "sub"] == 15
    assert lines["keys", 1, "name"] == 22
    assert lines["keys", 0, "extra", "x"] == 20
    assert lines["keys", 1, "extra", "x"] == 24
    assert not any("fake" in place for place in lines)


def test_windows_line_ends_count_as_one() -> None:
    assert locate("a = 1\r\n\r\nb = 2\r\n")["b",] == 3


def test_a_closing_quote_after_quotes_does_not_mislead() -> None:
    text = 'a = """x"""""\nb = \'\'\'y\'\'\'\'\'\nc = "\\"#"\nd = \'#\'\n'
    assert locate(text) == {("a",): 1, ("b",): 2, ("c",): 3, ("d",): 4}


NAMES = st.text(st.characters(codec="utf-8", exclude_categories=["Cs"]), max_size=6)
SCALARS = st.integers(-(2**60), 2**60) | st.booleans() | st.floats(allow_nan=False) | st.datetimes() | NAMES
VALUES = st.recursive(SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=3))


def places_of(value: Any, place: Place = ()) -> set[Place]:
    found = {place} if place else set()
    members = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for name, member in members:
        found |= places_of(member, (*place, name))
    return found


@settings(max_examples=30, deadline=None)
@given(st.dictionaries(NAMES, VALUES, max_size=5), st.booleans())
def test_the_places_found_are_those_that_toml_has(content: dict[str, Any], multiline: bool) -> None:
    text = tomli_w.dumps(content, multiline_strings=multiline)
    assert set(locate(text)) == places_of(tomllib.loads(text))


@given(st.text(max_size=60))
def test_text_that_is_no_toml_ends_the_search_quietly(text: str) -> None:
    locate(text)
