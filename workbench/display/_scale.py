"""A few levels for many numbers: thresholds from small to large, each level with a colour of the ramp.

Numbers that spread over more than one decade get thresholds in equal ratios, others in equal steps; whole
numbers get whole thresholds. Level ``k`` holds ``threshold[k] <= value < threshold[k + 1]``.
"""

import math
from bisect import bisect_right
from collections.abc import Iterable
from dataclasses import dataclass

from workbench.display._palette import RAMP
from workbench.display._units import value_text

__all__ = ["Scale", "scale_of"]


@dataclass(frozen=True, slots=True)
class Scale:
    """Ascending thresholds, the first of which is about the least number."""

    thresholds: tuple[float, ...]
    exact: bool  # whether each threshold is the only number of its level

    def level(self, value: float) -> int:
        """Return the level of a number, 0 for what is less than any threshold."""
        return max(bisect_right(self.thresholds, value) - 1, 0)

    def colour(self, level: int) -> int:
        """Return the place of a level on the ramp; few levels lie far apart."""
        last = len(self.thresholds) - 1
        return round(level * (len(RAMP) - 1) / last) if last else 0

    def name(self, level: int) -> str:
        """Return the least number of a level as text, with a plus where larger ones follow."""
        return value_text(self.thresholds[level]) + ("" if self.exact else "+")


def scale_of(values: Iterable[float]) -> Scale:
    """Return the scale of the given numbers."""
    known = sorted(set(values))
    if not known:
        return Scale((0.0,), exact=True)
    low, high = known[0], known[-1]
    if len(known) <= len(RAMP):
        return Scale(tuple(known), exact=True)
    spread = _ratios(low, high) if low > 0 and high / low > 10 else _steps(low, high)
    if all(value == int(value) for value in known):
        spread = [float(round(threshold)) for threshold in spread]
    return Scale(tuple(sorted(set(map(_short, spread)))), exact=False)


def _ratios(low: float, high: float) -> list[float]:
    return [low * (high / low) ** (k / len(RAMP)) for k in range(len(RAMP))]


def _steps(low: float, high: float) -> list[float]:
    return [low + (high - low) * k / len(RAMP) for k in range(len(RAMP))]


def _short(value: float) -> float:
    """Round down to two significant digits: a legend reads well, and no number lies below its level."""
    if value <= 0:
        return value
    unit = 10.0 ** (math.floor(math.log10(value)) - 1)
    return float(f"{math.floor(value / unit + 1e-9) * unit:.2g}")
