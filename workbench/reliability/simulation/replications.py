"""`simulate_seeds`: the same simulation under many seeds, and what that says about the truth.

Runs under different seeds are independent, so the mean of n of them has a confidence interval by Student's t.
Two pipelines under the same seeds see the same clients and service times: the mean of their differences, seed
by seed, has a much shorter one (common random numbers; A. Law, Simulation Modeling and Analysis, 5th edition,
section 11.2).
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from workbench.executors import AnyExecutor, ordered_map
from workbench.reliability.pipeline import Pipeline
from workbench.reliability.policy import Policy
from workbench.reliability.simulation.errors import SimulationError
from workbench.reliability.simulation.requests import Requests
from workbench.reliability.simulation.result import Result
from workbench.reliability.simulation.service import Arrivals, Service
from workbench.reliability.simulation.simulate import Prepared

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Interval", "Measure", "Replications", "simulate_seeds"]

Measure = str | Callable[[Result], float]  # e.g. "goodput", or lambda result: result.latency_s(0.99)
SHOWN = ("goodput", "offered_load", "mean_wait_s", "attempts")


@dataclass(frozen=True, slots=True)
class Interval:
    """A mean over seeds, and the confidence interval of what it estimates."""

    mean: float
    lower: float
    upper: float
    confidence: float

    def __repr__(self) -> str:
        return f"{self.mean:.4g} ({self.lower:.4g} to {self.upper:.4g})"

    @classmethod
    def of(cls, values: Iterable[float], confidence: float) -> "Interval":
        """Return the interval of some independent values, by Student's t.

        Raises
        ------
        SimulationError
            For fewer than two values, and a confidence that is no share.
        """
        from scipy import stats  # noqa: PLC0415 - half a second

        found = np.asarray([*values], np.float64)
        if len(found) < 2 or not 0 < confidence < 1:
            given = f"{len(found)} and {confidence!r}"
            msg = f"expected two runs at least and a confidence between 0 and 1, got {given}"
            raise SimulationError(msg)
        half = stats.t.ppf((1 + confidence) / 2, len(found) - 1) * found.std(ddof=1) / np.sqrt(len(found))
        mean = float(found.mean())
        return cls(mean, float(mean - half), float(mean + half), confidence)


@dataclass(frozen=True)
class Replications:
    """The results of one simulation under several seeds."""

    seeds: tuple[int, ...]
    results: tuple[Result, ...]

    def values(self, measure: Measure) -> list[float]:
        """Return a figure of each result, by the name of its property or by a function."""
        return [
            float(getattr(result, measure) if isinstance(measure, str) else measure(result))
            for result in self.results
        ]

    def estimate(self, measure: Measure, confidence: float = 0.95) -> Interval:
        """Return the mean of a figure over the seeds, and its confidence interval."""
        return Interval.of(self.values(measure), confidence)

    def difference(self, other: "Replications", measure: Measure, confidence: float = 0.95) -> Interval:
        """Return by how much a figure is larger here than there, compared seed by seed.

        Raises
        ------
        SimulationError
            When the seeds are not the same.
        """
        if self.seeds != other.seeds:
            msg = f"expected the same seeds, got {self.seeds} and {other.seeds}"
            raise SimulationError(msg)
        pairs = zip(self.values(measure), other.values(measure), strict=True)
        return Interval.of((here - there for here, there in pairs), confidence)

    def to_pandas(self) -> "pd.DataFrame":
        """Return one row a seed."""
        import pandas as pd  # noqa: PLC0415 - only for those who ask

        columns: dict[str, Any] = {name: self.values(name) for name in SHOWN}
        return pd.DataFrame({"seed": self.seeds, **columns})

    def _repr_html_(self) -> str:
        from workbench import display  # noqa: PLC0415 - only in notebooks

        found = [(name, self.estimate(name)) for name in SHOWN]
        rows = [(name, *(f"{value:.4g}" for value in (i.mean, i.lower, i.upper))) for name, i in found]
        columns = ("figure", "mean", "95 % from", "to")
        return display.table(columns, rows, title=f"{len(self.seeds)} seeds")._repr_html_()

    def __repr__(self) -> str:
        figures = ", ".join(f"{name} {self.estimate(name)!r}" for name in SHOWN[:2])
        return f"Replications: {len(self.seeds)} seeds, {figures}"


def simulate_seeds(  # noqa: PLR0913 - what an experiment consists of
    pipeline: Pipeline | Policy | None,
    service: Service,
    arrivals: Arrivals,
    *,
    seeds: Iterable[int] = range(10),
    executor: AnyExecutor = None,
    requests: Requests | None = None,
    **options: Any,
) -> Replications:
    """Simulate under several seeds; options are those of `simulate`.

    Parameters
    ----------
    seeds : iterable of int
        Two at least; the same ones for what is to be compared.
    executor : True, an Executor or a dask Client, optional
        Where runs are spread to; without, they run here.
    requests : Requests, optional
        In what calls differ.

    Raises
    ------
    SimulationError
        As `simulate`, and for fewer than two seeds.
    """
    chosen = tuple(seeds)
    if len(chosen) < 2:
        msg = f"expected two seeds at least, got {chosen}"
        raise SimulationError(msg)
    run = _Run(Prepared.of(pipeline, service, requests=requests), arrivals, options)
    return Replications(
        chosen, tuple(map(run, chosen) if executor is None else ordered_map(run, chosen, executor))
    )


@dataclass(frozen=True)
class _Run:
    prepared: Prepared
    arrivals: Arrivals
    options: dict[str, Any]

    def __call__(self, seed: int) -> Result:
        return self.prepared.simulate(self.arrivals, seed=seed, **self.options)
