"""Wait for something to become true, with a deadline and a useful failure."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import TypeVar, overload

T = TypeVar("T")


@overload
async def eventually(
    look: Callable[[], Awaitable[T]], until: Callable[[T], bool] = bool, *, within_s: float = 10.0
) -> T: ...
@overload
async def eventually(look: Callable[[], T], until: Callable[[T], bool] = bool, *, within_s: float = 10.0) -> T: ...
async def eventually(
    look: Callable[[], T | Awaitable[T]], until: Callable[[T], bool] = bool, *, within_s: float = 10.0
) -> T:
    """Poll `look()` until `until(value)`; fail with the last value seen. The only poller in the tests."""
    deadline = time.monotonic() + within_s
    while True:
        value = look()
        if isinstance(value, Awaitable):
            value = await value
        if until(value):
            return value
        if time.monotonic() >= deadline:
            raise AssertionError(f"not within {within_s:g} s; last seen: {value!r}")
        await asyncio.sleep(0.02)
