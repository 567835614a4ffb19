"""[apis.NAME] as values: how each API is asked, and what it allows."""

import re
from urllib.parse import urlsplit

from supervisor.settings.config import Api, Window
from supervisor.settings.table import Table

AUTH_WORDS = ("client_credentials", "bearer", "basic", "none")
MODES, THETAS, HOURS = ("sliding", "bucket", "fixed"), ("off", "auto"), ("paced", "burst")
LEARNED = "learned"
REGION = re.compile(r"[a-z]{1,8}")
A_REGION = "a region of 1 to 8 small letters, such as eu"

_AUTH = re.compile(r"client_credentials|bearer|basic|none|header:[A-Za-z0-9!#$%&'*+.^_`|~-]+|query:[^\s&=#?]+")
_MAX_REQUESTS = 10**9
_BLANK = Api(name="")


def read_api(table: Table, name: str) -> Api:
    """Return one [apis.NAME]."""
    auth = table.text(
        "auth",
        _BLANK.auth,
        shape=_AUTH,
        expected='one of "client_credentials", "bearer", "basic", "none", "header:NAME", "query:NAME"',
    )
    api = Api(
        name=name,
        auth=auth,
        region=table.text("region", _BLANK.region, shape=REGION, expected=A_REGION),
        locale=table.text(
            "locale", _BLANK.locale, shape=re.compile(r"[A-Za-z]{2}_[A-Za-z]{2}"), expected='a locale such as "en_GB"'
        ),
        base_url=_url(table, "base_url", _BLANK.base_url),
        token_url=_url(table, "token_url", _BLANK.token_url),
        timeout_s=table.duration("timeout", _BLANK.timeout_s),
        windows=_windows(table),
        use=table.share("use", _BLANK.use),
        mode=table.choice("mode", _BLANK.mode, MODES),
        phase_s=_phase(table),
        theta=table.choice("theta", _BLANK.theta, THETAS),
        hour=table.choice("hour", _BLANK.hour, HOURS),
    )
    table.close()
    return api


def _windows(table: Table) -> tuple[Window, ...]:
    expected = 'a list such as [{ requests = 100, per = "1s" }]'
    elements = table.elements("windows", expected)
    windows = []
    for element in elements:
        element.required("requests", "100")
        element.required("per", '"1s"')
        requests = element.integer("requests", 1, 1, _MAX_REQUESTS)
        windows.append(Window(requests=requests, per_s=element.duration("per", 1.0)))
        element.close()
    if table.says("windows", []):
        table.problem("windows", f"expected {expected}, got an empty list: an API without limits needs a large number")
    return tuple(windows) or _BLANK.windows


def _phase(table: Table) -> float | None:
    """Return when fixed windows begin; None = learnt from answers."""
    if not table.has("phase") or table.says("phase", LEARNED):
        return None
    phase_s = table.seconds("phase", 0.0, f'"{LEARNED}", or a duration such as 0 or "250ms"')
    if not table.says("mode", "fixed"):
        table.problem("phase", 'has a meaning only beside mode = "fixed"')
    return phase_s


def _url(table: Table, name: str, default: str) -> str:
    url = table.text(name, default).rstrip("/")
    try:
        parts = urlsplit(url.replace("{region}", "eu"))
        is_right = parts.scheme in ("http", "https") and bool(parts.hostname) and not parts.query and parts.port != 0
    except ValueError:
        is_right = False
    if not is_right or parts.username is not None or "{" in parts.netloc + parts.path:
        # Credentials in a URL would end up in logs; and {region} is the one thing that is filled in.
        table.problem(name, "expected http:// or https://, a host, and no name, password, query or braces but {region}")
        return default
    return url
