"""People type names as they see them; one canonical text stands for each entity."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from supervisor.core.entity import canonical, from_args, split
from supervisor.core.errors import UsageError

CHARACTER = "region/realm/name"


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("EU/Kael'thas/Zoé", "eu/kaelthas/zoé"),
        ("eu/Howling Fjord/Ящер", "eu/howling-fjord/ящер"),
        ("eu/Azjol-Nerub/a", "eu/azjol-nerub/a"),
        ("us/La Croisade écarlate/Bob", "us/la-croisade-écarlate/bob"),
        ("eu/x/Zoe\u0301", "eu/x/zoé"),
    ],
)
def test_what_people_type_becomes_canonical(typed: str, meant: str) -> None:
    assert canonical(CHARACTER, typed) == meant


@pytest.mark.parametrize(
    "typed",
    ["", "eu/x", "eu/x/y/z", "eu//name", "e1/x/y", "eu/x/a\x00b", "eu/x/" + "n" * 65, "eu/../name", "eu/x/\u202e"],
)
def test_malformed_entities_are_refused_with_a_reason(typed: str) -> None:
    with pytest.raises(UsageError):
        canonical(CHARACTER, typed)


@given(st.text(min_size=1, max_size=20), st.text(min_size=1, max_size=20))
def test_canonical_is_stable(realm: str, name: str) -> None:
    try:
        once = canonical(CHARACTER, f"eu/{realm}/{name}")
    except UsageError:
        return
    assert canonical(CHARACTER, once) == once


def test_parts_have_names() -> None:
    assert split("region/realm/guild:name", "eu/draenor/the-few") == {
        "region": "eu",
        "realm": "draenor",
        "name": "the-few",
    }


def test_args_spell_an_entity_and_default_the_region() -> None:
    assert from_args("region/number:item", {"item": 19019}, region="eu") == "eu/19019"
    with pytest.raises(UsageError):
        from_args("region/number:item", {}, region="eu")
