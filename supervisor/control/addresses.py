"""Every address of the control API: the table behind the server and behind /openapi.json.

What stands above another and fits first answers. The page's own files (`dashboard/assets.py`) are no part of it.
"""

from collections.abc import Mapping
from typing import Any

from supervisor.control import alerts, queries, routes, scale, shapes
from supervisor.control.route import Route
from supervisor.control.routes import question
from supervisor.database.entries import Entry

JSON = "application/json"
_JOB = r"/jobs/{id:\d{1,18}}"
_BATCH = r"/batches/{batch:\d{1,18}}"


def _asked(method: str, path: str, name: str, answers: Mapping[int, Any], does: str, **more: Any) -> Route:
    """Return an address whose answer is the database's, to the question `name`."""
    return Route(method, path, question(name), answers, does=does, asks_database=True, **more)


def _changes(path: str, name: str, which: str) -> tuple[Route, Route]:
    """Return the two addresses that change one job, and those that filters name."""
    changed = {200: shapes.Changed}
    return (
        _asked("POST", f"/jobs/{path}", name, changed, f"{which} the jobs of the query.", query=queries.ChangeQuery),
        _asked("POST", f"{_JOB}/{path}", name, changed, f"{which} one job."),
    )


ROUTES = (
    Route("GET", "/healthz", routes.healthz, {200: shapes.Health}),
    Route("GET", "/readyz", routes.readyz, {200: shapes.Readiness, 503: shapes.Readiness}),
    Route("GET", "/metrics", routes.metrics, {200: "text/plain"}),
    Route("GET", "/events", routes.events, {200: "text/event-stream"}),
    Route("GET", "/openapi.json", routes.openapi, {200: dict[str, Any]}),
    Route("GET", "/workers", routes.workers, {200: shapes.Status}),
    Route("GET", "/workers/concurrency", routes.sizes, {200: shapes.Sizes}),
    Route(
        "POST", "/workers/concurrency", routes.scale,
        {200: scale.Scaled, 202: (scale.Scaled, alerts.TakenAlerts)}, bodies=(scale.ScaleRequest, alerts.Webhook),
    ),
    Route("POST", "/alerts", routes.take_alerts, {202: alerts.TakenAlerts}, bodies=(alerts.Webhook,)),
    Route("POST", "/workers/{worker}/pause", routes.pause, {200: shapes.Paused}),
    Route("POST", "/workers/{worker}/resume", routes.resume, {200: shapes.Paused}),
    Route("POST", "/workers/{worker}/restart", routes.restart, {202: shapes.Restarting}),
    Route("GET", "/keys", routes.keys, {200: shapes.Keys}),
    Route("POST", "/keys/verify", routes.verify_keys, {200: shapes.KeyChecks}, query=queries.NameQuery),
    Route("POST", "/keys/{key}/disable", routes.disable_key, {200: shapes.KeyStatus}),
    Route("POST", "/keys/{key}/enable", routes.enable_key, {200: shapes.KeyStatus}),
    Route("POST", "/keys/{key}/unlock", routes.unlock_key, {200: shapes.KeyStatus}),
    _asked("GET", "/jobs", "jobs.list", {200: shapes.JobPage}, "List jobs, newest first.", query=queries.JobsQuery),
    _asked("POST", "/jobs", "enqueue", {202: shapes.Enqueued}, "Add one job, or several.", bodies=(Entry, shapes.Jobs)),
    *_changes("retry", "jobs.retry", "Make available again"),
    *_changes("discard", "jobs.discard", "Discard"),
    _asked("GET", _JOB, "jobs.show", {200: shapes.Job}, "Return one job."),
    Route(
        "GET", f"{_JOB}/wait", routes.wait_for_job, {200: shapes.Job, 202: shapes.Job},
        query=queries.WaitQuery, asks_database=True,
    ),
    _asked("POST", "/batches", "batch.open", {201: shapes.Batch}, "Open a batch, for very many jobs."),
    _asked("POST", f"{_BATCH}/jobs", "batch.append", {200: shapes.Staged}, "Append jobs.", bodies=(shapes.Jobs,)),
    _asked("POST", f"{_BATCH}/accept", "batch.accept", {200: shapes.ClosedBatch}, "Enqueue all that was appended."),
    _asked("DELETE", _BATCH, "batch.abort", {200: shapes.ClosedBatch}, "Forget all that was appended."),
    Route("POST", "/backups", routes.back_up, {200: shapes.Backup}, asks_database=True),
    _asked("GET", "/queues", "queues", {200: shapes.Queues}, "Count the jobs of each worker."),
    _asked(
        "GET", "/entities/{entity:.+}", "show", {200: shapes.Known}, "Return what is stored of an entity.",
        query=queries.WorkerQuery,
    ),
    _asked(
        "GET", "/export", "export", {200: shapes.ExportPage}, "Return a page of a table, in the order of its key.",
        query=queries.ExportQuery,
    ),
    _asked("GET", "/statistics", "statistics", {200: shapes.DatabaseStatistics}, "Say how the database is."),
)  # fmt: skip  # one address a line, where it fits
