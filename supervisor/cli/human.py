"""Numbers as people read them."""

from datetime import UTC, datetime

from supervisor.settings.units import say_duration


def count(n: float) -> str:
    """Return an integer with thousands separated: 36,000."""
    return f"{int(n):,}"


def rate(per_s: float) -> str:
    """Return a rate: 0, <0.01, 0.03, 4.2, 58.3, 310."""
    if per_s == 0:
        return "0"
    if per_s < 0.005:
        return "<0.01"
    return f"{per_s:.2f}" if per_s < 1 else f"{per_s:.1f}" if per_s < 100 else f"{per_s:,.0f}"


def share(part: float, whole: float) -> str:
    """Return a percentage, "–" of nothing."""
    return f"{100 * part / whole:.0f} %" if whole else "–"


def size(n: float) -> str:
    """Return bytes in decimal units: 512 MB."""
    for unit, factor in (("GB", 1e9), ("MB", 1e6), ("kB", 1e3)):
        if n >= factor:
            return f"{n / factor:.3g} {unit}"
    return f"{int(n)} B"


def ago(at: float | None, now: float) -> str:
    """Return how long before `now` a moment was: "3 h ago", "never". Wall seconds; the future is "in …"."""
    if at is None or at <= 0:
        return "never"
    if at > now + 1:
        return f"in {say_duration(round(at - now))}"
    return "now" if now - at < 1 else f"{say_duration(round(now - at))} ago"


def moment(at: float | None) -> str:
    """Return a wall moment as UTC text to the second, "" for none."""
    return "" if at is None else datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%d %H:%M:%SZ")
