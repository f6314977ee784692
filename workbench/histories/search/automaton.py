"""`Automaton`: a model, compiled into a table of transitions as far as a search needs it.

Each distinct pair of input and output is a symbol, each distinct state a number, and ``table[state, symbol]``
is the next state, REFUSED or not yet known. A step of a model is pure, so each entry is computed once, by the
model's own Python; whoever walks the table calls none. States and symbols are told apart by full equality,
never by a hash alone.

Where few states can be reached, all are found beforehand. It is then certain which symbols never change a
state, such as reads.
"""

from collections.abc import Hashable, Iterable
from typing import Any

import numpy as np
import numpy.typing as npt

from workbench.histories._columns import Columns
from workbench.histories.errors import ModelError
from workbench.histories.models.model import SequentialModel, frozen
from workbench.histories.operation import Operation
from workbench.histories.search import _codes as codes
from workbench.histories.search._codes import REFUSED, UNKNOWN
from workbench.histories.search.machine import Array, Machine

__all__ = ["Automaton", "UnhashableStateError", "taken"]

FEW_STATES = 64
STATE_BYTES = 200  # of one state in Python, about


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


class Automaton(Machine):
    """The transitions of a model under the operations of a history."""

    def __init__(self, model: SequentialModel, columns: Columns) -> None:
        self.model = model
        self.samples: list[Operation] = []  # an operation of each symbol
        symbols = self._symbols(columns)
        self.states: list[Any] = []
        self._numbers: dict[Any, int] = {}
        self.table = np.full((FEW_STATES, len(self.samples)), UNKNOWN, np.int32)
        rules = np.zeros((len(symbols), 6), np.int64)
        super().__init__(codes.TABLE, rules, self._number(model.start))
        self.is_complete = self._close()
        rules[:, codes.SYMBOL] = symbols
        rules[:, codes.CHANGES_NOTHING] = self.steady[symbols]

    @property
    def steady(self) -> npt.NDArray[np.bool_]:
        """Whether each symbol certainly never changes a state, ``(symbols,)``."""
        if not self.is_complete:
            return np.zeros(len(self.samples), np.bool_)
        known = self.table[: len(self.states)]
        return ((known == REFUSED) | (known == np.arange(len(self.states))[:, None])).all(axis=0)

    @property
    def nbytes(self) -> int:
        """The memory of the table and, about, of the states."""
        return self.table.nbytes + STATE_BYTES * len(self.states)

    def supply(self, here: Array, room: float) -> bool:
        """Compute the entry that is missing."""
        if len(self.states) == len(self.table) and self.table.nbytes > room:
            return False
        self.fill(int(here[codes.STATE]), int(here[codes.MISSED]))
        return True

    def fill(self, state: int, symbol: int) -> None:
        """Compute one entry."""
        ok, after = taken(self.model, self.states[state], self.samples[symbol])
        found = self._number(after) if ok else REFUSED  # numbering may enlarge the table
        self.table[state, symbol] = found

    def _symbols(self, columns: Columns) -> npt.NDArray[np.int64]:
        """Give one number to what is alike: equal, and of the same types, as 1 and True are not."""
        kinds = [
            (type(told), *map(type, asked))
            for asked, told in zip(columns.inputs, columns.outputs, strict=True)
        ]
        try:
            return self._numbered(columns, zip(columns.inputs, columns.outputs, kinds, strict=True))
        except TypeError:
            return self._numbered(columns, zip(map(_key, columns.operations), kinds, strict=True))

    def _numbered(self, columns: Columns, keys: Iterable[Hashable]) -> npt.NDArray[np.int64]:
        known: dict[Hashable, int] = {}
        found = [known.setdefault(key, len(known)) for key in keys]
        firsts = dict(zip(reversed(found), reversed(columns.operations), strict=True))
        self.samples = [firsts[symbol] for symbol in range(len(known))]
        return np.array(found, np.int64)

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


def _key(operation: Operation) -> Hashable:
    key = frozen(operation.input), frozen(operation.output)
    try:
        hash(key)
    except TypeError as error:
        msg = f"an operation with {operation.text} cannot be a key: {error}"
        raise UnhashableStateError(msg) from error
    return key
