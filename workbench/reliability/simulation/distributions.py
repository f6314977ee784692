"""Durations at random: how long a service takes."""

import math
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from workbench.reliability.simulation import _codes as codes
from workbench.reliability.simulation.errors import SimulationError

__all__ = [
    "Constant",
    "Distribution",
    "Empirical",
    "Exponential",
    "LogNormal",
    "Pareto",
    "Uniform",
    "Weibull",
]


class Distribution:
    """A distribution of durations, in seconds: drawn by its quantile function, so that streams stay in step.

    All have a `mean_s`, in seconds: a parameter of some, computed by the others.
    """

    code = codes.CONSTANT
    if TYPE_CHECKING:

        @property
        def mean_s(self) -> float:
            """The mean, in seconds."""

    def parameters(self) -> tuple[float, float]:
        """Return the two numbers that the kernel draws with."""
        raise NotImplementedError

    def table(self) -> npt.NDArray[np.float64]:
        """Return the values that the kernel draws from, where it does."""
        return np.zeros(1)

    def ppf(self, u: float) -> float:
        """Return the u-quantile, seconds, to the last bit as the simulator draws it.

        By it a distribution serves as the delays of `Chaos.latency`, live as well.
        """
        from workbench.reliability.simulation._kernel_random import draw  # noqa: PLC0415 - only for those who ask

        return float(draw(self.code, *self.parameters(), self.table(), u))


def _check(name: str, value: float) -> None:
    if not (math.isfinite(value) and value > 0):
        msg = f"{name} must be a positive number, got {value!r}"
        raise SimulationError(msg)


@dataclass(frozen=True)
class Constant(Distribution):
    """Always the same."""

    value_s: float
    code = codes.CONSTANT

    def __post_init__(self) -> None:
        _check("value_s", self.value_s)

    @property
    def mean_s(self) -> float:
        """The mean, in seconds."""
        return self.value_s

    def parameters(self) -> tuple[float, float]:
        """Return the value."""
        return self.value_s, 0.0


@dataclass(frozen=True)
class Exponential(Distribution):
    """The memoryless distribution: what is left does not depend on what has passed."""

    mean_s: float
    code = codes.EXPONENTIAL

    def __post_init__(self) -> None:
        _check("mean_s", self.mean_s)

    def parameters(self) -> tuple[float, float]:
        """Return the mean."""
        return self.mean_s, 0.0


@dataclass(frozen=True)
class Uniform(Distribution):
    """Any duration between two, none more likely than another."""

    low_s: float
    high_s: float
    code = codes.UNIFORM

    def __post_init__(self) -> None:
        if not 0 <= self.low_s < self.high_s < math.inf:
            msg = f"expected 0 <= low_s < high_s, got {self.low_s!r} and {self.high_s!r}"
            raise SimulationError(msg)

    @property
    def mean_s(self) -> float:
        """The mean, in seconds."""
        return (self.low_s + self.high_s) / 2

    def parameters(self) -> tuple[float, float]:
        """Return both ends."""
        return self.low_s, self.high_s


@dataclass(frozen=True)
class LogNormal(Distribution):
    """A duration whose logarithm is normal: many small causes that multiply.

    `sigma` is the standard deviation of the natural logarithm.
    """

    median_s: float
    sigma: float
    code = codes.LOGNORMAL

    def __post_init__(self) -> None:
        _check("median_s", self.median_s)
        _check("sigma", self.sigma)

    @property
    def mean_s(self) -> float:
        """The mean, in seconds."""
        return self.median_s * math.exp(self.sigma**2 / 2)

    def parameters(self) -> tuple[float, float]:
        """Return median and sigma."""
        return self.median_s, self.sigma


@dataclass(frozen=True)
class Pareto(Distribution):
    """A heavy tail: P(T > t) = (least_s / t) ** shape; its mean is finite for shapes above 1 only."""

    least_s: float
    shape: float
    code = codes.PARETO

    def __post_init__(self) -> None:
        _check("least_s", self.least_s)
        _check("shape", self.shape)

    @property
    def mean_s(self) -> float:
        """The mean, in seconds."""
        return math.inf if self.shape <= 1 else self.least_s * self.shape / (self.shape - 1)

    def parameters(self) -> tuple[float, float]:
        """Return least duration and shape."""
        return self.least_s, self.shape


@dataclass(frozen=True)
class Weibull(Distribution):
    """P(T > t) = exp(-(t / scale_s) ** shape): a heavier tail than the exponential's for shapes below 1."""

    scale_s: float
    shape: float
    code = codes.WEIBULL

    def __post_init__(self) -> None:
        _check("scale_s", self.scale_s)
        _check("shape", self.shape)

    @property
    def mean_s(self) -> float:
        """The mean, in seconds."""
        return self.scale_s * math.gamma(1 + 1 / self.shape)

    def parameters(self) -> tuple[float, float]:
        """Return scale and shape."""
        return self.scale_s, self.shape


@dataclass(frozen=True)
class Empirical(Distribution):
    """Durations that were measured, each as likely as the others; `Empirical.of` takes any numbers."""

    values_s: npt.NDArray[np.float64] = field(repr=False)
    code = codes.EMPIRICAL

    @classmethod
    def of(cls, values_s: Iterable[float] | npt.NDArray[Any]) -> "Empirical":
        """Return the distribution of some durations, in seconds."""
        found = np.sort(np.asarray([*values_s], np.float64))
        if not len(found) or not np.isfinite(found).all() or found[0] < 0:
            msg = "expected one duration at least, none of them negative or infinite"
            raise SimulationError(msg)
        return cls(found)

    @property
    def mean_s(self) -> float:
        """The mean, in seconds."""
        return float(self.values_s.mean())

    def parameters(self) -> tuple[float, float]:
        """Return nothing: the table has all."""
        return 0.0, 0.0

    def table(self) -> npt.NDArray[np.float64]:
        """Return the durations in order."""
        return self.values_s
