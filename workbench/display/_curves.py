"""Cubic curves and boxes: the geometry of lines between nodes.

A curve is a list of ``3 k + 1`` points: a start, then for each piece two control points and an end.
"""

from collections.abc import Iterable, Iterator, Sequence
from itertools import pairwise

from workbench.display._svg import number, path

__all__ = ["Box", "Point", "Shelf", "arrow", "curve_path", "overlap", "point_at", "smooth", "with_head"]

Box = tuple[float, float, float, float]  # x, y, width, height
Point = tuple[float, float]


def smooth(stops: Sequence[Point]) -> list[Point]:
    """Return cubic curves through the stops that are level at each of them."""
    curve = [stops[0]]
    for (x0, y0), (x1, y1) in pairwise(stops):
        bend = (x1 - x0) * 0.45
        curve += [(x0 + bend, y0), (x1 - bend, y1), (x1, y1)]
    return curve


def point_at(curve: Sequence[Point], share: float) -> Point:
    """Return the point at a share of one cubic curve."""
    weights = ((1 - share) ** 3, 3 * share * (1 - share) ** 2, 3 * share**2 * (1 - share), share**3)
    x = sum(weight * point[0] for weight, point in zip(weights, curve, strict=True))
    y = sum(weight * point[1] for weight, point in zip(weights, curve, strict=True))
    return x, y


def with_head(curve: list[Point], room: float) -> tuple[list[Point], Point, Point]:
    """Return a curve cut short for an arrow head, the tip of the head and its direction."""
    (x0, y0), (x1, y1) = curve[-2], curve[-1]
    length = max(((x1 - x0) ** 2 + (y1 - y0) ** 2) ** 0.5, 1e-9)
    dx, dy = (x1 - x0) / length, (y1 - y0) / length
    return [*curve[:-1], (x1 - dx * room, y1 - dy * room)], (x1, y1), (dx, dy)


def arrow(tip: Point, direction: Point, size: float) -> str:
    """Return an arrow head."""
    (x, y), (dx, dy), half = tip, direction, size * 0.45
    left = (x - dx * size - dy * half, y - dy * size + dx * half)
    right = (x - dx * size + dy * half, y - dy * size - dx * half)
    return path([f"M{_pair_text(tip)}L{_pair_text(left)}L{_pair_text(right)}z"])


def curve_path(curve: Sequence[Point]) -> str:
    """Return the steps of a path along cubic curves."""
    bends = (" ".join(map(_pair_text, curve[start : start + 3])) for start in range(1, len(curve), 3))
    return f"M{_pair_text(curve[0])}" + "".join(f"C{bend}" for bend in bends)


def _pair_text(point: Point) -> str:
    return f"{number(point[0])} {number(point[1])}"


def overlap(a: Box, b: Box) -> float:
    """Return the area that two boxes share."""
    wide = min(a[0] + a[2], b[0] + b[2]) - max(a[0], b[0])
    tall = min(a[1] + a[3], b[1] + b[3]) - max(a[1], b[1])
    return max(wide, 0.0) * max(tall, 0.0)


class Shelf:
    """Boxes sorted into square cells, so that those near another box are found without looking at all."""

    CELL = 64

    def __init__(self, boxes: Iterable[Box]) -> None:
        self._cells: dict[tuple[int, int], list[tuple[int, Box]]] = {}
        self._size = 0
        for box in boxes:
            self.add(box)

    def add(self, box: Box) -> None:
        """Put a box into every cell that it touches."""
        for cell in self._touched(box):
            self._cells.setdefault(cell, []).append((self._size, box))
        self._size += 1

    def overlap(self, box: Box) -> float:
        """Return the area that a box shares with those on the shelf, summed over them."""
        near = {key: other for cell in self._touched(box) for key, other in self._cells.get(cell, ())}
        return sum(overlap(box, other) for other in near.values())

    def _touched(self, box: Box) -> Iterator[tuple[int, int]]:
        x, y, wide, tall = box
        for column in range(int(x // self.CELL), int((x + wide) // self.CELL) + 1):
            for row in range(int(y // self.CELL), int((y + tall) // self.CELL) + 1):
                yield column, row
