r"""The search for a behaviour that shows a pattern of events.

A node is a state of the model with the set of events that were shown on the way to it. From a node leads an
edge for each event all of whose predecessors were shown (the step that it shows), and for each hidden action
(the set stays). A trace is shown when a node with all events is reached. Nodes are explored breadth first, by
the number of events shown, then by the number of hidden steps since the last event; each node once, so that

.. math:: O(|S| \cdot |I|)

nodes are met, with S the states of the model and I the sets of events that are closed under predecessors:
one more than the events where they are in a line, exponentially many where all overlap and differ.
"""

import time
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass, field
from typing import TypeAlias

from workbench.model.formal._explorations import check_most, check_timeout
from workbench.model.formal._models import Frozen, Instance, Specification
from workbench.model.formal.interpreting.steps import Broken, successor, truth
from workbench.model.formal.validating.events import Pattern, last_that_need_not_wait, twins_in_line
from workbench.model.formal.validating.mappings import Reading

__all__ = ["Bounds", "Move", "Node", "Outcome", "Search"]

Node: TypeAlias = tuple[Frozen, int]  # a state, and the events shown as bits
HIDDEN = -1
LOOK_EVERY = 256  # nodes between two looks at the clock


@dataclass(frozen=True, slots=True)
class Move:
    """One step of a behaviour: by which instance, which event it shows (-1: none), and the state after it."""

    instance: Instance | None
    event: int
    state: Frozen


@dataclass(frozen=True, slots=True)
class Bounds:
    """Where a search ends before it has seen everything."""

    max_states: int | None = None
    max_hidden: int | None = None
    timeout_s: float | None = None
    cancelled: Callable[[], bool] | None = None
    complete: bool = False

    def __post_init__(self) -> None:
        check_most("max_states", self.max_states, 1)
        check_most("max_hidden", self.max_hidden, 0)
        check_timeout(self.timeout_s)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What was found for a pattern.

    Attributes
    ----------
    shown : bool or None
        None when a bound was met first.
    matched : int
        The most events that any behaviour shows.
    path : tuple of Move
        A behaviour with that many events, from an initial state on.
    reached : tuple of (Frozen, int)
        All nodes with that many events; where the pattern is shown, those right after its last event.
    explored : int
        Nodes.
    bound : str
        What ended the search early.
    visited : frozenset of Frozen
        The states on all behaviours that show the whole pattern, up to its last event.
    taken : frozenset of (int, bool)
        The instances on those behaviours, and whether they show an event.
    """

    shown: bool | None
    matched: int
    path: tuple[Move, ...]
    reached: tuple[Node, ...]
    explored: int
    bound: str = ""
    visited: frozenset[Frozen] = frozenset()
    taken: frozenset[tuple[int, bool]] = frozenset()


Edge: TypeAlias = tuple[Node, Instance | None, int]
Layer: TypeAlias = dict[Node, list[Edge]]  # nodes in the order of their discovery, each with the edges to it


class Search:
    """Searches for many patterns; the successors of states are found once for all of them."""

    def __init__(
        self,
        declared: Specification,
        hidden: Collection[Instance],
        bounds: Bounds,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.declared, self.bounds, self.clock = declared, bounds, clock
        self.hidden = tuple(sorted(hidden, key=lambda instance: instance.number))
        self.ends_at = float("inf") if bounds.timeout_s is None else clock() + bounds.timeout_s
        self._constraints = declared.of_kind("constraint")
        self._terminals = declared.of_kind("terminal")
        self._after: dict[tuple[Frozen, int], Frozen | None] = {}
        self._silent: dict[Frozen, tuple[tuple[Instance, Frozen], ...]] = {}
        self._initial = tuple(state for state in dict.fromkeys(declared.initial()) if self._kept(state))

    def run(self, pattern: Pattern, readings: tuple[Reading, ...]) -> Outcome:
        """Search for a behaviour that shows a pattern."""
        one = _One(self, pattern, readings)
        return one.outcome()

    def after(self, state: Frozen, instance: Instance) -> Frozen | None:
        """Return the state after an action; None where it cannot be taken, or what follows is left out."""
        key = (state, instance.number)
        if key not in self._after:
            found = successor(self.declared, state, instance)
            is_state = found is not None and not isinstance(found, Broken)
            self._after[key] = found if is_state and self._kept(found) else None  # type: ignore[arg-type,assignment]
        return self._after[key]

    def silent(self, state: Frozen) -> tuple[tuple[Instance, Frozen], ...]:
        """Return the hidden steps from a state, those that change nothing left out."""
        found = self._silent.get(state)
        if found is None:
            steps = ((instance, self.after(state, instance)) for instance in self.hidden)
            found = tuple((each, after) for each, after in steps if after is not None and after != state)
            self._silent[state] = found
        return found

    def ends(self, state: Frozen) -> bool:
        """Tell whether nothing more need happen in a state."""
        return any(truth(self.declared, each, state) for each in self._terminals)

    def initial(self) -> tuple[Frozen, ...]:
        """Return the initial states."""
        return self._initial

    def stopped(self, explored: int) -> str:
        """Return what ends the search now; empty when nothing does."""
        bounds = self.bounds
        if bounds.max_states is not None and explored >= bounds.max_states:
            return f"max_states={bounds.max_states}"
        if explored % LOOK_EVERY == 0:
            if self.clock() > self.ends_at:
                return f"timeout_s={bounds.timeout_s:g}"
            if bounds.cancelled is not None and bounds.cancelled():
                return "cancelled"
        return ""

    def _kept(self, state: Frozen) -> bool:
        return all(truth(self.declared, each, state) for each in self._constraints)


@dataclass
class _One:
    """The search for one pattern."""

    search: Search
    pattern: Pattern
    readings: tuple[Reading, ...]
    layers: list[Layer] = field(default_factory=list)
    explored: int = 0
    bound: str = ""
    cut: bool = False  # hidden steps were left out
    _next: dict[int, tuple[int, ...]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._before = twins_in_line(self.pattern)
        self._last = last_that_need_not_wait(self._before)

    def outcome(self) -> Outcome:
        count = len(self.pattern)
        layer: Layer = {(state, 0): [] for state in self.search.initial()}
        while layer:
            self.layers.append(layer)
            is_last = len(self.layers) > count
            if not is_last or self.search.bounds.complete:
                self._close(layer)
            if is_last or self.bound:
                break
            layer = self._shown_from(layer)
        return self._judged(count)

    def _close(self, layer: Layer) -> None:
        """Add what hidden steps lead to, breadth first."""
        most = self.search.bounds.max_hidden
        frontier, depth = list(layer), 0
        while frontier and not self.bound:
            if most is not None and depth >= most:
                self.cut = self.cut or any(self._beyond(layer, frontier))
                return
            frontier, depth = self._closer(layer, frontier), depth + 1

    def _closer(self, layer: Layer, frontier: list[Node]) -> list[Node]:
        found = []
        for node in frontier:
            if self._stop():
                break
            for instance, after in self.search.silent(node[0]):
                target = (after, node[1])
                if target not in layer:
                    layer[target] = []
                    found.append(target)
                layer[target].append((node, instance, HIDDEN))
        return found

    def _beyond(self, layer: Layer, frontier: list[Node]) -> Iterator[bool]:
        for state, shown in frontier:
            yield any((after, shown) not in layer for _, after in self.search.silent(state))

    def _shown_from(self, layer: Layer) -> Layer:
        """Return the nodes with one event more."""
        found: Layer = {}
        for node in layer:
            if self._stop():
                break
            for event in self.available(node[1]):
                for instance, after in self._steps(node[0], event):
                    found.setdefault((after, node[1] | 1 << event), []).append((node, instance, event))
        return found

    def _steps(self, state: Frozen, event: int) -> Iterator[tuple[Instance | None, Frozen]]:
        reading = self.readings[event]
        if reading.instances is None:
            if reading.fits(state):
                yield None, state
            return
        for instance in reading.instances:
            after = self.search.after(state, instance)
            if after is not None and reading.fits(after):
                yield instance, after

    def available(self, shown: int) -> tuple[int, ...]:
        """Return the events that may come next."""
        if shown not in self._next:
            first = (~shown & (shown + 1)).bit_length() - 1  # that is not shown yet
            candidates = range(first, self._last[first] + 1) if first < len(self._before) else ()
            self._next[shown] = tuple(
                event for event in candidates if not shown >> event & 1 and self._before[event] & ~shown == 0
            )
        return self._next[shown]

    def _stop(self) -> bool:
        self.bound = self.bound or self.search.stopped(self.explored)
        self.explored += not self.bound
        return bool(self.bound)

    def _judged(self, count: int) -> Outcome:
        matched = len(self.layers) - 1
        if matched < 0:
            return Outcome(None if self.bound else False, 0, (), (), self.explored, self.bound)
        last = self.layers[matched]
        goals = [node for node in last if not self.search.bounds.complete or self.search.ends(node[0])]
        if matched == count and goals:
            visited, taken = self._on_the_way(goals)
            path = self._path(goals[0])
            return Outcome(True, count, path, tuple(goals), self.explored, "", visited, taken)
        bound = self.bound or (f"max_hidden={self.search.bounds.max_hidden}" if self.cut else "")
        path = self._path(next(iter(last)))
        return Outcome(None if bound else False, matched, path, tuple(last), self.explored, bound)

    def _path(self, node: Node) -> tuple[Move, ...]:
        """Return a behaviour that leads to a node, by the edges that were found first."""
        moves: list[Move] = []
        starts = {(state, 0) for state in self.search.initial()}
        while node not in starts:
            before, instance, event = self.layers[node[1].bit_count()][node][0]
            moves.append(Move(instance, event, node[0]))
            node = before
        return (Move(None, HIDDEN, node[0]), *moves[::-1])

    def _on_the_way(self, goals: list[Node]) -> tuple[frozenset[Frozen], frozenset[tuple[int, bool]]]:
        seen, waiting = set(goals), list(goals)
        taken: set[tuple[int, bool]] = set()
        while waiting:
            node = waiting.pop()
            for before, instance, event in self.layers[node[1].bit_count()][node]:
                if instance is not None:
                    taken.add((instance.number, event != HIDDEN))
                if before not in seen:
                    seen.add(before)
                    waiting.append(before)
        return frozenset(state for state, _ in seen), frozenset(taken)
