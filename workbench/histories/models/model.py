"""`Model`: what a correct object would answer, one operation after the other.

A model is a start and a pure step function ``(state, input, output) -> (ok, state)``: whether an object in
that state may give that output to that input, and the state that it is in afterwards. ``output`` is None
where nobody knows it, and every answer will do; the state afterwards is then that of the answer the object
would have given. A known nothing is `NIL`, which equals None.

States that are equal are one state, so a step must answer equally to equal states. A model may also say which
part of the object an input touches; parts are independent, and each is judged by itself (locality: Herlihy &
Wing, "Linearizability: a correctness condition for concurrent objects", TOPLAS 12(3), 1990; Horn & Kroening,
"Faster linearizability checking via P-compositionality", FORTE 2015).
"""

from collections.abc import Callable, Hashable
from dataclasses import dataclass
from typing import Any, Protocol, Self, TypeAlias, runtime_checkable

from workbench.histories.errors import ModelError
from workbench.histories.operation import Nil

__all__ = ["Model", "SequentialModel"]

Input: TypeAlias = tuple[Any, ...]  # ("write", 7)
PLAIN = frozenset({int, str, bool, float, bytes, type(None), Nil})
Step: TypeAlias = Callable[[Any, Input, Any], tuple[bool, Any]]


@runtime_checkable
class SequentialModel(Protocol):
    """What a history is judged by: a start, a step, and the part of the object that an input touches."""

    @property
    def start(self) -> Any:
        """The state before any operation."""

    def step(self, state: Any, asked: Input, told: Any) -> tuple[bool, Any]:
        """Return whether the object may answer so in that state, and its state afterwards."""

    def part_of(self, asked: Input) -> Hashable | None:
        """Return the independent part that an input touches; None for the whole."""

    def restricted(self, part: Hashable) -> "SequentialModel":
        """Return a model of that part alone."""


class Whole:
    """What has no parts."""

    __slots__ = ()

    def part_of(self, asked: Input) -> Hashable | None:  # noqa: ARG002 - there are none
        """Return None: it is one whole."""
        return None

    def restricted(self, part: Hashable) -> Self:  # noqa: ARG002 - there are none
        """Return itself."""
        return self


@dataclass(frozen=True, slots=True)
class Model:
    """A model of your own: a pure step function and a start.

    Attributes
    ----------
    function : callable
        ``(state, input, output) -> (ok, state)``; `output` is None where it is not known.
    initial : object
        The state before any operation. Where states are hashable the model is compiled: each step is taken
        once for each state and operation, and becomes an entry of a table. Others are interpreted.
    part : callable, optional
        ``input -> key``: the independent part that an input touches, where the object has such parts. Each
        part starts as `initial`.
    name : str
        What pictures call it.

    Examples
    --------
    >>> from workbench.histories import History, Operation, linearizable
    >>> def largest(state, input, output):
    ...     if input[0] == "offer":
    ...         return True, max(state, input[1])
    ...     return output is None or output == state, state
    >>> history = History([Operation("A", 0, 1, ("offer", 5), True), Operation("B", 2, 3, ("read",), 4)])
    >>> linearizable(history, Model(largest, 0)).holds
    False
    """

    function: Step
    initial: Any = None
    part: Callable[[Input], Hashable | None] | None = None
    name: str = "Model"

    def __post_init__(self) -> None:
        for given, what in ((self.function, "function"), (self.part, "part")):
            if not callable(given) and not (given is None and what == "part"):
                msg = f"{what} must be a function, got {given!r}"
                raise ModelError(msg)

    @property
    def start(self) -> Any:
        """The state before any operation."""
        return self.initial

    def step(self, state: Any, asked: Input, told: Any) -> tuple[bool, Any]:
        """Return what the function says."""
        return self.function(state, asked, told)

    def part_of(self, asked: Input) -> Hashable | None:
        """Return what `part` says; None without it."""
        return None if self.part is None else self.part(asked)

    def restricted(self, part: Hashable) -> Self:  # noqa: ARG002 - all parts begin alike
        """Return itself: every part starts as `initial`."""
        return self

    def __repr__(self) -> str:
        return f"{self.name}(initial={self.initial!r})"


def unknown_operation(model: object, asked: Input, known: tuple[str, ...]) -> ModelError:
    """Return the error of an input that a model does not know, or with a wrong number of arguments."""
    msg = f"{type(model).__name__} does not know {asked!r}; it knows {', '.join(known)}"
    return ModelError(msg)


def frozen(value: Any) -> Any:
    """Return a value that can be hashed: tuples for lists, frozen sets for sets, pairs for dicts."""
    if type(value) in PLAIN:
        return value
    if isinstance(value, list | tuple):
        return tuple(map(frozen, value))
    if isinstance(value, set | frozenset):
        return frozenset(map(frozen, value))
    if isinstance(value, dict):
        return frozenset((frozen(key), frozen(entry)) for key, entry in value.items())
    return value


def acknowledged(told: Any, happened: object) -> bool:
    """Tell whether an answer agrees with what happened; only 0, 1, False and True say anything of it."""
    return not isinstance(told, int) or told == happened
