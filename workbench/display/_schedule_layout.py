"""Where the calls and returns of a schedule stand: in order, as far apart as their labels need.

Times of operations may differ by nanoseconds or by hours, so an axis to scale hides one or the other. Here
each distinct call and return has a column, in the order of times; at equal times calls come first, so that
what touches overlaps. A bar from column i to column j is at least as wide as its label: with ``w`` that
width, ``x_j >= x_i + w``, and columns are as near as this allows.

An order of operations is a row of points. The k-th stands right of the last call of the first k, and left of
the first return of the k-th and all that follow, which is possible for every order that keeps the order of
times.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from workbench.display._svg import text_width

__all__ = ["Layout", "lay_out"]

GAP, POINT, NOTE, PADDING, LEAST_BAR = 14.0, 11.0, 90.0, 14.0, 26.0


@dataclass(frozen=True, slots=True)
class Layout:
    """Bars and points, in pixels from the left."""

    starts: list[float]
    ends: list[float]  # infinity for a bar without an end
    points: dict[int, float]  # row of the bar -> where its point stands
    width: float


def lay_out(  # noqa: PLR0913 - columns of a schedule
    lane: Sequence[str],
    start: Sequence[float],
    end: Sequence[float],
    label: Sequence[str],
    order: Sequence[int],
    notes: Sequence[str],
) -> Layout:
    """Place bars from `start` to `end`, and the points of an order, with room for a note after each."""
    calls, returns = _instants(lane, start, end)
    columns = sorted({*calls, *(column for column in returns if column[0] < math.inf)})
    number = {column: place for place, column in enumerate(columns)}
    first = [number[call] for call in calls]
    last = [number.get(column, -1) for column in returns]
    steps = _steps(order, notes)
    after = _points_after(order, first)
    room = [GAP + sum(steps[k] for k in after.get(place, ())) for place in range(len(columns))]
    wanted = [max(LEAST_BAR, text_width(text) + PADDING) for text in label]
    x = _columns(first, last, wanted, room)
    points = {
        order[k]: x[place] + POINT / 2 + sum(steps[j] for j in ks if j < k)
        for place, ks in after.items()
        for k in ks
    }
    endless = [x[first[row]] + wanted[row] for row in range(len(first)) if last[row] < 0]
    right = max([*endless, *(x[-1:]), 0.0]) + (room[-1] if room else 0.0)
    ends = [x[place] if place >= 0 else math.inf for place in last]
    return Layout([x[place] for place in first], ends, points, right)


def _instants(
    lane: Sequence[str], start: Sequence[float], end: Sequence[float]
) -> tuple[list[tuple[float, int]], list[tuple[float, int]]]:
    """Return when each bar starts and ends: a time, and what comes first at that time.

    At one time calls come before returns, but a lane's next call comes after its last return.
    """
    calls: list[tuple[float, int]] = [(0.0, 0)] * len(start)
    returns = list(calls)
    last: dict[str, tuple[float, int]] = {}
    for row in sorted(range(len(start)), key=lambda row: (start[row], end[row])):
        before = last.get(lane[row], (-math.inf, 0))
        calls[row] = (start[row], before[1] + 1 if before[0] == start[row] else 0)
        returns[row] = last[lane[row]] = (end[row], calls[row][1] + 1 if end[row] == start[row] else 1)
    return calls, returns


def _steps(order: Sequence[int], notes: Sequence[str]) -> list[float]:
    """Return the room that each point takes: more where a new note stands after it."""
    steps = []
    for k in range(len(order)):
        new = k < len(notes) and notes[k] != (notes[k - 1] if k else None)
        steps.append(max(POINT, min(text_width(notes[k], 11), NOTE) + 10) if new else POINT)
    return steps


def _points_after(order: Sequence[int], first: Sequence[int]) -> dict[int, list[int]]:
    """Return for each column the points between it and the next: that of the latest call so far."""
    found: dict[int, list[int]] = {}
    latest = 0
    for k, row in enumerate(order):
        latest = max(latest, first[row])
        found.setdefault(latest, []).append(k)
    return found


def _columns(first: list[int], last: list[int], wanted: list[float], room: list[float]) -> list[float]:
    """Return where each column stands."""
    ending: dict[int, list[int]] = {}
    for row, place in enumerate(last):
        ending.setdefault(place, []).append(row)
    x: list[float] = []
    for place in range(len(room)):
        least = x[-1] + room[place - 1] if x else 0.0
        x.append(max([least, *(x[first[row]] + wanted[row] for row in ending.get(place, ()))]))
    return x
