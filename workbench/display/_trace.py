"""A trace as a tree of spans, and the tree as an outline of rows that can be folded.

Spans are rows ``0 .. n-1``; ``parent[i]`` is the row of the parent or -1. Children stand in order of start
time.

An outline too long for its picture is folded in two steps, always keeping what has an error or lies on the
critical path for as long as anything else can go:

1. siblings of one name and group become one row, the longest such series first;
2. leaves are folded into their parent, which says ``+N spans below``: deepest first, among these the
   shortest first.
"""

import heapq
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from workbench.display.errors import DisplayError

__all__ = ["Outline", "Row", "Trace", "outline"]


@dataclass(frozen=True, slots=True)
class Trace:
    """Columns of a trace, all of one length; times in nanoseconds."""

    start: Sequence[int]
    duration: Sequence[int]
    parent: Sequence[int]
    label: Sequence[str]
    group: Sequence[str]
    error: Sequence[bool]
    critical: Sequence[bool]
    children: list[list[int]] = field(init=False)
    depth: list[int] = field(init=False)

    def __post_init__(self) -> None:
        _check_durations(self.duration)
        _check_parents(self.parent)
        object.__setattr__(self, "children", self._children())
        object.__setattr__(self, "depth", self._depths())

    def __len__(self) -> int:
        return len(self.start)

    @property
    def begin(self) -> int:
        """Return the earliest start."""
        return min(self.start)

    @property
    def end(self) -> int:
        """Return the latest end."""
        return max(start + duration for start, duration in zip(self.start, self.duration, strict=True))

    def _children(self) -> list[list[int]]:
        """Return the children of every row in order of start, and the roots as the last entry."""
        children: list[list[int]] = [[] for _ in range(len(self) + 1)]
        for row in sorted(range(len(self)), key=self.start.__getitem__):
            children[self.parent[row]].append(row)
        return children

    def _depths(self) -> list[int]:
        depth = [-1] * len(self)
        stack = [(root, 0) for root in self.children[-1]]
        while stack:
            row, level = stack.pop()
            depth[row] = level
            stack.extend((child, level + 1) for child in self.children[row])
        if -1 in depth:
            _raise_cycle(self.parent, depth.index(-1))
        return depth


@dataclass(frozen=True, slots=True)
class Row:
    """One row of an outline: its spans, several where siblings are joined, and what is folded into it."""

    members: tuple[int, ...]
    depth: int
    below: int
    errors_below: int

    @property
    def first(self) -> int:
        """Return the span that names the row."""
        return self.members[0]


@dataclass(frozen=True, slots=True)
class Outline:
    """Rows in depth-first order, and how many root spans (with all below them) have no row."""

    rows: tuple[Row, ...]
    repeats: int
    folded: int
    rootless: int


def outline(trace: Trace, max_rows: int) -> Outline:
    """Return the outline of a trace in at most ``max_rows`` rows."""
    folding = _Folding(trace)
    if len(trace) > max_rows:
        folding.join_repeats(max_rows)
        folding.fold_leaves(max_rows)
    return folding.outline()


class _Folding:
    """An outline while it is folded; the last entry of each list stands for the place above the roots."""

    def __init__(self, trace: Trace) -> None:
        self.trace = trace
        self.children = [list(rows) for rows in trace.children]
        self.members: list[list[int]] = [[row] for row in range(len(trace))]
        self.below = [0] * (len(trace) + 1)
        self.errors_below = [0] * (len(trace) + 1)
        self.shown = [True] * len(trace)
        self.rows = len(trace)
        self.keep = [a or b for a, b in zip(trace.error, trace.critical, strict=True)]

    def join_repeats(self, max_rows: int) -> None:
        """Join siblings of one name and group, the series that saves most rows first."""
        size = self._sizes()
        ranked = sorted(self._series(), key=lambda found: (-sum(size[row] for row in found[1]), found[1][0]))
        for parent, series in ranked:
            if self.rows <= max_rows:
                return
            is_open = parent == -1 or (self.shown[parent] and len(self.members[parent]) == 1)
            if is_open and self.shown[series[0]]:
                self._join(parent, series)

    def fold_leaves(self, max_rows: int) -> None:
        """Fold leaves into their parents, deepest and shortest first, those to keep last."""
        heap = [
            self._rank(row) for row in range(len(self.trace)) if self.shown[row] and not self.children[row]
        ]
        heapq.heapify(heap)
        while self.rows + (self.below[-1] > 0) > max_rows:
            row = heapq.heappop(heap)[-1]
            parent = self.trace.parent[row]
            self._fold(row, parent)
            if parent >= 0 and not self.children[parent]:
                heapq.heappush(heap, self._rank(parent))

    def outline(self) -> Outline:
        """Return the rows as they stand now, depth first."""
        rows = tuple(self._depth_first())
        repeats = sum(len(row.members) > 1 for row in rows)
        return Outline(rows, repeats, sum(row.below for row in rows), self.below[-1])

    def _series(self) -> Iterator[tuple[int, list[int]]]:
        """Yield parents and those of their children that have one name and group and nothing to keep."""
        guarded = self._guarded()
        for parent in range(-1, len(self.trace)):
            series: dict[tuple[str, str], list[int]] = {}
            for row in self.trace.children[parent]:
                if not guarded[row]:
                    series.setdefault((self.trace.label[row], self.trace.group[row]), []).append(row)
            yield from ((parent, rows) for rows in series.values() if len(rows) > 1)

    def _guarded(self) -> list[bool]:
        """Return for every row whether it, or anything below it, is to be kept."""
        guarded = list(self.keep)
        for row in self._upwards():
            if guarded[row] and self.trace.parent[row] >= 0:
                guarded[self.trace.parent[row]] = True
        return guarded

    def _sizes(self) -> list[int]:
        """Return how many spans every subtree has."""
        size = [1] * len(self.trace)
        for row in self._upwards():
            if self.trace.parent[row] >= 0:
                size[self.trace.parent[row]] += size[row]
        return size

    def _upwards(self) -> list[int]:
        """Return the spans from the deepest to the roots."""
        return sorted(range(len(self.trace)), key=lambda row: -self.trace.depth[row])

    def _subtree(self, rows: Sequence[int]) -> Iterator[int]:
        stack = list(rows)
        while stack:
            row = stack.pop()
            yield row
            stack.extend(self.trace.children[row])

    def _join(self, parent: int, series: list[int]) -> None:
        first = series[0]
        under = list(self._subtree(series))
        self.rows -= sum(self.shown[row] for row in under) - 1
        for row in under:
            self.shown[row] = row == first
        self.members[first] = series
        self.below[first] = len(under) - len(series)
        self.children[first] = []
        joined = set(series[1:])
        self.children[parent] = [row for row in self.children[parent] if row not in joined]

    def _rank(self, row: int) -> tuple[bool, int, int, int]:
        duration = sum(self.trace.duration[member] for member in self.members[row])
        return self.keep[row], -self.trace.depth[row], duration, row

    def _fold(self, row: int, parent: int) -> None:
        self.shown[row] = False
        self.rows -= 1
        self.children[parent].remove(row)
        self.below[parent] += len(self.members[row]) + self.below[row]
        self.errors_below[parent] += self.errors_below[row] + self.trace.error[row]

    def _depth_first(self) -> Iterator[Row]:
        stack = self.children[-1][::-1]
        while stack:
            row = stack.pop()
            yield Row(
                tuple(self.members[row]), self.trace.depth[row], self.below[row], self.errors_below[row]
            )
            stack.extend(self.children[row][::-1])


def _check_durations(durations: Sequence[int]) -> None:
    for row, duration in enumerate(durations):
        if duration < 0:
            msg = f"duration_ns[{row}] is {duration}, expected 0 or more; was the end taken for the duration?"
            raise DisplayError(msg)


def _check_parents(parents: Sequence[int]) -> None:
    for row, parent in enumerate(parents):
        if not -1 <= parent < len(parents):
            msg = (
                f"parent[{row}] is {parent}, expected a row from 0 to {len(parents) - 1}, or -1 for a root; "
                "give -1 where the parent is not among the spans"
            )
            raise DisplayError(msg)


def _raise_cycle(parents: Sequence[int], row: int) -> None:
    """Raise an error that names the rows of the cycle above a row."""
    seen: list[int] = []
    while row not in seen:
        seen.append(row)
        row = parents[row]
    cycle = [*seen[seen.index(row) :], row]
    named = " -> ".join(map(str, cycle if len(cycle) <= 12 else [*cycle[:10], "...", row]))
    msg = f"parent has a cycle through rows {named}; give one of these rows the parent -1"
    raise DisplayError(msg)
