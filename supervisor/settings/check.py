"""Warnings: what works, but probably not as meant. `gatherer check` and status show them."""

import stat
from collections import Counter, defaultdict
from pathlib import Path
from urllib.parse import urlsplit

from supervisor.settings import capacity, network
from supervisor.settings.config import Api, Config, Worker
from supervisor.settings.keys import ANY_TAG, PLACEHOLDER
from supervisor.settings.references import keys_of
from supervisor.settings.report import Report
from supervisor.settings.units import say_duration

BLIZZARD_REGIONS = ("us", "eu", "kr", "tw", "cn")
# Terms of Use of 2019-10-01: data is to be refreshed at least every 30 days.
MAX_AGE_S = 30 * 86_400.0


def warn(config: Config, report: Report) -> None:
    """Add all warnings about a configuration without problems."""
    _placeholders(config, report)
    _several_keys_for_a_region(config, report)
    _targets(config, report)
    _apis(config, report)
    _freshness(config, report)
    _permissions(config, report)


def is_blizzard(api: Api) -> bool:
    """Tell whether requests go to Blizzard itself, whose terms then apply."""
    host = urlsplit(api.base_url.replace("{region}", "eu")).hostname or ""
    return host.endswith((".blizzard.com", ".battle.net", ".blizzard.cn"))


def _placeholders(config: Config, report: Report) -> None:
    for key in config.keys:
        if PLACEHOLDER.fullmatch(key.client_id) or PLACEHOLDER.fullmatch(key.secret.reveal()):
            report.warning(
                f"keys.{key.name}", "is still the example's: put your own credentials here, these are refused"
            )


def _several_keys_for_a_region(config: Config, report: Report) -> None:
    """Blizzard staff, API forum thread 12158, 2020-09-30: several clients only for different regions."""
    for api in config.apis.values():
        if not is_blizzard(api):
            continue
        regions: Counter[str] = Counter()
        for key in config.keys:
            regions.update((key.regions or (api.region,)) if key.api == api.name else ())
        for region, count in regions.items():
            if count > 1:
                report.warning(
                    f"apis.{api.name}",
                    f"{count} keys serve region {region}: Blizzard's terms allow one client per region, "
                    "and none made only to pass the rate limits",
                )


def _targets(config: Config, report: Report) -> None:
    """Compare targets with what the keys sustain: by tag, then everything together."""
    groups: dict[str, list[Worker]] = defaultdict(list)
    for worker in config.workers.values():
        groups[worker.tag].append(worker)
    for tag, workers in groups.items():
        _target(config, report, workers, f'tag "{tag}"')
    if len(groups) > 1 and ANY_TAG not in groups:
        everybody = [worker for workers in groups.values() for worker in workers]
        if not any(_is_over(config, workers) for workers in groups.values()):
            _target(config, report, everybody, "all keys together")


def _target(config: Config, report: Report, workers: list[Worker], whose: str) -> None:
    if not _is_over(config, workers):
        return
    aiming = [worker for worker in workers if worker.target_per_s]
    keys = {key.name: key for worker in workers for key in keys_of(config, worker)}
    count, have = len(keys), capacity.of_keys(config, keys.values())
    report.warning(
        f"workers.{aiming[0].name}.target_per_s",
        f"the targets of {', '.join(worker.name for worker in aiming)} need "
        f"{capacity.requests_wanted_per_s(aiming):.4g} requests/s; {whose} sustains {have.sustained_per_s:.4g}/s "
        f"(keys: {count}; a burst of {have.burst_per_s:.4g}/s lasts {say_duration(have.burst_s)})",
    )


def _is_over(config: Config, workers: list[Worker]) -> bool:
    keys = {key.name: key for worker in workers for key in keys_of(config, worker)}
    sustained = capacity.of_keys(config, keys.values()).sustained_per_s
    return capacity.requests_wanted_per_s(workers) > sustained * (1 + 1e-9)


def _apis(config: Config, report: Report) -> None:
    for api in config.apis.values():
        label = f"apis.{api.name}"
        if is_blizzard(api) and api.region not in BLIZZARD_REGIONS:
            report.warning(f"{label}.region", f'Blizzard knows {", ".join(BLIZZARD_REGIONS)}, not "{api.region}"')
        if is_blizzard(api) and api.mode != "sliding":
            sentence = f'"{api.mode}" fits an API that documents it; Blizzard does not say how it counts: expect 429s'
            report.warning(f"{label}.mode", sentence)
        for name, url in (("base_url", api.base_url), ("token_url", api.token_url)):
            parts = urlsplit(url.replace("{region}", "eu"))
            if parts.scheme == "http" and not network.is_loopback(parts.hostname or "") and api.auth != "none":
                report.warning(f"{label}.{name}", "without https credentials cross the network in clear")


def _freshness(config: Config, report: Report) -> None:
    if not any(is_blizzard(api) for api in config.apis.values()):
        return
    for freshness in config.freshness.values():
        slowest_s = max(tier.every_s for tier in freshness.tiers)
        if slowest_s > MAX_AGE_S:
            sentence = f"{say_duration(slowest_s)} between refreshes: Blizzard's terms ask for at most 30 days"
            report.warning(f"freshness.{freshness.worker}.tiers", sentence)


def _permissions(config: Config, report: Report) -> None:
    """A folder that everybody may write to lets anybody replace the configuration."""
    if config.path is None:
        return
    folder = Path(config.path).absolute().parent
    mode = folder.stat().st_mode
    if mode & stat.S_IWOTH and not mode & stat.S_ISVTX:
        report.warning("", f"every user can replace files in {folder}: chmod o-w {folder}")
