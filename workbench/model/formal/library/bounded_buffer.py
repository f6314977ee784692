"""A bounded buffer with one wait set, in which producers and consumers wait together, and wake one another.

Who finds the buffer full (or empty) waits; who puts in or takes out wakes one sleeper, whichever it is. If
that is one of its own kind, the wake is lost, and with many threads and a small buffer all of them end up
asleep. Waking only the other kind (`BoundedBufferTwoQueues`) mends it.

Source: M. Kuppe, BlockingQueue (a tutorial in TLA+), after a bug that T. Cargill reported in 2004: there is a
deadlock exactly if producers and consumers together are more than twice the capacity.
"""

from typing import Any

import workbench.model.formal as wb

__all__ = ["BoundedBuffer", "BoundedBufferTwoQueues"]


def BoundedBuffer(producers: int = 2, consumers: int = 1, capacity: int = 1) -> type[wb.Model]:
    """Return the buffer for so many producers, consumers and places.

    Threads are numbered, the producers first. Nobody puts into a full buffer or takes from an empty one: such
    a value would be outside the field's domain. Whether somebody is always awake is the question: the model
    checker answers it by looking for a deadlock.
    """
    threads = range(producers + consumers)
    putting, getting = threads[:producers], threads[producers:]

    class BoundedBuffer(wb.Model):
        """How many items are in the buffer, and who is asleep."""

        items = wb.Int(0, capacity)
        asleep = wb.Set(threads)

        @wb.action(p=putting)
        def wait_to_put(s, p):
            wb.require(p not in s.asleep)
            wb.require(s.items == capacity)
            s.asleep.add(p)

        @wb.action(p=putting)
        def put(s, p):
            wb.require(p not in s.asleep)
            wb.require(s.items < capacity)
            wb.require(len(s.asleep) == 0)
            s.items += 1

        @wb.action(p=putting, other=threads)
        def put_and_wake(s, p, other):
            wb.require(p not in s.asleep)
            wb.require(s.items < capacity)
            wb.require(other in s.asleep)
            s.items += 1
            s.asleep.discard(other)

        @wb.action(c=getting)
        def wait_to_get(s, c):
            wb.require(c not in s.asleep)
            wb.require(s.items == 0)
            s.asleep.add(c)

        @wb.action(c=getting)
        def get(s, c):
            wb.require(c not in s.asleep)
            wb.require(s.items > 0)
            wb.require(len(s.asleep) == 0)
            s.items -= 1

        @wb.action(c=getting, other=threads)
        def get_and_wake(s, c, other):
            wb.require(c not in s.asleep)
            wb.require(s.items > 0)
            wb.require(other in s.asleep)
            s.items -= 1
            s.asleep.discard(other)

        @wb.predicate
        def all_asleep(s):
            return len(s.asleep) == producers + consumers

        @wb.predicate
        def is_empty(s):
            return s.items == 0

    return BoundedBuffer


def BoundedBufferTwoQueues(producers: int = 2, consumers: int = 1, capacity: int = 1) -> type[wb.Model]:
    """Return the buffer in which each side wakes the other only: there is no deadlock."""
    threads = range(producers + consumers)
    putting, getting = threads[:producers], threads[producers:]

    OneQueue: Any = BoundedBuffer(producers, consumers, capacity)

    class BoundedBufferTwoQueues(OneQueue):  # type: ignore[misc] # the class is made by a function
        """The same buffer; each side sleeps in a queue of its own."""

        @wb.action(p=putting)
        def put(s, p):
            wb.require(p not in s.asleep)
            wb.require(s.items < capacity)
            wb.require(not any(c in s.asleep for c in getting))
            s.items += 1

        @wb.action(p=putting, other=getting)
        def put_and_wake(s, p, other):
            wb.require(p not in s.asleep)
            wb.require(s.items < capacity)
            wb.require(other in s.asleep)
            s.items += 1
            s.asleep.discard(other)

        @wb.action(c=getting)
        def get(s, c):
            wb.require(c not in s.asleep)
            wb.require(s.items > 0)
            wb.require(not any(p in s.asleep for p in putting))
            s.items -= 1

        @wb.action(c=getting, other=putting)
        def get_and_wake(s, c, other):
            wb.require(c not in s.asleep)
            wb.require(s.items > 0)
            wb.require(other in s.asleep)
            s.items -= 1
            s.asleep.discard(other)

    return BoundedBufferTwoQueues
