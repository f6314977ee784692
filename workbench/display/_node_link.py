"""A network on paper: boxes in layers from left to right, and curves between them."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

from workbench.display._curves import Box, Point, Shelf, arrow, curve_path, point_at, smooth, with_head
from workbench.display._layers import Layout, lay_out
from workbench.display._network import Network
from workbench.display._palette import GREY, RAMP, VERMILLION
from workbench.display._picture import Tip
from workbench.display._scale import Scale, scale_of
from workbench.display._svg import BOLD, TITLE, document, fit, number, rectangle, text, text_width, titled
from workbench.display._units import value_text

__all__ = ["NodeLink"]

MARGIN, GAP, PAD, NODE, NODE_TWO = 14, 60, 12, 28, 42
NAME_WIDTH, LABEL_WIDTH, TITLE_WIDTH, LEAST_WIDTH = 170, 130, 900, 320
THIN, THICK = 1.4, 6.0

RULES = [
    *(f"& .k{index}{{color:{colour}}}" for index, colour in enumerate((*RAMP, GREY))),
    f"& .n{{fill:{GREY};fill-opacity:.1;stroke:{GREY}}}",
    f"& .hi{{stroke:{VERMILLION};stroke-width:2.5}}",
    "& .l{fill:none;stroke:currentColor;stroke-linecap:round}",
    "& .h{font-size:14px;font-weight:600}",
    "& .o{fill:#fff}",
    "@media(prefers-color-scheme:dark){& .o{fill:#111}}",
]


def _label(x: float, y: float, name: str) -> str:
    """Return a text on a piece of page, which interrupts the line under it."""
    wide = text_width(name, 11)
    return rectangle(x - wide / 2, y - 10, wide, 13, "o") + text(x, y, name, "m c")


@dataclass(frozen=True)
class NodeLink:
    """One graph on paper: where nodes and edges stand, and their marks."""

    network: Network
    title: str
    width_name: str
    colour_name: str

    def svg(self, words: str) -> str:
        """Return the document."""
        legend, top = self._heading
        body = [
            *legend,
            *(self._edge(edge) for edge in range(len(self.network.pairs))),
            *(self._node(node) for node in range(len(self.network.nodes))),
            *(_label(x, y, name) for x, y, name in self._labels),
        ]
        if not self.network.nodes:
            body.append(text(MARGIN, top + 10, "no edges", "m"))
        return document(body, width=self._size[0], height=self._size[1], title=words, rules=RULES)

    def tips(self) -> Iterator[Tip]:
        """Yield what appears over nodes and along edges."""
        for edge in range(len(self.network.pairs)):
            for x, y in self._along(edge):
                yield Tip(x - 9, y - 7, 18, 14, self._edge_tip(edge))
        for node, box in enumerate(self.boxes):
            yield Tip(*box, self._node_tip(node))

    @cached_property
    def layout(self) -> Layout:
        loops = self._stacked
        rise = 40 if self.network.labels else 20
        tall = [
            self._node_height(node) + GAP / 2.5 + (20 + rise * loops[node] if loops[node] else 0)
            for node in range(len(self.network.nodes))
        ]
        return lay_out(len(self.network.nodes), self.network.pairs, tall)

    @cached_property
    def boxes(self) -> list[Box]:
        """Return the box of every node."""
        top = self._heading[1]
        found = []
        for node in range(len(self.network.nodes)):
            left, right = self._columns[self.layout.layer[node]]
            wide, tall = self._node_width(node), self._node_height(node)
            middle = self.layout.y[node] + top
            found.append(((left + right - wide) / 2, middle - tall / 2, wide, tall))
        return found

    @cached_property
    def _columns(self) -> list[Point]:
        """Return where each layer begins and ends."""
        layers = max(self.layout.layer, default=-1) + 1
        wide = [40.0] * layers
        for node in range(len(self.network.nodes)):
            layer = self.layout.layer[node]
            wide[layer] = max(wide[layer], self._node_width(node))
        room = GAP + max((text_width(name, 11) - 24 for name in self._names), default=0)
        columns, x = [], float(MARGIN)
        for width in wide:
            columns.append((x, x + width))
            x += width + max(room, GAP)
        return columns

    @cached_property
    def _size(self) -> Point:
        bottoms = [y + tall for _, y, _, tall in self.boxes]
        passing = [self.layout.y[point] + self._heading[1] for point in range(len(self.layout.y))]
        right = max((end for _, end in self._columns), default=0.0)
        height = max([*bottoms, *passing, self._heading[1] + 10])
        return max(right + MARGIN, self._legend_width, LEAST_WIDTH), height + MARGIN

    # Nodes

    def _node_width(self, node: int) -> float:
        wide = text_width(fit(self.network.nodes[node], NAME_WIDTH), self._name_size(node))
        below = text_width(fit(self.network.below.get(node, ""), NAME_WIDTH, 11), 11)
        return max(wide, below, 24) + 2 * PAD

    def _name_size(self, node: int) -> float:
        return BOLD if node in self.network.marked else 12

    def _node_height(self, node: int) -> float:
        least = NODE_TWO if node in self.network.below else NODE
        return max(least, self._crowd[node] * self._port_step + 10)

    @cached_property
    def _port_step(self) -> float:
        return 20 if self.network.labels else 8

    @cached_property
    def _degrees(self) -> tuple[Counter[int], Counter[int]]:
        """Return how many edges come to every node, and how many go."""
        coming = Counter(target for _, target in self.network.pairs)
        return coming, Counter(source for source, _ in self.network.pairs)

    @cached_property
    def _crowd(self) -> list[int]:
        """Return for every node how many edges come, or go, whichever is more; loops do not count."""
        coming, going = self._degrees
        loops = self._stacked
        return [max(coming[node], going[node]) - loops[node] for node in range(len(self.network.nodes))]

    def _node(self, node: int) -> str:
        x, y, wide, tall = self.boxes[node]
        marked = node in self.network.marked
        middle = x + wide / 2
        parts = [rectangle(x, y, wide, tall, "n hi" if marked else "n", 6)]
        base = y + tall / 2 + (-3 if node in self.network.below else 4)
        parts.append(text(middle, base, fit(self.network.nodes[node], NAME_WIDTH), "c b" if marked else "c"))
        if node in self.network.below:
            parts.append(text(middle, base + 15, fit(self.network.below[node], NAME_WIDTH, 11), "c m"))
        return titled(self._node_tip(node), *parts)

    def _node_tip(self, node: int) -> str:
        coming, going = self._degrees
        degree = f"{coming[node]} in, {going[node]} out"
        parts = [self.network.nodes[node], self.network.below.get(node, ""), degree]
        return " · ".join(filter(None, parts))

    # Edges

    def _edge(self, edge: int) -> str:
        thick, curve = self._thickness(edge), self._curve(edge)
        head = 5 + 1.3 * thick
        line, tip, direction = with_head(curve, head * 0.8)
        marks = [
            f'<path class="l" stroke-width="{number(thick)}" d="{curve_path(line)}"/>',
            arrow(tip, direction, head),
        ]
        return titled(self._edge_tip(edge), *marks, classes=f"k{self._colour(edge)}")

    def _edge_tip(self, edge: int) -> str:
        source, target = self.network.pairs[edge]
        parts = [f"{self.network.nodes[source]} → {self.network.nodes[target]}"]
        if self.network.labels:
            parts.append(self.network.labels[edge])
        for values, name in ((self.network.width, self.width_name), (self.network.colour, self.colour_name)):
            if values is not None:
                parts.append(f"{value_text(values[edge])} {name}".strip())
        return " · ".join(filter(None, parts))

    def _thickness(self, edge: int) -> float:
        values = self.network.width
        most = max(values, default=0.0) if values else 0.0
        return THIN + (THICK - THIN) * values[edge] / most if values and most else THIN

    @cached_property
    def _scale(self) -> Scale | None:
        return scale_of(self.network.colour) if self.network.colour else None

    def _colour(self, edge: int) -> int:
        if self._scale is None or self.network.colour is None:
            return len(RAMP)
        return self._scale.colour(self._scale.level(self.network.colour[edge]))

    @cached_property
    def _ports(self) -> dict[tuple[int, int], float]:
        """Return the height at which an edge meets a node, by edge and end (0 left, -1 right)."""
        sides: dict[tuple[int, int], list[tuple[float, int]]] = {}
        for edge, chain in enumerate(self.layout.chains):
            if chain[0] != chain[-1]:
                sides.setdefault((chain[0], 0), []).append((self.layout.y[chain[1]], edge))
                sides.setdefault((chain[-1], -1), []).append((self.layout.y[chain[-2]], edge))
        ports = {}
        for (node, end), found in sides.items():
            step = min(self._port_step, (self._node_height(node) - 10) / max(len(found) - 1, 1))
            for index, (_, edge) in enumerate(sorted(found)):
                ports[edge, end] = self.layout.y[node] + (index - (len(found) - 1) / 2) * step
        return ports

    @cached_property
    def _loops(self) -> dict[int, int]:
        """Return for every self-loop how many loops of its node lie within it."""
        seen: dict[int, int] = {}
        inner = {}
        for edge, (source, target) in enumerate(self.network.pairs):
            if source == target:
                inner[edge] = seen.get(source, 0)
                seen[source] = inner[edge] + 1
        return inner

    def _curve(self, edge: int) -> list[Point]:
        """Return the points of a chain of cubic Bézier curves, in the direction of the edge."""
        if edge in self._loops:
            return self._loop(edge)
        chain, top = self.layout.chains[edge], self._heading[1]
        first, last = self.boxes[chain[0]], self.boxes[chain[-1]]
        stops = [(first[0] + first[2], self._ports[edge, 0] + top)]
        for point in chain[1:-1]:
            left, right = self._columns[self.layout.layer[point]]
            stops += [(left, self.layout.y[point] + top), (right, self.layout.y[point] + top)]
        stops.append((last[0], self._ports[edge, -1] + top))
        curve = smooth(stops)
        return curve[::-1] if self.layout.reversed[edge] else curve

    def _loop(self, edge: int) -> list[Point]:
        x, y, wide, _ = self.boxes[self.network.pairs[edge][0]]
        middle, reach, rise = x + wide / 2, 9 + 4 * self._loops[edge], 18 + 13 * self._loops[edge]
        return [
            (middle - reach, y),
            (middle - reach - 6, y - rise),
            (middle + reach + 6, y - rise),
            (middle + reach, y),
        ]

    def _along(self, edge: int) -> Iterator[Point]:
        """Yield the middles of the first and of the last curve of an edge."""
        curve = self._curve(edge)
        for start in sorted({0, len(curve) - 4}):
            yield point_at(curve[start : start + 4], 0.5)

    # Labels of edges

    @cached_property
    def _names(self) -> list[str]:
        return [fit(label, LABEL_WIDTH, 11) for label in self.network.labels or ()]

    @cached_property
    def _labels(self) -> list[tuple[float, float, str]]:
        """Return the labels of the edges, clear of nodes and each other: centre, baseline and text."""
        taken = Shelf(self.boxes)
        placed = []
        for edge, name in enumerate(self._names):
            if name:
                wide = text_width(name, 11)
                boxes = [(x - wide / 2, y - 10, wide, 13) for x, y in self._places(edge)]
                own = Shelf(self._dots_of(edge))
                best = min(boxes, key=lambda box: self._clutter(box, own, taken))
                taken.add(best)
                placed.append((best[0] + wide / 2, best[1] + 10, name))
        return placed

    def _clutter(self, box: Box, own: Shelf, taken: Shelf) -> float:
        """Return how much of a box is taken; lines of other edges matter less than text and nodes."""
        return taken.overlap(box) + 0.5 * (self._dots.overlap(box) - own.overlap(box))

    @cached_property
    def _dots(self) -> Shelf:
        """Return small boxes along the lines of all edges."""
        return Shelf(dot for edge in range(len(self.network.pairs)) for dot in self._dots_of(edge))

    def _dots_of(self, edge: int) -> Iterator[Box]:
        curve = self._curve(edge)
        for start in range(0, len(curve) - 1, 3):
            points = (point_at(curve[start : start + 4], k / 8) for k in range(9))
            yield from ((x - 4, y - 4, 8.0, 8.0) for x, y in points)

    def _places(self, edge: int) -> Iterator[Point]:
        """Yield where a label may stand, the best first: on the middle, on level stretches before bends."""
        curve = self._curve(edge)
        if edge in self._loops:
            loops = self._stacked[self.network.pairs[edge][0]]
            yield (curve[0][0] + curve[3][0]) / 2, curve[0][1] - 8 - 10 * loops - 13 * self._loops[edge]
            return
        starts = sorted(
            range(0, len(curve) - 1, 3), key=lambda k: (k % 2 == 0, abs(k + 1.5 - len(curve) / 2))
        )
        for shift in (4, -4, 13):
            for start in starts:
                for share in (0.5, 0.4, 0.6, 0.3, 0.7):
                    x, y = point_at(curve[start : start + 4], share)
                    yield x, y + shift

    @cached_property
    def _stacked(self) -> Counter[int]:
        """Return how many self-loops each node has."""
        return Counter(source for source, target in self.network.pairs if source == target)

    # Title and legend

    @cached_property
    def _heading(self) -> tuple[list[str], float]:
        """Return title and legend, and where the graph begins."""
        parts, y = [], 6.0
        if self.title:
            y += 16
            parts.append(text(MARGIN, y, self._title, "h"))
        for entries in (self._width_legend, self._colour_legend):
            if entries:
                y += 20
                parts += [mark.replace("@y", number(y - 4)) for _, mark in entries]
                parts += [text(x, y, name, "m") for (x, name), _ in entries]
        return parts, y + (16 if parts else 8)

    @property
    def _title(self) -> str:
        return fit(self.title, TITLE_WIDTH, TITLE)

    @cached_property
    def _legend_width(self) -> float:
        entries = [*self._width_legend, *self._colour_legend]
        wide = max((x + text_width(name, 11) for (x, name), _ in entries), default=0.0)
        return max(wide, MARGIN + text_width(self._title, TITLE)) + MARGIN

    @cached_property
    def _width_legend(self) -> list[tuple[tuple[float, str], str]]:
        most = max(self.network.width, default=0.0) if self.network.width else 0.0
        if not most:
            return []
        thin = f'<path class="l k7" stroke-width="{THIN}" d="M{MARGIN + 2} @yh24"/>'
        x = MARGIN + 34 + text_width("0", 11) + 14
        thick = f'<path class="l k7" stroke-width="{THICK}" d="M{number(x + 2)} @yh22"/>'
        return [
            ((MARGIN + 34, "0"), thin),
            ((x + 34, f"{value_text(most)} {self.width_name}".strip()), thick),
        ]

    @cached_property
    def _colour_legend(self) -> list[tuple[tuple[float, str], str]]:
        if self._scale is None:
            return []
        entries, x = [], float(MARGIN)
        for level in range(len(self._scale.thresholds)):
            last = level == len(self._scale.thresholds) - 1
            name = f"{self._scale.name(level)} {self.colour_name if last else ''}".strip()
            colour = self._scale.colour(level)
            entries.append(
                ((x + 22, name), f'<path class="l k{colour}" stroke-width="8" d="M{number(x + 4)} @yh10"/>')
            )
            x += 22 + text_width(name, 11) + 12
        return entries
