"""`Bulkhead`: so many calls at a time, so many more that wait, and no longer than so long."""

from dataclasses import dataclass
from typing import Any

from workbench.clock import Clock
from workbench.reliability.errors.rejections import BulkheadFullError
from workbench.reliability.fusing.layers import Layer, in_world
from workbench.reliability.machines import bulkhead as machine
from workbench.reliability.machines.bulkhead import leave, take
from workbench.reliability.policies._arguments import check_count, check_seconds
from workbench.reliability.policies._orders import OrderName, order_named
from workbench.reliability.policies._statistics import Statistics
from workbench.reliability.policies._waiting_room import WaitingRoom, constant_patience
from workbench.reliability.policy import Generator, Policy, PolicyError

__all__ = ["Bulkhead", "BulkheadStatistics"]


def keep_places(q: Any, proceed: Any) -> None:
    """Let a call run in a place of its own."""
    p, s, room = q.parameters, q.memory, q.room
    taken = take(p, s)
    if not taken:
        in_world(room.wait, room.wait_async)()
    try:
        result = proceed()  # noqa: F841 - what all layers share
    finally:
        awaited = leave(s)
        if awaited:
            room.hand_on()


@dataclass(frozen=True, slots=True, repr=False)
class BulkheadStatistics(Statistics):
    """The places of a bulkhead, and how calls fared that found none.

    Attributes
    ----------
    limit, queue : int
        Calls that may run, and wait, at once.
    running, waiting : int
        Calls that do now.
    waited : int
        Calls that had to wait: of these `handed` got a place, `expired` waited for too long, `displaced` gave
        way to a more important one, `cancelled` no longer wanted it; the others wait.
    rejected : int
        Calls that found the queue full.
    """

    limit: int
    queue: int
    running: int
    waiting: int
    waited: int
    handed: int
    expired: int
    displaced: int
    cancelled: int
    rejected: int


class Bulkhead(Policy):
    """Let so many calls run at a time, so many more wait, and reject the others.

    Parameters
    ----------
    limit : int
        Calls that run at a time, of threads and of tasks together.
    queue : int
        Calls that wait at most for one of them to end.
    max_wait_s : float, optional
        For how long a call waits at most; without, for as long as it takes.
    order : {"fifo", "lifo", "priority"}
        Who waits gets a place in this order: the first first, the last first, or by `Criticality`. By
        priority, a more important call also takes the place in a full queue of the newest of the least
        important.
    name, clock, rng
        As for all policies.

    Raises
    ------
    PolicyError
        When an argument is out of range.

    Notes
    -----
    A rejected call raises `BulkheadFullError`. A place that becomes free belongs at once to the next that
    waits: who comes later does not overtake.

    Defaults: 25 calls, as in resilience4j (Polly's limiter has 1,000: more than a default thread pool has
    threads). Nobody waits: so by default in Polly (queue limit 0), and in resilience4j, whose wait duration
    is 0; of its two ways to say so the bounded queue was taken, which resilience4j does not have.

    Examples
    --------
    >>> bulkhead = Bulkhead(2, queue=10, max_wait_s=0.5)
    >>> bulkhead.call(lambda: bulkhead.statistics.running)
    1
    """

    kind = "bulkhead"
    parameters: machine.Parameters
    memory: machine.State

    def __init__(  # noqa: PLR0913 - its parameters
        self,
        limit: int = 25,
        *,
        queue: int = 0,
        max_wait_s: float | None = None,
        order: OrderName = "fifo",
        name: str | None = None,
        clock: Clock | None = None,
        rng: Generator | None = None,
    ) -> None:
        self.parameters = machine.Parameters(
            check_count("limit", limit), check_count("queue", queue, least=0)
        )
        self.memory = machine.State()
        self.max_wait_s = None if max_wait_s is None else check_seconds("max_wait_s", max_wait_s, zero=True)
        if order not in ("fifo", "lifo", "priority"):
            msg = f'order is {order!r}, expected "fifo", "lifo" or "priority"'
            raise PolicyError(msg)
        self.order_name = order
        super().__init__(name=name, clock=clock, rng=rng)
        patience = constant_patience(self.max_wait_s)
        self.room = WaitingRoom(self, order_named(order), self.refusal, patience)

    def layer(self) -> Layer:
        """Return how it surrounds a call."""
        return Layer(keep_places, waits=self.parameters.queue > 0)

    @property
    def limit(self) -> int:
        """How many calls run at a time."""
        return self.parameters.limit

    @property
    def statistics(self) -> BulkheadStatistics:
        """How many run and wait, and what became of those that found no place."""
        p, s = self.parameters, self.memory
        with self.lock:
            return BulkheadStatistics(
                limit=p.limit,
                queue=p.queue,
                running=s.running,
                waiting=s.waiting,
                waited=s.waited,
                handed=s.handed,
                expired=s.expired,
                displaced=s.shed,
                cancelled=s.cancelled,
                rejected=s.rejected,
            )

    def reset(self) -> None:
        """Count anew; calls that run or wait go on doing so."""
        self.room.forget()

    def refusal(self, _outcome: int, _waited_s: float) -> BulkheadFullError:
        """Return the error of a call that gets no place."""
        return BulkheadFullError(self.name, None, self.parameters.limit)

    def __repr__(self) -> str:
        p, s = self.parameters, self.memory
        return f"Bulkhead({self.name!r}, {s.running}/{p.limit} running, {s.waiting}/{p.queue} waiting)"
