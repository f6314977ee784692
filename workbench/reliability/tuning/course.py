"""`breaker_course`: what a breaker would have done over recorded calls, and how that compares with the truth.

A breaker *detects* a fault when it is open during it, and *opens falsely* when it goes from closed to open
while there is none: neither during a fault, nor before the calls have ended that came in it. Each second of
the recording is then one of four::

                     the breaker is closed      it is not
    a fault           exposed                    protected
    no fault          fine                       lost

"""

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from workbench.reliability.machines import breaker as machine
from workbench.reliability.policies._breaker_statistics import STATES
from workbench.reliability.policies.breaker import CircuitBreaker
from workbench.reliability.simulation.decisions import course_of
from workbench.reliability.tuning.errors import TuningError
from workbench.reliability.tuning.recorded import RecordedCalls

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

__all__ = ["BreakerCourse", "breaker_course"]

Array = npt.NDArray[Any]
SLOW = 2


@dataclass(frozen=True)
class BreakerCourse:
    """What a breaker has done over recorded calls.

    Attributes
    ----------
    calls : RecordedCalls
    allowed : (n,) bool
        Which calls passed.
    changed_s : (k,) float64
        When it came into another state; seconds.
    states : (k,) uint8
        Which: the number in `workbench.reliability.machines.breaker`.
    """

    calls: RecordedCalls
    allowed: Array
    changed_s: Array
    states: Array

    @cached_property
    def spans(self) -> tuple[Array, Array, Array]:
        """The states in turn, and from when to when each lasted within the recording: three arrays."""
        end_s = self.calls.duration_s
        edges = np.minimum(np.concatenate([[0.0], self.changed_s, [end_s]]), end_s)
        return np.concatenate([[machine.CLOSED], self.states]), edges[:-1], edges[1:]

    @property
    def openings_s(self) -> Array:
        """When it went from closed to open; seconds."""
        before = np.concatenate([[machine.CLOSED], self.states])[:-1]
        return self.changed_s[(before == machine.CLOSED) & (self.states == machine.OPEN)]

    @property
    def detection_s(self) -> Array:
        """How long after a fault began it was open, `(faults,)` seconds; infinite where it never was."""
        states, begins, ends = self.spans
        is_open = states == machine.OPEN
        begins, ends = begins[is_open], ends[is_open]
        found = []
        for fault in self.calls.faults:
            meets = (begins < fault.end_s) & (ends > fault.start_s)
            found.append(max(0.0, float(begins[meets][0]) - fault.start_s) if meets.any() else np.inf)
        return np.array(found)

    @property
    def false_openings(self) -> int:
        """How often it opened while there was no fault."""
        opened = self.openings_s
        is_false = opened <= self.calls.duration_s
        for fault, settled_s in zip(self.calls.faults, self.calls.settled_s, strict=True):
            is_false &= (opened < fault.start_s) | (opened > settled_s)
        return int(is_false.sum())

    @property
    def exposed_s(self) -> float:
        """How long it was closed during faults; seconds."""
        return sum(fault.length_s for fault in self.calls.faults) - self._protected_s

    @property
    def lost_s(self) -> float:
        """How long it was not closed while there was no fault; seconds."""
        states, begins, ends = self.spans
        return float((ends - begins)[states != machine.CLOSED].sum()) - self._protected_s

    @cached_property
    def _protected_s(self) -> float:
        states, begins, ends = self.spans
        away = states != machine.CLOSED
        return sum(
            float(
                np.clip(
                    np.minimum(ends[away], fault.end_s) - np.maximum(begins[away], fault.start_s), 0, None
                ).sum()
            )
            for fault in self.calls.faults
        )

    def to_pandas(self) -> "pd.DataFrame":
        """Return one row a call: as of the recording, and whether it passed."""
        return self.calls.to_pandas().assign(allowed=self.allowed)

    def plot(self, ax: "Axes | None" = None) -> "Axes":
        """Draw the calls over time, when there were faults, and when the breaker was not closed."""
        from workbench.reliability.tuning._plots import plot_course  # noqa: PLC0415 - only when asked for

        return plot_course(self, ax)

    def _repr_html_(self) -> str:
        from workbench import display  # noqa: PLC0415 - only in notebooks

        rows = [
            (STATES[state], f"{begin:.3f}", f"{end - begin:.3f}")
            for state, begin, end in zip(*self.spans, strict=True)
        ]
        return display.table(("state", "from, s", "for, s"), rows, title=repr(self))._repr_html_()

    def __repr__(self) -> str:
        found = [
            f"{fault.name} " + (f"after {delay_s:.2f} s" if np.isfinite(delay_s) else "missed")
            for fault, delay_s in zip(self.calls.faults, self.detection_s, strict=True)
        ]
        refused = int((~self.allowed).sum())
        told = [*found, f"{self.false_openings} false openings", f"{refused:,} calls refused"]
        return f"BreakerCourse: {', '.join(told)}"


def breaker_course(breaker: CircuitBreaker, calls: RecordedCalls) -> BreakerCourse:
    """Return what a breaker would have done over recorded calls.

    It starts closed, with nothing seen; the breaker given is not changed. A call that it refuses does not
    come, and nothing else changes by that: a recording cannot know whether calls that fail would have become
    fewer, nor whether one that was refused would have been made again.

    Calls overlap: a call is counted when it ends. One that ends at the very moment at which another comes has
    ended before.

    Raises
    ------
    TuningError
        For what is no `CircuitBreaker`.

    Examples
    --------
    >>> calls = RecordedCalls([0.0, 1.0, 2.0, 3.0], [0.1] * 4, [False, True, True, False])
    >>> breaker_course(CircuitBreaker.consecutive(2), calls).allowed
    array([ True,  True,  True, False])
    """
    return course_over(parameters_of(breaker), calls)


def parameters_of(breaker: object) -> machine.Parameters:
    """Return the machine's parameters of what must be a breaker."""
    if not isinstance(breaker, CircuitBreaker):
        msg = f"expected a CircuitBreaker, got {breaker!r}"
        raise TuningError(msg)
    return breaker.parameters


def course_over(parameters: machine.Parameters, calls: RecordedCalls) -> BreakerCourse:
    """Return what a breaker with some parameters would have done over recorded calls."""
    seen = calls.failed.view(np.uint8)
    if parameters.slow_rate <= 1.0:
        seen = seen | SLOW * (calls.end_s - calls.at_s >= parameters.slow_s).astype(np.uint8)
    return BreakerCourse(calls, *course_of(parameters, calls.at_s, calls.end_s, seen, calls.order))
