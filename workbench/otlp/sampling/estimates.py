"""`estimate`: what sampled spans say about all spans, and how well they can know it.

Counts and rates are Horvitz-Thompson totals of the adjusted counts, shares of errors are ratios of two such
totals, quantiles are those of the weighted distribution. Each comes with a confidence interval that knows
that the spans of a trace are kept together; the mathematics is in `workbench.otlp.sampling._intervals`.

What an interval cannot know: spans that a full memory or a late arrival cost, and groups of which nothing was
sampled, which are not there at all.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import NormalDist
from typing import TYPE_CHECKING, Any, Literal, get_args

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from workbench import display
from workbench.otlp._masks import to_mask
from workbench.otlp.sampling._columns import is_root
from workbench.otlp.sampling._intervals import Clusters, quantile_interval, share_interval, total_interval
from workbench.otlp.sampling.errors import EstimateError
from workbench.otlp.sampling.sampled import Sampled, adjusted_counts, period_s

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

    from workbench.otlp._masks import Mask
    from workbench.otlp.traces import Traces

__all__ = ["Estimates", "estimate"]

Rows = npt.NDArray[np.int64]
Values = npt.NDArray[np.float64]
Of = Literal["spans", "entries", "roots"]
Row = dict[str, Any]  # a row of the result


@dataclass(frozen=True, slots=True, eq=False)
class Estimates:
    """Estimates of groups of spans; each is followed by the ends of its interval, ``_low`` and ``_high``.

    Attributes
    ----------
    table : pyarrow.Table
        What grouped them; spans and traces (those sampled); count, rate_hz, error_ratio and the quantiles,
        such as p99_ms (infinite at the upper end where the sample cannot say). Ordered by count, largest
        first.
    by : tuple of str
    confidence : float
    """

    table: pa.Table
    by: tuple[str, ...]
    confidence: float

    def __len__(self) -> int:
        return len(self.table)

    def __repr__(self) -> str:
        groups = f"{len(self):,} groups by {', '.join(self.by)}" if self.by else "all spans"
        return f"Estimates: {groups}, {self.confidence:.0%} intervals"

    @property
    def measures(self) -> list[str]:
        """The estimates in the table, without their ends."""
        names = self.table.column_names
        return [name for name in names if f"{name}_low" in names]

    def _repr_html_(self) -> str:
        rows = [tuple(self._cells(row)) for row in self.table.to_pylist()]
        columns = [*self.by, "spans", "traces", *self.measures]
        return display.table(columns, rows, title=repr(self))._repr_html_()

    def _cells(self, row: Row) -> list[str]:
        cells = ["" if row[name] is None else str(row[name]) for name in self.by]
        cells += [f"{row['spans']:,}", f"{row['traces']:,}"]
        for name in self.measures:
            low, high = row[f"{name}_low"], row[f"{name}_high"]
            cells.append(f"{row[name]:.4g} [{low:.4g}, {high:.4g}]")
        return cells

    def to_arrow(self) -> pa.Table:
        """Return the table."""
        return self.table

    def to_pandas(self) -> "pd.DataFrame":
        """Return the table as a data frame."""
        return self.table.to_pandas()

    def plot(
        self, measure: str = "count", *, truth: "Estimates | None" = None, ax: "Axes | None" = None
    ) -> "Axes":
        """Draw one estimate of each group with its interval, beside the truth where it is known.

        Parameters
        ----------
        measure : str
            A column of the table.
        truth : Estimates, optional
            The same estimates of the whole recording.
        ax : matplotlib Axes, optional

        Raises
        ------
        EstimateError
            When nothing of that name was estimated.
        """
        import matplotlib.pyplot as plt  # noqa: PLC0415 - only who draws pays for it

        if measure not in self.measures:
            msg = f"nothing called {measure!r} was estimated; there are {', '.join(self.measures)}"
            raise EstimateError(msg)
        known = _by_label(truth or self)
        labels = [label for label in known if label in _by_label(self)] if truth is None else [*known]
        ax = plt.subplots(figsize=(9, 0.9 + 0.4 * len(labels)))[1] if ax is None else ax
        _draw(ax, labels, _by_label(self), known if truth is not None else {}, measure)
        ax.set(xlabel=measure, yticks=range(len(labels)), yticklabels=labels, ylim=(len(labels) - 0.5, -0.5))
        ax.set_title(f"{measure} with {self.confidence:.0%} intervals")
        return ax


def _by_label(estimates: Estimates) -> dict[str, Row]:
    rows = estimates.table.to_pylist()
    return {" ".join(str(row[name]) for name in estimates.by) or "all": row for row in rows}


def _draw(ax: "Axes", labels: list[str], found: dict[str, Row], truth: dict[str, Row], measure: str) -> None:
    at = [number for number, label in enumerate(labels) if label in found]
    rows = [found[labels[number]] for number in at]
    value = np.array([row[measure] for row in rows], float)
    low = np.array([row[f"{measure}_low"] for row in rows], float)
    high = np.array([row[f"{measure}_high"] for row in rows], float)
    known = np.array([row[measure] for row in truth.values()], float)
    edge = 1.15 * max([*value, *high[np.isfinite(high)], *known], default=1.0)
    shown = np.minimum(high, edge)
    errors = [np.maximum(value - low, 0), np.maximum(shown - value, 0)]
    ax.errorbar(value, at, xerr=errors, fmt="o", color="C0", capsize=4, label="estimate")
    open_ = np.isinf(high)
    ax.plot(np.full(open_.sum(), edge), np.array(at)[open_], ">", color="C0", label=None)
    if truth:
        ax.plot(known, range(len(labels)), "D", color="C1", ls="", mfc="none", ms=9, label="truth")
        ax.legend()
    ax.set_xlim(0, edge * 1.04)


def estimate(  # noqa: PLR0913 - one question, of many kinds
    sampled: "Sampled | Traces",
    by: str | Sequence[str] = (),
    *,
    of: Of = "spans",
    where: "Mask | None" = None,
    quantiles: Sequence[float] = (0.5, 0.99),
    value: str | None = None,
    confidence: float = 0.95,
    unknown: Literal["raise", "one"] = "raise",
) -> Estimates:
    """Estimate counts, rates, shares of errors and quantiles of all spans from those that were sampled.

    Parameters
    ----------
    sampled : Sampled or Traces
        Traces stand for what the thresholds in their tracestates (``ot=th``) say, and else for themselves:
        the estimates of an unsampled recording are the truth, without intervals.
    by : str or sequence of str
        Columns whose values group the spans, such as ``"service.name"``.
    of : "spans", "entries" or "roots"
        Count all spans, only those with which a service is entered (its requests), or only those without a
        parent (whole requests).
    where : mask, optional
        Only these of the sampled spans.
    quantiles : sequence of float
        In (0, 1), of `value`.
    value : str, optional
        A numeric column; by default how long the spans lasted, in milliseconds.
    confidence : float
        Of each interval, in (0, 1).
    unknown : "raise" or "one"
        What to do with spans of unknown adjusted count: refuse, or let each stand for itself alone.

    Raises
    ------
    EstimateError
        When adjusted counts are unknown, or a parameter is outside its range.
    UnknownKeyError, MaskError
        When a column is not there, or the mask does not fit.

    Notes
    -----
    Cost O(n log n) for n sampled spans.
    """
    _check(of, quantiles, confidence)
    result = sampled if isinstance(sampled, Sampled) else _unsampled(sampled)
    names = (by,) if isinstance(by, str) else tuple(by)
    weight = _weights(result, unknown)
    chosen = _chosen(result.traces, of, where)
    labels, group = _groups(result.traces, names)
    measure = _Measure.of(result, weight, value, tuple(quantiles), confidence)
    rows = []
    for number, label in enumerate(labels):
        members = np.flatnonzero(chosen & (group == number))
        if len(members):
            rows.append(dict(zip(names, label, strict=True)) | measure.row(members))
    rows.sort(key=lambda row: -row["count"])
    columns = [*names, *measure.columns]
    table = pa.table({name: _column([row[name] for row in rows], name in names) for name in columns})
    return Estimates(table, names, confidence)


def _column(values: list[Any], is_label: bool) -> pa.Array:  # noqa: FBT001 - private, and said by its name
    return pa.array(values) if values or is_label else pa.array([], pa.float64())


@dataclass(frozen=True, slots=True)
class _Measure:
    trace: Rows
    weight: Values
    error: npt.NDArray[np.bool_]
    values: Values
    period_s: float
    quantiles: dict[str, float]
    confidence: float

    @classmethod
    def of(
        cls,
        sampled: Sampled,
        weight: Values,
        value: str | None,
        quantiles: tuple[float, ...],
        confidence: float,
    ) -> "_Measure":
        structure = sampled.traces.structure
        unit = "_ms" if value is None else ""
        named = {f"p{100 * q:.6g}{unit}": q for q in quantiles}
        values = _values(sampled.traces, value)
        return cls(structure.trace, weight, structure.error, values, sampled.period_s, named, confidence)

    @property
    def columns(self) -> list[str]:
        measures = ["count", "rate_hz", "error_ratio", *self.quantiles]
        return ["spans", "traces", *(f"{name}{end}" for name in measures for end in ("", "_low", "_high"))]

    def row(self, members: Rows) -> Row:
        clusters = Clusters(self.trace[members], self.weight[members])
        z, t = NormalDist().inv_cdf((1 + self.confidence) / 2), clusters.student(self.confidence)
        row: Row = {"spans": len(members), "traces": clusters.traces}
        count = clusters.total()
        ends = total_interval(count, clusters.variance(), len(members), z)
        row |= _with_ends("count", count, ends)
        hertz = [value / self.period_s if self.period_s else math.nan for value in (count, *ends)]
        row |= _with_ends("rate_hz", hertz[0], (hertz[1], hertz[2]))
        row |= self._errors(members, clusters, t)
        return row | self._quantiles(members, t)

    def _errors(self, members: Rows, clusters: Clusters, t: float) -> Row:
        failed = self.error[members]
        share = clusters.total(failed.astype(float)) / clusters.total()
        return _with_ends("error_ratio", share, share_interval(share, clusters.effective_size(failed), t))

    def _quantiles(self, members: Rows, t: float) -> Row:
        row: Row = {}
        members = members[~np.isnan(self.values[members])]
        for name, q in self.quantiles.items():
            found = (math.nan, math.nan, math.nan)
            if len(members):
                clusters = Clusters(self.trace[members], self.weight[members])
                found = quantile_interval(self.values[members], clusters, q, t)
            row |= _with_ends(name, found[0], found[1:])
        return row


def _with_ends(name: str, value: float, ends: tuple[float, float]) -> Row:
    return {name: value, f"{name}_low": ends[0], f"{name}_high": ends[1]}


def _check(of: str, quantiles: Sequence[float], confidence: float) -> None:
    if of not in get_args(Of):
        msg = f"of is one of {', '.join(get_args(Of))}, got {of!r}"
        raise EstimateError(msg)
    if not 0 < confidence < 1:
        msg = f"confidence is more than 0 and less than 1, got {confidence}"
        raise EstimateError(msg)
    for q in quantiles:
        if not 0 < q < 1:
            msg = f"quantiles are more than 0 and less than 1, got {q}"
            raise EstimateError(msg)


def _unsampled(traces: "Traces") -> Sampled:
    return Sampled(traces, adjusted_counts(traces), len(traces), len(traces.structure.root), period_s(traces))


def _weights(sampled: Sampled, unknown: str) -> Values:
    missing = np.isnan(sampled.adjusted_count)
    if missing.any() and unknown != "one":
        msg = (
            f"{missing.sum():,} of {len(missing):,} spans have no adjusted count: a limiter kept them, or"
            " their tracestate is malformed; unknown='one' lets each stand for itself"
        )
        raise EstimateError(msg)
    return np.where(missing, 1.0, sampled.adjusted_count)


def _chosen(traces: "Traces", of: str, where: "Mask | None") -> npt.NDArray[np.bool_]:
    chosen = np.ones(len(traces), bool) if where is None else to_mask(where, len(traces))
    if of == "roots":
        return chosen & is_root(traces)
    return chosen & traces.structure.is_entry if of == "entries" else chosen


def _values(traces: "Traces", value: str | None) -> Values:
    if value is None:
        return traces.structure.duration / 1e6
    column = traces[value]
    if not (pa.types.is_integer(column.type) or pa.types.is_floating(column.type)):
        msg = f"value is a numeric column, and {value!r} holds {column.type}"
        raise EstimateError(msg)
    return column.cast(pa.float64()).fill_null(math.nan).to_numpy().astype(float)


def _groups(traces: "Traces", names: tuple[str, ...]) -> tuple[list[tuple[Any, ...]], Rows]:
    """Return the labels of the groups, and the group of each span."""
    codes, values = np.zeros((len(traces), len(names)), np.int64), []
    for at, name in enumerate(names):
        column = traces[name]
        plain = column.cast(column.type.value_type) if pa.types.is_dictionary(column.type) else column
        encoded = plain.combine_chunks().dictionary_encode()
        codes[:, at] = encoded.indices.fill_null(-1).to_numpy()
        values.append([*encoded.dictionary.to_pylist(), None])  # the last is that of nulls
    if not names:
        return [()], np.zeros(len(traces), np.int64)
    distinct, group = np.unique(codes, axis=0, return_inverse=True)
    labels = [tuple(values[at][code] for at, code in enumerate(row)) for row in distinct.tolist()]
    return labels, group.ravel()
