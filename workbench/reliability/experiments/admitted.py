"""`Admissions`: which of the same calls several limiters let through, side by side.

What counts is not only how many pass but how close together. Over intervals of `t` seconds, closed at the
beginning and open at the end,

    worst(t)  = max over a and keys of  the cost let through in [a, a + t)
    bound(t)  = the most that the algorithm allows, whatever comes (`RateLimiter.most_within`)

An interval begins best where a call was let through, so only those are looked at: O(n log n).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from workbench import display
from workbench.reliability.policies._arguments import check_seconds
from workbench.reliability.policies.limiter import RateLimiter

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa
    from matplotlib.axes import Axes

__all__ = ["Admissions"]

SHORTER = 1 - 2.0**-18  # limiters let through what comes too early by a millionth of its interval
Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]


@dataclass(frozen=True, eq=False, repr=False)
class Admissions:
    """Which calls limiters let through; it draws itself.

    Attributes
    ----------
    at_s : (n,) float64
        When calls came, seconds.
    key : (n,) int64
        Whose they were, as a place in `keys`.
    keys : tuple
    cost : (n,) float64
    limiters : mapping of str to RateLimiter
    admitted : mapping of str to (n,) bool
        Which of them each limiter let through.
    """

    at_s: Floats
    key: npt.NDArray[np.int64]
    keys: tuple[Any, ...]
    cost: Floats
    limiters: Mapping[str, RateLimiter]
    admitted: Mapping[str, Bools]

    def __len__(self) -> int:
        """Return how many calls came."""
        return len(self.at_s)

    def __repr__(self) -> str:
        counts = ", ".join(f"{name} {passed.sum():,}" for name, passed in self.admitted.items())
        return f"Admissions of {display.plural(len(self), 'call')}: {counts}"

    def _repr_html_(self) -> str:
        return self.table()._repr_html_()

    def counts(self, window_s: float) -> dict[str, Floats]:
        """Return the cost let through in each window from 0 on, for each limiter.

        Raises
        ------
        PolicyError
            When the seconds are not positive.
        """
        window = np.floor_divide(self.at_s, check_seconds("window_s", window_s)).astype(np.int64)
        size = int(window[-1]) + 1 if len(self) else 0
        return {
            name: np.bincount(window, self.cost * passed, minlength=size).astype(np.float64)
            for name, passed in self.admitted.items()
        }

    def worst(self, within_s: float = 1.0) -> dict[str, float]:
        """Return the most that each limiter let through for one key within any so many seconds.

        Raises
        ------
        PolicyError
            When the seconds are not positive.
        """
        check_seconds("within_s", within_s)
        return {
            name: max((self._most(passed & mine, within_s) for mine in self._of_keys), default=0.0)
            for name, passed in self.admitted.items()
        }

    def bound(self, within_s: float = 1.0) -> dict[str, float]:
        """Return the most that each limiter would let through for one key, whatever came.

        Raises
        ------
        PolicyError
            When the seconds are not positive.
        """
        return {name: each.most_within(within_s) for name, each in self.limiters.items()}

    def within(self, name: str, within_s: float = 1.0) -> tuple[Floats, Floats]:
        """Return what a limiter has let through in the last so many seconds, for all keys together.

        Returns
        -------
        at_s, cost : (k,) float64
            A step function: from each time on, up to the next.
        """
        passed = self.admitted[name]
        comes, cost = self.at_s[passed], self.cost[passed]
        times = np.concatenate([comes, comes + check_seconds("within_s", within_s)])
        order = np.argsort(times, kind="stable")
        return times[order], np.cumsum(np.concatenate([cost, -cost])[order])

    def table(self, within_s: float = 1.0) -> display.Table:
        """Return one row a limiter: what passed, and the most within any so many seconds."""
        worst, bound = self.worst(within_s), self.bound(within_s)
        rows = [
            (name, int(passed.sum()), int((~passed).sum()), worst[name], bound[name])
            for name, passed in self.admitted.items()
        ]
        span = f"in any {within_s:g} s"
        names = ("limiter", "let through", "refused", f"most {span}", f"bound {span}")
        return display.table(names, rows, title=repr(self), max_rows=max(1, len(rows)))

    def to_arrow(self) -> "pa.Table":
        """Return one row a call: at_s, key, cost, and a column of booleans for each limiter."""
        import pyarrow as pa  # noqa: PLC0415 - only where it is asked for

        keys = pa.array([self.keys[place] for place in self.key])
        return pa.table({"at_s": self.at_s, "key": keys, "cost": self.cost, **self.admitted})

    def to_pandas(self) -> "pd.DataFrame":
        """Return a data frame with one row a call."""
        return self.to_arrow().to_pandas()

    def plot(self, ax: "Axes | None" = None) -> "Axes":
        """Draw each call as a tick, a row for each limiter: coloured where it was let through."""
        axes = display.new_axes(ax)
        names = list(self.admitted)
        for row, name in enumerate(names):
            passed = self.admitted[name]
            for which, color in ((~passed, "#BBBBBB"), (passed, "C0")):
                axes.vlines(self.at_s[which], row - 0.38, row + 0.38, colors=color, linewidth=1)
        labels = [f"{name}: {passed.sum():,}" for name, passed in self.admitted.items()]
        axes.set_yticks(range(len(names)), [display.plain_text(label) for label in labels])
        axes.set_ylim(len(names) - 0.5, -0.5)
        axes.grid(visible=False)
        axes.set_xlabel("time, s")
        axes.set_title(f"What is let through, of {display.plural(len(self), 'call')}")
        return axes

    def plot_within(self, ax: "Axes | None" = None, *, within_s: float = 1.0) -> "Axes":
        """Draw what each limiter has let through in the last so many seconds, over time."""
        axes = display.new_axes(ax)
        for name in self.admitted:
            times, cost = self.within(name, within_s)
            axes.step(times, cost, where="post", marker="", label=display.plain_text(name))
        axes.set_xlabel("time, s")
        axes.set_ylabel(f"let through in the last {within_s:g} s")
        axes.set_ylim(bottom=0)
        worst = self.worst(within_s)
        most = max(worst, key=worst.__getitem__)
        axes.set_title(display.plain_text(f"At worst {most}: {worst[most]:g} within {within_s:g} s"))
        axes.legend()
        return axes

    @cached_property
    def _of_keys(self) -> list[Bools]:
        return [self.key == place for place in range(len(self.keys))]

    def _most(self, which: Bools, within_s: float) -> float:
        """Return the greatest cost of some calls within any so many seconds."""
        times, sums = self.at_s[which], np.concatenate([[0.0], np.cumsum(self.cost[which])])
        if not len(times):
            return 0.0
        ends = np.searchsorted(times, times + within_s * SHORTER, side="left")
        return float((sums[ends] - sums[:-1]).max())
