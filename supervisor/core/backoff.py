"""Say how long to wait before trying again."""

from random import Random


def full_jitter(attempt: int, *, base_s: float, cap_s: float, random: Random) -> float:
    """Return seconds to wait before attempt number `attempt` + 1.

    attempt: attempts already made, ≥ 1. Result: uniform in 0 .. min(cap_s, base_s · 2^(attempt-1)).
    Full jitter spreads a herd better than any fixed share of it:
    AWS Architecture Blog, "Exponential Backoff And Jitter", 2015.
    """
    ceiling = min(cap_s, base_s * 2.0 ** min(attempt - 1, 60))
    return random.uniform(0.0, ceiling)
