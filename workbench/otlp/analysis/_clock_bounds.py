"""Bounds for the offset of two clocks from pairs of client and server spans; see `skew`.

A sweep over the ends of all intervals counts how many allow each value (Marzullo & Owicki 1983).
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from workbench.otlp.analysis._span_pairs import CLIENT, SERVER, pair_spans

if TYPE_CHECKING:
    from workbench.otlp.traces import Traces

__all__ = ["ClockBounds"]

Rows = npt.NDArray[np.int64]

MS = 1e6
OPEN = np.int64(1 << 62)  # nanoseconds; beyond it a bound is none

PAIRS = pa.schema(
    {
        "reference": pa.string(),
        "service": pa.string(),
        "pairs": pa.int64(),
        "one_sided": pa.int64(),
        "violated": pa.int64(),
        "offset_ms": pa.float64(),
        "lower_ms": pa.float64(),
        "upper_ms": pa.float64(),
        "skewed": pa.bool_(),
    }
)


@dataclass(frozen=True, slots=True, eq=False)
class ClockBounds:
    """An interval for the offset of each pair of spans; `group` numbers the pairs of clocks."""

    low: Rows
    high: Rows
    group: Rows
    clocks: Rows  # reference * size + service, of each group
    size: int

    @classmethod
    def of(cls, traces: "Traces", clock: Rows, size: int) -> "ClockBounds":
        structure, pairs = traces.structure, pair_spans(traces)
        start, duration, kind = structure.start, structure.duration, structure.kind
        timed = (start != 0) & (duration >= 0)
        client, server = pairs.client, pairs.server
        usable = timed[client] & timed[server] & (clock[client] != clock[server])
        usable &= (kind[client] == CLIENT) & (kind[server] == SERVER)
        client, server = client[usable], server[usable]
        alone = structure.error[client] & ~structure.error[server]
        given_up = alone | (duration[server] > duration[client])
        high = start[server] - start[client]
        low = np.where(given_up, -OPEN, high + duration[server] - duration[client])
        return cls._towards_called(low, high, clock[client], clock[server], size)

    @classmethod
    def _towards_called(cls, low: Rows, high: Rows, client: Rows, server: Rows, size: int) -> "ClockBounds":
        """Count a pair of clocks once, from the one that calls more often to the other."""
        keys, at, counts = np.unique(client * size + server, return_inverse=True, return_counts=True)
        calls = dict(zip(keys.tolist(), counts.tolist(), strict=True))
        is_back = [_is_back(calls, key // size, key % size, size) for key in calls]
        back = np.array(is_back, np.bool_)[at]
        first, second = np.where(back, server, client), np.where(back, client, server)
        clocks, group = np.unique(first * size + second, return_inverse=True)
        return cls(np.where(back, -high, low), np.where(back, -low, high), group, clocks, size)

    def table(self, names: list[str]) -> pa.Table:
        support = _Support.of(self.low, self.high, self.group, len(self.clocks))
        pairs = np.bincount(self.group, minlength=len(self.clocks))
        one_sided = (self.low <= -OPEN) | (self.high >= OPEN)
        sided = np.bincount(self.group[one_sided], minlength=len(self.clocks))
        rows = []
        for at, key in enumerate(self.clocks.tolist()):
            reference, service = divmod(key, self.size)
            agreed = int(support.most[at])
            lower, upper = int(support.lower[at]), int(support.upper[at])
            known = 2 * agreed > int(pairs[at])
            closed = known and lower > -OPEN and upper < OPEN
            middle = (int(support.best_lower[at]) + int(support.best_upper[at])) / 2
            rows.append(
                {
                    "reference": names[reference],
                    "service": names[service],
                    "pairs": int(pairs[at]),
                    "one_sided": int(sided[at]),
                    "violated": int(pairs[at]) - agreed,
                    "offset_ms": middle / MS if closed else None,
                    "lower_ms": lower / MS if known and lower > -OPEN else None,
                    "upper_ms": upper / MS if known and upper < OPEN else None,
                    "skewed": known and (lower > 0 or upper < 0),
                }
            )
        rows.sort(key=lambda row: (-abs(row["offset_ms"] or 0.0), row["reference"], row["service"]))
        return pa.Table.from_pylist(rows, schema=PAIRS)


def _is_back(calls: dict[int, int], client: int, server: int, size: int) -> bool:
    """Tell whether the called clock calls more often than it is called."""
    forth, back = calls[client * size + server], calls.get(server * size + client, 0)
    return back > forth or (back == forth and server < client)


@dataclass(frozen=True, slots=True, eq=False)
class _Support:
    """By how many intervals of a group values are allowed, `(g,)` each.

    `most` allow the values from `best_lower` to `best_upper`; more than half, or all where all agree, allow
    values from `lower` to `upper`, between which there may be some that fewer allow.
    """

    most: Rows
    best_lower: Rows
    best_upper: Rows
    lower: Rows
    upper: Rows

    @classmethod
    def of(cls, low: Rows, high: Rows, group: Rows, groups: int) -> "_Support":
        """Sweep over the ends of all intervals; closed ones, so at one value beginnings come first."""
        value, owner = np.concatenate([low, high]), np.concatenate([group, group])
        step = np.repeat(np.array([1, -1]), len(low))
        order = np.lexsort((-step, value, owner))
        value, owner, step = value[order], owner[order], step[order]
        depth = np.cumsum(step)  # every group ends at zero, so the next begins there
        size = np.bincount(group, minlength=groups)
        first = np.append(0, np.cumsum(2 * size))[:-1]
        most = np.maximum.reduceat(depth, first) if len(first) else np.empty(0, np.int64)
        wanted = np.where(most == size, size, size // 2 + 1)
        best = _stretch(value, depth, step, owner, first, most)
        hull = _stretch(value, depth, step, owner, first, wanted, widest=True)
        return cls(most, *best, *hull)


def _stretch(  # noqa: PLR0913 - one sweep
    value: Rows, depth: Rows, step: Rows, owner: Rows, first: Rows, wanted: Rows, *, widest: bool = False
) -> tuple[Rows, Rows]:
    """Return for each group from where to where values are allowed often enough: first stretch, or hull."""
    rising = np.flatnonzero((step > 0) & (depth == wanted[owner]))
    falling = np.flatnonzero((step < 0) & (depth == wanted[owner] - 1))
    lower, upper = np.zeros(len(first), np.int64), np.zeros(len(first), np.int64)
    lower[owner[rising[::-1]]] = value[rising[::-1]]
    ends = falling if widest else falling[::-1]
    upper[owner[ends]] = value[ends]
    return lower, upper
