"""The states of a limiter that remembers each call: a ring a key, advanced under the limiter's lock."""

from array import array
from collections.abc import Callable
from math import inf
from typing import Any

from workbench.reliability.policies._limiter_states import States

__all__ = ["Logs"]


class Logs(States):
    """The states of a limiter by `machines.sliding_log`; a state is `at`, `latest` and the ring."""

    def make_functions(self) -> None:
        """Make none: `take` and `swap` are the methods below."""
        self.own = self.fresh()

    def trying(self, p: Any, limiter: Any) -> Callable[..., bool]:
        """Return the limiter's `try_acquire`."""
        clock, refused = limiter.clock, limiter.refused

        def try_acquire(key: Any = None, cost: int = 1) -> bool:
            """Take, or do not; tell whether it was taken. Never waits."""
            now = clock.now()
            if type(cost) is not int or not 0 <= cost <= p.limit:
                return bool(refused(key, cost, now, 0.0))
            wait_s = self.take(p, key, now, cost)
            return wait_s == 0.0 or bool(refused(key, cost, now, wait_s))

        return try_acquire

    def take(self, p: Any, key: Any, now: float, cost: int) -> float:
        """Take for a key, or for None; return the seconds to wait."""
        with self.lock:
            wait_s, after = self.advanced(p, self.state(key, now), now, cost)
            if wait_s <= p.patience_s:
                self.store(key, after)
            return wait_s

    def swap(self, p: Any, key: Any, now: float, cost: int) -> tuple[float, Any, Any]:
        """Do the same, and return the states before and after."""
        with self.lock:
            at, latest, ring = self.state(key, now)
            before = (at, latest, ring[:])
            wait_s, after = self.advanced(p, (at, latest, ring), now, cost)
            if wait_s <= p.patience_s:
                self.store(key, after)
            return wait_s, before, (*after[:2], ring[:])

    def restore(self, key: Any, before: Any, after: Any) -> bool:
        """Put an earlier state back where the later one is still there; tell whether it was."""
        with self.lock:
            same = bool((self.own if key is None else self.table(key).get(key)) == after)
            if same:
                self.store(key, before)
            return same

    def state(self, key: Any, now: float) -> Any:
        """Return the state of a key, a new one where there is none; of None, that of calls without a key."""
        if key is None:
            return self.own
        found = self.table(key).get(key)
        if found is None:
            self.make_room(now)
            found = self.fresh()
        return found

    def store(self, key: Any, state: Any) -> None:
        """Keep the state of a key, or of None."""
        if key is None:
            self.own = state
        else:
            self.table(key)[key] = state

    def fresh(self) -> Any:
        """Return the state of a new key."""
        return (0, -inf, array("d", [-inf]) * self.parameters.limit)

    def advanced(self, p: Any, value: Any, now: float, cost: float) -> tuple[float, Any]:
        """Return the seconds to wait, and the state after taking; the ring is the same."""
        s = self.memory
        s.at, s.latest, ring = value
        wait_s = self.machine.take(p, s, ring, now, cost)
        return wait_s, (s.at, s.latest, ring)

    def surplus_of(self, state: Any, now: float) -> float:
        """Tell how long ago a state came to be as good as new."""
        beyond: float = self.machine.surplus(self.parameters, self.machine.State(*state[:2]), now)
        return beyond

    def clear(self) -> None:
        """Forget all keys, and all calls without one."""
        super().clear()
        self.own = self.fresh()
