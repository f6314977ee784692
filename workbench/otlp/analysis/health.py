"""What is wrong with recorded traces: spans that hang in the air, ids used twice, times that cannot be.

====================== ==========================================================================================
problem                a span, or a trace, is counted when
====================== ==========================================================================================
orphan                 it names a parent that is not among these spans
cycle                  it stands on or below a circle of spans that name each other as parents
duplicate id           another span of its trace before it has the same id
no trace id, no span id the id is missing or all zeros
unset start, unset end the time is zero
zero duration          it ends when it starts
negative duration      it ends before it starts
early child            it starts before its parent, by more than the tolerance
late child             it ends after its parent, by more than the tolerance; normal for CONSUMER spans, which are
                       not counted
several roots          (traces) more than one span names no parent
no root                (traces) no span names no parent
====================== ==========================================================================================

Children of another service that are early are a sign of clock skew: `clock_skew` measures it. Late children of
another service may also have been given up by their caller.
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
Finding = tuple[str, str, Marks]  # problem, where it is, which spans

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
    rows, table = {}, []
    for problem, where, marks in check.of_spans():
        rows[problem, where] = found = np.flatnonzero(marks)
        table.append(check.row(problem, where, found, of_spans=True))
    for problem, found in check.of_traces():
        rows[problem, ""] = found
        table.append(check.row(problem, "", found, of_spans=False))
    kept = [row for row in table if row["traces"]]
    kept.sort(key=lambda row: (-(row["spans"] or row["traces"]), row["problem"], row["where"]))
    return TraceHealth(
        pa.Table.from_pylist(kept, schema=PROBLEMS),
        len(traces),
        check.traces_found,
        {key: found for key, found in rows.items() if len(found)},
    )


class _Check:
    """The spans of some traces, and how far their times are from what can be."""

    def __init__(self, traces: "Traces", tolerance: int) -> None:
        self.traces, structure = traces, traces.structure
        self.start, self.duration = structure.start, structure.duration
        self.trace, self.parent = structure.trace, structure.parent
        self.traces_found = int(self.trace.max(initial=-1)) + 1
        self.tolerance = tolerance
        self.wrong = np.zeros(len(traces), np.int64)

    def of_spans(self) -> Iterator[Finding]:
        """Yield each problem of spans; `wrong` is by how much the times of the last one are wrong."""
        named, found = has_parent_id(self.traces), find_named_parents(self.traces)
        yield "orphan", "", named & (found < 0)
        yield "cycle", "", (found >= 0) & (self.parent < 0)
        yield "duplicate id", "", first_rows(self.traces) != np.arange(len(self.traces))
        for name in ("trace_id", "span_id"):
            yield f"no {name.replace('_', ' ')}", "", (id_words(self.traces, name) == 0).all(axis=1)
        yield from self._times()
        self.wrong = np.zeros(len(self.traces), np.int64)

    def _times(self) -> Iterator[Finding]:
        stop = self.start + self.duration
        started, ended = self.start != 0, stop != 0
        yield "unset start", "", ~started
        yield "unset end", "", ~ended
        both = started & ended
        yield "zero duration", "", both & (self.duration == 0)
        self.wrong = -self.duration
        yield "negative duration", "", both & (self.duration < 0)
        child = (self.parent >= 0) & both & both[self.parent]
        kind, service = self.traces.structure.kind, self.traces.structure.service
        same = service == service[self.parent]
        late = stop - stop[self.parent]
        early = self.start[self.parent] - self.start
        for problem, self.wrong in (("early child", early), ("late child", late)):
            marks = child & (self.wrong > self.tolerance)
            marks &= (kind != CONSUMER) if problem == "late child" else True
            yield problem, SAME, marks & same
            yield problem, OTHER, marks & ~same

    def of_traces(self) -> Iterator[tuple[str, Rows]]:
        """Yield each problem of traces with their first spans."""
        first = np.full(self.traces_found, -1, np.int64)
        first[self.trace[::-1]] = np.arange(len(self.trace))[::-1]
        roots = np.bincount(self.trace[~has_parent_id(self.traces)], minlength=self.traces_found)
        yield "several roots", first[roots > 1]
        yield "no root", first[roots == 0]

    def row(self, problem: str, where: str, found: Rows, *, of_spans: bool) -> dict[str, object]:
        """Return a row of the table."""
        timed = of_spans and problem in ("negative duration", "early child", "late child") and len(found)
        worst = int(found[np.argmax(self.wrong[found])]) if len(found) else -1
        whole = len(self.traces) if of_spans else self.traces_found
        return {
            "problem": problem,
            "where": where,
            "spans": len(found) if of_spans else None,
            "traces": len(np.unique(self.trace[found])),
            "share": len(found) / max(whole, 1),
            "worst_ms": float(self.wrong[worst]) / MS if timed else None,
            "example": self._trace_id(worst),
        }

    def _trace_id(self, row: int) -> str | None:
        found = self.traces.spans["trace_id"][row].as_py() if row >= 0 else None
        return None if found is None else found.hex()
