r"""What differs between two sets of traces, and what the cause of it is.

Three questions are asked, each tested with the trace as the unit, all p-values corrected together (Benjamini
& Hochberg):

* *latency*: did the self time of an operation change? Mann-Whitney and Kolmogorov-Smirnov. Self time, not
  duration, because the duration of every caller changes with that of the called.
* *errors*: did more traces fail in an operation, with an error that no child explains? Fisher, or chi-square.
* *structure*: does a call path come, go, or is it taken more often by its caller? Mann-Whitney and
  Kolmogorov-Smirnov of the calls by one call of the path above. It is the caller that changed.

Changes are ranked by *impact*. Critical times of a trace sum to its latency, so the change of the mean
latency is the sum of what each operation contributes,

.. math:: \Delta \bar L = \sum_o \Delta \bar c_o,

with :math:`\bar c_o = r_o t_o` the mean critical time of operation `o` a trace, called :math:`r_o` times for
:math:`t_o` each. It changes by :math:`\bar r_o \Delta t_o + \bar t_o \Delta r_o`: the first part is its own,
the second its callers', and counted with the calls. The impact of an operation's own slowdown, or of calls
that came with all below them, is that contribution divided by the mean latency before; that of errors is by
how much the share of traces with an error that started there grew.

A change is *explained* by another of a quarter of its impact at least, in a service further down the calls:
who waits, gives up or retries is not the cause. It cannot be explained by one for the better if it is itself
for the worse. Calls that an operation makes more or less often are explained by its own errors, too. The
*culprit* is the unexplained change for the worse of most impact.

Source: Benjamini & Hochberg 1995; Zhang et al., "CRISP", USENIX ATC 2022.
"""

from dataclasses import dataclass, field
from html import escape
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from workbench import display
from workbench.errors import WorkbenchError
from workbench.otlp.analysis._change import CHANGES, Change, ranked
from workbench.otlp.analysis._changes import (
    Candidates,
    error_changes,
    latency_changes,
    structure_changes,
)
from workbench.otlp.analysis._explanation import Explanation
from workbench.otlp.analysis._findings import services_below, significant_changes, tabulate
from workbench.otlp.analysis._pooled import Pooled
from workbench.otlp.analysis._two_samples import benjamini_hochberg

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

    from workbench.otlp.traces import Traces

__all__ = ["Comparison", "ComparisonError", "compare"]

Floats = npt.NDArray[np.float64]

TAIL = 0.95
BAD = {"slower": "slow", "faster": "fast", "more errors": "failed", "fewer errors": "failed"}


class ComparisonError(WorkbenchError, ValueError):
    """Raised when there is nothing to compare, or no change to explain."""


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Comparison:
    """What is different between traces before and after.

    Attributes
    ----------
    changes : tuple of Change
        Significant ones with an impact, the largest first; those that others explain after all that are not.
    latency, errors, structure : pyarrow.Table
        Everything that was tested, by contribution: the numbers of each operation or call path, with ``p``
        (null where there are too few traces to tell) and ``q``. `latency` has the ``contribution_ms`` with a
        95 % interval, which over all operations sums to the change of the mean latency, and the part of it
        that is the operation's own, ``slowdown_ms``.
    mean_latency_ms : (float, float)
        Mean duration of the roots, before and after.
    failing : (float, float)
        Share of traces with a span that failed.
    traces : (int, int)
    orphans : (int, int)
        Spans whose parent is missing: sets that cut through traces compare badly.
    shared : int
        Traces that are in both sets.
    alpha, min_impact : float
        What was asked for.
    """

    changes: tuple[Change, ...]
    latency: pa.Table
    errors: pa.Table
    structure: pa.Table
    mean_latency_ms: tuple[float, float]
    failing: tuple[float, float]
    traces: tuple[int, int]
    orphans: tuple[int, int]
    shared: int
    alpha: float
    min_impact: float
    _pooled: Pooled = field(repr=False)

    def __len__(self) -> int:
        return len(self.changes)

    @property
    def culprit(self) -> Change | None:
        """The unexplained change for the worse of most impact, or for the better; None if nothing changed."""
        free = [change for change in self.changes if not change.explained_by]
        worse = [change for change in free if change.is_worse]
        return next(iter(worse or free), None)

    @property
    def attributes(self) -> Explanation:
        """Attribute values that traces after have more, or less, often than those before, on any span."""
        pooled = self._pooled
        return Explanation.of(pooled.sets, pooled.trace, pooled.late_trace, "traces after", "before")

    def explain(self, change: Change | None = None) -> Explanation:
        """Return which attributes the bad spans of a change have, and its other spans have not.

        Bad are spans of the operation that are slower than 95 % of those before (faster than 5 %, if it got
        faster), or whose own error it is; for changed calls, those of the traces after that make them. The
        others are its spans before and after that are not.

        Parameters
        ----------
        change : Change, optional
            One of `changes`; by default the culprit.

        Raises
        ------
        ComparisonError
            When nothing changed.
        """
        chosen = self.culprit if change is None else change
        if chosen is None:
            msg = "nothing changed, so there is nothing to explain"
            raise ComparisonError(msg)
        return _explain(self._pooled, chosen)

    def __repr__(self) -> str:
        facts = f"{self.traces[0]:,} and {self.traces[1]:,} traces"
        culprit = self.culprit
        if culprit is None:
            return f"Comparison of {facts}: nothing changed"
        return f"Comparison of {facts}: {display.plural(len(self), 'change')}; {culprit}"

    def _repr_html_(self) -> str:
        title = f"{self!r} ({self._means()})"
        if not self.changes:
            return f"<p>{escape(title)}</p>"
        columns = [
            "service",
            "name",
            "what",
            "before -> after",
            "contribution",
            "impact",
            "q",
            "explained by",
        ]
        rows = [
            (
                change.service,
                change.shown_name,
                change.what,
                change.figures,
                change.shown_contribution,
                f"{change.impact:.1%}",
                f"{change.q:.1e}",
                change.explained_by,
            )
            for change in self.changes
        ]
        return display.table(columns, rows, title=title)._repr_html_()

    def _means(self) -> str:
        latency = " -> ".join(f"{value:.4g}" for value in self.mean_latency_ms)
        failing = " -> ".join(f"{value:.1%}" for value in self.failing)
        cut = f"; {sum(self.orphans):,} orphaned spans" if any(self.orphans) else ""
        shared = f"; {self.shared:,} traces are in both" if self.shared else ""
        return f"mean latency {latency} ms, failing traces {failing}{cut}{shared}"

    def to_arrow(self) -> pa.Table:
        """Return the changes."""
        rows = [{name: getattr(change, name) for name in CHANGES.names} for change in self.changes]
        return pa.Table.from_pylist(rows, schema=CHANGES)

    def to_pandas(self) -> "pd.DataFrame":
        """Return the changes as a data frame."""
        return self.to_arrow().to_pandas()

    def plot(self, ax: "Axes | None" = None, *, most: int = 10) -> "Axes":
        """Draw what each operation contributes to the change of the mean latency; return the axes."""
        from workbench.otlp.analysis._comparison_plot import draw_contributions  # noqa: PLC0415 - costly

        return draw_contributions(self, ax, most)


def compare(
    before: "Traces", after: "Traces", *, alpha: float = 0.01, min_impact: float = 0.05
) -> Comparison:
    """Return what differs between two sets of traces, ranked, with the cause.

    Parameters
    ----------
    before, after : Traces
        Whole traces, of two windows of time, versions, regions; at least 8 with an operation on either side
        for anything to be said of it.
    alpha : float
        Level of the tests, after correction: in two sets of the same kind something is found in that share of
        cases at most.
    min_impact : float
        Smallest impact of a change worth telling: 0.05 is five per cent of the mean latency before, or five
        more failing traces in a hundred. Of calls it is worth telling, too, that a caller makes 0.05 more of
        them, or fewer. With many traces the smallest differences are significant.

    Raises
    ------
    ComparisonError
        When either set is empty.
    ValueError
        When a threshold is not between 0 and 1.

    Notes
    -----
    The windows of a recording differ in more than the fault: load, caches, other work on the machine.
    ``min_impact`` is what keeps such differences out, and how much they are is to be seen by comparing two
    windows in which nothing happened. Cost O(n log n).
    """
    for name, value in (("alpha", alpha), ("min_impact", min_impact)):
        if not 0 <= value <= 1:
            msg = f"{name} must be between 0 and 1, got {value}"
            raise ValueError(msg)
    for name, traces in (("before", before), ("after", after)):
        if not len(traces):
            msg = f"there are no spans {name}: choose a window that has some"
            raise ComparisonError(msg)
    pooled = Pooled(before, after)
    found = [latency_changes(pooled), error_changes(pooled), structure_changes(pooled)]
    q = benjamini_hochberg(np.concatenate([candidates.p for candidates in found]))
    splits = np.cumsum([len(candidates.p) for candidates in found])[:-1]
    corrected = np.split(q, splits)
    return _compared(pooled, found, corrected, alpha, min_impact)


def _compared(
    pooled: Pooled, found: list[Candidates], corrected: list[Floats], alpha: float, min_impact: float
) -> Comparison:
    means = _by_side(pooled, pooled.latency_ms)
    failing = np.bincount(pooled.trace, pooled.error, sum(pooled.count)) > 0
    orphans = pooled.orphan
    changes = [
        change
        for candidates, q in zip(found, corrected, strict=True)
        for change in significant_changes(pooled, candidates, q, means[0], alpha, min_impact)
    ]
    latency, errors, structure = (
        tabulate(pooled, candidates, q) for candidates, q in zip(found, corrected, strict=True)
    )
    return Comparison(
        ranked(changes, services_below(pooled)),
        latency,
        errors,
        structure,
        means,
        _by_side(pooled, failing),
        pooled.count,
        (int(orphans[~pooled.late].sum()), int(orphans[pooled.late].sum())),
        pooled.shared,
        alpha,
        min_impact,
        pooled,
    )


def _by_side(pooled: Pooled, values: npt.NDArray[Any]) -> tuple[float, float]:
    first = pooled.count[0]
    return float(values[:first].mean()), float(values[first:].mean())


def _explain(pooled: Pooled, change: Change) -> Explanation:
    operations = pooled.operations
    pairs = zip(operations.service, operations.name, strict=True)
    wanted = [at for at, pair in enumerate(pairs) if pair == (change.service, change.name)]
    if not wanted:
        msg = f"no operation {change.service} {change.name} in these traces"
        raise ComparisonError(msg)
    chosen = operations.of_span == wanted[0]
    bad = _bad_spans(pooled, change, chosen)[chosen]
    first, second = (
        traces.filter(chosen[pooled.late == late])
        for traces, late in zip(pooled.sets, (False, True), strict=True)
    )
    names = (f"{BAD.get(change.what, 'later')} spans of {change.service} {change.name}", "others")
    return Explanation.of((first, second), None, bad, *names)


def _bad_spans(pooled: Pooled, change: Change, chosen: npt.NDArray[np.bool_]) -> npt.NDArray[np.bool_]:
    usual = pooled.self_ms[chosen & ~pooled.late]
    if change.what == "slower" and len(usual):
        return pooled.self_ms > np.quantile(usual, TAIL)
    if change.what == "faster" and len(usual):
        return pooled.self_ms < np.quantile(usual, 1 - TAIL)
    return pooled.own_error if "errors" in change.what else pooled.late
