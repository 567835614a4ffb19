"""One more client of the simulator, beside the system under test."""

import base64
import json
import time
import urllib.request

from scripts.benchmarks.configuration import SECRET
from scripts.benchmarks.system import World

COMMODITIES = "commodities"


class Direct:
    """Asks the simulator with its own credentials, so that nothing of it counts for the system's keys."""

    def __init__(self, world: World, client: str) -> None:
        self._base_url = world.base_url
        login = base64.b64encode(f"{client}:{SECRET}".encode()).decode()
        token = self._ask(world.token_url, {"Authorization": f"Basic {login}"}, b"grant_type=client_credentials")
        self.token: str = json.loads(token)["access_token"]
        self._headers = {
            "Authorization": f"Bearer {self.token}",
            "Battlenet-Namespace": "dynamic-eu",
            "Accept-Encoding": "gzip",
        }

    def houses(self) -> list[str]:
        """Return the region's connected realms by number."""
        index = json.loads(
            self._ask(
                f"{self._base_url}/data/wow/connected-realm/index", self._headers | {"Accept-Encoding": "identity"}
            )
        )
        return [realm["href"].partition("?")[0].rpartition("/")[2] for realm in index["connected_realms"]]

    def get_house(self, house: str) -> float:
        """Read a house's auctions (or COMMODITIES) whole; return the seconds it took."""
        path = "auctions/commodities" if house == COMMODITIES else f"connected-realm/{house}/auctions"
        began = time.monotonic()
        self._ask(f"{self._base_url}/data/wow/{path}", self._headers)
        return time.monotonic() - began

    def _ask(self, url: str, headers: dict[str, str], data: bytes | None = None) -> bytes:
        request = urllib.request.Request(url, data=data, headers=headers)
        with urllib.request.urlopen(request, timeout=60) as answer:
            return bytes(answer.read())
