"""`LoadShedder`: a queue that stays short under overload, and drops the right calls."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from workbench.clock import Clock
from workbench.reliability.errors.rejections import LoadShedError
from workbench.reliability.fusing.layers import Layer
from workbench.reliability.machines import adaptive_lifo, codel
from workbench.reliability.machines import bulkhead as machine
from workbench.reliability.policies._arguments import check_count, check_mapping, check_seconds
from workbench.reliability.policies._fair_order import FairOrder
from workbench.reliability.policies._statistics import Statistics
from workbench.reliability.policies._waiters import DROPPED, EXPIRED
from workbench.reliability.policies._waiting_room import WaitingRoom, constant_patience
from workbench.reliability.policies.bulkhead import keep_places
from workbench.reliability.policy import Generator, Policy, PolicyError

__all__ = ["Discipline", "LoadShedder", "LoadShedderStatistics"]

Discipline = Literal["codel", "adaptive_lifo", "none"]
LEAST_WEIGHT = 0.01  # of a key: its turn comes once in a hundred rounds


@dataclass(frozen=True, slots=True, repr=False)
class LoadShedderStatistics(Statistics):
    """The places of a load shedder, and how calls fared that found none.

    Attributes
    ----------
    limit, queue : int
        Calls that may run, and wait, at once.
    running, waiting : int
        Calls that do now.
    waited : int
        Calls that had to wait: of these `handed` got a place, `shed` were dropped by CoDel or gave way to
        others, `expired` waited for too long, `cancelled` no longer wanted their place; the others wait.
    rejected : int
        Calls that found the queue full of calls that are no less important.
    overloaded : bool
        Whether the newest goes first now (adaptive LIFO only).
    """

    limit: int
    queue: int
    running: int
    waiting: int
    waited: int
    handed: int
    shed: int
    expired: int
    cancelled: int
    rejected: int
    overloaded: bool


class LoadShedder(Policy):
    """Let so many calls run at a time; of those that wait drop the ones that are not worth it.

    Parameters
    ----------
    limit : int
        Calls that run at a time.
    queue : int
        Calls that wait at most.
    discipline : {"codel", "adaptive_lifo", "none"}
        What is done about waits. "codel" serves each key in order, and drops calls when waits have been
        longer than `target_s` for `interval_s`. "adaptive_lifo" lets calls wait for `interval_s`; when the
        queue has not been empty for as long, for `target_s` only, and serves the newest first. "none" serves
        in order and drops none.
    target_s, interval_s : float
        See there.
    max_wait_s : float, optional
        For how long a call waits at most, where it is not "adaptive_lifo"; None is without limit.
    weights : mapping of key to float
        Shares of the keys; 1 for others.
    name, clock, rng
        As for all policies.

    Raises
    ------
    PolicyError
        When an argument is out of range.

    Notes
    -----
    A call says how important it is, and for whom it is made, by ``with criticality(level, key=...)``. The
    more important is served first; calls of one level are served by deficit round robin over their keys, and
    each key has a CoDel of its own (FQ-CoDel, RFC 8290). A call that comes to a full queue takes the place of
    the oldest of the fattest key of the least important level, if it is more important, or its own key is the
    thinner. A call that is dropped or rejected raises `LoadShedError`.

    Defaults: 5 ms and 100 ms are those of CoDel (RFC 8289) and of adaptive LIFO with controlled delay
    (Maurer, Fail at Scale, 2015); 25 calls those of resilience4j's bulkhead; 100 calls that wait, for a
    second, those of Netflix's `LifoBlockingLimiter`. Polly and resilience4j have no load shedding.

    Examples
    --------
    >>> from workbench.reliability import Criticality, criticality
    >>> shedder = LoadShedder(10)
    >>> with criticality(Criticality.SHEDDABLE, key="reports"):
    ...     shedder.call(len, "abc")
    3
    """

    kind = "load shedder"
    parameters: machine.Parameters
    memory: machine.State

    def __init__(  # noqa: PLR0913 - its parameters
        self,
        limit: int = 25,
        *,
        queue: int = 100,
        discipline: Discipline = "codel",
        target_s: float = 0.005,
        interval_s: float = 0.1,
        max_wait_s: float | None = 1.0,
        weights: Mapping[object, float] | None = None,
        name: str | None = None,
        clock: Clock | None = None,
        rng: Generator | None = None,
    ) -> None:
        super().__init__(name=name, clock=clock, rng=rng)
        if discipline not in ("codel", "adaptive_lifo", "none"):
            msg = f'discipline is {discipline!r}, expected "codel", "adaptive_lifo" or "none"'
            raise PolicyError(msg)
        self.discipline = discipline
        self.parameters = machine.Parameters(
            check_count("limit", limit), check_count("queue", queue, least=0)
        )
        self.memory = machine.State()
        self.max_wait_s = None if max_wait_s is None else check_seconds("max_wait_s", max_wait_s, zero=True)
        if weights is not None:
            check_mapping("weights", weights, "of keys to their shares")
        self.weights = _checked_weights(weights or {})
        self._times_s = check_seconds("target_s", target_s), check_seconds("interval_s", interval_s)
        self._furnish()

    def layer(self) -> Layer:
        """Return how it surrounds a call."""
        return Layer(keep_places, waits=self.parameters.queue > 0)

    @property
    def limit(self) -> int:
        """How many calls run at a time."""
        return self.parameters.limit

    @property
    def overloaded(self) -> bool:
        """Whether the newest goes first now; never but with adaptive LIFO."""
        return self.order.is_overloaded(self.clock.now())

    @property
    def statistics(self) -> LoadShedderStatistics:
        """How many run and wait, and what became of those that found no place."""
        p, s = self.parameters, self.memory
        with self.lock:
            return LoadShedderStatistics(
                limit=p.limit,
                queue=p.queue,
                running=s.running,
                waiting=s.waiting,
                waited=s.waited,
                handed=s.handed,
                shed=s.shed,
                expired=s.expired,
                cancelled=s.cancelled,
                rejected=s.rejected,
                overloaded=self.overloaded,
            )

    def reset(self) -> None:
        """Count anew, and forget how long calls have waited; calls that run or wait go on doing so."""
        with self.lock:
            self.room.forget()
            self.order.forget(self.clock.now())

    def refusal(self, outcome: int, waited_s: float) -> LoadShedError:
        """Return the error of a call that gets no place."""
        reason = f"{self.parameters.queue:,} calls wait already"
        if outcome in (EXPIRED, DROPPED):
            reason = f"queued for {waited_s:.4g} s"
        return LoadShedError(self.name, None, reason)

    def _furnish(self) -> None:
        patience = constant_patience(self.max_wait_s)
        drops, adapts = self.discipline == "codel", self.discipline == "adaptive_lifo"
        self.codel_parameters = codel.Parameters(*self._times_s) if drops else None
        self.lifo_parameters = adaptive_lifo.Parameters(*self._times_s) if adapts else None
        self.order = FairOrder(
            codel_parameters=self.codel_parameters,
            lifo_parameters=self.lifo_parameters,
            weights=self.weights,
        )
        if adapts:
            patience = self.order.patience
        self.room = WaitingRoom(self, self.order, self.refusal, patience)

    def __repr__(self) -> str:
        p, s = self.parameters, self.memory
        places = f"{s.running}/{p.limit} running, {s.waiting}/{p.queue} waiting"
        return f"LoadShedder({self.name!r}, {self.discipline}, {places})"


def _checked_weights(weights: Mapping[object, float]) -> dict[object, float]:
    for key, weight in weights.items():
        if not LEAST_WEIGHT <= weight < float("inf"):
            msg = f"weights[{key!r}] is {weight!r}, expected at least {LEAST_WEIGHT}"
            raise PolicyError(msg)
    return {key: float(weight) for key, weight in weights.items()}
