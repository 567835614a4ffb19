"""Names in every locale that a body brings, as they are stored."""

import msgspec

from jobs.names import Name


def names_json(name: Name, locale: str) -> str:
    """Return {locale: name} as JSON: all locales of the body, or the one that was asked for.

    locale: of a body whose names are plain text. Null and empty names are left out.
    """
    by_locale = {locale: name} if isinstance(name, str) else name
    return msgspec.json.encode({key: text for key, text in by_locale.items() if text}).decode()
