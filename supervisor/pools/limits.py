"""The times and counts by which replicas are judged; tests shorten them."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What a pool tolerates. All times in seconds.

    start_timeout_s: from fork to READY. silence_s: without any message before a replica counts as
    hung (it sends a heartbeat every 5 s). backoff_base_s, backoff_cap_s: full jitter between crashes
    of one slot. healthy_s: ready this long = its earlier crashes are forgotten. crashes,
    crash_window_s: more crashes than this in the window = the pool is degraded. starts_at_once:
    replicas of all pools that start at the same time. start_counts_s: how long a start counts for
    that; a start that hangs must not hold up the others. closing_s: between the end of a replica's
    connection and its exit. margin_s: between the moment a replica is told to be done and the kill.
    tick_s: how often deadlines are looked at. stall_s: a turn this late means that the supervisor
    itself stood still.
    """

    start_timeout_s: float = 30.0
    silence_s: float = 15.0
    backoff_base_s: float = 0.5
    backoff_cap_s: float = 30.0
    healthy_s: float = 60.0
    crashes: int = 5
    crash_window_s: float = 60.0
    starts_at_once: int = 2
    start_counts_s: float = 1.0
    closing_s: float = 1.0
    margin_s: float = 1.0
    tick_s: float = 0.25
    stall_s: float = 2.0
