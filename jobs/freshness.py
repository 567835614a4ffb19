"""Decide whether what is stored is young enough that a job needs no request."""

from supervisor.worker.sdk import ClaimedJob

# Shorter than any sensible freshness tier, long enough that two people asking at once cost one scan.
DEFAULT_MAX_AGE_S = 3600.0
# A name that the API has denied: asked again by nobody's schedule, so a list that names it every hour costs nothing.
DENIED_MAX_AGE_S = 86_400.0


def age_if_fresh(
    job: ClaimedJob, success_at: float | None, now: float, default_s: float = DEFAULT_MAX_AGE_S
) -> float | None:
    """Return the age in seconds of data that is fresh enough for this job, None when it is not.

    success_at, now: wall seconds. The job's own max_age_s wins over default_s. A moment in the
    future (the wall clock was set back) is never fresh.
    """
    if success_at is None:
        return None
    max_age_s = default_s if job.max_age_s is None else job.max_age_s
    age_s = now - success_at
    return age_s if 0.0 <= age_s < max_age_s else None


def note(what: str, age_s: float) -> str:
    """Return "fresh 3 h ago (--max-age 0)": what was found, how long ago, and how to insist."""
    for unit, seconds in (("d", 86_400), ("h", 3600), ("min", 60)):
        if age_s >= seconds:
            return f"{what} {age_s / seconds:.0f} {unit} ago (--max-age 0)"
    return f"{what} {age_s:.0f} s ago (--max-age 0)"
