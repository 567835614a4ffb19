"""The example of docs/your-own-api.md as a real program, with every way to prove oneself, against a tiny API."""

from pathlib import Path
from typing import Any

import pytest
import tomlkit

from scripts.benchmarks.configuration import with_tables_last
from scripts.benchmarks.system import gatherer
from tests.process.test_keys import eventually, key_of
from tests.support.own_api import EXAMPLE, SECRET, write_example
from tests.support.tiny_api import CLIENT_ID, TinyApi, tiny_api

pytestmark = pytest.mark.slow

OTHER_WAYS = {
    "header": "header:X-Api-Key",
    "query": "query:api_key",
    "basic": "basic",
    "client_credentials": "client_credentials",
    "none": "none",
}
EACH = 3
A_MINUTE, MORE = 60, 25


def configuration(folder: Path, api: TinyApi) -> str:
    """Return the document's configuration, turned to `api`, with a worker more for each other way."""
    document: Any = tomlkit.parse((folder / EXAMPLE / "config.toml").read_text()).unwrap()
    document |= {"state_dir": "state", "run_dir": "run", "server": {"listen": "127.0.0.1:0"}}
    del document["freshness"]
    document["apis"]["weather"]["base_url"] = f"{api.url}/bearer"
    document["keys"][0]["secret_file"] = str(folder / EXAMPLE / "weather.secret")
    for way, auth in OTHER_WAYS.items():
        windows = document["apis"]["weather"]["windows"]
        document["apis"][way] = {"auth": auth, "base_url": f"{api.url}/{way}", "windows": windows}
        key: dict[str, Any] = {"name": way, "api": way, "tags": [way]}
        if way == "client_credentials":
            document["apis"][way]["token_url"] = f"{api.url}/token"
            key |= {"client_id": CLIENT_ID, "client_secret": SECRET}
        elif way == "basic":
            key |= {"client_id": CLIENT_ID, "secret": SECRET}
        elif way != "none":
            key["secret"] = SECRET
        document["keys"].append(key)
        document["workers"][way] = document["workers"]["stations"] | {"tag": way}
    return with_tables_last(tomlkit.dumps(document))


def test_the_example_gathers_by_every_way_and_keeps_both_limits(tmp_path: Path) -> None:
    write_example(tmp_path)
    with tiny_api(SECRET) as api, gatherer(tmp_path, configuration(tmp_path, api)) as system:
        system.enqueue("stations", ["nowhere", *(f"station-{n}" for n in range(A_MINUTE + MORE))])
        for way in OTHER_WAYS:
            system.enqueue(way, [f"{way.replace('_', '-')}-{n}" for n in range(EACH)])
        eventually(lambda: api.by_status["bearer", 200] >= A_MINUTE)
        eventually(lambda: all(api.by_status[way, 200] >= EACH for way in OTHER_WAYS))
        eventually(lambda: rows(system) == A_MINUTE - 1 + EACH * len(OTHER_WAYS))
        assert system.query("SELECT station FROM stations WHERE gone_since IS NOT NULL") == [("nowhere",)]
        assert {status for _, status in api.by_status} == {200}, api.by_status
        minute, day = key_of(system, "weather")["windows"]
        assert (minute["used"], minute["left"], minute["frees_in_s"] > 0) == (A_MINUTE, 0, True)
        assert (day["used"], day["limit"]) == (A_MINUTE, 5000)
        eventually(lambda: stations(system) == ("second", MORE + 1))
        shown = system.daemon.get("/entities/station-1", {"worker": "stations"})
        assert shown["rows"]["stations_show"][0]["temperature"] == float(len("station-1"))
        log = (tmp_path / "supervisor.log").read_text()
    assert SECRET not in log


def stations(system: Any) -> tuple[str, int]:
    worker = system.daemon.get("/workers")["workers"]["stations"]
    return worker["limited_by"], worker["waiting"]["normal"]


def rows(system: Any) -> int:
    return int(system.query("SELECT count(*) FROM stations WHERE temperature IS NOT NULL")[0][0])
