"""Questions of people and tools: a method, parameters, a body → an HTTP status and JSON.

    enqueue · batch.open · batch.append · batch.accept · batch.abort        questions_enqueue.py
    jobs.list · jobs.show · jobs.wait · jobs.retry · jobs.discard           questions_jobs.py
    queues · show · export · statistics                                     questions_data.py
    backup                                                                  questions_backup.py

Errors are problem+json: {"title", "status", "detail"}, sometimes "errors".
"""

import asyncio
import sqlite3
import traceback
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

import msgspec

from supervisor.core.errors import GathererError, NotFoundError, RefusedError, UnavailableError, UsageError
from supervisor.core.messages.supervisor_database import Question, Reply
from supervisor.core.wire import MAX_FRAME_BYTES
from supervisor.database.failures import describe, may_pass
from supervisor.database.loops import Note

# The longest that any question may take; jobs.wait has its own, shorter one.
ANSWER_WITHIN_S = 660.0
MAX_ASKED = 1000
MAX_REPLY_BYTES = MAX_FRAME_BYTES - 1024
MAX_DIGITS = 19  # more are never within bounds, and very many are no number to Python

Params: TypeAlias = Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """HTTP status and what becomes the JSON body."""

    body: Any
    status: int = 200


Handler: TypeAlias = Callable[[Params, bytes], Awaitable[Answer]]


class Answers:
    """Route questions to their handlers, each in a task of its own. failed: is told of every database error."""

    def __init__(
        self,
        handlers: Mapping[str, Handler],
        send: Callable[[Reply], None],
        note: Note,
        failed: Callable[[Exception], bool],
    ) -> None:
        self._handlers = handlers
        self._send = send
        self._note = note
        self._failed = failed
        self._tasks: set[asyncio.Task[None]] = set()

    def ask(self, question: Question) -> None:
        """Answer in the background, whatever happens; at once with 503 when MAX_ASKED are being answered."""
        if len(self._tasks) >= MAX_ASKED:
            self._reply(question, problem(503, "not now", f"{MAX_ASKED} questions are being answered already"))
            return
        task = asyncio.get_running_loop().create_task(self._work(question), name=f"question {question.method}")
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def stop(self) -> None:
        """Give up what is not answered."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def answer(self, method: str, params: Params, body: bytes) -> Answer:
        """Return the answer; every error has become one."""
        handler = self._handlers.get(method)
        if handler is None:
            return problem(404, "no such operation", f"{method!r} is none of {', '.join(sorted(self._handlers))}")
        try:
            async with asyncio.timeout(ANSWER_WITHIN_S):
                return await handler(params, body)
        except TimeoutError:
            return problem(504, "no answer in time", method)
        except (GathererError, sqlite3.Error) as error:
            self._failed(error)
            return _refusal(error)
        except Exception as error:  # top of a question
            self._note("question_failed", method=method, traceback=traceback.format_exc(limit=8))
            return problem(500, "internal error", describe(error))

    async def _work(self, question: Question) -> None:
        self._reply(question, await self.answer(question.method, question.params, question.body))

    def _reply(self, question: Question, answer: Answer) -> None:
        body = msgspec.json.encode(answer.body)
        if len(body) > MAX_REPLY_BYTES:
            sentence = f"the answer has {len(body):,} bytes, at most {MAX_REPLY_BYTES:,}: ask for fewer at once (limit)"
            body = msgspec.json.encode(problem(422, "too much at once", sentence).body)
            answer = Answer(body=None, status=422)
        self._send(Reply(question.call, answer.status, body))


def problem(status: int, title: str, detail: str, **more: Any) -> Answer:
    """Return an error as problem+json."""
    return Answer(status=status, body={"title": title, "status": status, "detail": detail, **more})


def integer(params: Params, name: str, default: int | None = None, *, at_most: int = 2**62) -> int:
    """Return a parameter as an integer from 0 to `at_most`. UsageError when it is none or missing."""
    text = params.get(name, "")
    if not text and default is not None:
        return default
    if not text.isdecimal() or len(text) > MAX_DIGITS or int(text) > at_most:
        raise UsageError(f"{name}: expected an integer from 0 to {at_most}, got {text[:40]!r}")
    return int(text)


def _refusal(error: Exception) -> Answer:
    match error:
        case NotFoundError():
            return problem(404, "not found", str(error))
        case UsageError():
            return problem(422, "cannot be understood", str(error))
        case UnavailableError():
            return problem(503, "not now", str(error))
        case RefusedError():
            return problem(409, "refused", str(error))
    return problem(503 if may_pass(error) else 500, "the database failed", describe(error))
