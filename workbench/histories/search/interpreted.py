"""The interpreted engine: the same search in plain Python, for states that cannot be keys.

It calls the model's step at every turn, and compares unhashable states one by one.
"""

from typing import Any

import numpy as np

from workbench.histories._columns import Columns
from workbench.histories.models.model import SequentialModel
from workbench.histories.operation import Operation
from workbench.histories.search import _codes as codes
from workbench.histories.search.automaton import taken
from workbench.histories.search.lanes import Lanes
from workbench.histories.search.machine import Machine
from workbench.histories.search.needing import needed
from workbench.histories.search.outcome import Bounds, Outcome

__all__ = ["InterpretedSearch", "Unlike"]

VISIT_BYTES = 200  # of one visit in a dict, about


class Unlike(Machine):
    """No machine: each operation is unlike any other, and may change any state."""

    def __init__(self, columns: Columns) -> None:
        rules = np.zeros((len(columns.operations), 6), np.int64)
        rules[:, codes.SYMBOL] = np.arange(len(rules))
        super().__init__(codes.TABLE, rules, 0)


class InterpretedSearch:
    """One search, with all of its memory."""

    def __init__(self, lanes: Lanes, model: SequentialModel, operations: tuple[Operation, ...]) -> None:
        self.model, self.operations = model, operations
        columns = lanes.operations.T.tolist()
        self.calls, self.returns, self.rows = columns[codes.CALL], columns[codes.RETURN], columns[codes.ROW]
        self.starts = lanes.lanes[:, codes.NEXT].tolist()
        self.visits: dict[tuple[int, ...], list[Any]] = {}
        self.visited = self.steps = 0
        self.best: tuple[int, int, list[int]] = (-1, 0, [])  # least return, minus those left, order

    def run(self, bounds: Bounds) -> Outcome:
        """Search until it is decided, or a bound is reached."""
        ahead, state, lane = list(self.starts), self.model.start, 0
        stack: list[tuple[int, Any]] = []
        left = sum(returned != codes.NEVER for returned in self.returns)
        while left:
            bound = self._bound(bounds)
            if bound:
                return self._outcome(None, ahead, stack, bound)
            low = self._least_return(ahead)
            lane, after = self._next(ahead, state, lane, low)
            if lane < len(ahead):
                stack.append((lane, state))
                left -= self.returns[ahead[lane]] != codes.NEVER
                ahead[lane] += 1
                state, lane = after, 0
                continue
            self._remember(low, left, stack)
            if not stack:
                return self._outcome(False, ahead, stack)
            lane, state = stack.pop()
            ahead[lane] -= 1
            left += self.returns[ahead[lane]] != codes.NEVER
            lane += 1
        return self._outcome(True, ahead, stack)

    def _next(self, ahead: list[int], state: Any, lane: int, low: int) -> tuple[int, Any]:
        """Return the first lane, from one on, whose next operation leads somewhere new, and where to."""
        while lane < len(ahead):
            place = ahead[lane]
            if self.calls[place] <= low:
                self.steps += 1
                ok, after = taken(self.model, state, self.operations[self.rows[place]])
                if ok and self._is_new(ahead, lane, after):
                    return lane, after
            lane += 1
        return lane, None

    def _is_new(self, ahead: list[int], lane: int, state: Any) -> bool:
        """Tell whether a configuration is visited for the first time."""
        placed = (*ahead[:lane], ahead[lane] + 1, *ahead[lane + 1 :])
        states = self.visits.setdefault(placed, [])
        if state in states:
            return False
        states.append(state)
        self.visited += 1
        return True

    def _least_return(self, ahead: list[int]) -> int:
        return min((self.returns[place] for place in ahead), default=codes.NEVER)

    def _remember(self, low: int, left: int, stack: list[tuple[int, Any]]) -> None:
        if (low, -left) > self.best[:2]:
            self.best = (low, -left, self._order(stack))

    def _order(self, stack: list[tuple[int, Any]]) -> list[int]:
        """Return the operations that the stack has placed, in its order."""
        following = list(self.starts)
        order = []
        for lane, _ in stack:
            order.append(following[lane])
            following[lane] += 1
        return order

    def _bound(self, bounds: Bounds) -> str:
        if self.visited * VISIT_BYTES > bounds.max_memory_bytes:
            return f"with max_memory_bytes={bounds.max_memory_bytes:,}"
        return bounds.reached(self.steps)

    def _outcome(
        self,
        holds: bool | None,  # noqa: FBT001 - a verdict, not a switch
        ahead: list[int],
        stack: list[tuple[int, Any]],
        bound: str = "",
    ) -> Outcome:
        order = self._order(stack)
        if holds is False or (holds is None and self._least_return(ahead) <= self.best[0]):
            order = self.best[2]
        blocking = self._blocking(order) if holds is False else None
        rows = needed([self.rows[place] for place in order], self.operations, self.model)
        return Outcome(holds, rows, blocking, self.steps, bound)

    def _blocking(self, order: list[int]) -> int:
        left = sorted(set(range(len(self.returns))).difference(order))
        return self.rows[min(left, key=self.returns.__getitem__)]
