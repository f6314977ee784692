"""What the data points of one kind hold, as values that add and subtract: numbers, explicit, exponential.

Each class holds the points of one table by their row. ``subtract`` takes for each pair of rows the earlier
from the later and says where that cannot be; ``accumulate`` adds up runs of rows; both leave the new contents
in ``columns``.
"""

from typing import Any, Protocol

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from workbench.otlp.histograms._rows import ExplicitState, exponential_of, exponential_row
from workbench.otlp.histograms.errors import HistogramError
from workbench.otlp.histograms.exponential import ExponentialHistogram

__all__ = ["ExplicitPoints", "ExponentialPoints", "NumberPoints", "Points", "points_of"]

Rows = npt.NDArray[np.int64]
Marks = npt.NDArray[np.bool_]
INT_LIMIT = float(2**63)


class Points(Protocol):
    """The contents of data points, by row."""

    readable: Marks

    def mismatched(self, before: Rows, rows: Rows) -> Marks:
        """Tell which pairs have buckets of different bounds."""

    def subtract(self, before: Rows, rows: Rows, monotonic: Marks) -> Marks:
        """Replace rows by their difference to earlier ones; tell, and leave, monotonic ones that fell."""

    def accumulate(self, rows: Rows, first: Marks) -> None:
        """Replace rows by their running sums, which start anew where `first` is true."""

    def columns(self) -> dict[str, pa.Array]:
        """Return the changed columns of all rows."""


def points_of(stem: str, table: pa.Table, rows: Rows) -> Points:
    """Return the contents of some rows of a table of data points."""
    if stem == "number":
        return NumberPoints(table)
    return ExplicitPoints(table, rows) if stem == "histogram" else ExponentialPoints(table, rows)


class NumberPoints:
    """Sums: integers where both operands are and the result fits into 64 bits, else doubles."""

    def __init__(self, table: pa.Table) -> None:
        integers, doubles = (table[name].combine_chunks() for name in ("int_value", "double_value"))
        self.is_int = integers.is_valid().to_numpy(zero_copy_only=False)
        self.ints = integers.fill_null(0).to_numpy(zero_copy_only=False).copy()
        self.doubles = doubles.fill_null(0.0).to_numpy(zero_copy_only=False).copy()
        self.doubles[self.is_int] = self.ints[self.is_int]
        self.readable = self.is_int | doubles.is_valid().to_numpy(zero_copy_only=False)

    def mismatched(self, before: Rows, rows: Rows) -> Marks:  # noqa: ARG002 - numbers always fit
        return np.zeros(len(rows), np.bool_)

    def subtract(self, before: Rows, rows: Rows, monotonic: Marks) -> Marks:
        whole = self.is_int[before] & self.is_int[rows]
        earlier, later = self.ints[before], self.ints[rows]
        with np.errstate(invalid="ignore", over="ignore"):
            ints, doubles = later - earlier, self.doubles[rows] - self.doubles[before]
        less = np.where(whole, later < earlier, self.doubles[rows] < self.doubles[before])
        whole &= ((later ^ earlier) & (later ^ ints)) >= 0  # else it does not fit into 64 bits
        fell = less & monotonic
        changed = rows[~fell]
        self.ints[changed], self.is_int[changed] = ints[~fell], whole[~fell]
        self.doubles[changed] = np.where(whole, ints, doubles)[~fell]
        return fell

    def accumulate(self, rows: Rows, first: Marks) -> None:
        starts = np.flatnonzero(first)
        for start, stop in zip(starts, [*starts[1:], len(rows)] if len(rows) else [], strict=True):
            run = rows[start:stop]
            with np.errstate(invalid="ignore", over="ignore"):
                self.doubles[run] = np.cumsum(self.doubles[run])
            if self.is_int[run].all() and np.abs(self.doubles[run]).max() < INT_LIMIT:
                self.ints[run] = np.cumsum(self.ints[run])
            else:
                self.is_int[run] = False

    def columns(self) -> dict[str, pa.Array]:
        missing = ~self.readable
        return {
            "int_value": pa.array(self.ints, mask=~self.is_int | missing),
            "double_value": pa.array(self.doubles, mask=self.is_int | missing),
        }


class _StatePoints:
    """Histograms: one value a row, made from the row's columns and turned back into them."""

    names: tuple[str, ...]

    def __init__(self, table: pa.Table, rows: Rows) -> None:
        self.table = table
        self.states: dict[int, Any] = {}
        self.changed: dict[int, Any] = {}
        self.readable = np.zeros(len(table), np.bool_)
        contents = table.select(self.names).take(pa.array(rows)).to_pylist()
        for row, content in zip(rows.tolist(), contents, strict=True):
            try:
                self.states[row] = self.read(content)
            except HistogramError:
                continue
            self.readable[row] = True

    def read(self, row: dict[str, Any]) -> Any:
        """Return a row's columns as a state."""
        raise NotImplementedError

    def write(self, state: Any) -> dict[str, Any]:
        """Return a state as a row's columns."""
        raise NotImplementedError

    def mismatched(self, before: Rows, rows: Rows) -> Marks:
        pairs = zip(before.tolist(), rows.tolist(), strict=True)
        return np.array([not self.states[a].fits(self.states[b]) for a, b in pairs], np.bool_)

    def subtract(self, before: Rows, rows: Rows, monotonic: Marks) -> Marks:  # noqa: ARG002
        fell = np.zeros(len(rows), np.bool_)
        for place, (earlier, later) in enumerate(zip(before.tolist(), rows.tolist(), strict=True)):
            try:
                self.changed[later] = self.states[later].minus(self.states[earlier])
            except HistogramError:
                fell[place] = True
        return fell

    def accumulate(self, rows: Rows, first: Marks) -> None:
        total: Any = None
        for row, anew in zip(rows.tolist(), first.tolist(), strict=True):
            total = self.states[row] if anew else total.merge(self.states[row])
            self.changed[row] = total

    def columns(self) -> dict[str, pa.Array]:
        found = {name: self.table[name].to_pylist() for name in self.names}
        for row, state in self.changed.items():
            for name, value in self.write(state).items():
                found[name][row] = value
        return {name: pa.array(values, self.table.schema.field(name).type) for name, values in found.items()}


class ExplicitPoints(_StatePoints):
    """Histograms of explicit buckets."""

    names = ("count", "sum", "min", "max", "bucket_counts", "explicit_bounds")

    def read(self, row: dict[str, Any]) -> ExplicitState:
        return ExplicitState.of(row)

    def write(self, state: ExplicitState) -> dict[str, Any]:
        return state.row()


class ExponentialPoints(_StatePoints):
    """Exponential histograms."""

    names = ("count", "sum", "min", "max", "scale", "zero_count", "zero_threshold", "positive", "negative")

    def read(self, row: dict[str, Any]) -> ExponentialHistogram:
        return exponential_of(row)

    def write(self, state: ExponentialHistogram) -> dict[str, Any]:
        return exponential_row(state)

    def mismatched(self, before: Rows, rows: Rows) -> Marks:  # noqa: ARG002 - scales nest
        return np.zeros(len(rows), np.bool_)
