"""What settings say about each other: tags, keys, APIs, jobs, folders. Problems, each at its setting."""

from supervisor.core.entity import from_args
from supervisor.core.errors import UsageError
from supervisor.settings.config import Api, Config, Key, Worker
from supervisor.settings.keys import ANY_TAG
from supervisor.settings.packages import MANIFEST, kind_of, manifest, package_folder, statement_names
from supervisor.settings.report import Report, nearest

# sun_path of a Unix socket holds 108 bytes with its closing zero (unix(7)); the longest name in run_dir:
MAX_RUN_DIR_BYTES = 107 - len("/database.sock")

RETENTION = "_retention"
ENGINE_STATEMENTS = {"jobs_completed_retention", "jobs_discarded_retention"}


def refer(config: Config, report: Report) -> None:
    """Check everything that needs more than one table."""
    _tags(config, report)
    _uses(config, report)
    _unused(config, report)
    _kinds(config, report)
    _schedules(config, report)
    _unheard(config, report)
    if len(bytes(config.run_dir)) > MAX_RUN_DIR_BYTES:
        sentence = f"{config.run_dir} is too long for sockets: at most {MAX_RUN_DIR_BYTES} bytes"
        report.problem("run_dir", sentence)


def keys_of(config: Config, worker: Worker) -> tuple[Key, ...]:
    """Return the keys that a worker may use: those with its tag, or all for tag "any"."""
    if worker.tag == ANY_TAG:
        return config.keys
    return tuple(key for key in config.keys if worker.tag in key.tags)


def statements_of(config: Config) -> set[str]:
    """Return the names of all statements that the workers' packages and the engine bring."""
    folders = {package_folder(worker.job, worker.path) for worker in config.workers.values()}
    return ENGINE_STATEMENTS.union(*(statement_names(folder) for folder in folders if folder))


def _tags(config: Config, report: Report) -> None:
    if not config.keys:
        report.problem("keys", "there is no [[keys]] table, so no worker could send a request")
        return
    known = {tag for key in config.keys for tag in key.tags} | {ANY_TAG}
    for worker in config.workers.values():
        label = f"workers.{worker.name}.tag"
        apis = sorted({key.api for key in keys_of(config, worker)})
        if len(apis) > 1:
            report.problem(
                label, f'the keys of tag "{worker.tag}" are of several APIs ({", ".join(apis)}): a worker has one'
            )
        if apis or not worker.tag:
            continue
        sentence = f'no key has the tag "{worker.tag}"{nearest(worker.tag, known)}'
        # A worker that stands still anyway may lose its keys for a while.
        if worker.paused or worker.replicas == 0 or worker.concurrency == 0:
            report.warning(label, sentence)
        else:
            report.problem(label, f"{sentence}; its jobs would wait for ever")


def _uses(config: Config, report: Report) -> None:
    """A share of a small window may be less than one request: then nothing would ever be granted."""
    for api in config.apis.values():
        if _too_little(api, api.use):
            report.problem(f"apis.{api.name}.use", f"{api.use:g} leaves a window less than one request")
    for key in config.keys:
        if key.use is not None and key.api in config.apis and _too_little(config.apis[key.api], key.use):
            report.problem(f"keys.{key.name}.use", f"{key.use:g} leaves a window less than one request")


def _too_little(api: Api, use: float) -> bool:
    return any(int(window.requests * use + 1e-9) < 1 for window in api.windows)


def _unused(config: Config, report: Report) -> None:
    used_tags = {worker.tag for worker in config.workers.values()}
    everything = any(worker.tag == ANY_TAG for worker in config.workers.values())
    for key in config.keys:
        if not everything and not used_tags & set(key.tags):
            report.warning(
                f"keys.{key.name}.tags", f"no worker has one of these tags{nearest(''.join(key.tags[:1]), used_tags)}"
            )
    for name in config.apis:
        if all(key.api != name for key in config.keys):
            report.warning(f"apis.{name}", "no key belongs to it")


def _kinds(config: Config, report: Report) -> None:
    for worker in config.workers.values():
        folder = package_folder(worker.job, worker.path)
        kinds = manifest(folder) if folder else {}
        if kinds and kind_of(worker.job) not in kinds:
            sentence = f"{folder}/{MANIFEST} has no [{kind_of(worker.job)}]{nearest(kind_of(worker.job), kinds)}"
            report.problem(f"workers.{worker.name}.job", sentence)


def _schedules(config: Config, report: Report) -> None:
    """The args of a schedule must spell out an entity, or its job would be refused at every slot."""
    region = next(iter(config.apis.values())).region
    for schedule in config.schedules.values():
        worker = config.workers.get(schedule.worker)
        folder = package_folder(worker.job, worker.path) if worker else None
        pattern = manifest(folder).get(kind_of(worker.job), {}).get("entity") if worker and folder else None
        try:
            if isinstance(pattern, str):
                from_args(pattern, schedule.args, region=region)
        except UsageError as error:
            report.problem(f"schedules.{schedule.name}.args", str(error))
        except KeyError:
            continue  # an unknown part in the manifest's pattern: the database process says so


def _unheard(config: Config, report: Report) -> None:
    """Names that no package knows do nothing. Only a warning, as packages come and go."""
    known = statements_of(config)
    kept = {name.removesuffix(RETENTION) for name in known if name.endswith(RETENTION)}
    for name in config.retention_s.keys() - kept:
        if report.is_placed(f"retention.{name}"):
            report.warning(f"retention.{name}", f"nothing of this name is ever deleted{nearest(name, kept)}")
    for name in config.freshness.keys() & config.workers.keys():
        kind = kind_of(config.workers[name].job)
        if f"{kind}_stale" not in known:
            report.warning(f"freshness.{name}", f"has no effect: its job package has no statement {kind}_stale")
