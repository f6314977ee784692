"""One property of all calls, recorded or drawn: the numbers of its values."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from workbench.reliability.simulation.errors import SimulationError

__all__ = ["Given", "Stream"]

Given = Mapping[Any, float] | Sequence[float] | npt.NDArray[Any] | None


@dataclass(frozen=True)
class Stream:
    """One property of all calls, as numbers of its `values`.

    Attributes
    ----------
    values : tuple
        What may come; where they are recorded, in ascending order.
    recorded : (n,) int64
        The number of each call's value, from the first on again after the last; empty where it is drawn.
    shares : (len(values),) float64
        Cumulated shares; empty where it is recorded or always the same.
    """

    values: tuple[Any, ...]
    recorded: npt.NDArray[np.int64]
    shares: npt.NDArray[np.float64]

    @classmethod
    def of(cls, name: str, given: Given, default: Any, *, ordered: bool = False) -> "Stream":
        """Return the stream of what somebody has given; `default` is the value of all calls without."""
        if given is None:
            return cls((default,), np.zeros(0, np.int64), np.zeros(0))
        if isinstance(given, Mapping):
            return cls._drawn(name, given, sorted(given) if ordered else list(given))
        return cls._recorded(name, given, "integer", np.integer)

    @classmethod
    def of_numbers(cls, name: str, given: Given, default: float) -> "Stream":
        """Do the same for a property that is a finite number from 0 on."""
        if given is None or isinstance(given, Mapping):
            found = cls.of(name, given, default)
        else:
            found = cls._recorded(name, given, "number", np.integer, np.floating)
        for value in found.values:
            if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < np.inf:
                msg = f"{name}: expected finite numbers from 0 on, got {value!r}"
                raise SimulationError(msg)
        return found

    @classmethod
    def _drawn(cls, name: str, given: Mapping[Any, float], values: list[Any]) -> "Stream":
        shares = np.array([given[value] for value in values], np.float64)
        if not len(shares) or not (np.isfinite(shares) & (shares >= 0)).all() or not shares.sum() > 0:
            msg = f"{name}: expected shares that are not negative and not all zero, got {given!r:.200}"
            raise SimulationError(msg)
        return cls(tuple(values), np.zeros(0, np.int64), np.cumsum(shares) / shares.sum())

    @classmethod
    def _recorded(cls, name: str, given: Any, what: str, *kinds: Any) -> "Stream":
        found = np.asarray(given)
        if found.ndim != 1 or not len(found) or not any(np.issubdtype(found.dtype, kind) for kind in kinds):
            msg = f"{name}: expected one {what} a call, or a mapping of values to shares, got {given!r:.200}"
            raise SimulationError(msg)
        known, numbers = np.unique(found, return_inverse=True)
        return cls(tuple(known.tolist()), numbers.astype(np.int64), np.zeros(0))
