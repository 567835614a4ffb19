"""The control API over real sockets, with a program in memory behind it."""

import io
import stat
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from supervisor.control.http import ControlServer
from supervisor.core.errors import ConfigurationError
from tests.control.fake_face import FakeFace
from tests.control.serving import call, serve


async def test_both_doors_answer_and_the_socket_is_the_owners_alone(server: ControlServer, tmp_path: Path) -> None:
    assert (await call(server, "GET", "/healthz"))[0] == 200
    socket = tmp_path / "control.sock"
    connector = aiohttp.UnixConnector(str(socket))
    async with aiohttp.ClientSession(connector=connector) as session, session.get("http://localhost/workers") as answer:
        assert (await answer.json())["pid"] == 4711
    assert stat.S_IMODE(socket.stat().st_mode) == 0o600


async def test_readyz_gives_the_reasons_with_503(server: ControlServer, face: FakeFace) -> None:
    assert (await call(server, "GET", "/readyz"))[:2] == (200, {"ready": True, "reasons": []})
    face.reasons = ["draining"]
    assert (await call(server, "GET", "/readyz"))[:2] == (503, {"ready": False, "reasons": ["draining"]})


async def test_metrics_are_prometheus_text(server: ControlServer) -> None:
    status, text, headers = await call(server, "GET", "/metrics")
    assert (status, text) == (200, "gatherer_up 1\n")
    assert headers["Content-Type"].startswith("text/plain; version=")


async def test_a_posted_job_reaches_the_database_unparsed(server: ControlServer, face: FakeFace) -> None:
    body = b'{"worker": "characters",  "entity": "eu/kaelthas/zo\xc3\xa9"}'
    status, answer, _ = await call(server, "POST", "/jobs", data=body)
    assert (status, answer["new"]) == (202, 1)
    assert face.asked == [("enqueue", {}, body)]


async def test_query_and_path_become_the_questions_parameters(server: ControlServer, face: FakeFace) -> None:
    await call(server, "GET", "/jobs?worker=guilds&state=discarded")
    await call(server, "GET", "/entities/eu/kaelthas/zo%C3%A9?worker=characters")
    assert [(method, params) for method, params, _ in face.asked] == [
        ("jobs.list", {"worker": "guilds", "state": "discarded"}),
        ("show", {"worker": "characters", "entity": "eu/kaelthas/zoé"}),
    ]


async def test_a_path_part_wins_over_a_query_parameter_of_its_name(server: ControlServer, face: FakeFace) -> None:
    await call(server, "GET", "/jobs/7?id=8")
    assert face.asked[0][1] == {"id": "7"}


async def test_the_databases_refusal_passes_through_as_a_problem(server: ControlServer) -> None:
    status, answer, headers = await call(server, "POST", "/jobs", json={"worker": "charcters", "entity": "x"})
    assert (status, answer["detail"]) == (422, "unknown worker charcters")
    assert headers["Content-Type"] == "application/problem+json"


async def test_an_absent_database_is_503_with_retry_after(server: ControlServer, face: FakeFace) -> None:
    face.is_away = True
    status, answer, headers = await call(server, "GET", "/jobs")
    assert (status, answer["detail"], headers["Retry-After"]) == (503, "the database restarts", "1")


async def test_a_wait_is_bounded_and_takes_whole_seconds_only(server: ControlServer, face: FakeFace) -> None:
    await call(server, "POST", "/jobs", json={"worker": "guilds", "entity": "eu/a/b"})
    assert (await call(server, "GET", "/jobs/1/wait?timeout_s=999999"))[0] == 202
    assert face.asked[-1][1] == {"id": "1", "timeout_s": "60"}
    assert (await call(server, "GET", "/jobs/1/wait?timeout_s=soon"))[0] == 422


async def test_unknown_addresses_and_methods_are_problems_too(server: ControlServer) -> None:
    status, answer, _ = await call(server, "GET", "/nowhere")
    assert (status, answer["detail"]) == (404, "nothing at /nowhere")
    status, answer, headers = await call(server, "DELETE", "/workers")
    assert (status, "GET" in headers["Allow"]) == (405, True)


async def test_a_body_above_the_limit_is_refused(server: ControlServer, face: FakeFace) -> None:
    status, _, _ = await call(server, "POST", "/jobs", data=io.BytesIO(b" " * (8 * 1024 * 1024 + 1)))
    assert (status, face.asked) == (413, [])


async def test_a_fault_of_ours_is_500_without_details_and_an_event_with_them(
    server: ControlServer, happened: list[tuple[str, dict[str, Any]]]
) -> None:
    status, answer, _ = await call(server, "GET", "/jobs/99/wait")  # the fake does not know job 99: KeyError
    assert (status, answer["detail"]) == (500, "a fault of ours; the log has it")
    name, fields = happened[-1]
    assert (name, fields["path"], "KeyError" in fields["traceback"]) == ("request_failed", "/jobs/99/wait", True)


async def test_pausing_an_unknown_worker_is_a_problem(server: ControlServer, face: FakeFace) -> None:
    assert (await call(server, "POST", "/workers/guilds/pause"))[0] == 200
    assert face.paused == {"guilds"}
    assert (await call(server, "POST", "/workers/nobody/pause"))[0] == 404


async def test_a_page_of_another_site_may_not_change_anything(server: ControlServer, face: FakeFace) -> None:
    for headers in ({"Origin": "https://evil.example"}, {"Host": "evil.example"}):
        status, _, _ = await call(server, "POST", "/workers/guilds/pause", headers=headers)
        assert status == 403
    assert face.paused == set()


async def test_tokens_tell_readers_from_admins(face: FakeFace, tmp_path: Path) -> None:
    token_file = tmp_path / "tokens"
    token_file.write_text("# ours\nread looker\nadmin changer\n")
    server = serve(face, tmp_path, [], token_file=str(token_file))
    await server.start()
    try:

        async def status(method: str, path: str, token: str) -> int:
            return (await call(server, method, path, headers={"Authorization": f"Bearer {token}"}))[0]

        assert (await call(server, "GET", "/workers"))[0] == 401
        assert (await call(server, "GET", "/healthz"))[0] == 200
        assert await status("GET", "/workers", "looker") == 200
        assert await status("POST", "/workers/guilds/pause", "looker") == 403
        assert await status("POST", "/workers/guilds/pause", "nobody") == 401
        assert await status("GET", "/workers", "looker2") == 401
        assert face.paused == set()
        assert await status("POST", "/workers/guilds/pause", "changer") == 200
    finally:
        await server.stop()


async def test_an_open_address_without_tokens_is_refused(face: FakeFace, tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="needs server.token_file"):
        await serve(face, tmp_path, [], listen="0.0.0.0:0").start()


async def test_an_address_in_use_is_a_configuration_problem_and_leaves_no_socket(
    server: ControlServer, face: FakeFace, tmp_path: Path
) -> None:
    second_dir = tmp_path / "second"
    second_dir.mkdir()
    second = serve(face, second_dir, [], listen=f"127.0.0.1:{server.port}")
    with pytest.raises(ConfigurationError, match="in use"):
        await second.start()
    assert not (second_dir / "control.sock").exists()


async def test_stopping_twice_is_fine(face: FakeFace, tmp_path: Path) -> None:
    server = serve(face, tmp_path, [])
    await server.stop()
    await server.start()
    await server.stop()
    await server.stop()
