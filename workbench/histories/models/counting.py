"""Objects of which little is to be known: a number, a set, a lock.

::

    Counter   ("read",) -> n   ("increment",)  ("increment", n)  ("decrement",)  ("decrement", n)  ("add", n)
    Set       ("add", e)   ("remove", e)   ("contains", e) -> bool   ("read",) -> all elements
    Lock      ("acquire",) or ("acquire", who)   ("release",) or ("release", who)

An answer of True or False, or of 1 or 0, says whether something changed; any other says nothing. Operations
of a counter may also answer the number afterwards.
"""

from collections.abc import Hashable, Iterable
from dataclasses import dataclass
from typing import Any

from workbench.histories.models.model import Input, Whole, acknowledged, frozen, unknown_operation
from workbench.histories.operation import NIL

__all__ = ["Counter", "Lock", "Set"]


@dataclass(frozen=True, slots=True)
class Counter(Whole):
    """A number: ``("read",)``, ``("increment",)``, ``("decrement",)`` and ``("add", n)``.

    An operation that changes it may answer the number afterwards, or nothing.

    Attributes
    ----------
    initial : int
    """

    initial: int = 0

    @property
    def start(self) -> int:
        """The number before any operation."""
        return self.initial

    def step(self, state: int, asked: Input, told: Any) -> tuple[bool, int]:
        """Return whether a counter at `state` may answer so, and the number afterwards."""
        match asked:
            case ("read",):
                return told is None or told == state, state
            case ("increment",):
                after = state + 1
            case ("decrement",):
                after = state - 1
            case ("increment" | "add", by):
                after = state + by
            case ("decrement", by):
                after = state - by
            case _:
                known = ('("read",)', '("increment",)', '("decrement",)', '("add", n)')
                raise unknown_operation(self, asked, known)
        says_number = isinstance(told, int) and not isinstance(told, bool)
        return not says_number or told == after, after


@dataclass(frozen=True, slots=True)
class Set:
    """A set: ``("add", e)``, ``("remove", e)``, ``("contains", e)``; ``("read",)`` answers all elements.

    Each element is a part by itself, unless the whole is read.

    Attributes
    ----------
    initial : iterable
        The elements at the start.
    """

    initial: Iterable[Hashable] = ()

    def __post_init__(self) -> None:
        object.__setattr__(self, "initial", frozenset(map(frozen, self.initial)))

    @property
    def start(self) -> frozenset[Hashable]:
        """The elements before any operation."""
        return frozenset(self.initial)

    def step(self, state: frozenset[Hashable], asked: Input, told: Any) -> tuple[bool, frozenset[Hashable]]:
        """Return whether a set of these elements may answer so, and the elements afterwards."""
        match asked:
            case ("read",):
                return told is None or elements(told) == state, state
            case ("contains", element):
                return told is None or told == (frozen(element) in state), state
            case ("add", element):
                known = frozen(element)
                return acknowledged(told, known not in state), state | {known}
            case ("remove", element):
                known = frozen(element)
                return acknowledged(told, known in state), state - {known}
        names = ('("add", e)', '("remove", e)', '("contains", e)', '("read",)')
        raise unknown_operation(self, asked, names)

    def part_of(self, asked: Input) -> Hashable | None:
        """Return the element, as a part of its own even where it is None; None when all are read."""
        return (frozen(asked[1]),) if len(asked) > 1 else None

    def restricted(self, part: Hashable) -> "Set":
        """Return a model of one element: what `part_of` says of it."""
        return Set(element for element in self.initial if (element,) == part)


def elements(told: Any) -> frozenset[Hashable] | None:
    """Return the elements of an answer; those of nothing are none."""
    if isinstance(told, set | frozenset | list | tuple):
        return frozenset(map(frozen, told))
    return frozenset() if told == NIL else None


@dataclass(frozen=True, slots=True)
class Lock(Whole):
    """A lock that one may hold: ``("acquire", who)`` and ``("release", who)``; who may be left out.

    An answer of False is an attempt that failed: the lock was held, or not by who released it. Any other
    answer is a success. Without an answer it succeeded where it could.
    """

    @property
    def start(self) -> tuple[Any, ...] | None:
        """None: free."""
        return None

    def step(
        self, state: tuple[Any, ...] | None, asked: Input, told: Any
    ) -> tuple[bool, tuple[Any, ...] | None]:
        """Return whether a lock held by `state` (None: free) may answer so, and who holds it afterwards."""
        name, *who = asked
        if name not in ("acquire", "release") or len(who) > 1:
            raise unknown_operation(self, asked, ('("acquire", who)', '("release", who)'))
        holder = tuple(map(frozen, who))
        succeeds = state is None if name == "acquire" else state == holder
        claimed = acknowledged(told, True) if told is not None else succeeds
        after = (holder if name == "acquire" else None) if succeeds else state
        return claimed == succeeds, after
