"""The answer to what explains a difference: attribute values, ranked; see `attributes`."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from workbench import display
from workbench.otlp.analysis._contrast import contrast

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

    from workbench.otlp.traces import Traces

__all__ = ["Explanation"]


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Explanation:
    """What some units have that others have not.

    Attributes
    ----------
    table : pyarrow.Table
        ``key``, ``value``, ``targets`` and ``others`` (how many units have it), ``target_share`` and
        ``other_share``, ``lift``, ``information`` (bits), ``p`` and ``q``; most information first.
    targets, others : int
        How many units there are.
    target_name, other_name : str
    untested : tuple of str
        Keys none of whose values enough units have.
    """

    table: pa.Table
    targets: int
    others: int
    target_name: str
    other_name: str
    untested: tuple[str, ...]

    @classmethod
    def of(
        cls,
        sets: Sequence["Traces"],
        unit: npt.NDArray[np.int64] | None,
        target: npt.NDArray[np.bool_],
        target_name: str,
        other_name: str,
    ) -> "Explanation":
        """Contrast target units with the others; see `contrast`."""
        table, untested = contrast(sets, unit, target)
        return cls(table, int(target.sum()), int((~target).sum()), target_name, other_name, untested)

    def __len__(self) -> int:
        return len(self.table)

    def significant(self, alpha: float = 0.01) -> pa.Table:
        """Return the rows with a corrected p-value up to `alpha`."""
        q = self.table["q"].to_numpy()
        return self.table.filter(pa.array(q <= alpha))

    def __repr__(self) -> str:
        sides = f"{self.targets:,} {self.target_name} against {self.others:,} {self.other_name}"
        found = self.significant()
        if not len(found):
            return f"Explanation: {sides}: no attribute tells them apart"
        first = found.slice(0, 1).to_pylist()[0]
        differ = "1 value differs" if len(found) == 1 else f"{len(found)} values differ"
        shares = f"{first['target_share']:.0%} against {first['other_share']:.0%}"
        return f"Explanation: {sides}: {differ}; {first['key']}={first['value']} {shares}"

    def _repr_html_(self) -> str:
        columns = ["key", "value", self.target_name, self.other_name, "lift", "information, bits", "q"]
        rows = [
            (
                row["key"],
                row["value"],
                f"{row['target_share']:.1%}",
                f"{row['other_share']:.1%}",
                f"{row['lift']:.2f}",
                f"{row['information']:.3f}",
                f"{row['q']:.1e}",
            )
            for row in self.significant().to_pylist()
        ]
        return display.table(columns, rows, title=repr(self), max_rows=12)._repr_html_()

    def to_arrow(self) -> pa.Table:
        """Return the table."""
        return self.table

    def to_pandas(self) -> "pd.DataFrame":
        """Return the table as a data frame."""
        return self.table.to_pandas()

    def plot(self, ax: "Axes | None" = None, *, most: int = 10) -> "Axes":
        """Draw how many of each side have the values that tell most; return the axes."""
        from workbench.otlp.analysis._comparison_plot import draw_explanation  # noqa: PLC0415 - costly

        return draw_explanation(self, ax, most)
