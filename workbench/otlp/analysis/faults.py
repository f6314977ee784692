"""When was a system slow or failing, and whose fault was it? Answered from spans alone.

Time is cut into bins of `bin_s`. For every operation (the entry spans of one name in one service):

* *slow*: a bin is slow when the median own time of its spans exceeds `slow_factor` times the operation's
  normal, by at least `MIN_SHARE` of what a whole trace normally takes. Own time leaves out waiting.
* *failing*: a bin fails when at least `min_rate` of its spans hold an error that started here (no error below
  explains it), and the normal rate makes so many less likely than `ALPHA` (binomial tail).

Normal is the median over the bins, so faults may fill up to half of the recording. Marked bins with gaps of
up to `MAX_GAP_S` between them are a window, if it lasts `MIN_LENGTH_S` and half of its bins are marked. A
window is *explained*, and left out, when services further down the call graph have windows of their own for
half of its time: who waits, retries or passes errors on is not at fault. The names of two services that call
each other explain nothing.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import networkx as nx
import numpy as np
import numpy.typing as npt
import pyarrow as pa
from scipy import stats

from workbench import display
from workbench.kernels import covered_length
from workbench.otlp.analysis._bins import check_bins
from workbench.otlp.analysis._operations import number_operations

if TYPE_CHECKING:
    import pandas as pd

    from workbench.otlp.analysis._structure import SpanStructure
    from workbench.otlp.traces import Traces

__all__ = ["Faults", "find_faults"]

Rows = npt.NDArray[np.int64]
Marks = npt.NDArray[np.bool_]
Values = npt.NDArray[np.float64]
Window = dict[str, Any]  # a row of WINDOWS

MIN_SHARE = 1.0
ALPHA = 1e-4
NORMAL_RATE = 0.01  # of errors, at least: a service without any is not condemned for its first two
MAX_GAP_S = 3.0
MIN_LENGTH_S = 5.0
HALF = 0.5

WINDOWS = pa.schema(
    {
        "kind": pa.string(),
        "service": pa.string(),
        "operation": pa.string(),
        "from_s": pa.float64(),
        "to_s": pa.float64(),
        "start": pa.timestamp("ns", tz="UTC"),
        "end": pa.timestamp("ns", tz="UTC"),
        "normal": pa.float64(),
        "during": pa.float64(),
    }
)


@dataclass(frozen=True, slots=True)
class Faults:
    """The windows in which a system was slow or failing.

    Attributes
    ----------
    windows : pyarrow.Table
        kind ("slow" or "failing"), service and operation at fault, from_s and to_s (seconds since the first
        span), start and end (UTC), and the evidence, normally and during the window: the operation's median
        own time in milliseconds, or the share of its spans in which an error started. Ordered by time.
    """

    windows: pa.Table

    def __len__(self) -> int:
        return len(self.windows)

    def __repr__(self) -> str:
        rows = [
            f"{row['service']} {row['kind']} {row['from_s']:.0f}-{row['to_s']:.0f} s"
            for row in self.windows.to_pylist()
        ]
        return f"Faults: {'; '.join(rows) or 'none'}"

    def _repr_html_(self) -> str:
        rows = [tuple(_shown(row)) for row in self.windows.to_pylist()]
        columns = ["kind", "service", "operation", "from, s", "to, s", "normally", "during"]
        return display.table(columns, rows, title=repr(self))._repr_html_()

    @property
    def services(self) -> list[str]:
        """The services at fault, in alphabetical order."""
        return sorted(set(self.windows["service"].to_pylist()))

    def to_arrow(self) -> pa.Table:
        """Return the windows."""
        return self.windows

    def to_pandas(self) -> "pd.DataFrame":
        """Return the windows as a data frame."""
        return self.windows.to_pandas()


def _shown(row: Window) -> Iterator[str]:
    unit = "{:.1f} ms" if row["kind"] == "slow" else "{:.1%}"
    yield from (row["kind"], row["service"], row["operation"])
    yield from (f"{row['from_s']:.0f}", f"{row['to_s']:.0f}")
    yield from (unit.format(row["normal"]), unit.format(row["during"]))


def find_faults(
    traces: "Traces", *, bin_s: float = 1.0, slow_factor: float = 3.0, min_rate: float = 0.1
) -> Faults:
    """Find the windows in which a service was slow or failing by itself.

    Parameters
    ----------
    traces : Traces
    bin_s : float
        Width of a bin, seconds: windows are found to about this precision, and a bin should hold several
        traces.
    slow_factor : float
        How many times the normal own time is slow.
    min_rate : float
        The least share of failed spans that is a failure, 0 to 1.

    Raises
    ------
    ValueError
        When a threshold is not positive.
    BinError
        When the recording is more than a million bins long.
    """
    for name, value in (("bin_s", bin_s), ("slow_factor", slow_factor), ("min_rate", min_rate)):
        if not value > 0:
            msg = f"{name} must be positive, got {value}"
            raise ValueError(msg)
    traces = traces.started()
    if not len(traces):
        return Faults(WINDOWS.empty_table())
    search = _Search(traces, bin_s)
    windows = [*search.slow(slow_factor), *search.failing(min_rate)]
    blamed = [window for window in windows if not search.is_explained(window, windows)]
    return Faults(pa.Table.from_pylist(_merged(blamed), schema=WINDOWS))


class _Search:
    """The spans of a recording, sorted into operations and bins."""

    def __init__(self, traces: "Traces", bin_s: float) -> None:
        self.structure: SpanStructure = traces.structure
        self.bin_s = bin_s
        self.origin_ns = int(self.structure.start.min())
        length_ns = int(self.structure.start.max()) - self.origin_ns
        self.bins = check_bins(int(length_ns / (bin_s * 1e9)) + 1, bin_s)
        self.bin = ((self.structure.start - self.origin_ns) / (bin_s * 1e9)).astype(np.int64)
        self.numbered = number_operations([traces])
        self.trace_ms = float(np.median(self.structure.duration[self.structure.root])) / 1e6
        self.below = _services_below(self.structure)

    def operations(self) -> Iterator[tuple[str, str, Rows]]:
        """Yield service, name and rows of each operation."""
        entries = np.flatnonzero(self.structure.is_entry)
        numbers = self.numbered.of_span[entries]
        for number in np.unique(numbers).tolist():
            yield self.numbered.service[number], self.numbered.name[number], entries[numbers == number]

    def slow(self, factor: float) -> Iterator[Window]:
        for service, name, rows in self.operations():
            own_ms = self.structure.own_time[rows] / 1e6
            medians = _by_bin(np.median, own_ms, self.bin[rows], self.bins)
            normal = float(np.nanmedian(medians))
            limit = max(factor * normal, normal + MIN_SHARE * self.trace_ms)
            yield from self.windows("slow", service, name, medians > limit, normal, own_ms, rows)

    def failing(self, min_rate: float) -> Iterator[Window]:
        for service, name, rows in self.operations():
            failed = self.structure.own_error[rows].astype(float)
            rates = _by_bin(np.mean, failed, self.bin[rows], self.bins)
            counts = np.bincount(self.bin[rows], minlength=self.bins)
            normal = float(np.nanmedian(rates))
            errors = np.nan_to_num(rates) * counts
            unlikely = stats.binom.sf(errors - 1, counts, max(normal, NORMAL_RATE)) < ALPHA
            marked = (rates >= max(min_rate, normal)) & unlikely
            yield from self.windows("failing", service, name, marked, normal, failed, rows)

    def windows(  # noqa: PLR0913 - one row of the result
        self, kind: str, service: str, name: str, marked: Marks, normal: float, values: Values, rows: Rows
    ) -> Iterator[Window]:
        statistic = np.median if kind == "slow" else np.mean
        for first, after in _runs(marked, round(MAX_GAP_S / self.bin_s)):
            long_enough = (after - first) * self.bin_s >= MIN_LENGTH_S
            if long_enough and marked[first:after].mean() >= HALF:
                inside = (self.bin[rows] >= first) & (self.bin[rows] < after)
                yield {
                    "kind": kind,
                    "service": service,
                    "operation": name,
                    "from_s": first * self.bin_s,
                    "to_s": after * self.bin_s,
                    "start": self.origin_ns + round(first * self.bin_s * 1e9),
                    "end": self.origin_ns + round(after * self.bin_s * 1e9),
                    "normal": normal,
                    "during": float(statistic(values[inside])),
                }

    def is_explained(self, window: Window, windows: Iterable[Window]) -> bool:
        """Tell whether windows of services further down cover half of this one."""
        causes = [other for other in windows if other["service"] in self.below[window["service"]]]
        covered = covered_length(
            np.zeros(len(causes), np.int64),
            [other["start"] for other in causes],
            [other["end"] for other in causes],
            [window["start"]],
            [window["end"]],
        )
        return bool(covered[0] >= HALF * (window["end"] - window["start"]))


def _services_below(structure: "SpanStructure") -> dict[str, set[str]]:
    """Return for each service those that it calls, at any distance, and that do not call it."""
    called = np.flatnonzero(structure.is_entry & (structure.parent >= 0))
    calls: nx.DiGraph[int] = nx.DiGraph()
    calls.add_nodes_from(range(len(structure.services)))
    calls.add_edges_from(
        zip(structure.service[structure.parent[called]], structure.service[called], strict=True)
    )
    reached = {node: nx.descendants(calls, node) for node in calls}
    names = structure.services
    return {names[a]: {names[b] for b in reached[a] if a not in reached[b]} for a in reached}


def _by_bin(statistic: Any, values: Values, bins: Rows, count: int) -> Values:
    """Return a statistic of the values in each bin, NaN where there are none."""
    found = np.full(count, np.nan)
    order = np.argsort(bins, kind="stable")
    present, first = np.unique(bins[order], return_index=True)
    for number, part in zip(present, np.split(values[order], first[1:]), strict=True):
        found[number] = statistic(part)
    return found


def _runs(marked: Marks, max_gap: int) -> Iterator[tuple[int, int]]:
    """Yield first and after-last bin of each run of marked bins, gaps of up to `max_gap` bins closed."""
    hits = np.flatnonzero(marked)
    if len(hits):
        for run in np.split(hits, np.flatnonzero(np.diff(hits) > max_gap + 1) + 1):
            yield int(run[0]), int(run[-1]) + 1


def _merged(windows: list[Window]) -> list[Window]:
    """Return one window for several operations of a service: the strongest evidence stays."""
    merged: list[Window] = []
    for window in sorted(windows, key=lambda row: (row["kind"], row["service"], row["start"])):
        last = merged[-1] if merged else None
        if last and _same_fault(last, window):
            strongest = max(last, window, key=lambda row: row["during"])
            end = max(last, window, key=lambda row: row["end"])
            first = {name: last[name] for name in ("from_s", "start")}
            merged[-1] = strongest | first | {name: end[name] for name in ("to_s", "end")}
        else:
            merged.append(window)
    return sorted(merged, key=lambda row: (row["start"], row["kind"], row["service"]))


def _same_fault(first: Window, second: Window) -> bool:
    same = all(first[name] == second[name] for name in ("kind", "service"))
    return same and bool(second["start"] <= first["end"])
