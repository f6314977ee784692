"""Registers: one value that is read, written and compared, and many of them by key.

::

    Register   ("read",) -> v   ("write", v)   ("cas", old, new) -> bool      ("swap", v) -> old
    KeyValue   ("get", k) -> v  ("put", k, v)  ("cas", k, old, new) -> bool   ("delete", k)   ("append", k, v)

A value that was never written is None, and an answer of it is `NIL`. What a write answers says nothing.
"""

from collections.abc import Hashable, Mapping
from dataclasses import dataclass, field
from typing import Any

from workbench.histories.errors import ModelError
from workbench.histories.models.model import Input, Whole, acknowledged, frozen, unknown_operation

__all__ = ["KeyValue", "Register"]


@dataclass(frozen=True, slots=True)
class Register(Whole):
    """One value: ``("read",)``, ``("write", v)``, ``("cas", old, new)`` and ``("swap", v)``.

    Attributes
    ----------
    initial : object
        What is read before anything is written.

    Examples
    --------
    >>> Register(0).step(0, ("cas", 0, 5), True)
    (True, 5)
    """

    initial: Any = None

    @property
    def start(self) -> Any:
        """The state before any operation."""
        return frozen(self.initial)

    def step(self, state: Any, asked: Input, told: Any) -> tuple[bool, Any]:
        """Return whether a register that holds `state` may answer so, and what it holds afterwards."""
        match asked:
            case ("read",):
                return told is None or frozen(told) == state, state
            case ("write", value):
                return True, frozen(value)
            case ("cas", old, new):
                same = frozen(old) == state
                return acknowledged(told, same), frozen(new) if same else state
            case ("swap", value):
                return told is None or frozen(told) == state, frozen(value)
        raise unknown_operation(
            self, asked, ('("read",)', '("write", v)', '("cas", old, new)', '("swap", v)')
        )


@dataclass(frozen=True, slots=True)
class KeyValue:
    """Values by key: ``get``, ``put``, ``cas``, ``delete`` and ``append``; each key is a part.

    To a missing key or a str, ``("append", k, text)`` adds text at the end; to anything else of a tuple, it
    adds an element, and a missing key becomes a tuple.

    Attributes
    ----------
    initial : mapping
        What is there at the start.

    Examples
    --------
    >>> KeyValue({"x": 1}).step(frozenset({("x", 1)}), ("get", "x"), 2)[0]
    False
    """

    initial: Mapping[Hashable, Any] = field(default_factory=dict)

    @property
    def start(self) -> frozenset[tuple[Hashable, Any]]:
        """The pairs of key and value before any operation."""
        return frozenset((key, frozen(value)) for key, value in self.initial.items())

    def step(
        self, state: frozenset[tuple[Hashable, Any]], asked: Input, told: Any
    ) -> tuple[bool, frozenset[tuple[Hashable, Any]]]:
        """Return whether these pairs of key and value may answer so, and the pairs afterwards."""
        if len(asked) < 2:
            raise self._unknown(asked)
        name, key, *arguments = asked
        held = dict(state)
        ok, value = self._changed(name, held.get(key), tuple(map(frozen, arguments)), told, asked)
        if value is None:
            held.pop(key, None)
        else:
            held[key] = value
        return ok, frozenset(held.items())

    def part_of(self, asked: Input) -> Hashable | None:
        """Return the key, as a part of its own even where it is None."""
        return (asked[1],) if len(asked) > 1 else None

    def restricted(self, part: Hashable) -> "KeyValue":
        """Return a model of one key: what `part_of` says of it."""
        return KeyValue({key: value for key, value in self.initial.items() if (key,) == part})

    def _changed(self, name: str, value: Any, given: Input, told: Any, asked: Input) -> tuple[bool, Any]:
        """Return whether the answer is right, and the key's value afterwards."""
        match (name, *given):
            case ("get",):
                return told is None or frozen(told) == value, value
            case ("put", new):
                return True, new
            case ("cas", old, new):
                return acknowledged(told, old == value), new if old == value else value
            case ("delete",):
                return acknowledged(told, value is not None), None
            case ("append", more):
                return True, _appended(value, more)
        raise self._unknown(asked)

    def _unknown(self, asked: Input) -> ModelError:
        known = ("get", "put", "cas", "delete", "append")
        shapes = ("k", "k, v", "k, old, new", "k", "k, v")
        return unknown_operation(
            self, asked, tuple(f'("{name}", {rest})' for name, rest in zip(known, shapes, strict=True))
        )


def _appended(value: Any, more: Any) -> Any:
    if isinstance(more, str) and (value is None or isinstance(value, str)):
        return (value or "") + more
    return (*(value or ()), more)
