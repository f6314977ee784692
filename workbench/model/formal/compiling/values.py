"""What an expression of a model's text stands for, while it is written as machine integers.

Every value at run time is a 64-bit integer or a boolean in a variable of the written program; these
classes say how to read it. Where a value is known when the program is written, it is a `Constant`.
"""

from dataclasses import dataclass
from typing import Any, TypeAlias

from workbench.model.formal.compiling.layouts import Layout

__all__ = ["Constant", "Flag", "Number", "Packed", "Parts", "Place", "State", "Worth", "literal"]


@dataclass(frozen=True, slots=True)
class Constant:
    """A Python object that is known now."""

    value: Any


@dataclass(frozen=True, slots=True)
class Number:
    """An integer at run time, within bounds where they are known."""

    text: str
    low: int | None = None
    high: int | None = None


@dataclass(frozen=True, slots=True)
class Flag:
    """A boolean at run time."""

    text: str


@dataclass(frozen=True, slots=True)
class Packed:
    """The bits of a value of a layout, of at most one word, at run time."""

    text: str
    layout: Layout


@dataclass(frozen=True, slots=True)
class State:
    """A state in variables, one for each word: `w0`, `w1`, ..."""

    prefix: str
    fixed: bool = False


@dataclass(frozen=True, slots=True)
class Place:
    """A part of a state, to be read and written: a word and a shift, either known now or at run time."""

    state: State
    word: int | str
    shift: int | str
    layout: Layout
    words: range  # the words that it may lie in
    root: str  # the field that it is part of


@dataclass(frozen=True, slots=True)
class Parts:
    """A tuple, list or set display, whose parts are values."""

    kind: str
    items: tuple[Any, ...]


Worth: TypeAlias = Constant | Number | Flag | Packed | State | Place | Parts


def literal(number: int) -> str:
    """Return the lowest 64 bits of a number as the text of a signed literal."""
    low = number & (1 << 64) - 1
    return str(low - (1 << 64) if low >> 63 else low)
