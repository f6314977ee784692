"""In which order those that wait get places: the first first, the last first, or the most important first.

An order knows waiters and nothing of places. All its methods are called with the lock of a waiting room held;
each costs O(1), or O(number of priorities).
"""

from collections import OrderedDict
from typing import Literal, Protocol

from workbench.reliability.policies._waiters import Waiter

__all__ = ["ByPriority", "InOrder", "Order", "OrderName", "order_named"]

OrderName = Literal["fifo", "lifo", "priority"]


class Order(Protocol):
    """Who waits, and who is next."""

    def __len__(self) -> int:
        """Return how many wait."""
        ...

    def push(self, waiter: Waiter, now: float) -> None:
        """Have one more wait."""
        ...

    def remove(self, waiter: Waiter) -> None:
        """Forget one that waits."""
        ...

    def select(self, now: float) -> tuple[Waiter, list[Waiter]]:
        """Take out who is next, and those that are dropped on the way to it; somebody waits."""
        ...

    def make_room(self, waiter: Waiter) -> Waiter | None:
        """Take out one that gives way to a newcomer, if there is one that should."""
        ...


class InOrder:
    """The first first, or the last first."""

    def __init__(self, *, last_first: bool) -> None:
        self._waiters: OrderedDict[Waiter, None] = OrderedDict()
        self._last_first = last_first

    def __len__(self) -> int:
        return len(self._waiters)

    def push(self, waiter: Waiter, now: float) -> None:  # noqa: ARG002 - part of the protocol
        """Have one more wait."""
        self._waiters[waiter] = None

    def remove(self, waiter: Waiter) -> None:
        """Forget one that waits."""
        del self._waiters[waiter]

    def select(self, now: float) -> tuple[Waiter, list[Waiter]]:  # noqa: ARG002 - part of the protocol
        """Take out who is next."""
        return self._waiters.popitem(last=self._last_first)[0], []

    def make_room(self, waiter: Waiter) -> Waiter | None:  # noqa: ARG002 - part of the protocol
        """Nobody gives way: who comes when the queue is full is rejected."""
        return None


class ByPriority:
    """The most important first, among equals the first; in a full queue the least important gives way."""

    def __init__(self) -> None:
        self._levels: dict[int, OrderedDict[Waiter, None]] = {}
        self._count = 0

    def __len__(self) -> int:
        return self._count

    def push(self, waiter: Waiter, now: float) -> None:  # noqa: ARG002 - part of the protocol
        """Have one more wait."""
        self._levels.setdefault(waiter.priority, OrderedDict())[waiter] = None
        self._count += 1

    def remove(self, waiter: Waiter) -> None:
        """Forget one that waits."""
        del self._levels[waiter.priority][waiter]
        self._removed_from(waiter.priority)

    def select(self, now: float) -> tuple[Waiter, list[Waiter]]:  # noqa: ARG002 - part of the protocol
        """Take out who is next."""
        level = min(self._levels)
        waiter = self._levels[level].popitem(last=False)[0]
        self._removed_from(level)
        return waiter, []

    def make_room(self, waiter: Waiter) -> Waiter | None:
        """Take out the newest of the least important, if the newcomer is more important."""
        level = max(self._levels, default=waiter.priority)
        if level <= waiter.priority:
            return None
        victim = self._levels[level].popitem()[0]
        self._removed_from(level)
        return victim

    def _removed_from(self, level: int) -> None:
        self._count -= 1
        if not self._levels[level]:
            del self._levels[level]


def order_named(name: OrderName) -> Order:
    """Return an order by its name."""
    return ByPriority() if name == "priority" else InOrder(last_first=name == "lifo")
