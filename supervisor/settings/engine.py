"""[server], [log], [retention] and [storage] as values: settings of Gatherer itself."""

from supervisor.settings import network
from supervisor.settings.config import MIN_FREE_BYTES, RETENTION_S, Log, Server
from supervisor.settings.files import Files, resolve
from supervisor.settings.table import Table

EDITS = ("file", "overrides", "refuse")
LEVELS = ("debug", "info", "warning", "error")
FORMS = ("auto", "json", "console")
FOREVER = "forever"


def read_server(table: Table, files: Files) -> Server:
    """Return [server]; a non-loopback address without a token file is a problem."""
    blank = Server()
    listen = table.text("listen", blank.listen)
    address = network.parse(listen)
    token_file = None
    if table.has("token_file") and files.secrets(table, "token_file"):
        token_file = str(resolve(table.folder, table.text("token_file", "")))
    if address is None:
        table.problem("listen", f'expected "host:port" with a port from 0 to 65535, got "{listen}"')
    elif not network.is_loopback(address[0]) and not table.has("token_file"):
        table.problem("listen", f'"{listen}" can be reached from outside: give token_file too, or listen on 127.0.0.1')
    edits = table.choice("edits", blank.edits, EDITS)
    table.close()
    return Server(listen=listen, edits=edits, token_file=token_file)


def read_log(table: Table) -> Log:
    """Return [log]."""
    blank = Log()
    log = Log(level=table.choice("level", blank.level, LEVELS), form=table.choice("form", blank.form, FORMS))
    table.close()
    return log


def read_retention(table: Table) -> dict[str, float]:
    """Return [retention] over the defaults: name → seconds; what is kept "forever" is left out."""
    kept = dict(RETENTION_S)
    for name in {*RETENTION_S, *table.names()}:
        if table.says(name, FOREVER):
            kept.pop(name, None)
        elif table.has(name):
            kept[name] = table.duration(name, 1.0)
    table.close()
    return kept


def read_storage(table: Table) -> int:
    """Return [storage] min_free in bytes."""
    min_free_bytes = table.size("min_free", MIN_FREE_BYTES)
    table.close()
    return min_free_bytes
