r"""Clock skew between services, bounded by the calls between them.

The server's span lies within the client's: it cannot begin before the request was sent, and should have ended
when the answer came. Let the server's clock be ahead of the client's by :math:`\theta`. A pair of spans,
:math:`[c_0, c_1]` by the one clock and :math:`[s_0, s_1]` by the other, bounds it:

.. math:: s_1 - c_1 \le \theta \le s_0 - c_0

Where the client gave up (the server's span is the longer one, or the client failed alone) only the right side
holds. Calls in the other direction bound :math:`-\theta`. A single pair is off by half of the network time;
all pairs of two services together, whose clocks differ by about the same, narrow it down:

* all bounds agree: :math:`\theta` lies in their intersection, and the estimate is its middle; right if all
  pairs obey the assumption;
* they contradict each other (a server span may end after its answer has left): the bounds are the hull of
  all values that more than half of the pairs allow, the estimate is the middle of those that most allow, and
  the pairs that do not allow it are counted as violated; right if more than half of the pairs obey;
* no value is allowed by more than half: no estimate; one clock must have been set meanwhile.

Source: Marzullo & Owicki, "Maintaining the Time in a Distributed System", 1983; Mills, RFC 5905 (NTP). Jaeger
adjusts each span by the middle of its own bounds.
"""

from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import networkx as nx
import numpy as np
import numpy.typing as npt
import pyarrow as pa

from workbench import display
from workbench.errors import WorkbenchError
from workbench.otlp.analysis._clock_bounds import ClockBounds
from workbench.otlp.analysis._operations import column_or_nulls, grouping_column, value_codes

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

    from workbench.otlp.traces import Traces

__all__ = ["ClockSkew", "SkewError", "clock_skew", "corrected_times"]

Rows = npt.NDArray[np.int64]

MS = 1e6
SHIFTS = pa.schema(
    {"service": pa.string(), "shift_ms": pa.float64(), "lower_ms": pa.float64(), "upper_ms": pa.float64()}
)


class SkewError(WorkbenchError, ValueError):
    """Raised for a reference clock that is none of those that the spans were timed by."""


@dataclass(frozen=True, slots=True, repr=False)
class ClockSkew:
    """How far the clocks of services that call each other are apart.

    Attributes
    ----------
    pairs : pyarrow.Table
        ``reference``, ``service`` (the one called more often); ``pairs`` of client and server spans between
        them, how many of them are ``one_sided`` and ``violated``; ``offset_ms``, how far the service's clock
        is ahead of the reference's, with ``lower_ms`` and ``upper_ms`` (null where there is no bound, or no
        estimate); ``skewed``, whether the bounds exclude zero. Largest offset first.
    by : str
        What tells clocks apart, such as ``service.name``.
    clocks : tuple of str
        All values of it, that of most spans first.
    """

    pairs: pa.Table
    by: str
    clocks: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.pairs)

    def __repr__(self) -> str:
        skewed = [
            f"{row['service']} {_offset(row)} from {row['reference']}"
            for row in self.pairs.to_pylist()
            if row["skewed"]
        ]
        return (
            f"ClockSkew: {display.plural(len(self), 'pair')} of clocks, {'; '.join(skewed) or 'none skewed'}"
        )

    def _repr_html_(self) -> str:
        columns = [
            "reference",
            "service",
            "offset, ms",
            "bounds, ms",
            "pairs",
            "one-sided",
            "violated",
            "skewed",
        ]
        rows = [
            (
                row["reference"],
                row["service"],
                None if row["offset_ms"] is None else f"{row['offset_ms']:+.3f}",
                f"{_bound(row['lower_ms'])} to {_bound(row['upper_ms'])}",
                row["pairs"],
                row["one_sided"],
                row["violated"],
                "yes" if row["skewed"] else "no",
            )
            for row in self.pairs.to_pylist()
        ]
        return display.table(columns, rows, title=repr(self))._repr_html_()

    def to_arrow(self) -> pa.Table:
        """Return the pairs."""
        return self.pairs

    def to_pandas(self) -> "pd.DataFrame":
        """Return the pairs as a data frame."""
        return self.pairs.to_pandas()

    def shifts(self, reference: str | None = None) -> pa.Table:
        """Return how far each clock is ahead of one of them, along the calls with the narrowest bounds.

        Clocks whose bounds contain zero are not known to be apart, and count as equal.

        Parameters
        ----------
        reference : str, optional
            The clock to trust; by default that of most spans.

        Returns
        -------
        pyarrow.Table
            ``service``, ``shift_ms``, ``lower_ms``, ``upper_ms`` (bounds add up along the way); null for
            clocks that no estimate connects with the reference.

        Raises
        ------
        SkewError
            When there is no such clock.
        """
        trusted = (self.clocks[0] if self.clocks else "") if reference is None else reference
        if self.clocks and trusted not in self.clocks:
            msg = f"no clock is called {trusted!r}: there are {', '.join(self.clocks[:20])}"
            raise SkewError(msg)
        network = self._network()
        ways = nx.single_source_dijkstra_path(network, trusted, weight="width") if self.clocks else {}
        rows = []
        for clock in self.clocks:
            way = ways.get(clock)
            steps = [] if way is None else [network.edges[step] for step in pairwise(way)]
            sums = (
                [None] * 3
                if way is None
                else [sum(step[name] for step in steps) for name in ("offset", "lower", "upper")]
            )
            rows.append((clock, *sums))
        return pa.table(
            [
                pa.array(column, field.type)
                for column, field in zip(zip(*rows, strict=True), SHIFTS, strict=True)
            ]
            if rows
            else [[], [], [], []],
            schema=SHIFTS,
        )

    def _network(self) -> "nx.DiGraph[str]":
        network: nx.DiGraph[str] = nx.DiGraph()
        network.add_nodes_from(self.clocks)
        for row in self.pairs.to_pylist():
            if row["offset_ms"] is None or row["lower_ms"] is None or row["upper_ms"] is None:
                continue
            offset, lower, upper = row["offset_ms"], row["lower_ms"], row["upper_ms"]
            offset = offset if row["skewed"] else 0.0
            known = {"width": upper - lower}
            network.add_edge(
                row["reference"], row["service"], offset=offset, lower=lower, upper=upper, **known
            )
            network.add_edge(
                row["service"], row["reference"], offset=-offset, lower=-upper, upper=-lower, **known
            )
        return network

    def plot(self, ax: "Axes | None" = None) -> "Axes":
        """Draw the offsets with their bounds; return the axes."""
        from workbench.otlp.analysis._skew_plot import draw_skew  # noqa: PLC0415 - matplotlib is costly

        return draw_skew(self.pairs, ax)


def _offset(row: dict[str, Any]) -> str:
    """Return the offset of a skewed pair, or where no estimate is known, the bound that excludes zero."""
    if row["offset_ms"] is not None:
        return f"{row['offset_ms']:+.3f} ms"
    lower, upper = row["lower_ms"], row["upper_ms"]
    return f"{upper:+.3f} ms or less" if lower is None else f"{lower:+.3f} ms or more"


def _bound(bound: float | None) -> str:
    return "open" if bound is None else f"{bound:+.3f}"


def clock_skew(traces: "Traces", *, by: str = "service.name") -> ClockSkew:
    """Estimate how far apart the clocks of services are, from client and server spans of the same calls.

    Parameters
    ----------
    traces : Traces
    by : str
        Column that tells clocks apart: ``service.instance.id`` or ``host.name`` where services run several
        times.

    Raises
    ------
    UnknownKeyError
        When no span knows the column, ``service.name`` excepted.

    Notes
    -----
    An offset is taken to be constant: cut a long recording into windows, by `Traces.between`, to see a clock
    drift. Cost O(n log n).
    """
    clock, names = value_codes([grouping_column(traces, by)])
    bounds = ClockBounds.of(traces, clock, len(names))
    spans = np.bincount(clock, minlength=len(names))
    clocks = tuple(names[at] for at in np.argsort(-spans, kind="stable") if spans[at])
    return ClockSkew(bounds.table(names), by, clocks)


def corrected_times(
    traces: "Traces", skew: ClockSkew | None = None, *, reference: str | None = None
) -> tuple[Rows, Rows]:
    """Return start and end of each span by one clock, nanoseconds since the epoch, `(n,) int64` each.

    Spans by clocks that no estimate connects with the reference keep their times, and so do unset times.

    Parameters
    ----------
    traces : Traces
    skew : ClockSkew, optional
        By default that of these traces.
    reference : str, optional
        The clock to trust; by default that of most spans.

    Raises
    ------
    SkewError
        When there is no such clock.
    """
    found = clock_skew(traces) if skew is None else skew
    shift_ms = {row["service"]: row["shift_ms"] for row in found.shifts(reference).to_pylist()}
    clock, names = value_codes([column_or_nulls(traces, found.by)])
    shift = np.array([round((shift_ms.get(name) or 0.0) * MS) for name in names], np.int64)
    moved = shift[clock] if len(names) else np.zeros(len(clock), np.int64)
    start, stop = traces.structure.start, traces.structure.stop
    return start - np.where(start != 0, moved, 0), stop - np.where(stop != 0, moved, 0)
