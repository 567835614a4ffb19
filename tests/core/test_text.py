"""Text of strangers in one safe line."""

from hypothesis import given
from hypothesis import strategies as st

from supervisor.core.text import printable
from tests.support.fuzzing import fuzz


@given(st.text(st.characters(exclude_categories=())))
@fuzz(100)
def test_any_text_becomes_printable_and_printable_text_stays(text: str) -> None:
    safe = printable(text)
    assert safe.isprintable()
    assert safe.encode().decode() == safe
    assert printable(safe) == safe


def test_what_is_not_printable_is_spelled_out() -> None:
    assert printable("a\x1b[2J\n\u202e🧙\ud800") == "a\\x1b[2J\\n\\u202e🧙\\ud800"
