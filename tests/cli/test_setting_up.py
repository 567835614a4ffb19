"""`gatherer init` and `check`: a first configuration that is right but for what only its owner knows."""

import json
import stat
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from supervisor.cli.main import gatherer
from supervisor.settings.starter import packaged


def run(*arguments: str, stdin: str | None = None) -> Result:
    return CliRunner().invoke(gatherer, list(arguments), input=stdin)


def test_init_writes_a_configuration_and_private_secret_files(tmp_path: Path) -> None:
    done = run("init", str(tmp_path / "new"), "--key", "osint-1", "--key", "dma-1")
    assert done.exit_code == 0
    assert "gatherer check" in done.output
    assert stat.S_IMODE((tmp_path / "new" / "osint-1.secret").stat().st_mode) == 0o600
    assert 'name = "dma-1"' in (tmp_path / "new" / "config.toml").read_text()


def test_init_asks_for_the_names_of_the_keys(tmp_path: Path) -> None:
    assert run("init", str(tmp_path), stdin="one two\n").exit_code == 0
    assert 'name = "two"' in (tmp_path / "config.toml").read_text()


def test_init_adds_keys_to_a_configuration_that_is_there(tmp_path: Path) -> None:
    (tmp_path / "config.toml").write_text(packaged())
    done = run("init", str(tmp_path), "--key", "eu-1", "--client-id", "abc", "--secret", "-", stdin="hunter2\n")
    assert done.exit_code == 0, done.output
    key = tmp_path / "keys.d" / "eu-1.toml"
    assert stat.S_IMODE(key.stat().st_mode) == stat.S_IMODE((tmp_path / "keys.d/eu-1.secret").stat().st_mode) == 0o600
    assert (tmp_path / "config.toml").read_text() == packaged()
    checked = run("check", "--config", str(tmp_path / "config.toml"))
    assert "ok, 6 workers, 1 key" in checked.stdout, checked.output


def test_init_never_overwrites(tmp_path: Path) -> None:
    run("init", str(tmp_path), "--key", "osint-1")
    before = (tmp_path / "config.toml").read_text()
    done = run("init", str(tmp_path), "--key", "osint-1")
    assert (done.exit_code, "already" in done.stderr) == (1, True)
    assert (tmp_path / "config.toml").read_text() == before
    run("init", str(tmp_path), "--key", "dma-1")
    again = run("init", str(tmp_path), "--key", "dma-1")
    assert (again.exit_code, "exists already" in again.stderr) == (1, True)


def test_client_id_is_for_one_key(tmp_path: Path) -> None:
    assert run("init", str(tmp_path), "--key", "a", "--key", "b", "--client-id", "abc").exit_code == 2


def test_what_init_wrote_passes_check_once_the_secrets_are_there(tmp_path: Path) -> None:
    run("init", str(tmp_path), "--key", "osint-1", "--key", "dma-1")
    config = tmp_path / "config.toml"
    assert run("check", "--config", str(config)).exit_code == 78
    for name in ("osint-1", "dma-1"):
        (tmp_path / f"{name}.secret").write_text("hunter2\n")
        config.write_text(config.read_text().replace(f"replace-me-{name}", f"id-{name}"))
    done = run("check", "--config", str(config))
    assert done.exit_code == 0, done.output
    assert "ok, 6 workers, 2 keys" in done.stdout


def test_check_names_file_and_line_of_every_problem(tmp_path: Path) -> None:
    config = tmp_path / "config.toml"
    config.write_text('[workers.items]\njob = "jobs.items"\ntag = "dma"\nreplicas = -1\nconcurency = 3\n')
    done = run("check", "--config", str(config))
    assert done.exit_code == 78
    assert f"{config}:4: workers.items.replicas" in done.stderr
    assert f"{config}:5: workers.items.concurency" in done.stderr
    problems = json.loads(run("check", "--config", str(config), "--json").stdout)
    assert (problems["ok"], len(problems["problems"]) >= 2) == (False, True)


def test_check_without_any_configuration_says_where_it_looked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("GATHERER_CONFIG", raising=False)
    if Path("/etc/gatherer/config.toml").exists():
        return
    done = run("check")
    assert (done.exit_code, "no configuration" in done.stderr) == (78, True)
