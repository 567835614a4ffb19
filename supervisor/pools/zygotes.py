"""Keep a zygote to fork from: start it when one is needed, with backoff, and end old generations.

A generation is one zygote process and the code it has imported. `renew` makes later forks come from
a new process with the code of today; the old one goes when its last replica has gone. All replicas
of a zygote die with it, so an old generation is never ended while it has one.
"""

from collections.abc import Callable, Collection
from random import Random

from supervisor.core.backoff import full_jitter
from supervisor.core.clock import Clock
from supervisor.core.events import Events
from supervisor.pools.limits import Limits
from supervisor.pools.zygote_link import ZygoteLink


class Zygotes:
    """All generations. lost(link): called when a zygote has ended, asked for or not."""

    def __init__(
        self,
        *,
        runner: str,
        clock: Clock,
        events: Events,
        random: Random,
        limits: Limits,
        lost: Callable[[ZygoteLink], None],
    ) -> None:
        self._runner = runner
        self._clock = clock
        self._events = events
        self._random = random
        self._limits = limits
        self._lost = lost
        self._modules: tuple[str, ...] = ()
        self._current: ZygoteLink | None = None
        self._links: set[ZygoteLink] = set()
        self._closing: set[ZygoteLink] = set()
        self._failures = 0
        self._not_before = 0.0
        self.generation = 0
        self.deaths = 0

    @property
    def pids(self) -> tuple[int, ...]:
        """Return the pids of all living zygotes, oldest first."""
        return tuple(link.pid for link in sorted(self._links, key=lambda link: link.generation))

    def import_modules(self, modules: Collection[str]) -> None:
        """Import `modules` before the first fork; a module that is new to the present zygote renews it."""
        wanted = tuple(sorted(modules))
        if not set(wanted) <= set(self._modules):
            self.renew()
        self._modules = wanted

    def renew(self) -> None:
        """Fork from a new process from now on."""
        self._current = None

    def current(self) -> ZygoteLink | None:
        """Return the zygote to fork from, started now if need be; None while it backs off after a death."""
        now = self._clock.monotonic()
        link = self._current
        if link is not None and link.is_alive and not link.is_stuck:
            return link
        if now < self._not_before:
            return None
        self._current = self._launch()
        return self._current

    def retire(self, in_use: Collection[ZygoteLink]) -> None:
        """End every old generation outside `in_use`."""
        for link in self._links - self._closing - {self._current} - set(in_use):
            self._end(link)

    def close(self) -> None:
        """End all zygotes. Safe when called twice."""
        self._current = None
        self.retire(())

    def kill(self) -> None:
        """SIGKILL what `close` has not ended."""
        for link in self._links:
            link.kill()

    def _launch(self) -> ZygoteLink | None:
        self.generation += 1
        try:
            link = ZygoteLink(
                generation=self.generation,
                runner=self._runner,
                modules=self._modules,
                clock=self._clock,
                events=self._events,
                ended=self._ended,
            )
        except OSError as error:
            self._events.emit("zygote_failed", generation=self.generation, error=str(error))
            self._back_off(lived_s=0.0)
            return None
        self._links.add(link)
        return link

    def _end(self, link: ZygoteLink) -> None:
        self._closing.add(link)
        link.close()
        if link.is_stuck:
            link.kill()

    def _ended(self, link: ZygoteLink) -> None:
        self._links.discard(link)
        if link in self._closing:
            self._closing.discard(link)
        else:
            self.deaths += 1
            self._back_off(lived_s=self._clock.monotonic() - link.started_at)
        self._lost(link)

    def _back_off(self, *, lived_s: float) -> None:
        self._failures = 1 if lived_s >= self._limits.healthy_s else self._failures + 1
        self._not_before = self._clock.monotonic() + full_jitter(
            self._failures, base_s=self._limits.backoff_base_s, cap_s=self._limits.backoff_cap_s, random=self._random
        )
