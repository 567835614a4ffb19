"""The alert rules and the scrape configuration, judged by Prometheus' own tool."""

import re
import shutil
import subprocess
from pathlib import Path

import click
import pytest

from supervisor.cli.main import gatherer

CASES = Path(__file__).parent / "rules" / "gatherer.rules.test.yml"
SHIPPED = Path(__file__).parents[2] / "config" / "prometheus"
RULES = SHIPPED / "gatherer.rules.yml"


def promtool(*arguments: str, folder: Path) -> None:
    if shutil.which("promtool") is None:
        pytest.skip("promtool is not installed: apt-get install prometheus")
    done = subprocess.run(["promtool", *arguments], cwd=folder, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_each_alert_fires_when_it_should_and_only_then(tmp_path: Path) -> None:
    for file in (CASES, RULES):
        shutil.copy(file, tmp_path)
    promtool("test", "rules", CASES.name, folder=tmp_path)


def test_the_scrape_configuration_and_its_rules_are_valid() -> None:
    promtool("check", "config", "prometheus.yml", folder=SHIPPED)


def test_each_alert_has_a_severity_and_says_what_to_do() -> None:
    alerts = RULES.read_text().split("- alert: ")[1:]
    assert len(alerts) == 13
    for alert in alerts:
        assert re.search(r"severity: (page|ticket)", alert), alert
        assert re.search(r'runbook: "..', alert), alert


def test_each_command_that_a_runbook_names_exists() -> None:
    named = re.findall(r"gatherer ([a-z]+)(?: ([a-z]+))?(?: (--[a-z-]+))?", "\n".join(_runbooks()))
    assert named
    for words in named:
        _find(gatherer, [word for word in words if word])


def _runbooks() -> list[str]:
    return re.findall(r'runbook: "(.*)"', RULES.read_text())


def _find(command: click.Command, words: list[str]) -> None:
    for word in words:
        if word.startswith("--"):
            assert any(word in parameter.opts for parameter in command.params), f"{words}: no option {word}"
        elif isinstance(command, click.Group):
            found = command.get_command(click.Context(command), word)
            assert found is not None, f"{words}: no command {word}"
            command = found
