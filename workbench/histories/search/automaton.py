"""`Automaton`: a model, compiled into a table of transitions as far as a search needs it.

Each distinct pair of input and output is a symbol, each distinct state a number, and ``table[state, symbol]``
is the next state, REFUSED or not yet known. A step of a model is pure, so each entry is computed once, by the
model's own Python; whoever walks the table calls none. States and symbols are told apart by full equality,
never by a hash alone.

Where few states can be reached, all are found beforehand. It is then certain which symbols never change a
state, such as reads.
"""

from typing import Any

import numpy as np
import numpy.typing as npt

from workbench.histories.errors import ModelError
from workbench.histories.models.model import SequentialModel, frozen
from workbench.histories.operation import Operation
from workbench.histories.search._codes import REFUSED, UNKNOWN

__all__ = ["Automaton", "UnhashableStateError", "taken"]

FEW_STATES = 64


class UnhashableStateError(ModelError):
    """Raised when a state cannot be a key, so that the model can only be interpreted."""


def taken(model: SequentialModel, state: Any, operation: Operation) -> tuple[bool, Any]:
    """Return what a model's step says of an operation.

    Raises
    ------
    ModelError
        When that is not a pair of a verdict and a state.
    """
    answer: object = model.step(state, operation.input, operation.output)
    if not isinstance(answer, tuple) or len(answer) != 2:
        msg = (
            f"the step of {model!r} must return (ok, state), got {answer!r} for {operation.text} in {state!r}"
        )
        raise ModelError(msg)
    return bool(answer[0]), answer[1]


class Automaton:
    """The transitions of a model under the operations of a history."""

    def __init__(self, model: SequentialModel, operations: tuple[Operation, ...]) -> None:
        self.model = model
        self.samples: list[Operation] = []  # an operation of each symbol
        self.symbols = self._symbols(operations)
        self.states: list[Any] = []
        self._numbers: dict[Any, int] = {}
        self.table: npt.NDArray[np.int32] = np.full((FEW_STATES, len(self.samples)), UNKNOWN, np.int32)
        self._number(model.start)
        self.is_complete = self._close()

    @property
    def steady(self) -> npt.NDArray[np.bool_]:
        """Whether each symbol certainly never changes a state, ``(symbols,)``."""
        if not self.is_complete:
            return np.zeros(len(self.samples), np.bool_)
        known = self.table[: len(self.states)]
        return ((known == REFUSED) | (known == np.arange(len(self.states))[:, None])).all(axis=0)

    def relevant(self, operations: tuple[Operation, ...]) -> tuple[tuple[Operation, ...], list[int]]:
        """Return operations and their symbols, without those that never returned and change nothing."""
        idle = self.steady
        chosen = [
            (operation, int(symbol))
            for operation, symbol in zip(operations, self.symbols, strict=True)
            if operation.return_s is not None or not idle[symbol]
        ]
        return tuple(operation for operation, _ in chosen), [symbol for _, symbol in chosen]

    def fill(self, state: int, symbol: int) -> None:
        """Compute one entry."""
        ok, after = taken(self.model, self.states[state], self.samples[symbol])
        found = self._number(after) if ok else REFUSED  # numbering may enlarge the table
        self.table[state, symbol] = found

    def _symbols(self, operations: tuple[Operation, ...]) -> npt.NDArray[np.int64]:
        known: dict[Any, int] = {}
        found = np.empty(len(operations), np.int64)
        for place, operation in enumerate(operations):
            key = (frozen(operation.input), frozen(operation.output), operation.output is None)
            try:
                symbol = known.setdefault(key, len(known))
            except TypeError as error:
                msg = f"an operation with {operation.text} cannot be a key: {error}"
                raise UnhashableStateError(msg) from error
            if symbol == len(self.samples):
                self.samples.append(operation)
            found[place] = symbol
        return found

    def _number(self, state: Any) -> int:
        try:
            number = self._numbers.setdefault(state, len(self.states))
        except TypeError as error:
            msg = f"the state {state!r} cannot be a key: {error}"
            raise UnhashableStateError(msg) from error
        if number == len(self.states):
            self.states.append(state)
            if number == len(self.table):
                more = np.full_like(self.table, UNKNOWN)
                self.table = np.concatenate([self.table, more])
        return number

    def _close(self) -> bool:
        """Find all states, unless they are many; tell whether that is so."""
        state = 0
        while state < len(self.states):
            row = [taken(self.model, self.states[state], sample) for sample in self.samples]
            for symbol, (ok, after) in enumerate(row):
                self.table[state, symbol] = self._number(after) if ok else REFUSED
            if len(self.states) >= FEW_STATES:
                return False
            state += 1
        return True
