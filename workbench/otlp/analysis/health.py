"""What is wrong with recorded traces: spans that hang in the air, ids used twice, times that cannot be.

======================= ====================================================================
problem                 counted is a span, or a trace, when
======================= ====================================================================
orphan                  it names a parent that is not among these spans
cycle                   it is on or below a circle of spans that name each other as parents
duplicate id            an earlier span of its trace has the same id
no trace id, no span id the id is missing or all zeros
unset start, unset end  the time is zero
zero duration           it ends when it starts
negative duration       it ends before it starts
early child             it starts before its parent, by more than the tolerance
late child              it ends after its parent, by more than the tolerance; CONSUMER spans may
several roots           (traces) more than one span names no parent
no root                 (traces) every span names a parent
======================= ====================================================================

Early children in another service are a sign of clock skew: `clock_skew` measures it. Late children in another
service may also have been given up by their caller.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from workbench import display
from workbench.otlp.analysis._identity import find_named_parents, first_rows, has_parent_id, id_words
from workbench.otlp.analysis._span_pairs import CONSUMER

if TYPE_CHECKING:
    import pandas as pd

    from workbench.otlp.traces import Traces

__all__ = ["TraceHealth", "check_traces"]

Rows = npt.NDArray[np.int64]
Marks = npt.NDArray[np.bool_]

MS = 1e6
SAME, OTHER = "same service", "other service"
PROBLEMS = pa.schema(
    {
        "problem": pa.string(),
        "where": pa.string(),
        "spans": pa.int64(),
        "traces": pa.int64(),
        "share": pa.float64(),
        "worst_ms": pa.float64(),
        "example": pa.string(),
    }
)


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class TraceHealth:
    """What is wrong with some traces.

    Attributes
    ----------
    problems : pyarrow.Table
        ``problem``, ``where`` (for early and late children: parent in the same or another service), how many
        ``spans`` (null for a problem of traces), in how many ``traces``, their ``share`` (of all spans, or
        traces), ``worst_ms`` (of times that cannot be) and the trace id of an ``example``, the worst one.
        Those of most spans first.
    spans, traces : int
        How many were looked at.
    rows : mapping of (problem, where) to (k,) int64
        The spans concerned; for problems of traces their first spans.
    """

    problems: pa.Table
    spans: int
    traces: int
    rows: dict[tuple[str, str], Rows]

    def __len__(self) -> int:
        return len(self.problems)

    def __repr__(self) -> str:
        looked = f"{self.spans:,} spans, {self.traces:,} traces"
        found = "; ".join(
            f"{problem['traces'] if problem['spans'] is None else problem['spans']:,} {problem['problem']}"
            for problem in self.problems.to_pylist()
        )
        return f"TraceHealth: {looked}: {found or 'nothing wrong'}"

    def _repr_html_(self) -> str:
        columns = ["problem", "where", "spans", "traces", "share", "worst", "example"]
        rows = [
            (
                row["problem"],
                row["where"],
                row["spans"],
                row["traces"],
                f"{row['share']:.2%}",
                None if row["worst_ms"] is None else display.duration_text(round(row["worst_ms"] * MS)),
                row["example"],
            )
            for row in self.problems.to_pylist()
        ]
        return display.table(columns, rows, title=repr(self))._repr_html_()

    def count(self, problem: str) -> int:
        """Return how many spans (or traces, for roots) have a problem, wherever; 0 where there is none."""
        return sum(len(rows) for (name, _), rows in self.rows.items() if name == problem)

    def to_arrow(self) -> pa.Table:
        """Return the problems."""
        return self.problems

    def to_pandas(self) -> "pd.DataFrame":
        """Return the problems as a data frame."""
        return self.problems.to_pandas()


def check_traces(traces: "Traces", *, tolerance_ms: float = 0.0) -> TraceHealth:
    """Return what is wrong with traces: orphans, roots, ids and times.

    Parameters
    ----------
    traces : Traces
    tolerance_ms : float
        By how much children may start before or end after their parents.

    Raises
    ------
    ValueError
        When the tolerance is negative.

    Examples
    --------
    >>> from workbench import otlp
    >>> health = otlp.check_traces(otlp.read("datasets/checkout/traces.otlp.zst"), tolerance_ms=5)
    >>> health.count("orphan"), health.count("early child")
    (0, 0)
    """
    if not tolerance_ms >= 0:
        msg = f"tolerance_ms must be zero or more, got {tolerance_ms}"
        raise ValueError(msg)
    check = _Check(traces, round(tolerance_ms * MS))
    findings = [finding for finding in check.findings() if len(finding.rows)]
    findings.sort(key=lambda found: (-len(found.rows), found.problem, found.where))
    return TraceHealth(
        pa.Table.from_pylist([check.row(found) for found in findings], schema=PROBLEMS),
        len(traces),
        check.traces_found,
        {(found.problem, found.where): found.rows for found in findings},
    )


@dataclass(frozen=True, slots=True, eq=False)
class _Finding:
    """The spans that have a problem, the worst one, and by how much its times are wrong."""

    problem: str
    rows: Rows
    where: str = ""
    worst: int = -1
    worst_ns: int | None = None
    of_traces: bool = False

    @classmethod
    def of(cls, problem: str, marks: Marks, where: str = "", wrong: Rows | None = None) -> "_Finding":
        rows = np.flatnonzero(marks)
        if wrong is None or not len(rows):
            return cls(problem, rows, where, int(rows[0]) if len(rows) else -1)
        worst = int(rows[np.argmax(wrong[rows])])
        return cls(problem, rows, where, worst, int(wrong[worst]))


class _Check:
    """The spans of some traces, to be asked for each problem."""

    def __init__(self, traces: "Traces", tolerance: int) -> None:
        structure = traces.structure
        self.traces, self.tolerance = traces, tolerance
        self.start, self.stop, self.duration = structure.start, structure.stop, structure.duration
        self.is_started = structure.is_started
        self.trace, self.parent = structure.trace, structure.parent
        self.traces_found = int(self.trace.max(initial=-1)) + 1
        self.names_parent = has_parent_id(traces)

    def findings(self) -> Iterator[_Finding]:
        yield from self._ids()
        yield from self._times()
        yield from self._children()
        yield from self._roots()

    def _ids(self) -> Iterator[_Finding]:
        found = find_named_parents(self.traces)
        yield _Finding.of("orphan", self.names_parent & (found < 0))
        yield _Finding.of("cycle", (found >= 0) & (self.parent < 0))
        yield _Finding.of("duplicate id", first_rows(self.traces) != np.arange(len(self.traces)))
        for name in ("trace_id", "span_id"):
            missing = (id_words(self.traces, name) == 0).all(axis=1)
            yield _Finding.of(f"no {name.replace('_', ' ')}", missing)

    def _times(self) -> Iterator[_Finding]:
        started, ended = self.is_started, self.stop != 0
        yield _Finding.of("unset start", ~started)
        yield _Finding.of("unset end", ~ended)
        both = started & ended
        yield _Finding.of("zero duration", both & (self.duration == 0))
        yield _Finding.of("negative duration", both & (self.duration < 0), wrong=-self.duration)

    def _children(self) -> Iterator[_Finding]:
        stop, above = self.stop, self.parent
        timed = self.is_started & (stop != 0)
        child = (above >= 0) & timed & timed[above]
        structure = self.traces.structure
        same = structure.service == structure.service[above]
        waits = structure.kind != CONSUMER
        for problem, wrong, counted in (
            ("early child", self.start[above] - self.start, child),
            ("late child", stop - stop[above], child & waits),
        ):
            marks = counted & (wrong > self.tolerance)
            yield _Finding.of(problem, marks & same, SAME, wrong)
            yield _Finding.of(problem, marks & ~same, OTHER, wrong)

    def _roots(self) -> Iterator[_Finding]:
        first = np.full(self.traces_found, -1, np.int64)
        first[self.trace[::-1]] = np.arange(len(self.trace))[::-1]
        roots = np.bincount(self.trace[~self.names_parent], minlength=self.traces_found)
        for problem, wrong in (("several roots", roots > 1), ("no root", roots == 0)):
            rows = first[wrong]
            yield _Finding(problem, rows, worst=int(rows[0]) if len(rows) else -1, of_traces=True)

    def row(self, found: _Finding) -> dict[str, object]:
        """Return a row of the table."""
        whole = self.traces_found if found.of_traces else len(self.traces)
        trace_id = self.traces.spans["trace_id"][found.worst].as_py()
        return {
            "problem": found.problem,
            "where": found.where,
            "spans": None if found.of_traces else len(found.rows),
            "traces": len(np.unique(self.trace[found.rows])),
            "share": len(found.rows) / whole,
            "worst_ms": None if found.worst_ns is None else found.worst_ns / MS,
            "example": None if trace_id is None else trace_id.hex(),
        }
