"""Text of strangers in one safe line."""


def printable(text: str) -> str:
    """Return `text` with whatever is no printable character spelled out: \\n, \\x1b, \\u202e.

    So it stays on its line, moves no cursor, turns no direction, and UTF-8 can hold it. Printable text stays as it is.
    """
    if text.isprintable():
        return text
    return "".join(char if char.isprintable() else char.encode("unicode_escape").decode() for char in text)
