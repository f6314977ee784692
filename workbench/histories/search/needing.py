"""Which operations that never returned an order needs: those without which it is none."""

from typing import Any

from workbench.histories.models.model import SequentialModel
from workbench.histories.operation import Operation
from workbench.histories.search.automaton import taken

__all__ = ["needed"]


def needed(rows: list[int], operations: tuple[Operation, ...], model: SequentialModel) -> list[int]:
    """Leave out, from the last to the first, what never returned and can be left out."""
    left = [operations[row] for row in rows]
    if all(operation.return_s is not None for operation in left):
        return rows
    states = _states(left, model, model.start)
    for place in reversed(range(len(left))):
        if left[place].return_s is None and _goes_without(left, states, place, model):
            del left[place], rows[place]
            states[place:] = _states(left[place:], model, states[place])
    return rows


def _states(order: list[Operation], model: SequentialModel, start: Any) -> list[Any]:
    """Return the states before, between and after operations."""
    states = [start]
    for operation in order:
        states.append(taken(model, states[-1], operation)[1])
    return states


def _goes_without(order: list[Operation], states: list[Any], place: int, model: SequentialModel) -> bool:
    """Tell whether all after a place can follow what is before it."""
    state = states[place]
    for later in range(place + 1, len(order)):
        if state == states[later]:
            return True
        ok, state = taken(model, state, order[later])
        if not ok:
            return False
    return True
