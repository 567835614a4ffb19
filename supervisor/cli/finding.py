"""Where the running daemon listens.

    1. --run-dir
    2. run_dir of the configuration: --config, $GATHERER_CONFIG, ./config/config.toml, /etc/gatherer/config.toml
    3. /run/gatherer, where systemd puts it (the unit's $RUNTIME_DIRECTORY is not in a person's shell)

Only run_dir and state_dir are read here: whoever may ask the daemon need not be able to read its secrets.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from supervisor.core.errors import ConfigurationError, UnavailableError
from supervisor.settings.files import read_toml, resolve
from supervisor.settings.reading import find

CONTROL_SOCKET = "control.sock"
SYSTEMD_RUN_DIR = Path("/run/gatherer")


def control_socket(config: Path | None, run_dir: Path | None, environment: Mapping[str, str]) -> Path:
    """Return the path of the socket that a daemon has made.

    UnavailableError: none of the places has one. ConfigurationError: the configuration cannot be read.
    """
    places = [run_dir] if run_dir else _places(config, environment)
    for place in places:
        if (place / CONTROL_SOCKET).is_socket():
            return place / CONTROL_SOCKET
    tried = ", ".join(str(place / CONTROL_SOCKET) for place in places)
    raise UnavailableError(f"no Gatherer is running (looked for {tried}); start one with: gatherer run")


def state_folder(config: Path | None, environment: Mapping[str, str]) -> tuple[Path, Path]:
    """Return state_dir and the configuration that says so. ConfigurationError: there is none, or it cannot be read."""
    path = find(environment, config)
    if path is None:
        raise ConfigurationError(["no configuration is found; say which: --config"])
    return _state_dir(path, _read(path)), path


def _places(config: Path | None, environment: Mapping[str, str]) -> list[Path]:
    path = find(environment, config)
    places = [] if path is None else [_run_dir(path, environment)]
    is_named = config is not None or bool(environment.get("GATHERER_CONFIG"))
    return places if is_named else [*places, SYSTEMD_RUN_DIR]


def _run_dir(path: Path, environment: Mapping[str, str]) -> Path:
    """Return run_dir as `settings.reading` does: environment over file over default."""
    variable = environment.get("RUNTIME_DIRECTORY", "").split(":")[0]
    if variable:
        return Path(variable)
    values = _read(path)
    return resolve(path.parent, str(values.get("run_dir", _state_dir(path, values) / "run")))


def _state_dir(path: Path, values: Mapping[str, Any]) -> Path:
    return resolve(path.parent, str(values.get("state_dir", "var")))


def _read(path: Path) -> dict[str, Any]:
    try:
        return read_toml(path)
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else str(error)
        raise ConfigurationError([f"{path}: {reason}"]) from error
