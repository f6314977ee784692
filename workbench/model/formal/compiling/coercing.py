"""From what an expression stands for to the bits of a layout, with the checks that its domain asks for."""

import ast
from typing import Any

from workbench.model.formal.compiling.frames import ERROR, Frame
from workbench.model.formal.compiling.layouts import (
    ArrayLayout,
    BoolLayout,
    EnumLayout,
    IntLayout,
    Layout,
    MaybeLayout,
    PartsLayout,
    SeqLayout,
    SetLayout,
    layout_of,
)
from workbench.model.formal.compiling.places import bits_of, load, read, taken, word_places, write
from workbench.model.formal.compiling.values import (
    Constant,
    Flag,
    Number,
    Packed,
    Parts,
    Place,
    Worth,
    literal,
)
from workbench.model.formal.domains.values import RecordValue
from workbench.model.formal.errors import DomainError

__all__ = [
    "bits",
    "number_text",
    "packed_constant",
    "rank",
    "ranked",
    "same",
    "store",
    "unranked",
    "unwrapped",
]


def same(left: Layout, right: Layout) -> bool:
    """Tell whether two layouts are those of equal domains."""
    return type(left) is type(right) and repr(left.domain) == repr(right.domain)


def packed_constant(layout: Layout, value: Any) -> int | None:
    """Return a constant's bits, or None where it is outside the domain."""
    if isinstance(value, RecordValue) and not isinstance(layout, PartsLayout | MaybeLayout):
        return None
    try:
        return layout.pack(layout.domain.freeze(value))
    except DomainError:
        return None


def bits(frame: Frame, worth: Worth, layout: Layout, node: ast.AST) -> str:
    """Return the text of a value's bits in a layout of at most one word.

    Where the value may be outside the domain, the written function gives up there.
    """
    worth = load(frame, worth)
    if isinstance(worth, Constant):
        packed = packed_constant(layout, worth.value)
        if packed is None:
            frame.emit(frame.returning(ERROR))
            return "0"
        return literal(packed)
    if isinstance(worth, Packed) and same(worth.layout, layout):
        return worth.text
    if isinstance(worth, Packed) and isinstance(worth.layout, MaybeLayout):
        return _bits_of_maybe(frame, worth, layout, node)
    for kind, made in _BITS:
        if isinstance(layout, kind):
            return made(frame, worth, layout, node)
    return frame.refuse(node, f"a value of {layout.domain!r} cannot be made of this")


def unwrapped(frame: Frame, worth: Packed) -> Worth:
    """Return the value that is there; where it is None, the written function gives up."""
    layout: Any = worth.layout
    text = frame.keep(worth.text)
    frame.fail(f"{text} & 1 == 0")
    return taken(layout.of, bits_of(text, layout.above, layout.of.bits))


def number_text(frame: Frame, worth: Worth, node: ast.AST) -> Number:
    """Return a value as an integer."""
    worth = load(frame, worth)
    if isinstance(worth, Packed) and isinstance(worth.layout, MaybeLayout):
        worth = unwrapped(frame, worth)
    if isinstance(worth, Constant) and isinstance(worth.value, int):
        value = int(worth.value)
        return Number(literal(value) if value >= 0 else f"({literal(value)})", value, value)
    if isinstance(worth, Number):
        return worth
    if isinstance(worth, Flag):
        return Number(f"int({worth.text})", 0, 1)
    return frame.refuse(node, "an integer is needed here")


def _int_bits(frame: Frame, worth: Worth, layout: IntLayout, node: ast.AST) -> str:
    number = number_text(frame, worth, node)
    low, high = layout.domain.low, layout.domain.high
    text = frame.keep(number.text)
    wrong = []
    if number.low is None or number.low < low:
        wrong.append(f"{text} < {low}")
    if number.high is None or number.high > high:
        wrong.append(f"{text} > {high}")
    if wrong:
        frame.fail(" or ".join(wrong))
    if text.isdigit():
        return literal(int(text) - low)
    return text if low == 0 else f"({text} - {low})" if low > 0 else f"({text} + {-low})"


def _bool_bits(frame: Frame, worth: Worth, _layout: Layout, node: ast.AST) -> str:
    if isinstance(worth, Flag):
        return f"int({worth.text})"
    number = number_text(frame, worth, node)
    text = frame.keep(number.text)
    if number.low is None or number.low < 0 or number.high is None or number.high > 1:
        frame.fail(f"{text} < 0 or {text} > 1")
    return text


def _enum_bits(frame: Frame, worth: Worth, layout: EnumLayout, node: ast.AST) -> str:
    if isinstance(worth, Packed) and isinstance(worth.layout, EnumLayout):
        return _other_enum(frame, worth, worth.layout, layout)
    if all(isinstance(member, int) for member in layout.domain.members):
        text = frame.keep(number_text(frame, worth, node).text)
        made = frame.fresh()
        frame.emit(f"{made} = -1")
        for position, member in enumerate(layout.domain.members):
            with frame.block(f"if {text} == {member}:"):
                frame.emit(f"{made} = {position}")
        frame.fail(f"{made} < 0")
        return made
    return frame.refuse(node, f"one of {layout.domain!r} is needed here")


def _other_enum(frame: Frame, worth: Packed, had: EnumLayout, layout: EnumLayout) -> str:
    text, made = frame.keep(worth.text), frame.fresh()
    frame.emit(f"{made} = -1")
    for position, member in enumerate(had.domain.members):
        if member in layout.domain.numbers:
            with frame.block(f"if {text} == {position}:"):
                frame.emit(f"{made} = {layout.domain.numbers[member]}")
    frame.fail(f"{made} < 0")
    return made


def _maybe_bits(frame: Frame, worth: Worth, layout: MaybeLayout, node: ast.AST) -> str:
    return f"(1 | ({bits(frame, worth, layout.of, node)} << {layout.above}))"


def _bits_of_maybe(frame: Frame, worth: Packed, layout: Layout, node: ast.AST) -> str:
    if not isinstance(layout, MaybeLayout):
        return bits(frame, unwrapped(frame, worth), layout, node)
    had: Any = worth.layout
    text, made = frame.keep(worth.text), frame.fresh()
    frame.emit(f"{made} = 0")
    with frame.block(f"if {text} & 1 != 0:"):
        inner = taken(had.of, bits_of(text, had.above, had.of.bits))
        frame.emit(f"{made} = {_maybe_bits(frame, inner, layout, node)}")
    return made


def one_by_one(frame: Frame, worth: Parts, node: ast.AST) -> list[Worth]:
    """Return the items of what is written out; refuse a set, of which two may be equal, and in any order."""
    if worth.kind == "set":
        frame.refuse(
            node, "elements of a set that is written out may be equal: they are not compiled one by one"
        )
    return list(worth.items)


def _parts_bits(frame: Frame, worth: Worth, layout: PartsLayout, node: ast.AST) -> str:
    if not isinstance(worth, Parts) or len(worth.items) != len(layout.parts):
        return frame.refuse(node, f"a value of {layout.domain!r} is needed here")
    placed = zip(layout.parts, layout.offsets, one_by_one(frame, worth, node), strict=True)
    return _joined([(bits(frame, item, part, node), offset) for part, offset, item in placed])


def _joined(placed: list[tuple[str, int]]) -> str:
    return "(" + " | ".join(text if at == 0 else f"({text} << {at})" for text, at in placed) + ")"


def _set_bits(frame: Frame, worth: Worth, layout: SetLayout, node: ast.AST) -> str:
    if isinstance(worth, Parts):
        numbers = [ranked(frame, item, layout, node) for item in worth.items]
        return "(" + " | ".join(f"(1 << {number})" for number in numbers) + ")" if numbers else "0"
    return frame.refuse(node, f"a set of {layout.domain.of!r} is needed here")


def _seq_bits(frame: Frame, worth: Worth, layout: SeqLayout, node: ast.AST) -> str:
    if not isinstance(worth, Parts):
        return frame.refuse(node, f"a sequence of {layout.domain.of!r} is needed here")
    if len(worth.items) > layout.domain.most:
        frame.emit(frame.returning(ERROR))
        return "0"
    placed = [(literal(len(worth.items)), 0)]
    for position, item in enumerate(one_by_one(frame, worth, node)):
        offset = layout.above + layout.elements.offset(position)
        placed.append((bits(frame, item, layout.elements.of, node), offset))
    return _joined(placed)


def _array_bits(frame: Frame, worth: Worth, layout: ArrayLayout, node: ast.AST) -> str:
    if not isinstance(worth, Parts) or len(worth.items) != layout.count:
        return frame.refuse(node, f"{layout.count} values of {layout.of.domain!r} are needed here")
    placed = [
        (bits(frame, item, layout.of, node), layout.offset(position))
        for position, item in enumerate(one_by_one(frame, worth, node))
    ]
    return _joined(placed)


_BITS: tuple[tuple[Any, Any], ...] = (
    (IntLayout, _int_bits),
    (BoolLayout, _bool_bits),
    (EnumLayout, _enum_bits),
    (MaybeLayout, _maybe_bits),
    (PartsLayout, _parts_bits),
    (SetLayout, _set_bits),
    (SeqLayout, _seq_bits),
    (ArrayLayout, _array_bits),
)


def ranked(frame: Frame, worth: Worth, layout: SetLayout, node: ast.AST) -> str:
    """Return which bit of a set stands for a value; outside its domain, the written function gives up."""
    if isinstance(worth, Constant):
        try:
            return literal(layout.domain.number(worth.value))
        except DomainError:
            frame.emit(frame.returning(ERROR))
            return "0"
    of = layout_of(layout.domain.of, "a set's element")
    return frame.keep(rank(bits(frame, worth, of, node), of))


def rank(text: str, layout: Layout) -> str:
    """Return the text of a value's number among those of its domain, of its bits."""
    if isinstance(layout, MaybeLayout):
        return f"(({text} & 1) * (1 + {rank(bits_of(text, layout.above, layout.of.bits), layout.of)}))"
    if isinstance(layout, PartsLayout):
        parts = list(zip(layout.parts, layout.offsets, strict=True))
        return _mixed_radix(text, parts)
    if isinstance(layout, ArrayLayout):
        return _mixed_radix(text, [(layout.of, layout.offset(position)) for position in range(layout.count)])
    return text


def _mixed_radix(text: str, parts: list[tuple[Layout, int]]) -> str:
    total = "0"
    for layout, offset in parts:
        part = bits_of(text, offset, layout.bits)
        total = f"({total} * {layout.domain.size} + {rank(part, layout)})"
    return total


def unranked(number: str, layout: Layout) -> str:
    """Return the text of the bits of the value that has a number; the inverse of ranking."""
    if isinstance(layout, MaybeLayout):
        inner = unranked(f"({number} - 1)", layout.of)
        return f"((1 | ({inner} << {layout.above})) if {number} > 0 else 0)"
    if isinstance(layout, PartsLayout | ArrayLayout):
        parts = layout.parts if isinstance(layout, PartsLayout) else (layout.of,) * layout.count
        placed, divisor = [], 1
        for position in reversed(range(len(parts))):
            part: Any = parts[position]
            offset = layout.offsets[position] if isinstance(layout, PartsLayout) else layout.offset(position)
            own = f"({number} // {divisor} % {part.domain.size})"
            placed.append((unranked(own, part), offset))
            divisor *= part.domain.size
        return _joined(placed)
    return number


def store(frame: Frame, place: Place, worth: Worth, node: ast.AST) -> None:
    """Write a value to a place."""
    if place.state.fixed:
        frame.refuse(node, "only an action may change the state")
    if place.layout.small:
        write(frame, place, frame.keep(bits(frame, worth, place.layout, node)))
    elif isinstance(worth, Constant):
        _store_constant(frame, place, worth.value)
    elif isinstance(worth, Place) and same(worth.layout, place.layout):
        _store_words(frame, place, worth, node)
    else:
        frame.refuse(node, f"a value of {place.layout.bits} bits can only be copied or set to a constant")


def _store_constant(frame: Frame, place: Place, value: Any) -> None:
    packed = packed_constant(place.layout, value)
    if packed is None:
        frame.emit(frame.returning(ERROR))
        return
    for at, word in word_places(place):
        write(frame, word, literal(packed >> at & (1 << 64) - 1))


def _store_words(frame: Frame, place: Place, source: Place, node: ast.AST) -> None:
    del node
    values = [frame.keep(read(frame, word)) for _, word in word_places(source)]
    for (_, word), value in zip(word_places(place), values, strict=True):
        write(frame, word, value)
