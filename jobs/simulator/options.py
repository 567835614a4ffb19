"""Everything that can be said to the simulator, and its command line."""

import argparse
from dataclasses import dataclass, fields
from typing import Any

from jobs.simulator.limits import MODES

REFUSALS = ("empty", "braces", "json", "html")


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """Settings of one simulator. Counts of 0 for a limit mean that there is none."""

    listen: str = "127.0.0.1:0"
    clients: tuple[tuple[str, str], ...] = (("client", "secret"),)
    parent: int = 0
    limit_mode: str = "sliding"
    per_second: int = 100
    per_hour: int = 36_000
    hour_effect: str = "429"
    count_refused: bool = False
    refusal: str = "empty"
    retry_after: bool = False
    latency_median: float = 0.08
    latency_sigma: float = 0.4
    token_life: float = 86_399.0
    fresh_tokens: bool = False
    seed: int = 1
    valid: float = 0.75
    realms: int = 24
    characters_per_realm: int = 5_000
    auctions: int = 5_000
    commodities: int = 20_000
    leaderboard: int = 250
    world_clock_speed: float = 1.0
    world_start: float = 0.0
    old_media: bool = False
    keep_arrivals: bool = False
    one_digit_days: bool = False


def parse(arguments: list[str]) -> Options:
    """Read a command line; exits with 2 and a message when it is wrong."""
    given = vars(_parser().parse_args(arguments))
    given["clients"] = tuple(given.pop("client") or Options().clients)
    return Options(**{field.name: given[field.name] for field in fields(Options)})


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="gatherer simulate", description=__doc__)
    standard = Options()
    add = parser.add_argument

    def plain(name: str, kind: Any, text: str, **more: Any) -> None:
        default = getattr(standard, name[2:].replace("-", "_"))
        add(name, type=kind, default=default, help=f"{text} (default: {default})", **more)

    add("--client", action="append", type=_client, metavar="ID:SECRET", help="an API client; repeat for more")
    plain("--listen", str, "host:port, port 0 takes a free one", metavar="HOST:PORT")
    plain("--parent", int, "die when this process has gone; 0 = nobody's child", metavar="PID")
    plain("--limit-mode", str, "how both limits count", choices=MODES)
    plain("--per-second", _count, "requests a second and client, or off", metavar="N")
    plain("--per-hour", _count, "requests an hour and client, or off", metavar="N")
    plain("--hour-effect", str, "what happens beyond the hour's limit", choices=("429", "slow"))
    plain("--refusal", str, "body of a 429", choices=REFUSALS)
    plain("--latency-median", float, "seconds; 0 answers at once", metavar="S")
    plain("--latency-sigma", float, "of the lognormal latency", metavar="SIGMA")
    plain("--token-life", float, "seconds", metavar="S")
    plain("--seed", int, "of the world and of the latencies", metavar="N")
    plain("--valid", float, "share of character names that still exist", metavar="SHARE")
    plain("--realms", int, "in each region", metavar="N")
    plain("--characters-per-realm", int, "names on each realm", metavar="N")
    plain("--auctions", int, "of one connected realm, about", metavar="N")
    plain("--commodities", int, "of a region, about", metavar="N")
    plain("--leaderboard", int, "groups of a keystone leaderboard; PvP ones are ten times longer", metavar="N")
    plain("--world-clock-speed", float, "seconds of the world in one of ours", metavar="X")
    plain("--world-start", float, "the world's first moment, seconds since 1970; 0 = now", metavar="S")
    _switches(parser)
    return parser


def _switches(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    add("--count-refused", action="store_true", help="429s count against the limits too")
    add("--retry-after", action="store_true", help="429s carry Retry-After")
    add("--fresh-tokens", action="store_true", help="each token request makes a new token")
    add("--keep-arrivals", action="store_true", help="remember the moment of each request, for GET arrivals")
    add("--old-media", action="store_true", help="character media as in 2019")
    add("--one-digit-days", action="store_true", help='Last-Modified as in "Sat, 3 Oct 2026 …"')


def _client(text: str) -> tuple[str, str]:
    name, _, secret = text.partition(":")
    if not name or not secret:
        raise argparse.ArgumentTypeError(f"expected ID:SECRET, got {text!r}")
    return name, secret


def _count(text: str) -> int:
    return 0 if text == "off" else int(text)
