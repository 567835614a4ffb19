"""What people, Prometheus and `gatherer doctor` see of a rig, by the real code that shows it."""

import shutil
import subprocess
from collections import defaultdict
from pathlib import Path
from typing import Any

import msgspec
from prometheus_client.parser import text_string_to_metric_families

from supervisor.control.metrics import Metrics
from supervisor.control.snapshot import Reload, Snapshot
from supervisor.control.status import status_of
from supervisor.database.statistics import DatabaseStatistics
from supervisor.pools.statistics import PoolsStatistics
from tests.control.snapshots import pool_of
from tests.faults.rig import Rig

RULES = Path(__file__).parents[2] / "config" / "prometheus" / "gatherer.rules.yml"
WATCHED = (
    "gatherer_purge_brake", "gatherer_unparsed_total", "gatherer_jobs_total", "gatherer_fresh_ratio",
    "gatherer_requests_total", "gatherer_queue_jobs", "gatherer_limited", "gatherer_target_per_second",
    "gatherer_tag_usable_keys", "gatherer_disk_stopped", "gatherer_key_window_used", "gatherer_key_window_limit",
    "gatherer_config_last_reload_successful", "gatherer_replica_restarts_total", "gatherer_pool_degraded",
    "gatherer_endpoint_braked",
)  # fmt: skip  # what the rules ask for


class Watch:
    """Scrapes once in `every_min` minutes, as Prometheus does more often."""

    def __init__(self, rig: Rig, every_min: int) -> None:
        self._every_min = every_min
        self._rig = rig
        self._metrics = Metrics(self.snapshot)
        self._scrapes = 0
        self._series: dict[str, dict[int, float]] = defaultdict(dict)

    def snapshot(self) -> Snapshot:
        rig = self._rig
        now = rig.clock.monotonic()
        pools = {
            kind: pool_of(worker=kind, effective_replicas=1, restarts={}, braked=brakes.statistics(now))
            for kind, brakes in rig.brakes.items()
        }
        return Snapshot(
            now=rig.clock.wall(),
            started_at=rig.clock.wall() - 9.0,
            pid=1,
            config=rig.config,
            generation=1,
            reload=Reload(at=rig.clock.wall()),
            reasons_not_ready=[],
            limiter=rig.permits.statistics(),
            pools=PoolsStatistics(workers=pools, zygote_pids=(), zygote_generation=1, zygote_deaths=0),
            database=DatabaseStatistics(
                state="ready", reason="", pid=2, sqlite="3", restarts=0, pulse=rig.pulse, waiting=None,
                unsettled_exits=0, census=rig.census,
            ),
            measurements=rig.measurements,
        )  # fmt: skip  # one line a name would be a page

    def worker(self, name: str) -> dict[str, Any]:
        """Return what the status says about a worker."""
        status: dict[str, Any] = msgspec.to_builtins(status_of(self.snapshot())["workers"][name])
        return status

    def scrape(self) -> None:
        """Take the metrics of now."""
        for family in text_string_to_metric_families(self._metrics.text().decode()):
            for sample in family.samples:
                if sample.name in WATCHED:
                    labels = ",".join(f'{name}="{text}"' for name, text in sorted(sample.labels.items()))
                    self._series[f"{sample.name}{{{labels}}}"][self._scrapes] = sample.value
        self._series['up{job="gatherer"}'][self._scrapes] = 1.0
        self._scrapes += 1

    def alerts(self, folder: Path, expected: dict[str, int]) -> str:
        """Let Prometheus' own tool judge the shipped rules over all scrapes; return what differs, "" = nothing.

        expected: {alert: how many of it fire at some time}; all others never.
        """
        shutil.copy(RULES, folder)
        minutes = self._scrapes * self._every_min
        series = [
            {"series": name, "values": " ".join(_text(values.get(n)) for n in range(self._scrapes))}
            for name, values in self._series.items()
        ]
        fired = f'sum by (alertname) (max_over_time(ALERTS{{alertstate="firing"}}[{minutes}m]))'
        samples = [{"labels": f'{{alertname="{name}"}}', "value": n} for name, n in sorted(expected.items())]
        test = {"expr": fired, "eval_time": f"{minutes - self._every_min}m", "exp_samples": samples}
        case = {"interval": f"{self._every_min}m", "input_series": series, "promql_expr_test": [test]}
        content = {"rule_files": [RULES.name], "evaluation_interval": f"{self._every_min}m", "tests": [case]}
        (folder / "patch_day.test.yml").write_bytes(msgspec.json.encode(content))  # JSON is YAML
        done = subprocess.run(
            ["promtool", "test", "rules", "patch_day.test.yml"],
            cwd=folder, capture_output=True, text=True, timeout=60, check=False,
        )  # fmt: skip  # as above
        return "" if done.returncode == 0 else done.stdout + done.stderr


def _text(value: float | None) -> str:
    return "_" if value is None else f"{value:g}"
