"""`estimate`: what sampled spans say about all spans, and how well they can know it.

Counts and rates are Horvitz-Thompson totals of the adjusted counts, shares of errors are ratios of two such
totals, quantiles are those of the weighted distribution. Each comes with a confidence interval that knows
that the spans of a trace are kept together; the mathematics is in `workbench.otlp.sampling._intervals`.

What an interval cannot know: spans that a full memory or a late arrival cost, groups of which nothing was
sampled, which are not there at all, and for counts, how many of a group chance missed when all spans seen of
it were kept for certain.
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
from workbench.otlp._attributes import names_apart
from workbench.otlp._masks import to_mask
from workbench.otlp.sampling._clusters import Clusters
from workbench.otlp.sampling._columns import is_root
from workbench.otlp.sampling._intervals import quantile_interval, share_interval, total_interval
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
Group = tuple[Any, ...]  # e.g. ("cart", "GET /")


@dataclass(frozen=True, slots=True, eq=False)
class Estimates:
    """Estimates of groups of spans; each is followed by the ends of its interval, ``_low`` and ``_high``.

    Attributes
    ----------
    table : pyarrow.Table
        What grouped them (``attributes.NAME`` where the table has a NAME of its own); spans and traces (those
        sampled); count, rate_hz, error_ratio and the quantiles,
        such as p99_ms (infinite at an end where the sample cannot say). Ordered by count, largest first.
    by : tuple of str
    confidence : float
    """

    table: pa.Table
    by: tuple[str, ...]
    confidence: float

    def __len__(self) -> int:
        return len(self.table)

    def __repr__(self) -> str:
        groups = f"{display.plural(len(self), 'group')} by {', '.join(self.by)}" if self.by else "all spans"
        return f"Estimates: {groups}, {self.confidence:.0%} intervals"

    @property
    def measures(self) -> list[str]:
        """The estimates in the table, without their ends."""
        names = self.table.column_names
        return [name for name in names if name not in self.by and f"{name}_low" in names]

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
        if measure not in self.measures:
            msg = f"nothing called {measure!r} was estimated; there are {', '.join(self.measures)}"
            raise EstimateError(msg)
        found, known = _by_group(self), {} if truth is None else _by_group(truth)
        groups = [*(known or found)]
        ax = display.new_axes(ax, (9, 0.9 + 0.4 * len(groups)))
        _draw(ax, groups, found, known, measure)
        ax.set_yticks(range(len(groups)), [display.plain_text(_label(group)) for group in groups])
        ax.set(xlabel=measure, ylim=(max(len(groups), 1) - 0.5, -0.5))
        ax.set_title(f"{measure} with {self.confidence:.0%} intervals")
        return ax


def _by_group(estimates: Estimates) -> dict[Group, Row]:
    return {tuple(row[name] for name in estimates.by): row for row in estimates.table.to_pylist()}


def _label(group: Group) -> str:
    return " ".join("-" if value is None else str(value) for value in group) or "all"


def _draw(
    ax: "Axes", groups: list[Group], found: dict[Group, Row], truth: dict[Group, Row], measure: str
) -> None:
    at = [number for number, group in enumerate(groups) if group in found]
    rows = [found[groups[number]] for number in at]
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
        ax.plot(known, range(len(groups)), "D", color="C1", ls="", mfc="none", ms=9, label="truth")
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
        What a sampler returned, which knows what chance cannot have missed (`Sampled.complete_errors` and
        `complete_beyond_ms`), so its intervals are narrower. Traces stand for what the thresholds in their
        tracestates (``ot=th``) say, and else for themselves: the estimates of an unsampled recording are the
        truth, without intervals.
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
    keys = (by,) if isinstance(by, str) else tuple(dict.fromkeys(by))
    weight = _weights(result, unknown)
    chosen = _chosen(result.traces, of, where)
    labels, group = _groups(result.traces, keys)
    measure = _Measure.of(result, weight, value, tuple(quantiles), confidence)
    names = tuple(names_apart(keys, measure.columns).values())
    rows = []
    order = np.argsort(group, kind="stable")
    order = order[chosen[order]]
    ends = np.searchsorted(group[order], np.arange(len(labels) + 1))
    for label, first, after in zip(labels, ends, ends[1:], strict=False):
        members = order[first:after]
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
    known: dict[str, float]  # about the values, see `quantile_interval`
    complete_errors: bool
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
        known = {"least": 0.0, "complete_beyond": sampled.complete_beyond_ms} if value is None else {}
        return cls(
            structure.trace,
            weight,
            structure.error,
            values,
            known,
            sampled.complete_errors,
            sampled.period_s,
            named,
            confidence,
        )

    @property
    def columns(self) -> list[str]:
        measures = ["count", "rate_hz", "error_ratio", *self.quantiles]
        return ["spans", "traces", *(f"{name}{end}" for name in measures for end in ("", "_low", "_high"))]

    def row(self, members: Rows) -> Row:
        clusters = Clusters(self.trace[members], self.weight[members])
        row: Row = {"spans": len(members), "traces": clusters.traces}
        z = NormalDist().inv_cdf((1 + self.confidence) / 2)
        count = (
            clusters.total(),
            *total_interval(clusters.total(), clusters.variance_of_all, len(members), z),
        )
        row |= _with_ends("count", count)
        row |= _with_ends(
            "rate_hz", [value / self.period_s if self.period_s else math.nan for value in count]
        )
        errors = share_interval(clusters, self.error[members], self.confidence, complete=self.complete_errors)
        row |= _with_ends("error_ratio", errors)
        return row | self._quantiles(members)

    def _quantiles(self, members: Rows) -> Row:
        members = members[~np.isnan(self.values[members])]
        clusters = Clusters(self.trace[members], self.weight[members])
        row: Row = {}
        for name, q in self.quantiles.items():
            found = (math.nan, math.nan, math.nan)
            if len(members):
                found = quantile_interval(self.values[members], clusters, q, self.confidence, **self.known)
            row |= _with_ends(name, found)
        return row


def _with_ends(name: str, found: Sequence[float]) -> Row:
    return dict(zip((name, f"{name}_low", f"{name}_high"), found, strict=True))


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
        structure = traces.structure
        return np.where(structure.is_started, structure.duration / 1e6, math.nan)
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
