import pytest

from supervisor.core.errors import UsageError
from supervisor.settings.starter import starter
from tests.settings.folder import Folder


def test_a_first_configuration_asks_for_the_secret_and_then_loads(folder: Folder) -> None:
    text = starter(["eu-1"], region="us")
    assert folder.problems(text) == [
        "config.toml:13: keys.eu-1.client_secret_file: eu-1.secret: there is no such file",
    ]
    folder.write("eu-1.secret", "hush\n")
    config = folder.load(text)
    assert config.apis["blizzard"].region == "us"
    assert config.keys[0].tags == ("osint", "dma")
    assert set(config.workers) == {"characters", "guilds", "profile", "items", "auctions", "index"}


def test_keys_named_after_tags_serve_them(folder: Folder) -> None:
    for name in ("osint-1", "dma-1"):
        folder.write(f"{name}.secret", "hush")
    config = folder.load(starter(["osint-1", "dma-1"]))
    assert [key.tags for key in config.keys] == [("osint",), ("dma",)]


def test_no_tag_is_left_without_a_key(folder: Folder) -> None:
    folder.write("osint-1.secret", "hush")
    assert folder.load(starter(["osint-1"])).keys[0].tags == ("osint", "dma")


@pytest.mark.parametrize("names", [[], ["a", "a"], ["a b"], ['a"']])
def test_names_that_cannot_be_used_are_refused(names: list[str]) -> None:
    with pytest.raises(UsageError):
        starter(names)


def test_a_region_that_cannot_be_used_is_refused() -> None:
    with pytest.raises(UsageError):
        starter(["a"], region='eu"')
