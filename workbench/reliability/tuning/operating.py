"""`operating_curve`: detection against false opening, over many settings of a breaker and many recordings.

A setting that opens sooner in a fault opens more often without one. Each is a point; those that no other
beats in both are the *operating curve*. Which point on it is right depends on what a second of each kind
costs::

    cost = exposure_weight * exposed seconds + lost seconds

Every setting sees the same recordings, so settings are compared recording by recording, as under common
random numbers.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from workbench.executors import AnyExecutor, ordered_map
from workbench.reliability.machines import breaker as machine
from workbench.reliability.policies.breaker import CircuitBreaker
from workbench.reliability.simulation.replications import Interval
from workbench.reliability.tuning.course import course_over, parameters_of
from workbench.reliability.tuning.errors import TuningError
from workbench.reliability.tuning.recorded import RecordedCalls

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

__all__ = ["OperatingCurve", "operating_curve"]

Array = npt.NDArray[Any]
HOUR_S = 3600.0


@dataclass(frozen=True)
class OperatingCurve:
    """How many settings of a breaker did over many recordings.

    Attributes
    ----------
    names : (settings,) tuple of str
    parameters : (settings,) tuple
        What each setting is, as the machine knows it.
    fault_names : (faults,) tuple of str
    fault_s : (recordings, faults) float64
        How long faults were; seconds.
    healthy_s : (recordings,) float64
        How long there was none; seconds.
    calls : int
        Calls of all recordings.
    delays_s : (settings, recordings, faults) float64
        After how many seconds a fault was detected; infinite where it was not.
    false_openings : (settings, recordings) int64
    exposed_s, lost_s : (settings, recordings) float64
        Seconds closed during faults, and not closed outside of them.
    """

    names: tuple[str, ...]
    parameters: tuple[machine.Parameters, ...]
    fault_names: tuple[str, ...]
    fault_s: Array
    healthy_s: Array
    calls: int
    delays_s: Array
    false_openings: Array
    exposed_s: Array
    lost_s: Array

    @property
    def decisions(self) -> int:
        """How many decisions were taken in all."""
        return len(self.names) * self.calls

    @property
    def detection_s(self) -> Array:
        """The mean time to detection, `(settings, recordings)`; a fault that is missed counts its length."""
        return np.minimum(self.delays_s, self.fault_s).mean(axis=2)

    @property
    def missed(self) -> Array:
        """The share of all recordings in which a fault was missed, `(settings, faults)`."""
        return np.isinf(self.delays_s).mean(axis=1)

    @property
    def false_per_hour(self) -> Array:
        """False openings per hour without a fault, `(settings, recordings)`."""
        return self.false_openings / self.healthy_s * HOUR_S

    def cost(self, exposure_weight: float) -> Array:
        """Return what each setting costs per hour of the recordings, `(settings, recordings)`.

        Parameters
        ----------
        exposure_weight : float
            How many lost seconds an exposed one is worth.
        """
        if not 0 <= exposure_weight < np.inf:
            msg = f"exposure_weight must be a number from 0 on, got {exposure_weight!r}"
            raise TuningError(msg)
        whole_s = self.healthy_s + self.fault_s.sum(axis=1)
        return (exposure_weight * self.exposed_s + self.lost_s) / whole_s * HOUR_S

    def cheapest(self, exposure_weight: float) -> str:
        """Return the setting that costs the least on average; of equal ones the first."""
        return self.names[int(self.cost(exposure_weight).mean(axis=1).argmin())]

    @property
    def frontier(self) -> tuple[str, ...]:
        """The settings that no other beats in both, from the fewest false openings on."""
        false, delay = self.false_per_hour.mean(axis=1), self.detection_s.mean(axis=1)
        found, least = [], np.inf
        for number in np.lexsort((delay, false)):
            if delay[number] < least:
                found.append(self.names[number])
                least = delay[number]
        return tuple(found)

    def interval(self, name: str, values: Array, confidence: float = 0.95) -> Interval:
        """Return the mean of a setting's values, and the middle share of them: the bootstrap's interval.

        Parameters
        ----------
        values : (settings, recordings)
            For example `detection_s`, `false_per_hour` or ``cost(5.0)``.
        """
        return _percentiles(np.asarray(values)[self.number(name)], confidence)

    def difference(self, name: str, other: str, values: Array, confidence: float = 0.95) -> Interval:
        """Return by how much a setting's values are above another's, recording by recording."""
        found = np.asarray(values)
        return _percentiles(found[self.number(name)] - found[self.number(other)], confidence)

    def number(self, name: str) -> int:
        """Return the place of a setting in all arrays."""
        if name not in self.names:
            msg = f"no setting is called {name!r}; there are {len(self.names)}, such as {self.names[0]!r}"
            raise TuningError(msg)
        return self.names.index(name)

    def to_pandas(self) -> "pd.DataFrame":
        """Return one row a setting: what it is, and what it did on average."""
        import pandas as pd  # noqa: PLC0415 - only for those who ask

        rows = [_described(each) for each in self.parameters]
        means = {
            "detection_s": self.detection_s.mean(axis=1),
            **{f"missed {name}": self.missed[:, number] for number, name in enumerate(self.fault_names)},
            "false_per_hour": self.false_per_hour.mean(axis=1),
            "exposed_s": self.exposed_s.mean(axis=1),
            "lost_s": self.lost_s.mean(axis=1),
        }
        return pd.DataFrame(rows, index=pd.Index(self.names, name="setting")).assign(**means)

    def plot(self, ax: "Axes | None" = None, *, marks: Sequence[str] = ()) -> "Axes":
        """Draw all settings, the curve of those that no other beats, and marks at some by name."""
        from workbench.reliability.tuning._plots import plot_operating  # noqa: PLC0415 - only when asked for

        return plot_operating(self, ax, marks)

    def _repr_html_(self) -> str:
        from workbench import display  # noqa: PLC0415 - only in notebooks

        found = self.to_pandas().loc[[*self.frontier]]
        shown = ["detection_s", *(f"missed {name}" for name in self.fault_names), "false_per_hour"]
        rows = [(name, *(f"{value:.3g}" for value in found.loc[name, shown])) for name in found.index]
        return display.table(("on the curve", *shown), rows, title=repr(self))._repr_html_()

    def __repr__(self) -> str:
        return (
            f"OperatingCurve: {len(self.names):,} settings over {len(self.healthy_s):,} recordings, "
            f"{self.decisions:,} decisions, {len(self.frontier)} on the curve"
        )


def operating_curve(
    settings: Mapping[str, CircuitBreaker] | Iterable[CircuitBreaker],
    recordings: Iterable[RecordedCalls],
    *,
    executor: AnyExecutor = None,
) -> OperatingCurve:
    """Find how settings of a breaker do over recordings with known faults.

    Parameters
    ----------
    settings : mapping of names to CircuitBreaker, or iterable of CircuitBreaker
        Without names, they are called as their own `name=` says, or by what they are.
    recordings : iterable of RecordedCalls
        With the same faults, by number and name; several, made by `RecordedCalls.resampled`, for intervals.
    executor : True, an Executor or a dask Client, optional
        Where recordings are spread to; without, they are all judged here.

    Raises
    ------
    TuningError
        For no settings, two of one name, no recordings, and recordings whose faults differ or that have
        none.
    """
    named = _named(settings)
    parameters = tuple(named.values())
    chosen = [*recordings]
    names = _fault_names(chosen)
    judge = _Judge(parameters)
    found = [*(map(judge, chosen) if executor is None else ordered_map(judge, chosen, executor))]
    delays_s, openings, exposed_s, lost_s = (
        np.stack(each, axis=1) for each in zip(*(one for one in found), strict=True)
    )
    fault_s = np.array([[fault.length_s for fault in each.faults] for each in chosen])
    healthy_s = np.array([each.healthy_s for each in chosen])
    calls = sum(len(each.at_s) for each in chosen)
    return OperatingCurve(
        tuple(named), parameters, names, fault_s, healthy_s, calls, delays_s, openings, exposed_s, lost_s
    )


def _named(
    settings: Mapping[str, CircuitBreaker] | Iterable[CircuitBreaker],
) -> dict[str, machine.Parameters]:
    if isinstance(settings, Mapping):
        pairs = [(name, parameters_of(each)) for name, each in settings.items()]
    else:
        pairs = [(_name_of(each), each.parameters) for each in settings]
    found = dict(pairs)
    if not found or len(found) < len(pairs):
        names = [name for name, _ in pairs]
        twice = sorted({name for name in names if names.count(name) > 1})
        msg = f"expected one setting at least, and a mapping with names where two are alike, such as {twice}"
        raise TuningError(msg)
    return found


def _name_of(setting: CircuitBreaker) -> str:
    arguments = _described(parameters_of(setting)).items()
    named = setting.name != setting.kind
    return setting.name if named else ", ".join(f"{name} {value:g}" for name, value in arguments)


def _fault_names(recordings: list[RecordedCalls]) -> tuple[str, ...]:
    found = {tuple(fault.name for fault in each.faults) for each in recordings}
    if len(found) != 1 or found == {()}:
        msg = f"expected recordings with the same faults, one at least, got {sorted(found)}"
        raise TuningError(msg)
    return found.pop()


def _described(p: machine.Parameters) -> dict[str, float]:
    """Return the arguments of `CircuitBreaker` that parameters say."""
    if p.buckets:
        window = {"window_s": p.buckets * p.bucket_s}
    elif p.minimum_calls:
        window = {"window": p.window}
    else:
        window = {"consecutive": p.window}
    least = {"failure_rate": p.failure_rate, "minimum_calls": p.minimum_calls} if p.minimum_calls else {}
    slow = {"slow_rate": p.slow_rate, "slow_s": p.slow_s} if p.slow_rate <= 1 else {}
    return {**window, **least, **slow, "open_s": p.open_s}


def _percentiles(values: Array, confidence: float) -> Interval:
    if not 0 < confidence < 1:
        msg = f"confidence must be between 0 and 1, got {confidence!r}"
        raise TuningError(msg)
    lower, upper = np.quantile(values, [(1 - confidence) / 2, (1 + confidence) / 2])
    return Interval(float(values.mean()), float(lower), float(upper), confidence)


@dataclass(frozen=True)
class _Judge:
    """Settings, to be judged by a recording."""

    parameters: tuple[machine.Parameters, ...]

    def __call__(self, calls: RecordedCalls) -> tuple[Array, Array, Array, Array]:
        """Return delays, false openings, exposed and lost seconds of each setting."""
        courses = (course_over(each, calls) for each in self.parameters)
        rows = [(each.detection_s, each.false_openings, each.exposed_s, each.lost_s) for each in courses]
        delays_s, openings, exposed_s, lost_s = zip(*rows, strict=True)
        return np.array(delays_s), np.array(openings), np.array(exposed_s), np.array(lost_s)
