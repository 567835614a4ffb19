"""Configurations for benchmarks: the shipped presets, turned to the simulator."""

import tomlkit

from supervisor.settings.shipped import shipped

OSINT = [f"osint-{n}" for n in range(1, 6)]
CLIENTS = [*OSINT, "dma-1"]
SECRET = "canary-of-all-clients"
"""Of every client of the simulated API. Tests look for it in whatever a run writes, so it is like nothing else."""


def preset(
    name: str,
    base_url: str,
    token_url: str,
    *,
    hour_lifted: bool = True,
    hour: str = "burst",
    paused: tuple[str, ...] = (),
    secret: str = SECRET,
    workers: dict[str, dict[str, object]] | None = None,
) -> str:
    """Return the preset `name` ("development", "production") against a simulator, without schedules of its own.

    workers: further ones, by name.
    """
    document = tomlkit.parse(shipped(f"{name}.toml"))
    document["state_dir"] = "state"
    document["run_dir"] = "run"
    document["server"] = {"listen": "127.0.0.1:0"}
    api: dict[str, object] = {"base_url": base_url, "token_url": token_url, "region": "eu", "hour": hour}
    if hour_lifted:
        api["windows"] = [{"requests": 100, "per": "1s"}]
    document["apis"] = {"blizzard": api}
    for key, client in zip(document["keys"], CLIENTS, strict=True):
        key.pop("client_secret_env", None)
        key["client_id"], key["client_secret"] = client, secret
    for table in ("schedules", "freshness"):
        document.pop(table, None)
    document["workers"].update(workers or {})
    for worker in paused:
        document["workers"][worker]["paused"] = True
    return with_tables_last(tomlkit.dumps(document))


def with_tables_last(text: str) -> str:
    """Return TOML whose bare keys come before its tables, as TOML wants it."""
    plain = tomlkit.parse(text).unwrap()
    ordered = {k: v for k, v in plain.items() if not isinstance(v, dict | list)}
    ordered |= {k: v for k, v in plain.items() if k not in ordered}
    return tomlkit.dumps(ordered)
