"""The states of a limiter: one for calls without a key, and one a key, in a dictionary.

A key's state is a number, or a tuple of numbers where the machine needs several. A key that is as good as
new is forgotten without anybody noticing. They are looked for when there are twice as many keys as were
left the last time, so that each new key pays for a few. Where `max_keys` are not as good as new, those that
come closest to it make room.

Threads: a machine of one number is advanced without a lock, for with the global lock no other thread runs
between reading and writing it (`fusing.transitions`); all else is done under the limiter's lock. That needs
keys whose hash and comparison are not Python code; the states of others are kept apart, and always advanced
under the lock.
"""

import heapq
from dataclasses import fields
from types import ModuleType
from typing import Any

from workbench.reliability.fusing.functions import fuse_function
from workbench.reliability.policies import _limiter_templates as templates

__all__ = ["States"]

COUNTERS = ("taken", "refused")
SWEPT_FIRST = 1024  # fewer keys are not worth looking through
PLAIN = frozenset({str, bytes, int, float, bool})


class States:
    """The states of a limiter whose machine's numbers fit into a tuple.

    Attributes
    ----------
    take(p, key, now, cost) -> seconds
        Take for a key, or for None; return the seconds to wait.
    swap(p, key, now, cost) -> (seconds, before, after)
        The same, and the states before and after.
    """

    def __init__(self, machine: ModuleType, parameters: Any, memory: Any, lock: Any, max_keys: int) -> None:
        self.machine, self.parameters, self.memory, self.lock = machine, parameters, memory, lock
        self.max_keys = max_keys
        self.swept_at = 0
        self.plain: dict[Any, Any] = {}
        self.odd: dict[Any, Any] = {}
        self.clear()
        self.fields = tuple(each.name for each in fields(machine.State) if each.name not in COUNTERS)
        self.make_functions()

    def make_functions(self) -> None:
        """Make the functions into which the machine is placed."""
        s, lock, plain = self.memory, self.lock, self.plain
        self.take = self.fused(templates.taking)(s, lock, plain, self.begin)
        self.swap = self.fused(templates.swapping)(s, lock, plain, self.swap_unknown)
        self.restore_plain = self.fused(templates.restoring)(s, lock, plain)
        self.surplus_of = self.fused(templates.judging)(self.parameters, s)

    def fused(self, factory: Any) -> Any:
        """Return a factory with the machine's transitions placed into it."""
        placed = (("take", self.machine.take), ("surplus", self.machine.surplus))
        return fuse_function(factory, placed, self.fields)

    def trying(self, p: Any, limiter: Any) -> Any:
        """Return the limiter's `try_acquire`."""
        s, lock, plain = self.memory, self.lock, self.plain
        return self.fused(templates.trying)(p, s, lock, limiter.clock, plain, self.begin, limiter)

    def begin(self, p: Any, key: Any, now: float, cost: float) -> float:
        """Take for a key that is not known, or not plain."""
        wait_s: float = self.swap_unknown(p, key, now, cost)[0]
        return wait_s

    def swap_unknown(self, p: Any, key: Any, now: float, cost: float) -> tuple[float, Any, Any]:
        """Do the same as `swap`, for a key that is not known, or not plain."""
        with self.lock:
            table = self.table(key)
            before = table.get(key)
            if before is not None and table is self.plain:  # another thread was quicker
                found: tuple[float, Any, Any] = self.swap(p, key, now, cost)
                return found
            if before is None:
                self.make_room(now)
                before = self.fresh()
            wait_s, after = self.advanced(p, before, now, cost)
            if wait_s <= p.patience_s:
                table[key] = after
            return wait_s, before, after

    def restore(self, key: Any, before: Any, after: Any) -> bool:
        """Put an earlier state back where the later one is still there; tell whether it was."""
        with self.lock:
            if key is None or self.table(key) is self.plain:
                restored: bool = self.restore_plain(key, before, after)
                return restored
            same = key in self.odd and self.odd[key] == after
            if same:
                self.odd[key] = before
            return same

    def table(self, key: Any) -> dict[Any, Any]:
        """Return where a key belongs."""
        return self.plain if _is_plain(key) else self.odd

    def fresh(self) -> Any:
        """Return the state of a new key."""
        return self.value_of(self.machine.State())

    def value_of(self, memory: Any) -> Any:
        """Return a state's numbers."""
        values = tuple(getattr(memory, name) for name in self.fields)
        return values[0] if len(values) == 1 else values

    def advanced(self, p: Any, value: Any, now: float, cost: float) -> tuple[float, Any]:
        """Return the seconds to wait, and the numbers after taking."""
        scratch = self.machine.State()
        values = (value,) if len(self.fields) == 1 else value
        for name, number in zip(self.fields, values, strict=True):
            setattr(scratch, name, number)
        wait_s = self.machine.take(p, scratch, now, cost)
        s = self.memory
        s.taken += scratch.taken  # no call between reading and writing: this is a whole, too
        s.refused += scratch.refused
        return wait_s, self.value_of(scratch)

    def make_room(self, now: float) -> None:
        """Forget keys where there are too many for one more."""
        if len(self) < self.swept_at:
            return
        self.sweep(now)
        if len(self) >= self.max_keys:
            self.evict(max(1, self.max_keys // 8), now)
        self.swept_at = min(self.max_keys, max(SWEPT_FIRST, 2 * len(self)))

    def sweep(self, now: float) -> int:
        """Forget all keys that are as good as new; return how many these were."""
        before = len(self)
        with self.lock:
            for table in (self.plain, self.odd):
                for key in list(table):
                    state = table[key]
                    if self.surplus_of(state, now) >= 0.0 and table[key] is state:
                        del table[key]
            forgotten = before - len(self)
            self.forgotten += forgotten
        return forgotten

    def evict(self, count: int, now: float) -> None:
        """Forget keys although that gives them more than they have left: those closest to new."""
        found = [(table, key) for table in (self.plain, self.odd) for key in table]
        closest = heapq.nlargest(count, found, lambda each: self.surplus_of(each[0][each[1]], now))
        for table, key in closest:
            del table[key]
        self.evicted += len(closest)

    def clear(self) -> None:
        """Forget all keys."""
        self.plain.clear()
        self.odd.clear()
        self.swept_at = min(SWEPT_FIRST, self.max_keys)
        self.forgotten = self.evicted = self.cancelled = 0

    def __len__(self) -> int:
        return len(self.plain) + len(self.odd)


def _is_plain(key: Any) -> bool:
    return type(key) in PLAIN or (type(key) is tuple and all(map(_is_plain, key)))
