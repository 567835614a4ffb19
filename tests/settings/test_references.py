from tests.settings.folder import KEY, MINIMAL, WORKER, Folder

MANIFEST = '[characters]\nentity = "region/realm/name"\nrequests = 5\n'
SCHEDULE = '[schedules.x]\nworker = "characters"\nevery = "1h"\n'


def test_a_tag_that_no_key_has_is_a_problem_with_the_nearest(folder: Folder) -> None:
    [problem] = folder.problems(KEY + WORKER.replace('tag = "osint"', 'tag = "osnit"'))
    assert problem == (
        'config.toml:11: workers.characters.tag: no key has the tag "osnit" (did you mean "osint"?); '
        "its jobs would wait for ever"
    )


def test_a_worker_that_stands_still_may_have_no_key(folder: Folder) -> None:
    other = WORKER.replace("characters]", "guilds]").replace('"osint"', '"dma"')
    warnings = folder.warnings(MINIMAL + other + "paused = true\n")
    assert warnings == ['config.toml:16: workers.guilds.tag: no key has the tag "dma" (known: any, osint)']


def test_the_tag_any_means_all_keys(folder: Folder) -> None:
    assert folder.warnings(KEY + WORKER.replace('tag = "osint"', 'tag = "any"')) == []


def test_the_keys_of_one_worker_are_of_one_api(folder: Folder) -> None:
    text = '[apis.blizzard]\n[apis.other]\nauth = "none"\n[[keys]]\nname = "o"\napi = "other"\ntags = ["osint"]\n'
    [problem] = folder.problems(text + KEY + 'api = "blizzard"\n' + WORKER)
    assert 'workers.characters.tag: the keys of tag "osint" are of several APIs (blizzard, other)' in problem


def test_keys_and_apis_that_nobody_uses_are_warnings(folder: Folder) -> None:
    more = '[apis.blizzard]\n[apis.other]\nauth = "none"\n'
    more += '[[keys]]\nname = "o"\napi = "blizzard"\ntags = ["dma"]\nclient_id = "x"\nclient_secret = "y"\n'
    warnings = folder.warnings(more + KEY + 'api = "blizzard"\n' + WORKER)
    assert "config.toml:2: apis.other: no key belongs to it" in warnings
    assert "config.toml:7: keys.o.tags: no worker has one of these tags (known: osint)" in warnings


def test_a_key_may_not_be_left_with_less_than_a_request(folder: Folder) -> None:
    [problem] = folder.problems(KEY + "use = 0.009\n" + WORKER)
    assert problem == "config.toml:7: keys.osint-1.use: 0.009 leaves a window less than one request"


def test_a_module_that_is_not_there_is_a_problem(folder: Folder) -> None:
    [problem] = folder.problems(KEY + WORKER.replace("mine.characters", "mine.charakters"))
    assert problem.endswith(
        'workers.characters.job: package "mine" has no module "charakters" (it has: characters, guilds)'
    )
    [problem] = folder.problems(KEY + WORKER.replace('"mine.', '"nowhere_at_all.'))
    assert 'no Python package "nowhere_at_all" is found' in problem
    [problem] = folder.problems(KEY + WORKER.replace('"mine.', '"../mine.'))
    assert "expected the name of a Python module" in problem


def test_a_folder_of_jobs_that_is_none_is_a_problem(folder: Folder) -> None:
    folder.write("file", "")
    for path in ("nowhere", "file", "x" * 5000):
        problems = folder.problems(KEY + WORKER.replace('"jobs"', f'"{path}"'))
        assert any(problem.startswith("config.toml:10: workers.characters.path: ") for problem in problems)


def test_a_job_package_that_cannot_be_read_is_a_problem(folder: Folder) -> None:
    folder.write("jobs/mine/manifest.toml", "")
    (folder.path / "jobs/mine/statements/a.sql").mkdir(parents=True)
    [problem] = folder.problems(MINIMAL)
    assert problem == "config.toml: jobs/mine/statements/a.sql cannot be read: Is a directory"


def test_a_single_file_may_be_a_job_module(folder: Folder) -> None:
    folder.write("jobs/single.py", "")
    assert folder.load(KEY + WORKER.replace("mine.characters", "single")).workers["characters"].job == "single"


def test_no_job_module_is_imported(folder: Folder) -> None:
    folder.write("jobs/mine/__init__.py", "raise SystemExit('imported')")
    folder.write("jobs/mine/characters.py", "raise SystemExit('imported')")
    folder.load(MINIMAL)


def test_a_kind_that_the_manifest_does_not_know_is_a_problem(folder: Folder) -> None:
    folder.write("jobs/mine/manifest.toml", MANIFEST.replace("characters", "character"))
    [problem] = folder.problems(MINIMAL)
    assert 'manifest.toml has no [characters] (did you mean "character"?)' in problem


def test_the_args_of_a_schedule_must_spell_out_an_entity(folder: Folder) -> None:
    folder.write("jobs/mine/manifest.toml", MANIFEST)
    [problem] = folder.problems(MINIMAL + SCHEDULE + 'args = { realm = "kaelthas" }\n')
    assert problem.startswith("config.toml:15: schedules.x.args: ")
    assert "name missing" in problem
    folder.load(MINIMAL + SCHEDULE + 'args = { realm = "kaelthas", name = "Zoe" }\n')


def test_retention_and_freshness_that_no_package_knows_are_warnings(folder: Folder) -> None:
    folder.write("jobs/mine/manifest.toml", MANIFEST)
    folder.write("jobs/mine/statements/a.sql", "-- name: auctions_retention\nSELECT 1;\n")
    warnings = folder.warnings(MINIMAL + '[retention]\nauction = "1h"\nauctions = "1h"\n[freshness.characters]\n')
    assert warnings == [
        'config.toml:13: retention.auction: nothing of this name is ever deleted (did you mean "auctions"?)',
        "config.toml:15: freshness.characters: has no effect: its job package has no statement characters_stale",
    ]
