"""Addresses that [server] listens on."""

import ipaddress
import re

_ADDRESS = re.compile(r"(?:\[([0-9A-Fa-f:.]+)\]|([A-Za-z0-9_.-]+)):(\d{1,5})", re.ASCII)
MAX_PORT = 65_535


def parse(listen: str) -> tuple[str, int] | None:
    """Return (host, port) of "host:port" or "[::1]:port"; None when it is neither. Port 0 = any free one."""
    match = _ADDRESS.fullmatch(listen)
    if match is None or int(match[3]) > MAX_PORT:
        return None
    host = match[1] or match[2]
    if match[1] and _address(host) is None:
        return None
    return host, int(match[3])


def is_loopback(host: str) -> bool:
    """Tell whether only this machine can reach `host`. A name other than localhost counts as reachable."""
    address = _address(host)
    return address.is_loopback if address else host.lower() == "localhost"


def _address(host: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        return ipaddress.ip_address(host)
    except ValueError:
        return None
