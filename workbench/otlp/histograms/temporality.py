"""Delta and cumulative temporality: the same increments, one by one, or as totals since a start.

A delta point covers the time since the point before it, a cumulative one the time since its series began.
Points are taken series by series in the order of their time, also where they arrive in another. What the
change cannot keep, and what was wrong with a series, is counted in a report.

To delta: a point becomes its difference to the one before, from that one's time on. Where a sequence begins
at a known start (a start time before its own time) its first point stays whole. Where the start is not known,
the first point only says what is to be subtracted, and goes. A smaller value of a monotonic sum, or a smaller
count, is a reset at an unknown time since the point before: all of it is new.

To cumulative: points are added up as long as each begins where the one before it ended. After a gap the sum
begins anew, with the start of that point, so that its consumers know that something was lost.

Points without a recorded value (flag 1) stay, cover no time, and add nothing. Exemplars stay with their
points.

Source: OpenTelemetry metrics data model, "Temporality", "Resets and Gaps", "Sums: Delta-to-Cumulative".
"""

from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Literal, NamedTuple

from workbench import display
from workbench.otlp.histograms._restating import CUMULATIVE, DELTA, Change, restated_tables
from workbench.otlp.histograms._sequences import deltas, totals

if TYPE_CHECKING:
    from workbench.otlp.metrics import Metrics

__all__ = ["Restated", "TemporalityReport", "to_cumulative", "to_delta"]

Initial = Literal["auto", "keep", "drop"]
OnGap = Literal["reset", "continue"]


@dataclass(frozen=True, slots=True, repr=False)
class TemporalityReport:
    """What was found while temporality was changed: numbers of points, but for `series`.

    Attributes
    ----------
    series, points : int
        How many were changed, or looked at to be changed.
    resets : int
        Sequences that began anew: with a new start time, or because a value fell.
    gaps : int
        Places where no point covers the time between two points, or a point says that nothing was recorded.
    overlaps : int
        Points that begin before the one before them ended: several writers, or a broken one.
    out_of_order : int
        Points that came after a later one of their series.
    baselines : int
        Left out: first values after an unknown start.
    duplicates : int
        Left out: points of the same series and time as another.
    unreadable : int
        Left out: points without a time or a value, and histograms whose counts do not add up.
    bound_changes : int
        Points whose explicit bounds differ from those before: left out of deltas, a new start of sums.
    lost_exemplars : int
        Exemplars of points left out.
    """

    series: int = 0
    points: int = 0
    resets: int = 0
    gaps: int = 0
    overlaps: int = 0
    out_of_order: int = 0
    baselines: int = 0
    duplicates: int = 0
    unreadable: int = 0
    bound_changes: int = 0
    lost_exemplars: int = 0

    def __add__(self, other: "TemporalityReport") -> "TemporalityReport":
        return TemporalityReport(
            **{item.name: getattr(self, item.name) + getattr(other, item.name) for item in fields(self)}
        )

    def __repr__(self) -> str:
        found = [f"{name.replace('_', ' ')} {count:,}" for name, count in self._counts().items() if count]
        return f"TemporalityReport: {', '.join(found) or 'nothing to change'}"

    def _repr_html_(self) -> str:
        rows = [(name.replace("_", " "), count) for name, count in self._counts().items()]
        return display.table(["found", "count"], rows, title="TemporalityReport")._repr_html_()

    def _counts(self) -> dict[str, int]:
        return {item.name: getattr(self, item.name) for item in fields(self)}


class Restated(NamedTuple):
    """Metrics of another temporality, and the report of the change."""

    metrics: "Metrics"
    report: TemporalityReport


def to_delta(metrics: "Metrics", *, initial: Initial = "auto") -> Restated:
    """Return the metrics with cumulative sums and histograms as deltas; all others stay.

    Min and max of a histogram's delta are not known, but where it is whole.

    Parameters
    ----------
    metrics : Metrics
    initial : {"auto", "keep", "drop"}
        The first point of each series: kept where its start is known, kept as it is, or left out.

    Raises
    ------
    ValueError
        When `initial` is none of these.
    """
    if initial not in ("auto", "keep", "drop"):
        msg = f"initial must be auto, keep or drop, got {initial!r}"
        raise ValueError(msg)
    return _restated(metrics, CUMULATIVE, DELTA, lambda series, points: deltas(series, points, initial))


def to_cumulative(metrics: "Metrics", *, on_gap: OnGap = "reset", tolerance_s: float = 0.0) -> Restated:
    """Return the metrics with delta sums and histograms as totals since a start; all others stay.

    Parameters
    ----------
    metrics : Metrics
    on_gap : {"reset", "continue"}
        Where a point begins after the one before it ended: begin anew, as the specification has it, or go on
        adding, so that totals never fall but what was lost is not seen.
    tolerance_s : float
        How far a point's start may be from the end of the one before it.

    Raises
    ------
    ValueError
        When `on_gap` is neither, or the tolerance is negative.
    """
    if on_gap not in ("reset", "continue") or not tolerance_s >= 0:
        msg = (
            f"on_gap must be reset or continue and tolerance_s not negative, got {on_gap!r} and {tolerance_s}"
        )
        raise ValueError(msg)
    tolerance_ns, resets = round(tolerance_s * 1e9), on_gap == "reset"
    return _restated(
        metrics, DELTA, CUMULATIVE, lambda series, points: totals(series, points, tolerance_ns, resets=resets)
    )


def _restated(metrics: "Metrics", source: int, target: int, change: Change) -> Restated:
    tables, counts, emptied = restated_tables(metrics.tables, source, target, change)
    report = TemporalityReport()
    for found in counts:
        report += TemporalityReport(**found)
    changed = type(metrics)(tables, metrics.skipped, frozenset(metrics.keys()))
    return Restated(changed.filter(~emptied) if emptied.any() else changed, report)
