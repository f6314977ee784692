"""What changed between two sets of traces, tested: self times, errors, and who calls what how often.

Each of the three functions returns candidates, significant or not; `comparison` ranks them.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from workbench.otlp.analysis._call_paths import ABSENT
from workbench.otlp.analysis._grouped import grouped_quantiles
from workbench.otlp.analysis._pooled import Pooled
from workbench.otlp.analysis._two_samples import rank_tests, two_proportions

__all__ = ["Candidates", "error_changes", "latency_changes", "structure_changes"]

Rows = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class Candidates:
    """Possible changes of one kind, `(k,)` each.

    Attributes
    ----------
    kind : str
        latency, errors or structure.
    group : int64
        Number of the operation; of the call path, for structure.
    before, after : float64
        Median self time in ms; own errors a span; calls by each call of the path above.
    effect : float64
        Cliff's delta of self time, or calls; difference of the shares of traces with an own error.
    contribution, error : float64
        To the mean latency of a trace in ms, or to the share of traces with errors; and its standard error,
        NaN where none is known.
    own : float64
        The part of the contribution that is not due to how often the operation is called.
    p : float64
        NaN where there are too few traces to tell.
    """

    kind: str
    group: Rows
    before: Floats
    after: Floats
    effect: Floats
    contribution: Floats
    error: Floats
    own: Floats
    p: Floats


def latency_changes(pooled: Pooled) -> Candidates:
    """Test the mean self time of each operation in a trace, over the traces that have it."""
    size, rows = len(pooled.operations), pooled.by_operation
    late = pooled.late_trace[rows.trace]
    mean_ms = rows.sum(pooled.self_ms) / rows.spans
    n1, n2 = pooled.counts(rows.group, late, size)
    tests = rank_tests(rows.group, mean_ms, late, size, n1, n2)
    medians = grouped_quantiles(
        pooled.operations.of_span + size * pooled.late, pooled.self_ms, 2 * size, (0.5,)
    )[0]
    contribution, error = _difference_of_means(pooled, rows.sum(pooled.critical_ms), rows.group, late, size)
    return Candidates(
        "latency",
        np.arange(size),
        before=medians[:size],
        after=medians[size:],
        effect=tests.delta,
        contribution=contribution,
        error=error,
        own=_slowdown(pooled, size),
        p=tests.p,
    )


def _slowdown(pooled: Pooled, size: int) -> Floats:
    """Return how much of the change of the mean latency is due to single calls: r (c2 - c1), at a mean r."""
    operation = pooled.operations.of_span
    critical = pooled.split(pooled.critical_ms, operation, pooled.late, size)
    spans = pooled.counts(operation, pooled.late, size)
    each = [total / np.maximum(count, 1) for total, count in zip(critical, spans, strict=True)]
    often = [count / max(traces, 1) for count, traces in zip(spans, pooled.count, strict=True)]
    both = (spans[0] > 0) & (spans[1] > 0)
    return np.where(both, (often[0] + often[1]) / 2 * (each[1] - each[0]), 0.0)


def _difference_of_means(
    pooled: Pooled, amounts: Floats, group: Rows, late: npt.NDArray[np.bool_], size: int
) -> tuple[Floats, Floats]:
    """Return by how much the mean amount a trace grew, and its standard error (Welch); most may be zero."""
    sums, squares = pooled.split(amounts, group, late, size), pooled.split(amounts**2, group, late, size)
    with np.errstate(divide="ignore", invalid="ignore"):
        means = [np.asarray(total) / count for total, count in zip(sums, pooled.count, strict=True)]
        variances = [
            np.maximum(square / count - mean**2, 0) / count
            for square, mean, count in zip(squares, means, pooled.count, strict=True)
        ]
    return means[1] - means[0], np.sqrt(variances[0] + variances[1])


def error_changes(pooled: Pooled) -> Candidates:
    """Test the share of traces in which an error started in each operation, of those that have it."""
    size, rows = len(pooled.operations), pooled.by_operation
    late = pooled.late_trace[rows.trace]
    failed = rows.sum(pooled.own_error) > 0
    n1, n2 = pooled.counts(rows.group, late, size)
    hits1, hits2 = pooled.counts(rows.group[failed], late[failed], size)
    errors = pooled.split(pooled.own_error.astype(np.float64), pooled.operations.of_span, pooled.late, size)
    spans = pooled.counts(pooled.operations.of_span, pooled.late, size)
    with np.errstate(divide="ignore", invalid="ignore"):
        rates = [found / count for found, count in zip(errors, spans, strict=True)]
        effect = hits2 / n2 - hits1 / n1
    contribution, error = _difference_of_means(pooled, failed.astype(np.float64), rows.group, late, size)
    p = two_proportions(hits1, n1, hits2, n2)
    p[hits1 + hits2 == 0] = np.nan  # no hypothesis: nothing failed
    return Candidates(
        "errors",
        np.arange(size),
        before=rates[0],
        after=rates[1],
        effect=effect,
        contribution=contribution,
        error=error,
        own=contribution,
        p=p,
    )


def structure_changes(pooled: Pooled) -> Candidates:
    """Test how often each call path is taken by one call of the path above it, over the traces with that one.

    So only the topmost path of a subtree that came, went or changed its frequency is a change. The share of
    each kind of trace, by its root, is tested over all traces. Paths that begin below an absent parent are
    not: orphans are a fault of the recording.
    """
    paths, rows = pooled.paths, pooled.by_path
    size = len(paths)
    late = pooled.late_trace[rows.trace]
    above = paths.above[rows.group]
    below_other = above >= 0
    callers = np.ones(len(rows.group))
    callers[below_other] = rows.spans[rows.find(above[below_other], rows.trace[below_other])]
    n1, n2 = (
        np.where(paths.above >= 0, found[np.maximum(paths.above, 0)], traces)
        for found, traces in zip(pooled.counts(rows.group, late, size), pooled.count, strict=True)
    )
    tests = rank_tests(rows.group, rows.spans / callers, late, size, n1, n2)
    calls = pooled.counts(paths.of_span, pooled.late, size)
    rates, callers_a_trace = [], []
    for found, traces in zip(calls, pooled.count, strict=True):
        made = np.where(paths.above >= 0, found[np.maximum(paths.above, 0)], traces)
        rates.append(found / np.maximum(made, 1))
        callers_a_trace.append(made / max(traces, 1))
    whole = paths.with_below(np.bincount(paths.of_span, pooled.critical_ms, size).astype(np.float64))
    cost_ms = whole / np.maximum(calls[0] + calls[1], 1)
    contribution = (rates[1] - rates[0]) * np.maximum(*callers_a_trace) * cost_ms
    return Candidates(
        "structure",
        np.arange(size),
        before=rates[0],
        after=rates[1],
        effect=tests.delta,
        contribution=contribution,
        error=np.full(size, np.nan),
        own=contribution,
        p=np.where(paths.above == ABSENT, np.nan, tests.p),
    )
