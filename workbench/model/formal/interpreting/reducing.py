"""Partial-order reduction: where steps commute, one order of them is explored instead of all.

In each state a *stubborn* set of action instances is found: with an enabled one, it holds all that do not
commute with it; with one that is not enabled, all that might enable it. Only its enabled members are
explored, if the properties do not see what they change, and one of them leads to a new state; otherwise all
are (A. Valmari, Stubborn sets for reduced state space generation, 1989; D. Bosnacki, G. J. Holzmann,
Improving Spin's partial-order reduction for breadth-first search, 2005). Deadlocks and invariants are kept;
the number of states is not.
"""

from functools import cached_property
from typing import Any

from workbench.model.formal._explorations import Found
from workbench.model.formal._models import Specification
from workbench.model.formal.compiling.footprints import footprints
from workbench.model.formal.errors import ModelError
from workbench.model.formal.interpreting.exploring import Search
from workbench.model.formal.interpreting.steps import Broken, successors, truth

__all__ = ["Commuting", "ReducedSearch"]


class Commuting:
    """Which action instances of a model may not be exchanged, which may enable each other, which are seen."""

    def __init__(self, declared: Specification) -> None:
        if declared.temporal or declared.of_kind("action property"):
            msg = f"{declared.name} has properties of steps or behaviours, which reduction=True does not keep"
            raise ModelError(msg)
        prints, seen = footprints(declared)
        self.conflicts = [
            [n for n, other in enumerate(prints) if one.writes & other.touches or other.writes & one.reads]
            for one in prints
        ]
        self.enablers = [[n for n, other in enumerate(prints) if other.writes & one.reads] for one in prints]
        self.visible = [bool(one.writes & seen) for one in prints]

    def stubborn(self, first: int, enabled: set[int]) -> set[int]:
        """Return the enabled members of the smallest stubborn set that holds an enabled instance."""
        found, pending = {first}, [first]
        while pending:
            each = pending.pop()
            for other in self.conflicts[each] if each in enabled else self.enablers[each]:
                if other not in found:
                    found.add(other)
                    pending.append(other)
        return found & enabled


class ReducedSearch(Search):
    """A search that leaves out orders of steps which make no difference."""

    @cached_property
    def commuting(self) -> Commuting:
        """What is known of the model's actions."""
        return Commuting(self.declared)

    def expand(self, number: int) -> None:
        """Take in the successors of a state that a stubborn set leads to."""
        state = self.states[number]
        steps = dict(self._steps(state))
        if not steps and not any(truth(self.declared, each, state) for each in self.terminals):
            self.violate(Found("deadlock", "deadlock", number))
        for label in sorted(self._chosen(steps)):
            after = steps[label]
            if isinstance(after, Broken):
                name = self.declared.instances[label].action.name
                self.violate(Found("assertion", name, number, label))
                continue
            self.taken[label] += 1
            self.meet(after, number, label)

    def _steps(self, state: Any) -> list[tuple[int, Any]]:
        return [(instance.number, after) for instance, after in successors(self.declared, state)]

    def _chosen(self, steps: dict[int, Any]) -> set[int]:
        enabled = set(steps)
        sets = [self.commuting.stubborn(first, enabled) for first in steps]
        for chosen in sorted(sets, key=len):
            if self._may_stand_for_all(chosen, steps):
                return chosen
        return enabled

    def _may_stand_for_all(self, chosen: set[int], steps: dict[int, Any]) -> bool:
        if any(isinstance(after, Broken) for after in steps.values()):
            return False
        if any(self.commuting.visible[label] for label in chosen):
            return False
        return any(self.canonical(steps[label]) not in self.numbers for label in chosen)
