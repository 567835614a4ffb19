"""Editing single settings in a text that people wrote."""

import tomllib

import pytest

from supervisor.settings.edit import edited
from supervisor.settings.shipped import shipped

CONCURRENCY = ("workers", "characters", "concurrency")
REPLICAS = ("workers", "characters", "replicas")


def test_a_value_changes_and_everything_around_it_stays() -> None:
    text = "# mine\n[workers.characters] # here\nconcurrency   =  2     # two\n\n\n# end\n"
    assert edited(text, {CONCURRENCY: 3}) == text.replace("2 ", "3 ")


def test_a_new_setting_stands_below_its_neighbour_and_not_behind_the_next_tables_comment() -> None:
    text = '[workers.characters]\njob = "a"\nconcurrency = 2 # two\n\n# Guilds are few.\n[workers.guilds]\njob = "b"\n'
    assert edited(text, {REPLICAS: 8}) == text.replace("# two\n", "# two\nreplicas = 8\n")


@pytest.mark.parametrize("name", ["config.toml", "development.toml", "production.toml"])
def test_a_shipped_file_differs_in_nothing_but_the_edited_lines(name: str) -> None:
    text = shipped(name)
    lines = edited(text, {CONCURRENCY: 9, REPLICAS: 8}).splitlines()
    changed = [line for line in lines if line not in text.splitlines()]
    assert [line.split("#")[0].strip() for line in changed] == ["concurrency = 9", "replicas = 8"]
    assert len(lines) == len(text.splitlines()) + 1


@pytest.mark.parametrize(
    "text",
    [
        '[workers]\ncharacters = { job = "a", tag = "t" } # inline\n',
        'workers.characters.job = "a"\nworkers.characters.tag = "t"\nx = 1\n',
        '[workers.characters.autoscale]\nmin = 1\n[x]\na = 1\n[workers.characters]\njob = "a"',
        '[workers.characters.environment]\nA = "b"\n[workers.guilds]\njob = "b"\n[workers.characters]\njob = "a"\n',
        '["workers"."characters"]\n"concurrency" = 2\n',
    ],
)
def test_every_way_to_write_a_table_is_edited(text: str) -> None:
    found = tomllib.loads(edited(text, {CONCURRENCY: "auto", REPLICAS: 8}))["workers"]["characters"]
    assert (found["concurrency"], found["replicas"]) == ("auto", 8)


def test_line_ends_stay_as_they_are() -> None:
    text = '[workers.characters]\r\njob = "a"\r\n\r\n# more\r\n[x]\r\n'
    assert edited(text, {REPLICAS: 8}) == text.replace('"a"\r\n', '"a"\r\nreplicas = 8\r\n')


def test_what_is_said_already_changes_nothing() -> None:
    text = "[workers.characters]\nconcurrency = 0x02\n"
    assert edited(text, {CONCURRENCY: 2}) == text


def test_true_is_not_one() -> None:
    assert edited("[workers.characters]\nconcurrency = true\n", {CONCURRENCY: 1}).endswith("concurrency = 1\n")


def test_a_table_that_is_not_there_is_added_at_the_end() -> None:
    text = edited("[workers.characters]\nconcurrency = 1\n", {("tags", "osint", "replicas"): 5})
    assert text.startswith("[workers.characters]\nconcurrency = 1\n")
    assert tomllib.loads(text)["tags"] == {"osint": {"replicas": 5}}


@pytest.mark.parametrize("text", ["", "# nothing\n", "[workers]\n", "x = 1"])
def test_tables_are_made_from_nothing(text: str) -> None:
    assert tomllib.loads(edited(text, {CONCURRENCY: 2, REPLICAS: 3}))["workers"]["characters"] == {
        "concurrency": 2,
        "replicas": 3,
    }
