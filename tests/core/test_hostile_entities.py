"""Any text is an entity in its one form, or refused in a sentence that shows nothing dangerous."""

# ruff: noqa: E501 - tables of nasty values are read along the line

import unicodedata
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from supervisor.core.entity import MAX_PART_CHARACTERS, canonical, from_args, slug, split
from supervisor.core.errors import UsageError
from tests.support.fuzzing import fuzz

PATTERNS = ("region/realm/name", "region/realm/guild:name", "region/number:item", "word:of")
NASTY = ["'", '"', "\n", "\r", "\x00", "\u202e", "\u2066", "🧙‍♂️", "𐍈", "é", "e\u0301", "İ", "ẞ", "ﬁ", "K", "'\u0301", "../", "..", "%2f", "%00",
    ";drop table jobs", "\x1b]0;x\x07", "\x9b31m", "<img src=x onerror=alert(1)>", "=1+1", "{}", "a" * 500, "\u3000", "\u200b", "\ufeff",
    "\ud800", "\ue000", "\U000e0001", "eu/", "/", "\\", "--", "１", "٣"]  # fmt: skip
TEXTS = st.lists(st.sampled_from(NASTY) | st.text(max_size=4), max_size=6).map("".join)


@given(st.sampled_from(PATTERNS), TEXTS | st.tuples(TEXTS, TEXTS).map(lambda parts: f"eu/{parts[0]}/{parts[1]}"))
@example("region/realm/name", "eu/e'\u0301/x")
@example("region/realm/name", "eu/a/ ̈x")
@fuzz(300)
def test_any_text_has_one_form_or_is_refused(pattern: str, text: str) -> None:
    try:
        entity = canonical(pattern, text)
    except UsageError as error:
        assert str(error).isprintable()
        assert len(str(error)) < 300
        return
    assert canonical(pattern, entity) == entity
    assert entity.isprintable()
    assert entity.encode()
    parts = split(pattern, entity)
    assert all(0 < len(part) <= MAX_PART_CHARACTERS and "/" not in part for part in parts.values())
    assert not {".", ".."} & set(parts.values())
    assert all(unicodedata.normalize("NFC", part) == part for part in parts.values())


@given(TEXTS)
@fuzz(150)
def test_a_slug_is_its_own_slug(text: str) -> None:
    assert slug(slug(text)) == slug(text)


@given(
    st.sampled_from(PATTERNS),
    st.dictionaries(
        st.sampled_from(("region", "realm", "name", "item", "of")), st.none() | st.integers() | TEXTS | st.lists(TEXTS)
    ),
)
@fuzz(100)
def test_any_args_spell_an_entity_or_are_refused(pattern: str, args: dict[str, Any]) -> None:
    try:
        entity = from_args(pattern, args, region="eu")
    except UsageError as error:
        assert str(error).isprintable()
        assert len(str(error)) < 500
        return
    assert canonical(pattern, entity) == entity


@pytest.mark.parametrize("size", [10_000, 1_000_000])
def test_a_very_long_text_is_refused_in_few_words(size: int) -> None:
    for text in ("a" * size, "/" * size, "eu/" + " " * size + "/x", "eu/x/" + "'" * size):
        with pytest.raises(UsageError) as caught:
            canonical("region/realm/name", text)
        assert len(str(caught.value)) < 300
    with pytest.raises(UsageError) as caught:
        from_args("region/realm/name", {"realm": "x", "other": "a" * size}, region="eu")
    assert len(str(caught.value)) < 500
