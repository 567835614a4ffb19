"""[[keys]] as values: who may ask an API, with which credential, for whom."""

import re
from collections.abc import Mapping

from supervisor.settings.apis import A_REGION, REGION
from supervisor.settings.config import Api, Key, Secret
from supervisor.settings.files import Files
from supervisor.settings.report import nearest
from supervisor.settings.table import A_NAME, NAME, Table

ANY_TAG = "any"
PLACEHOLDER = re.compile(r"replace-me\b.*")

_ACCOUNT = re.compile(r"[^:\s]+")
_WAYS = ("", "_file", "_env")


class KeyReader:
    """Read [[keys]] of the configuration and of keys.d; names and accounts must differ in all of them.

    variables: the environment variables that secrets were taken from.
    """

    def __init__(self, apis: Mapping[str, Api], environment: Mapping[str, str], files: Files) -> None:
        self._apis = apis
        self._environment = environment
        self._files = files
        self._labels: dict[str, str] = {}
        self._accounts: dict[tuple[str, str, str], str] = {}
        self.keys: list[Key] = []
        self.variables: list[str] = []

    def read(self, document: Table) -> None:
        """Add the keys of one file to `keys`."""
        for table in document.elements("keys", "[[keys]] tables"):
            self.keys.append(self._key(table))

    def _key(self, table: Table) -> Key:
        table.required("name", '"osint-1"')
        name = table.name("name", f"unnamed-{len(self.keys) + 1}")
        if name in self._labels:
            table.problem("name", f'there is a key "{name}" already, at {self._labels[name]}')
        else:
            self._labels[name] = table.report.where(table.label)
            table.rename(f"keys.{name}")
        api = self._api(table)
        client_id, secret = self._credential(table, name, self._apis[api].auth)
        key = Key(
            name=name,
            api=api,
            tags=self._tags(table),
            client_id=client_id,
            secret=Secret(secret),
            regions=table.words("regions", REGION, A_REGION),
            use=table.share("use", 1.0) if table.has("use") else None,
        )
        table.close()
        self._one_account_once(table, key)
        return key

    def _api(self, table: Table) -> str:
        only = next(iter(self._apis))
        api = table.name("api", only)
        if not table.has("api") and len(self._apis) > 1:
            table.problem("api", f"is missing; with several [apis] each key names its own{nearest('', self._apis)}")
        if api not in self._apis:
            table.problem("api", f"there is no [apis.{api}]{nearest(api, self._apis)}")
            return only
        return api

    def _tags(self, table: Table) -> tuple[str, ...]:
        tags = table.words("tags", NAME, A_NAME)
        if not table.has("tags"):
            table.problem("tags", 'is missing: the tags whose workers may use this key, for example tags = ["osint"]')
        if ANY_TAG in tags:
            table.problem("tags", f'"{ANY_TAG}" is for workers: it means every key')
        return tags

    def _credential(self, table: Table, name: str, auth: str) -> tuple[str, str]:
        """Return (client id, secret). The id of a kind that has none is the key's name: the journal needs one."""
        word, other = ("client_secret", "secret") if auth == "client_credentials" else ("secret", "client_secret")
        needs_account = auth in ("client_credentials", "basic")
        if needs_account:
            table.required("client_id", '"0123456789abcdef"')
        account = table.text("client_id", name, shape=_ACCOUNT, expected="a text without blanks and colons")
        for way in _WAYS:
            if table.has(other + way):
                table.problem(other + way, f'does not go with auth = "{auth}": use {_choices(word, auth)}')
        return account, self._secret(table, word, auth)

    def _secret(self, table: Table, word: str, auth: str) -> str:
        given = [way for way in _WAYS if table.has(word + way)]
        if auth == "none":
            for way in given:
                table.problem(word + way, 'does not go with auth = "none": leave it out')
            return ""
        if len(given) != 1:
            what = "is given twice" if given else "is missing"
            table.problem(word, f"{what}: use exactly one of {_choices(word, auth)}")
            return ""
        return self._secret_by(table, word, given[0])

    def _secret_by(self, table: Table, word: str, way: str) -> str:
        if way == "_file":
            return self._files.secret(table, word + way)
        if way == "_env":
            variable = table.text(word + way, "")
            if not self._files.reads_secrets:
                return ""
            secret = self._environment.get(variable, "").strip()
            self.variables.append(variable)
            if variable and not secret:
                table.problem(word + way, f"the environment variable {variable} is not set")
            return secret
        secret = table.hidden(word)
        if not PLACEHOLDER.fullmatch(secret):
            self._files.warn_if_readable(table.file, f"{table.label}.{word}")
        return secret

    def _one_account_once(self, table: Table, key: Key) -> None:
        """Two keys with one account would each spend the whole quota of that account."""
        auth = self._apis[key.api].auth
        account = key.client_id if auth in ("client_credentials", "basic") else key.secret.reveal()
        if auth == "none" or not account:
            return
        before = self._accounts.setdefault((key.api, auth, account), table.label)
        if before != table.label:
            table.problem(
                "client_id" if account == key.client_id else "secret",
                f"is the account of {before} too: one account has one quota, so it must be one key with all the tags",
            )


def _choices(word: str, auth: str) -> str:
    return "no secret" if auth == "none" else f"{word}_file, {word}_env or {word}"
