"""`Operation`: what one process asked of a shared object, when, and what it was told.

An operation is called at ``call_s`` and returns at ``return_s``; it took effect somewhere between. One that
never returned (a crash, a lost answer) has ``return_s = None``: it took effect at any time after its call, or
never. ``output = None`` is an answer that nobody knows; it agrees with every answer. What is known to be
nothing, as a read of an empty register, is `NIL`, which equals None but says so.
"""

import math
from collections.abc import Hashable
from dataclasses import dataclass
from typing import Any

from workbench.histories.errors import OperationError

__all__ = ["NIL", "Nil", "Operation"]


class Nil:
    """The type of `NIL`: a known answer of nothing, where None is an answer that is not known."""

    __slots__ = ()

    def __eq__(self, other: object) -> bool:
        return other is None or isinstance(other, Nil)

    def __hash__(self) -> int:
        return hash(None)

    def __bool__(self) -> bool:
        return False

    def __repr__(self) -> str:
        return "NIL"

    def __reduce__(self) -> str:
        return "NIL"


NIL = Nil()


@dataclass(frozen=True, slots=True)
class Operation:
    """What one process asked of a shared object, when, and what it was told.

    Attributes
    ----------
    process : hashable
        Who asked; a process has one operation at a time.
    call_s : float, seconds
        When it asked, on a clock that all processes share.
    return_s : float or None, seconds
        When it was answered; None where it never was, so that it took effect at any later time or never.
    input : tuple
        What it asked: a name and its arguments, ``("read",)``, ``("write", 1)``, ``("cas", 1, 2)``.
    output : object
        What it was told; None where that is not known, `NIL` where it is known to be nothing.

    Raises
    ------
    OperationError
        A ValueError, when a time is not finite, it returns before it is called, or its input is no tuple that
        begins with a name.

    Examples
    --------
    >>> Operation("A", 0.0, 1.5, ("read",), 7)
    A: read() -> 7, 0 s to 1.5 s
    """

    process: Hashable
    call_s: float
    return_s: float | None
    input: tuple[Any, ...]
    output: Any = None

    def __post_init__(self) -> None:
        asked = self.input
        if type(asked) is not tuple or not asked or type(asked[0]) is not str:
            msg = f'expected the input as a tuple of a name and its arguments, as ("read",), got {asked!r}'
            raise OperationError(msg)
        if self.return_s is None:
            if not math.isfinite(self.call_s):
                self._refuse("the call's time must be finite")
        elif not -math.inf < self.call_s <= self.return_s < math.inf:
            self._refuse("both times must be finite, and the return not before the call")

    def _refuse(self, expected: str) -> None:
        msg = f"{self.text} of process {self.process!r} from {self.call_s!r} to {self.return_s!r}: {expected}"
        raise OperationError(msg)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Operation):
            return NotImplemented
        return self._key() == other._key()

    def __hash__(self) -> int:
        return hash(self._key())

    def _key(self) -> tuple[object, ...]:
        unknown = self.output is None  # which is not NIL, though the two are equal
        return self.process, self.call_s, self.return_s, self.input, self.output, unknown

    @property
    def name(self) -> str:
        """What it did: the first element of its input."""
        return str(self.input[0])

    @property
    def is_pending(self) -> bool:
        """Whether it never returned."""
        return self.return_s is None

    @property
    def text(self) -> str:
        """Input and output as people write them: ``read() -> 7``, and ``?`` for what is not known."""
        told = "?" if self.output is None else repr(self.output)
        arguments = ", ".join(map(repr, self.input[1:]))
        return f"{self.name}({arguments}) -> {told}"

    def __repr__(self) -> str:
        until = "never returned" if self.return_s is None else f"to {self.return_s:g} s"
        return f"{self.process}: {self.text}, {self.call_s:g} s {until}"
