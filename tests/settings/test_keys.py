import pytest

from supervisor.settings.config import Config
from tests.settings.folder import KEY, MINIMAL, WORKER, Folder


def a_key(name: str, *lines: str) -> str:
    return f'[[keys]]\nname = "{name}"\ntags = ["osint"]\n' + "\n".join(lines) + "\n"


def an_api(auth: str) -> str:
    return f'[apis.other]\nauth = "{auth}"\nbase_url = "https://other.example"\n'


def only_key(config: Config) -> tuple[str, str]:
    [key] = config.keys
    return key.client_id, key.secret.reveal()


def test_a_secret_may_stand_in_a_file(folder: Folder) -> None:
    folder.write("a.secret", "  hush\n")
    text = a_key("a", 'client_id = "account"', 'client_secret_file = "a.secret"') + WORKER
    assert only_key(folder.load(text)) == ("account", "hush")


def test_a_secret_may_stand_in_the_environment(folder: Folder) -> None:
    text = a_key("a", 'client_id = "account"', 'client_secret_env = "A_SECRET"') + WORKER
    config = folder.load(text, {"A_SECRET": "hush"})
    assert only_key(config) == ("account", "hush")
    assert config.secret_variables == ("A_SECRET",)


def test_a_missing_secret_names_its_file_or_variable(folder: Folder) -> None:
    text = a_key("a", 'client_id = "a"', 'client_secret_file = "a.secret"')
    text += a_key("b", 'client_id = "b"', 'client_secret_env = "B_SECRET"')
    text += a_key("c", 'client_id = "c"') + a_key(
        "d", 'client_id = "d"', 'client_secret = ""', 'client_secret_env = "X"'
    )
    problems = folder.problems(text + WORKER)
    assert problems == [
        "config.toml:5: keys.a.client_secret_file: a.secret: there is no such file",
        "config.toml:10: keys.b.client_secret_env: the environment variable B_SECRET is not set",
        "config.toml:11: keys.c.client_secret: is missing: "
        "use exactly one of client_secret_file, client_secret_env or client_secret",
        "config.toml:19: keys.d.client_secret: is given twice: "
        "use exactly one of client_secret_file, client_secret_env or client_secret",
    ]


@pytest.mark.parametrize(
    ("content", "what"), [(b"", "is empty"), (b"a\nb\n", "has more than one line"), (b"\xff\xfe", "is not text")]
)
def test_a_secret_file_without_one_secret_is_a_problem(folder: Folder, content: bytes, what: str) -> None:
    folder.write("a.secret", content)
    [problem] = folder.problems(a_key("a", 'client_id = "a"', 'client_secret_file = "a.secret"') + WORKER)
    assert problem == f"config.toml:5: keys.a.client_secret_file: a.secret {what}"


@pytest.mark.parametrize("auth", ["bearer", "header:X-Key", "query:apikey"])
def test_other_kinds_have_a_secret_and_need_no_account(folder: Folder, auth: str) -> None:
    text = an_api(auth) + a_key("a", 'secret = "hush"') + WORKER
    assert only_key(folder.load(text)) == ("a", "hush")


def test_basic_has_an_account_and_a_secret(folder: Folder) -> None:
    text = an_api("basic") + a_key("a", 'client_id = "user"', 'secret_env = "P"') + WORKER
    assert only_key(folder.load(text, {"P": "hush"})) == ("user", "hush")
    assert "client_id is missing" in folder.problems(an_api("basic") + a_key("a", 'secret = "x"') + WORKER)[0]


def test_an_api_without_credentials_needs_a_key_with_a_name_only(folder: Folder) -> None:
    text = an_api("none") + a_key("a") + a_key("b") + WORKER
    assert [key.client_id for key in folder.load(text).keys] == ["a", "b"]


def test_the_wrong_word_for_a_secret_is_explained(folder: Folder) -> None:
    problems = folder.problems(an_api("bearer") + a_key("a", 'client_secret = "hush"') + WORKER)
    assert 'does not go with auth = "bearer": use secret_file, secret_env or secret' in problems[-1]
    problems = folder.problems(an_api("none") + a_key("a", 'secret = "hush"') + WORKER)
    assert 'does not go with auth = "none": leave it out' in problems[0]


def test_two_keys_of_one_account_are_refused(folder: Folder) -> None:
    [problem] = folder.problems(MINIMAL + KEY.replace("osint-1", "osint-2"))
    assert problem.startswith("config.toml:16: keys.osint-2.client_id: is the account of keys.osint-1 too")


def test_two_keys_of_one_fixed_token_are_refused_without_showing_it(folder: Folder) -> None:
    text = an_api("bearer") + a_key("a", 'secret = "hush"') + a_key("b", 'secret = "hush"') + WORKER
    [problem] = folder.problems(text)
    assert "keys.b.secret: is the account of keys.a too" in problem
    assert "hush" not in problem


def test_two_keys_of_one_name_are_refused(folder: Folder) -> None:
    problems = folder.problems(MINIMAL + KEY.replace("account-1", "account-2"))
    assert problems == ['config.toml:14: keys[2].name: there is a key "osint-1" already, at config.toml:2']


def test_a_key_of_an_unknown_api_names_the_nearest(folder: Folder) -> None:
    [problem] = folder.problems(KEY + 'api = "blizard"\n' + WORKER)
    assert problem == 'config.toml:7: keys.osint-1.api: there is no [apis.blizard] (did you mean "blizzard"?)'


def test_with_several_apis_a_key_says_which(folder: Folder) -> None:
    text = an_api("none") + "[apis.blizzard]\n" + a_key("a", 'api = "other"') + KEY + WORKER
    assert "keys.osint-1.api: is missing" in folder.problems(text)[0]


def test_the_word_any_is_no_tag_of_a_key(folder: Folder) -> None:
    problems = folder.problems(KEY.replace('["osint"]', '["osint", "any"]') + WORKER)
    assert problems == ['config.toml:4: keys.osint-1.tags: "any" is for workers: it means every key']


def test_no_secret_is_ever_shown(folder: Folder) -> None:
    config = folder.load(MINIMAL)
    assert "hush" not in repr(config) + str(config.keys[0].secret) + f"{config}"
    wrong = KEY.replace('client_secret = "hush"', "client_secret = ['hush']") + 'client_secert = "hush"\n'
    assert "hush" not in "".join(folder.problems(wrong + WORKER))


def test_a_secret_that_everybody_can_read_is_a_warning(folder: Folder) -> None:
    folder.write("a.secret", "hush", mode=0o644)
    [warning] = folder.warnings(a_key("a", 'client_id = "a"', 'client_secret_file = "a.secret"') + WORKER)
    assert warning == "config.toml:1: keys.a: every user can read the secret in a.secret: chmod 600 a.secret"


def test_a_configuration_with_secrets_that_everybody_can_read_is_warned_of_once(folder: Folder) -> None:
    folder.write("config.toml", MINIMAL + KEY.replace("-1", "-2"), mode=0o644)
    assert len([warning for warning in folder.load().warnings if "chmod 600" in warning]) == 1
