r"""RED metrics: the rate, the errors and the duration of requests, by any attributes.

A group is one combination of values of the columns asked for; a missing value is a value of its own. For the
spans of a group, or of a group in one window of time:

* *rate*: spans per second, over the window or over the time from the first start to the last end of all
  spans;
* *errors*: the share of spans whose status is ERROR;
* *duration*: an exponential histogram of seconds, at the finest scale that its range allows, from which come
  quantiles with a proven bound of their error.

A span that was kept by sampling with probability :math:`p` stands for :math:`1 / p` of them: given these
adjusted counts as weights, the sums estimate without bias what all spans would have given (Horvitz & Thompson
1952).

Source: Wilkie, "The RED Method"; OpenTelemetry Collector, ``spanmetrics``; OpenTelemetry, "TraceState:
Probability Sampling".
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from workbench import display
from workbench.kernels import LogHistograms, grouped_log_histogram
from workbench.otlp._attributes import names_apart
from workbench.otlp.analysis._bins import check_bins
from workbench.otlp.analysis._groups import Coded, encode, group_rows
from workbench.otlp.analysis._kernel_red import extent
from workbench.otlp.analysis._operations import grouping_column
from workbench.otlp.analysis._red_table import MEASURES, measures
from workbench.otlp.errors import BinError
from workbench.otlp.histograms.buckets import Buckets
from workbench.otlp.histograms.exponential import ExponentialHistogram

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

    from workbench.otlp.traces import Traces

__all__ = ["Red", "red"]

KINDS = {"UNSPECIFIED": 0, "INTERNAL": 1, "SERVER": 2, "CLIENT": 3, "PRODUCER": 4, "CONSUMER": 5}
ERROR = 2
NANOSECONDS = 1_000_000_000
ALIASES = {"span.name": "name", "span.kind": "kind"}
WINDOW = "window_start"
OWN = MEASURES | {WINDOW}  # columns that the table has of its own
Nanoseconds = npt.NDArray[np.int64]
Weights = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Red:
    """Rate, errors and duration of groups of spans.

    Attributes
    ----------
    table : pyarrow.Table
        A row a group, the one of most spans first; in windows each group's windows follow in time. Columns:
        the names grouped by (``attributes.NAME`` where the table has a NAME of its own), ``window_start``
        (UTC, with windows), ``count``, ``errors``, ``rate_per_s``, ``error_ratio``,
        ``duration_{sum,min,max}_s``, and of p50, p90 and p99 the estimate ``p50_s`` with the bounds
        ``p50_lower_s`` and ``p50_upper_s`` of the true quantile. Counts are float where spans have weights.
    by : tuple of str
    window_s : float or None
    seconds : float
        What rates are counted over: the window, or the time from the first start to the last end.
    unstarted, backwards : int
        Spans left out because they have no start time; spans that end before they start, counted as lasting
        zero seconds.
    max_size : int
        Most buckets of a histogram.
    histograms : LogHistograms
        The durations of each row, in seconds; `histogram` gives one as a value.
    """

    table: pa.Table
    by: tuple[str, ...]
    window_s: float | None
    seconds: float
    unstarted: int
    backwards: int
    max_size: int
    histograms: LogHistograms

    def __len__(self) -> int:
        return len(self.table)

    def histogram(self, of: int | Mapping[str, object] | None = None) -> ExponentialHistogram:
        """Return the durations, in seconds, of a row of the table, or of all rows that match.

        Parameters
        ----------
        of : int or mapping, optional
            A row's number, or values by column name, such as ``{"service.name": "cart"}``; None is all rows.

        Raises
        ------
        KeyError
            When no row matches, or there is no such column.
        IndexError
            When there is no such row.
        """
        if isinstance(of, int):
            return self._histogram(range(len(self))[of])
        rows = self._matching(of or {})
        if not len(rows):
            msg = f"no row has {of}" if of else "there are no rows"
            raise KeyError(msg)
        found = self._histogram(int(rows[0]))
        for row in rows[1:]:
            found = found.merge(self._histogram(int(row)))
        return found

    def _matching(self, of: Mapping[str, object]) -> npt.NDArray[np.int64]:
        matches = np.ones(len(self), np.bool_)
        for name, value in of.items():
            if name not in self.table.column_names:
                msg = f"no column {name!r}: there are {', '.join(self.table.column_names)}"
                raise KeyError(msg)
            matches &= [found == value for found in self.table[name].to_pylist()]
        return np.flatnonzero(matches)

    def _histogram(self, row: int) -> ExponentialHistogram:
        found, (start, stop) = self.histograms, self.histograms.starts[row : row + 2]
        zeros = found.zeros[row].item()
        return ExponentialHistogram(
            int(found.scales[row]),
            positive=Buckets(int(found.offsets[row]), found.counts[start:stop]),
            zero_count=zeros,
            sum=float(found.sums[row]),
            min=0.0 if zeros else float(found.lows[row]),
            max=float(found.highs[row]) if stop > start else 0.0,
            max_size=self.max_size,
        )

    def to_arrow(self) -> pa.Table:
        """Return the table."""
        return self.table

    def to_pandas(self) -> "pd.DataFrame":
        """Return the table as a data frame."""
        return self.table.to_pandas()

    def plot(
        self,
        ax: "Axes | None" = None,
        *,
        measure: Literal["rate", "errors", "duration"] = "duration",
        most: int = 8,
    ) -> "Axes":
        """Draw one measure of the groups of most spans, over time where there are windows; return the axes.

        Durations are drawn from the median to the 99th percentile.
        """
        from workbench.otlp.analysis._red_plot import draw_red  # noqa: PLC0415 - matplotlib is costly

        return draw_red(self, ax, measure, most)

    def __repr__(self) -> str:
        facts = [f"{display.plural(len(self), 'row')} by {', '.join(self.by) or 'nothing'}"]
        spans = f"{pc.sum(self.table['count']).as_py() or 0:,.10g} spans"
        facts.append(f"{spans} in {'windows of ' if self.window_s else ''}{self.seconds:,.4g} s")
        facts += [f"{self.unstarted:,} without a start"] if self.unstarted else []
        facts += [f"{self.backwards:,} backwards"] if self.backwards else []
        return f"Red: {', '.join(facts)}"

    def _repr_html_(self) -> str:
        names = [*self.by, *([WINDOW] if WINDOW in self.table.column_names else [])]
        columns = [*names, "spans", "rate, 1/s", "errors", "p50", "p90", "p99"]
        rows = [
            (*(_cell(row[name]) for name in names), *_shown(row))
            for row in self.table.slice(0, 21).to_pylist()
        ]
        shown = display.table(columns, rows[:20], title=repr(self))._repr_html_()
        return shown + (f"<p>... {len(self) - 20:,} more rows</p>" if len(self) > 20 else "")


def _cell(value: object) -> object:
    return value.hex() if isinstance(value, bytes) else value


def _shown(row: Mapping[str, Any]) -> tuple[str, ...]:
    durations = (
        display.duration_text(round(row[name] * NANOSECONDS)) for name in ("p50_s", "p90_s", "p99_s")
    )
    return f"{row['count']:,.6g}", f"{row['rate_per_s']:.4g}", f"{row['error_ratio']:.2%}", *durations


def red(  # noqa: PLR0913 - each is a question of its own
    traces: "Traces",
    by: str | Sequence[str] = ("service.name", "span.name"),
    *,
    window_s: float | None = None,
    kinds: str | Sequence[str] | None = ("SERVER", "CONSUMER"),
    weights: npt.ArrayLike | None = None,
    max_size: int = 160,
    max_scale: int = 20,
) -> Red:
    """Return rate, errors and duration of spans, grouped.

    Parameters
    ----------
    traces : Traces
    by : str or sequence of str
        Names that ``traces[name]`` knows: own columns and attributes of span, scope or resource.
        ``span.name`` and ``span.kind`` are the span's name and kind.
    window_s : float, optional
        Also group by the start time, in windows of this length that begin at its multiples since the epoch.
    kinds : str or sequence of str, optional
        Kinds of the spans to count; by default those that answer a request. None counts all.
    weights : (n,) float, positive, optional
        How many spans each span of `traces` stands for: its adjusted count.
    max_size, max_scale : int
        Most buckets of a histogram, and its largest scale.

    Returns
    -------
    Red

    Raises
    ------
    UnknownKeyError
        When no span knows a name, ``service.name`` excepted.
    BinError
        When windows are not positive, or there would be more than a million.
    ValueError
        When a kind is none of OpenTelemetry's, or weights are not one positive number a span.
    """
    keys = (by,) if isinstance(by, str) else tuple(dict.fromkeys(by))
    starts, durations = (_nanoseconds(traces, f"{name}_time_unix_nano") for name in ("start", "duration"))
    wanted = _of_kinds(traces, kinds)
    chosen = wanted & (starts != 0)
    unstarted = int(wanted.sum() - chosen.sum())
    heavy = None if weights is None else _checked_weights(weights, len(traces))
    columns = [grouping_column(traces, ALIASES.get(key, key)) for key in keys]
    failed = _numpy(traces["status.code"]) == ERROR
    if not chosen.all():
        columns = [column.filter(pa.array(chosen)) for column in columns]
        starts, durations, failed = starts[chosen], durations[chosen], failed[chosen]
        heavy = None if heavy is None else heavy[chosen]
    names = names_apart(keys, OWN)
    coded = {names[key]: encode(column) for key, column in zip(keys, columns, strict=True)}
    return measured(
        coded,
        starts,
        durations,
        failed,
        heavy,
        window_s,
        max_size=max_size,
        max_scale=max_scale,
        unstarted=unstarted,
    )


def measured(  # noqa: PLR0913 - the columns of a table of spans
    by: Mapping[str, Coded],
    starts: Nanoseconds,
    durations: Nanoseconds,
    failed: npt.NDArray[np.bool_],
    weights: Weights | None = None,
    window_s: float | None = None,
    *,
    max_size: int = 160,
    max_scale: int = 20,
    unstarted: int = 0,
) -> Red:
    """Return RED metrics of spans given as columns, `(n,)` each; times in nanoseconds."""
    coded = dict(by)
    if window_s is not None:
        coded[WINDOW] = _windows(starts, window_s)
    groups = group_rows([*coded.values()], len(starts))
    extent_ns, backwards = extent(starts, durations)
    found = grouped_log_histogram(
        groups.ids,
        np.maximum(durations, 0) if backwards else durations,
        groups.size,
        marks=failed,
        weights=weights,
        unit=float(NANOSECONDS),
        max_size=max_size,
        max_scale=max_scale,
    )
    rows = _order(found, groups.members, len(by))
    seconds = extent_ns / NANOSECONDS if window_s is None else float(window_s)
    keys = {
        name: column.distinct.take(pa.array(codes[rows]))
        for (name, column), codes in zip(coded.items(), groups.members, strict=True)
    }
    return Red(
        pa.table(keys | measures(found, rows, seconds)),
        tuple(by),
        window_s,
        seconds,
        unstarted,
        backwards,
        max_size,
        found.take(rows),
    )


def _order(
    found: LogHistograms, members: Sequence[npt.NDArray[np.int32]], keys: int
) -> npt.NDArray[np.int64]:
    """Return the groups that have spans: most spans first, the windows of a group together, in time."""
    totals = found.totals
    rows = np.flatnonzero(totals > 0)
    if len(members) == keys or not keys:
        return rows if len(members) > keys else rows[np.argsort(-totals[rows], kind="stable")]
    same = np.zeros(len(totals), np.int64)
    for codes in members[:keys]:
        same = np.unique(same * (int(codes.max(initial=0)) + 1) + codes, return_inverse=True)[1]
    weight = np.bincount(same, totals)
    return rows[np.lexsort((members[-1][rows], same[rows], -weight[same[rows]]))]


def _windows(starts: Nanoseconds, window_s: float) -> Coded:
    width = round(window_s * NANOSECONDS) if 0 < window_s < np.inf else 0
    if width < 1:
        msg = f"window_s must be positive, a nanosecond at least, got {window_s}"
        raise BinError(msg)
    if not len(starts):
        return Coded(np.zeros(0, np.int32), pa.array([], pa.timestamp("ns", tz="UTC")))
    first = int(starts.min()) // width
    count = check_bins(int(starts.max()) // width - first + 1, window_s)
    begins = (first + np.arange(count)) * width
    codes = (starts // width - first).astype(np.int32)
    return Coded(codes, pa.array(begins, pa.timestamp("ns", tz="UTC")))


def _nanoseconds(traces: "Traces", name: str) -> Nanoseconds:
    return _numpy(traces[name].cast(pa.int64()))


def _numpy(column: pa.ChunkedArray) -> Any:
    return column.to_numpy() if column.num_chunks != 1 else column.chunk(0).to_numpy(zero_copy_only=False)


def _of_kinds(traces: "Traces", kinds: str | Sequence[str] | None) -> npt.NDArray[np.bool_]:
    if kinds is None:
        return np.ones(len(traces), np.bool_)
    names = (kinds,) if isinstance(kinds, str) else kinds
    return np.isin(_numpy(traces["kind"]), [_kind_number(name) for name in names])


def _kind_number(name: str) -> int:
    number = KINDS.get(str(name).upper().removeprefix("SPAN_KIND_"))
    if number is None:
        msg = f"no kind of span is called {name!r}: there are {', '.join(KINDS)}"
        raise ValueError(msg)
    return number


def _checked_weights(weights: npt.ArrayLike, rows: int) -> Weights:
    found = np.asarray(weights, np.float64)
    if found.shape != (rows,) or not ((found > 0) & (found < np.inf)).all():
        msg = f"weights must be {rows:,} positive, finite numbers, one a span, got the shape {found.shape}"
        raise ValueError(msg)
    return found
