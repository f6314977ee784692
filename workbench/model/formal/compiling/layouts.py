"""Where the parts of a state lie in its words.

A value of at most 64 bits never crosses the border of two words; a larger one starts at such a border and
takes whole words. So each part that is read or written lies in one word, at a shift. Bits that stand for
nothing are zero: equal values have equal bits.

A packed value is a whole number, as large as it has to be: bit i of word k is bit 64 k + i.
"""

from abc import ABC, abstractmethod
from dataclasses import dataclass
from functools import singledispatch
from typing import Any

from workbench.model.formal.domains.collections import Array, Map, Record, Seq, Tuple
from workbench.model.formal.domains.domain import Domain
from workbench.model.formal.domains.scalars import Bool, Enum, Int, Maybe, Value
from workbench.model.formal.domains.sets import Set
from workbench.model.formal.errors import NotCompilableError

__all__ = [
    "ArrayLayout",
    "BoolLayout",
    "EnumLayout",
    "IntLayout",
    "Layout",
    "MapLayout",
    "MaybeLayout",
    "PartsLayout",
    "SeqLayout",
    "SetLayout",
    "StateLayout",
    "layout_of",
]

WORD = 64


class Layout(ABC):
    """How the values of a domain are packed into `bits` bits."""

    domain: Any
    bits: int

    @property
    def small(self) -> bool:
        """Whether a value fits into one word."""
        return self.bits <= WORD

    @abstractmethod
    def pack(self, frozen: Any) -> int:
        """Return a frozen value's bits."""

    @abstractmethod
    def unpack(self, packed: int) -> Any:
        """Return the frozen value of bits."""


@dataclass(frozen=True)
class IntLayout(Layout):
    """An integer, counted from the lowest."""

    domain: Int

    @property
    def bits(self) -> int:  # type: ignore[override]
        """The bits that the greatest takes."""
        return (self.domain.high - self.domain.low).bit_length()

    def pack(self, frozen: Any) -> int:
        """Return how far above the lowest it is."""
        return int(frozen) - self.domain.low

    def unpack(self, packed: int) -> int:
        """Return the integer."""
        return packed + self.domain.low


@dataclass(frozen=True)
class BoolLayout(Layout):
    """One bit."""

    domain: Bool
    bits: int = 1

    def pack(self, frozen: Any) -> int:
        """Return 0 or 1."""
        return int(frozen)

    def unpack(self, packed: int) -> bool:
        """Return the boolean."""
        return bool(packed)


@dataclass(frozen=True)
class EnumLayout(Layout):
    """The number of a constant."""

    domain: Enum

    @property
    def bits(self) -> int:  # type: ignore[override]
        """The bits that the last number takes."""
        return (len(self.domain.members) - 1).bit_length()

    def pack(self, frozen: Any) -> int:
        """Return the constant's number."""
        return self.domain.numbers[frozen]

    def unpack(self, packed: int) -> Any:
        """Return the constant."""
        return self.domain.members[packed]


@dataclass(frozen=True)
class MaybeLayout(Layout):
    """A bit that says whether there is a value, and the value above it."""

    domain: Maybe
    of: Layout

    @property
    def above(self) -> int:
        """Where the value begins."""
        return 1 if self.of.bits < WORD else WORD

    @property
    def bits(self) -> int:  # type: ignore[override]
        """The bits of both."""
        return self.above + self.of.bits

    def pack(self, frozen: Any) -> int:
        """Return 0 for None."""
        return 0 if frozen is None else 1 | self.of.pack(frozen) << self.above

    def unpack(self, packed: int) -> Any:
        """Return None, or the value."""
        return self.of.unpack(packed >> self.above) if packed & 1 else None


@dataclass(frozen=True)
class SetLayout(Layout):
    """A bit for each element."""

    domain: Set

    @property
    def bits(self) -> int:  # type: ignore[override]
        """One for each element; whole words when there are more than 64."""
        return _whole(len(self.domain.elements))

    def pack(self, frozen: Any) -> int:
        """Return the bits, as a frozen set is."""
        return int(frozen)

    def unpack(self, packed: int) -> int:
        """Return the bits."""
        return packed


@dataclass(frozen=True)
class PartsLayout(Layout):
    """Parts one after the other: a record, a tuple, or a whole state."""

    domain: Record | Tuple
    parts: tuple[Layout, ...]

    @property
    def offsets(self) -> tuple[int, ...]:
        """Where each part begins."""
        return _offsets(self.parts)

    @property
    def bits(self) -> int:  # type: ignore[override]
        """The bits of all parts, with those that are left free."""
        return _whole(self.offsets[-1] + self.parts[-1].bits)

    def pack(self, frozen: Any) -> int:
        """Return the parts' bits together."""
        placed = zip(self.parts, self.offsets, frozen, strict=True)
        return sum(part.pack(value) << offset for part, offset, value in placed)

    def unpack(self, packed: int) -> Any:
        """Return the parts."""
        placed = zip(self.parts, self.offsets, strict=True)
        return tuple([part.unpack(packed >> offset & _ones(part.bits)) for part, offset in placed])


@dataclass(frozen=True)
class ArrayLayout(Layout):
    """An element for each of `count` positions."""

    domain: Any
    of: Layout
    count: int

    @property
    def per_word(self) -> int:
        """How many elements lie in one word; 0 for elements that are larger than a word."""
        return WORD // max(1, self.of.bits)

    @property
    def bits(self) -> int:  # type: ignore[override]
        """The bits of all elements; whole words when they do not fit into one."""
        if self.count * self.of.bits <= WORD:
            return self.count * self.of.bits
        if not self.per_word:
            return self.count * self.of.bits
        return -(-self.count // self.per_word) * WORD

    def offset(self, position: int) -> int:
        """Return where an element begins."""
        if self.small or not self.per_word:
            return position * self.of.bits
        return position // self.per_word * WORD + position % self.per_word * self.of.bits

    def pack(self, frozen: Any) -> int:
        """Return the elements' bits together."""
        return sum(self.of.pack(part) << self.offset(position) for position, part in enumerate(frozen))

    def unpack(self, packed: int) -> Any:
        """Return the elements."""
        ones = _ones(self.of.bits)
        return tuple(
            [self.of.unpack(packed >> self.offset(position) & ones) for position in range(self.count)]
        )


@dataclass(frozen=True)
class MapLayout(Layout):
    """For each key a bit that says whether it has a value, and the value above it."""

    domain: Map
    slots: ArrayLayout

    @property
    def bits(self) -> int:  # type: ignore[override]
        """The bits of all slots."""
        return self.slots.bits

    def pack(self, frozen: Any) -> int:
        """Return the slots' bits together."""
        of: Any = self.slots.of
        slots = (1 | of.of.pack(part[0]) << of.above if part else 0 for part in frozen)
        return sum(slot << self.slots.offset(position) for position, slot in enumerate(slots))

    def unpack(self, packed: int) -> Any:
        """Return the slots."""
        slots = range(self.slots.count)
        ones = _ones(self.slots.of.bits)
        found = [packed >> self.slots.offset(position) & ones for position in slots]
        of: Any = self.slots.of
        return tuple([(of.unpack(part),) if part & 1 else () for part in found])


@dataclass(frozen=True)
class SeqLayout(Layout):
    """The length, and the elements above it."""

    domain: Seq
    elements: ArrayLayout

    @property
    def length_bits(self) -> int:
        """The bits of the length."""
        return self.domain.most.bit_length()

    @property
    def above(self) -> int:
        """Where the elements begin."""
        return self.length_bits if self.length_bits + self.elements.bits <= WORD else WORD

    @property
    def bits(self) -> int:  # type: ignore[override]
        """The bits of both."""
        return self.above + self.elements.bits if self.above < WORD else WORD + _words(self.elements.bits)

    def pack(self, frozen: Any) -> int:
        """Return the length's and the elements' bits."""
        return len(frozen) | self.elements.pack(frozen) << self.above

    def unpack(self, packed: int) -> Any:
        """Return the elements that there are."""
        length = packed & _ones(min(self.above, WORD))
        of, ones = self.elements.of, _ones(self.elements.of.bits)
        offsets = [self.above + self.elements.offset(position) for position in range(length)]
        return tuple([of.unpack(packed >> offset & ones) for offset in offsets])


class StateLayout:
    """Where the fields of a model lie in the words of a state."""

    def __init__(self, fields: dict[str, Domain]) -> None:
        self.parts = {name: layout_of(domain, name) for name, domain in fields.items()}
        self.offsets = dict(zip(self.parts, _offsets(tuple(self.parts.values())), strict=True))
        last = list(self.parts)[-1]
        self.bits = self.offsets[last] + self.parts[last].bits
        # one word holds 63 bits: its number plus one is never zero, and marks a place of the table as taken
        self.words = 1 if self.bits < WORD else -(-self.bits // WORD)

    def pack(self, frozen: Any) -> tuple[int, ...]:
        """Return a state's words, as signed numbers."""
        placed = zip(self.parts.values(), self.offsets.values(), frozen, strict=True)
        packed = sum(part.pack(value) << offset for part, offset, value in placed)
        return tuple(signed(packed >> WORD * word) for word in range(self.words))

    def unpack(self, words: Any) -> Any:
        """Return the frozen state of words."""
        packed = sum((int(word) & _ones(WORD)) << WORD * number for number, word in enumerate(words))
        placed = zip(self.parts.values(), self.offsets.values(), strict=True)
        return tuple([part.unpack(packed >> offset & _ones(part.bits)) for part, offset in placed])


def signed(number: int) -> int:
    """Return the lowest 64 bits as a signed number."""
    low = number & _ones(WORD)
    return low - (1 << WORD) if low >> (WORD - 1) else low


def _ones(bits: int) -> int:
    return (1 << bits) - 1


def _whole(bits: int) -> int:
    return bits if bits <= WORD else _words(bits)


def _words(bits: int) -> int:
    return -(-bits // WORD) * WORD


def _offsets(parts: tuple[Layout, ...]) -> tuple[int, ...]:
    """Place parts one after the other, none across the border of two words unless it is larger than one."""
    offsets, free = [], 0
    for part in parts:
        if free % WORD + part.bits > WORD:
            free = _words(free)
        offsets.append(free)
        free += part.bits
    return tuple(offsets)


@singledispatch
def layout_of(domain: Any, where: str) -> Layout:
    """Return how a domain's values are packed.

    Raises
    ------
    NotCompilableError
        For a domain without a bound.
    """
    msg = f"{where}: {domain!r} has no packed form"
    raise NotCompilableError(msg)


layout_of.register(Int)(lambda domain, _where: IntLayout(domain))
layout_of.register(Bool)(lambda domain, _where: BoolLayout(domain))
layout_of.register(Enum)(lambda domain, _where: EnumLayout(domain))
layout_of.register(Set)(lambda domain, _where: SetLayout(domain))


@layout_of.register
def _(domain: Value, where: str) -> Layout:
    msg = f"{where}: {domain!r} holds any Python value; the compiled engine needs a finite domain"
    raise NotCompilableError(msg)


@layout_of.register
def _(domain: Maybe, where: str) -> Layout:
    return MaybeLayout(domain, layout_of(domain.of, where))


@layout_of.register
def _(domain: Array, where: str) -> Layout:
    return ArrayLayout(domain, layout_of(domain.of, where), len(domain.keys))


@layout_of.register
def _(domain: Map, where: str) -> Layout:
    slot = MaybeLayout(Maybe(domain.of), layout_of(domain.of, where))
    return MapLayout(domain, ArrayLayout(domain, slot, len(domain.keys)))


@layout_of.register
def _(domain: Seq, where: str) -> Layout:
    return SeqLayout(domain, ArrayLayout(domain, layout_of(domain.of, where), domain.most))


@layout_of.register
def _(domain: Record | Tuple, where: str) -> Layout:
    return PartsLayout(domain, tuple(layout_of(part, where) for part in domain.parts))
