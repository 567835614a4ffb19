"""What becomes of one request.

    arrive   count it for its client, on CLOCK_MONOTONIC, in the turn that read its head
    handle   over the limit → 429 at once; else a fault or an answer, after the latency of this request
    answer   token, then namespace, then the resource; 404 with a JSON body means that the resource is not there

Refused requests are answered without latency: the gateway refuses them before anything behind it is asked.
"""

import asyncio
from collections import Counter, defaultdict
from collections.abc import Callable
from concurrent.futures import Executor
from dataclasses import dataclass
from functools import partial

import msgspec

from jobs.simulator import access, refusals, spoiling
from jobs.simulator.bodies.ask import Ask, Page
from jobs.simulator.clients import Client, Clients, Verdict
from jobs.simulator.faults import Fault, Faults
from jobs.simulator.http1 import Answer, Request, read_date, write
from jobs.simulator.latency import Latency
from jobs.simulator.options import Options
from jobs.simulator.packing import Packed, gzip
from jobs.simulator.recent import Recent
from jobs.simulator.routes import TOKEN, UNKNOWN, Endpoint, Routes
from jobs.simulator.server import Exchange
from jobs.simulator.world.world import World

CONTROL = "/_simulator/"
TOKEN_PATHS = ("/oauth/token", "/token")
REMEMBERED_BYTES = 96 << 20
_LEAST_GZIP_BYTES = 1400  # a smaller body travels in one packet anyway
Control = Callable[[Request, bytes], Answer]


@dataclass(slots=True, kw_only=True)
class Case:
    """What is known about a request since its arrival. trusted: its token or secret is right."""

    client: Client
    trusted: bool
    verdict: Verdict
    name: str
    endpoint: Endpoint | None
    parts: list[str]


class Gateway:
    """Judges and answers requests. `control` answers those to the simulator itself, which count nowhere."""

    def __init__(
        self,
        *,
        options: Options,
        clients: Clients,
        world: World,
        latency: Latency,
        faults: Faults,
        monotonic: Callable[[], float],
        thread: Executor | None,
    ) -> None:
        """thread: makes heavy bodies; None makes them in the loop (tests)."""
        self.options = options
        self.clients = clients
        self.world = world
        self.faults = faults
        self.endpoints: dict[str, Counter[str]] = defaultdict(Counter)
        self.control: Control = lambda request, body: refusals.refusal(404)
        self.monotonic = monotonic
        self._latency = latency
        self._thread = thread
        self._memory: Recent[Packed] = Recent(REMEMBERED_BYTES, lambda packed: len(packed.deflated) + 200)
        self._routes = Routes()

    def arrive(self, exchange: Exchange) -> None:
        """Count a request: the first thing that happens to it."""
        request = exchange.request
        if request.path.startswith(CONTROL):
            return
        now = self.monotonic()
        client, trusted = access.identify(self.clients, request, now)
        verdict = client.arrive(now)
        is_token = request.path in TOKEN_PATHS
        endpoint, parts = (None, []) if is_token else self._routes.find(request.path)
        name = TOKEN if is_token else endpoint.name if endpoint else UNKNOWN
        exchange.notes = Case(
            client=client, trusted=trusted, verdict=verdict, name=name, endpoint=endpoint, parts=parts
        )

    def handle(self, exchange: Exchange) -> None:
        """Answer a complete request, now or after its latency."""
        case: Case | None = exchange.notes
        if case is None:
            self._send(exchange, self.control(exchange.request, exchange.body))
        elif case.verdict in ("second", "hour"):
            self._finish(exchange, case, refusals.too_many(self.options))
        else:
            fault = self.faults.pick(case.name, exchange.request.path, case.client.name)
            delay_s = self._latency.draw(slowed=case.verdict == "slow")
            if fault is not None and fault.do == "delay":
                delay_s += fault.seconds
            exchange.after(delay_s, self._answer, exchange, case, fault)

    def abandon(self, exchange: Exchange) -> None:
        """Count a request whose connection ended before the answer."""
        if exchange.notes is not None:
            self._note(exchange.notes, "aborted")

    def _answer(self, exchange: Exchange, case: Case, fault: Fault | None) -> None:
        if fault is not None and spoiling.ends(exchange, fault):
            self._note(case, fault.do)
            return
        canned = spoiling.canned(fault) if fault is not None else None
        refused = canned or self._refused(exchange, case)
        if refused is not None:
            self._finish(exchange, case, refused, fault)
            return
        endpoint = case.endpoint
        assert endpoint is not None
        request = exchange.request
        parameters = request.parameters()
        region = access.region_of(request, parameters, endpoint.namespace)
        if region is None:
            self._finish(exchange, case, refusals.refusal(403), fault)
            return
        ask = access.ask(self.world, self.options, self._memory, region, parameters)
        make = partial(endpoint.render, ask, *case.parts)
        done = partial(self._found, exchange, case, ask, fault)
        if endpoint.heavy and self._thread is not None:
            future = asyncio.get_running_loop().run_in_executor(self._thread, make)
            future.add_done_callback(lambda made: done(made.result()))
        else:
            done(make())

    def _refused(self, exchange: Exchange, case: Case) -> Answer | None:
        """Return the answer when no resource is asked for: tokens, unknown paths, wrong credentials."""
        request = exchange.request
        if case.name == TOKEN:
            return self._token(exchange, case)
        if not case.trusted:
            in_query = "authorization" not in request.headers and "access_token=" in request.query
            return refusals.empty(404) if in_query else refusals.refusal(401)
        if case.endpoint is None or request.method not in ("GET", "HEAD"):
            return refusals.refusal(404)
        return None

    def _token(self, exchange: Exchange, case: Case) -> Answer:
        if exchange.request.method != "POST":
            return refusals.oauth_error(400, "invalid_request", "Request method 'GET' not supported")
        if b"grant_type=client_credentials" not in exchange.body:
            return refusals.oauth_error(400, "unsupported_grant_type", "Missing grant type")
        if not case.trusted:
            return refusals.oauth_error(401, "unauthorized", "Bad client credentials")
        return Answer(status=200, body=msgspec.json.encode(self.clients.token(case.client, self.monotonic())))

    def _found(self, exchange: Exchange, case: Case, ask: Ask, fault: Fault | None, page: Page | None) -> None:
        if page is None:
            self._finish(exchange, case, refusals.refusal(404), fault)
            return
        assert case.endpoint is not None
        modified = 0.0 if fault is not None and fault.do in ("undated", "dated") else page.modified
        lines = access.lines(case.endpoint, ask.region)
        since = exchange.request.headers.get("if-modified-since")
        if since is not None and modified and read_date(since) >= int(modified):
            self._finish(exchange, case, Answer(status=304, lines=lines, modified=modified), fault)
            return
        zipped = exchange.request.accepts_gzip and (page.packed is not None or len(page.rest) >= _LEAST_GZIP_BYTES)
        body = _body(page, zipped=zipped)
        self._finish(
            exchange, case, Answer(status=200, body=body, lines=lines, zipped=zipped, modified=modified), fault
        )

    def _finish(self, exchange: Exchange, case: Case, answer: Answer, fault: Fault | None = None) -> None:
        if exchange.is_over:
            return
        self._note(case, str(answer.status))
        self._send(exchange, answer, fault)

    def _send(self, exchange: Exchange, answer: Answer, fault: Fault | None = None) -> None:
        if fault is not None:
            spoiling.spoil(answer, fault)
        output = write(answer, now=self.world.clock.now(), one_digit_days=self.options.one_digit_days)
        if exchange.request.method == "HEAD":
            output = output[: len(output) - len(answer.body)]
        if fault is None:
            exchange.reply(output)
        else:
            spoiling.send(exchange, output, len(answer.body), fault)

    def _note(self, case: Case, status: str) -> None:
        case.client.tally.by_status[status] += 1
        self.endpoints[case.name][status] += 1


def _body(page: Page, *, zipped: bool) -> bytes:
    if page.packed is None:
        return gzip(page.rest) if zipped else page.rest
    return page.packed.gzip(page.rest) if zipped else page.packed.plain(page.rest)
