"""What people said over HTTP stands above the file, until the file says something new."""

from pathlib import Path

import pytest

from supervisor.settings.config import AUTO, Config
from supervisor.settings.overrides import FILE, Overrides
from supervisor.settings.said import as_written
from tests.settings.folder import KEY, WORKER, Folder

SINCE = 1_790_000_000.0


def written(folder: Folder, concurrency: int = 2) -> Config:
    return folder.load(KEY + WORKER + f"concurrency = {concurrency}\nreplicas = 4\n")


def size(overrides: Overrides, config: Config) -> tuple[int, int]:
    worker = overrides.applied_to(config).workers["characters"]
    return worker.concurrency, worker.replicas


def test_a_word_holds_over_a_restart(folder: Folder, tmp_path: Path) -> None:
    config = written(folder)
    Overrides(tmp_path).set_settings(config.workers["characters"], {"concurrency": 3, "replicas": 8}, SINCE)
    assert size(Overrides(tmp_path), config) == (3, 8)


def test_an_edit_of_the_file_is_the_newer_word(folder: Folder, tmp_path: Path) -> None:
    overrides = Overrides(tmp_path)
    overrides.set_settings(written(folder).workers["characters"], {"concurrency": 3, "replicas": 8}, SINCE)
    assert size(overrides, written(folder, concurrency=5)) == (5, 8)


def test_what_is_taken_back_leaves_the_file(folder: Folder, tmp_path: Path) -> None:
    config = written(folder)
    overrides = Overrides(tmp_path)
    overrides.set_settings(config.workers["characters"], {"concurrency": 3, "replicas": 8}, SINCE)
    overrides.forget("characters", ["concurrency"])
    assert size(Overrides(tmp_path), config) == (2, 8)


def test_auto_gives_a_worker_bounds(folder: Folder, tmp_path: Path) -> None:
    config = written(folder)
    overrides = Overrides(tmp_path)
    overrides.set_settings(config.workers["characters"], {"concurrency": "auto"}, SINCE)
    worker = overrides.applied_to(config).workers["characters"]
    assert (worker.autoscale, as_written(worker, "concurrency")) == (AUTO, "auto")


def test_a_number_takes_auto_and_its_bounds_back(folder: Folder, tmp_path: Path) -> None:
    config = folder.load(KEY + WORKER + 'concurrency = "auto"\n')
    overrides = Overrides(tmp_path)
    overrides.set_settings(config.workers["characters"], {"concurrency": 7}, SINCE)
    worker = Overrides(tmp_path).applied_to(config).workers["characters"]
    assert (worker.concurrency, worker.autoscale) == (7, None)


def test_bounds_that_the_file_gives_stay(folder: Folder, tmp_path: Path) -> None:
    config = folder.load(KEY + WORKER + 'concurrency = "auto"\n[workers.characters.autoscale]\nmax = 9\n')
    overrides = Overrides(tmp_path)
    overrides.set_settings(config.workers["characters"], {"concurrency": 7}, SINCE)
    autoscale = overrides.applied_to(config).workers["characters"].autoscale
    assert autoscale is not None
    assert (autoscale.max, autoscale.auto) == (9, False)


def test_what_holds_for_this_run_stands_above_all_and_is_not_kept(folder: Folder, tmp_path: Path) -> None:
    config = written(folder)
    overrides = Overrides(tmp_path)
    overrides.set_settings(config.workers["characters"], {"concurrency": 3}, SINCE)
    overrides.set_for_this_run("characters", {"concurrency": 7})
    assert size(overrides, config) == (7, 4)
    assert size(Overrides(tmp_path), config) == (3, 4)


@pytest.mark.parametrize("text", ["[settings.characters]\nweight = 3\n", "[settings]\ncharacters = 3\n"])
def test_a_damaged_word_is_not_obeyed(folder: Folder, tmp_path: Path, text: str) -> None:
    (tmp_path / FILE).write_text(text)
    assert size(Overrides(tmp_path), written(folder)) == (2, 4)
