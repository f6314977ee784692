"""Breadth-first search by Python: a dictionary of frozen states."""

import math
import sys
import time
from collections.abc import Callable, Hashable, Iterator
from dataclasses import dataclass, field

from workbench.model.formal._explorations import Edges, Exploration, Found, Limits
from workbench.model.formal._models import Frozen, Instance, Specification
from workbench.model.formal._watching import Watch
from workbench.model.formal.interpreting.steps import Broken, successors, truth

__all__ = ["Canonical", "Outgrown", "Search", "explore", "explore_graph"]

LOOK_EVERY = 256  # states between two looks at the clock

Canonical = Callable[[Frozen], Hashable]


class Outgrown(Exception):  # noqa: N818 - it is no error: the caller goes on with the other engine
    """Raised when there are more states than the caller wants interpreted."""


@dataclass
class Search:
    """What a search has met so far."""

    declared: Specification
    canonical: Canonical
    limits: Limits
    states: list[Frozen] = field(default_factory=list)
    parents: list[int] = field(default_factory=list)
    numbers: dict[Hashable, int] = field(default_factory=dict)
    violations: dict[tuple[str, str], Found] = field(default_factory=dict)
    generated: int = 0

    def __post_init__(self) -> None:
        self.invariants = self.declared.of_kind("invariant")
        self.constraints = self.declared.of_kind("constraint")
        self.terminals = self.declared.of_kind("terminal")
        self.step_properties = self.declared.of_kind("action property")
        self.taken = [0] * len(self.declared.instances)
        self.clock = time.monotonic
        self.ends_at = self.clock() + (math.inf if self.limits.timeout_s is None else self.limits.timeout_s)

    def bytes_held(self) -> int:
        """Return about how much memory the states take, by the size of the first."""
        first = sys.getsizeof(self.states[0]) + sum(sys.getsizeof(part) for part in self.states[0])
        return len(self.states) * (first + 2 * 100 + 16)  # with an entry of the dictionary and two of lists

    def meet(self, state: Frozen, parent: int, instance: int | None) -> None:
        """Take a state in, unless it is known or left out by a constraint."""
        self.generated += 1
        key = self.canonical(state)
        if key in self.numbers:
            return
        kept = all(truth(self.declared, each, state) for each in self.constraints)
        number = len(self.states)
        for each in self.invariants:
            if not truth(self.declared, each, state):
                found = Found("invariant", each.name, number)
                self.violate(found if kept else Found("invariant", each.name, parent, instance, state))
        if kept:
            self.numbers[key] = number
            self.states.append(state)
            self.parents.append(parent)

    def expand(self, number: int) -> None:
        """Take in all successors of a state."""
        state = self.states[number]
        enabled = False
        for instance, after in successors(self.declared, state):
            enabled = True
            if isinstance(after, Broken):
                self.violate(Found("assertion", instance.action.name, number, instance.number))
                continue
            self.taken[instance.number] += 1
            self.look_at_step(number, instance, after)
            self.meet(after, number, instance.number)
        if not enabled and not any(truth(self.declared, each, state) for each in self.terminals):
            self.violate(Found("deadlock", "deadlock", number))

    def look_at_step(self, number: int, instance: Instance, after: Frozen) -> None:
        """Check the properties of steps."""
        for each in self.step_properties:
            if not truth(self.declared, each, self.states[number], after):
                self.violate(Found("action property", each.name, number, instance.number, after))

    def violate(self, found: Found) -> None:
        """Keep the first violation of each property."""
        self.violations.setdefault((found.kind, found.name), found)


def explore(  # noqa: PLR0913
    declared: Specification,
    limits: Limits,
    *,
    canonical: Canonical = lambda state: state,
    outgrown_at: int | None = None,
    watch: Watch | None = None,
    search: type[Search] = Search,
) -> Exploration:
    """Explore a model breadth first.

    Parameters
    ----------
    canonical
        Maps states that are explored once to the same key.
    outgrown_at
        Raise `Outgrown` when there are more states than this.
    search
        How states are expanded.
    watch
        Called now and then with the distinct states, those waiting and the depth.
    """
    found = search(declared, canonical, limits)
    for state in declared.initial():
        found.meet(state, -1, None)
    levels, bound = [0], ""
    for number in _numbers(found, levels):
        bound = _bound(found, limits, levels, number)
        if bound:
            break
        if outgrown_at is not None and len(found.states) > outgrown_at:
            raise Outgrown
        if watch is not None and number % LOOK_EVERY == 0:
            watch(len(found.states), len(found.states) - number, len(levels))
        found.expand(number)
    return Exploration(
        states=found.states,
        parents=found.parents,
        levels=levels if found.states else [],
        generated=found.generated,
        taken=found.taken,
        violations=sorted(found.violations.values(), key=lambda each: (each.state, each.kind)),
        bound=bound,
        memory_bytes=found.bytes_held() if found.states else 0,
    )


def explore_graph(declared: Specification, limits: Limits, *, watch: Watch | None = None) -> Edges:
    """Explore a model, and return all steps between the states that were found."""
    explored = explore(declared, limits, watch=watch)
    numbers = {explored.states[number]: number for number in range(explored.distinct)}
    starts, targets, labels = [0], [], []
    for number in range(explored.distinct):
        for instance, after in successors(declared, explored.states[number]):
            if isinstance(after, Broken) or not all(
                truth(declared, each, after) for each in declared.of_kind("constraint")
            ):
                continue
            targets.append(numbers.get(after, -1))
            labels.append(instance.number)
        starts.append(len(targets))
    import numpy as np  # noqa: PLC0415 - which a plain check does without

    return Edges(
        explored, np.array(starts, np.int64), np.array(targets, np.int32), np.array(labels, np.int32)
    )


def _numbers(search: Search, levels: list[int]) -> Iterator[int]:
    """Yield the states' numbers as they are expanded, and note where each level begins."""
    number = 0
    level_end = len(search.states)
    while number < len(search.states):
        if number == level_end:
            levels.append(number)
            level_end = len(search.states)
        yield number
        number += 1


def _bound(search: Search, limits: Limits, levels: list[int], number: int) -> str:
    """Return what ends the search before a state is expanded; empty when nothing does."""
    if limits.stop_at_first and search.violations:
        return "stop_at_first"
    if limits.max_depth is not None and len(levels) >= limits.max_depth:
        return f"max_depth={limits.max_depth}"
    if limits.max_states is not None and len(search.states) >= limits.max_states:
        return f"max_states={limits.max_states}"
    if number % LOOK_EVERY == 0:
        if search.clock() > search.ends_at:
            return f"timeout_s={limits.timeout_s:g}"
        if limits.memory_bytes is not None and search.bytes_held() > limits.memory_bytes:
            return f"memory_bytes={limits.memory_bytes:,}"
    return ""
