"""Objects that remember an order: a queue and a stack.

::

    Queue   ("enqueue", v)   ("dequeue",) -> v   ("peek",) -> v   ("size",) -> n
    Stack   ("push", v)      ("pop",) -> v       ("peek",) -> v   ("size",) -> n

Taking from what is empty answers `NIL`.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from workbench.histories.models.model import Input, Whole, frozen, unknown_operation

__all__ = ["Queue", "Stack"]

State = tuple[Any, ...]


@dataclass(frozen=True, slots=True)
class Queue(Whole):
    """First in, first out: ``("enqueue", v)``, ``("dequeue",)``, ``("peek",)``, ``("size",)``.

    Attributes
    ----------
    initial : iterable
        What waits at the start, the first to leave first.
    """

    initial: Iterable[Any] = ()

    def __post_init__(self) -> None:
        object.__setattr__(self, "initial", tuple(map(frozen, self.initial)))

    @property
    def start(self) -> State:
        """What waits before any operation."""
        return tuple(self.initial)

    def step(self, state: State, asked: Input, told: Any) -> tuple[bool, State]:
        """Return whether a queue of these may answer so, and what waits afterwards."""
        match asked:
            case ("enqueue", value):
                return True, (*state, frozen(value))
            case ("dequeue",):
                return _is(told, state[0] if state else None), state[1:]
            case ("peek",):
                return _is(told, state[0] if state else None), state
            case ("size",):
                return _is(told, len(state)), state
        raise unknown_operation(self, asked, ('("enqueue", v)', '("dequeue",)', '("peek",)', '("size",)'))


@dataclass(frozen=True, slots=True)
class Stack(Whole):
    """Last in, first out: ``("push", v)``, ``("pop",)``, ``("peek",)``, ``("size",)``.

    Attributes
    ----------
    initial : iterable
        What lies there at the start, the first to leave last.
    """

    initial: Iterable[Any] = ()

    def __post_init__(self) -> None:
        object.__setattr__(self, "initial", tuple(map(frozen, self.initial)))

    @property
    def start(self) -> State:
        """What lies there before any operation."""
        return tuple(self.initial)

    def step(self, state: State, asked: Input, told: Any) -> tuple[bool, State]:
        """Return whether a stack of these may answer so, and what lies there afterwards."""
        match asked:
            case ("push", value):
                return True, (*state, frozen(value))
            case ("pop",):
                return _is(told, state[-1] if state else None), state[:-1]
            case ("peek",):
                return _is(told, state[-1] if state else None), state
            case ("size",):
                return _is(told, len(state)), state
        raise unknown_operation(self, asked, ('("push", v)', '("pop",)', '("peek",)', '("size",)'))


def _is(told: Any, right: Any) -> bool:
    return told is None or frozen(told) == right
