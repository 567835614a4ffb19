"""A small memory of what was made lately, bounded by bytes."""

from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import Generic, TypeVar

V = TypeVar("V")


class Recent(Generic[V]):
    """Keep the values used last, up to `limit_bytes` by `weigh`. Safe from several threads: each step is atomic enough.

    Two threads may make the same value at once; both get an equal one.
    """

    def __init__(self, limit_bytes: int, weigh: Callable[[V], int]) -> None:
        self._limit_bytes = limit_bytes
        self._weigh = weigh
        self._held_bytes = 0
        self._values: OrderedDict[Hashable, V] = OrderedDict()

    def get(self, key: Hashable, make: Callable[[], V]) -> V:
        """Return the value of `key`, made now when it is not remembered."""
        value = self._values.get(key)
        if value is not None:
            return value
        value = make()
        if key not in self._values:
            self._values[key] = value
            self._held_bytes += self._weigh(value)
        while self._held_bytes > self._limit_bytes and len(self._values) > 1:
            self._held_bytes -= self._weigh(self._values.popitem(last=False)[1])
        return value
