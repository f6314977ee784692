"""Parts of values: elements by key, lengths, and the bits of sets, in a state or in a packed value."""

import ast
from collections.abc import Hashable
from typing import Any

from workbench.model.formal.compiling.coercing import number_text, one_by_one
from workbench.model.formal.compiling.frames import ERROR, Frame
from workbench.model.formal.compiling.layouts import (
    ArrayLayout,
    BoolLayout,
    EnumLayout,
    IntLayout,
    MapLayout,
    MaybeLayout,
    PartsLayout,
    SeqLayout,
    SetLayout,
)
from workbench.model.formal.compiling.places import below, bits_of, element, load, read, taken, word_places
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
from workbench.model.formal.domains.scalars import Bool, Enum, Int

__all__ = [
    "array_element",
    "bit_place",
    "item_of",
    "kept",
    "key_at",
    "layout_in",
    "length",
    "length_text",
    "map_slot",
    "part_of",
    "position_of",
    "raw",
    "seq_element",
    "set_bit",
]


def layout_in(worth: Worth) -> Any:
    """Return the layout of a value that has one, else None."""
    return worth.layout if isinstance(worth, Packed | Place) else None


def raw(frame: Frame, worth: Worth) -> str:
    """Return the bits of a value that has a layout of at most one word."""
    return read(frame, worth) if isinstance(worth, Place) else worth.text  # type: ignore[union-attr]


def position_of(frame: Frame, keys: tuple[Hashable, ...], item: Worth, node: ast.AST) -> str:
    """Return the text of a key's position; for a value that is no key, the written function gives up."""
    item = load(frame, item)
    if isinstance(item, Constant):
        if item.value in keys:
            return str(keys.index(item.value))
        frame.emit(frame.returning(ERROR))
        return "0"
    if isinstance(item, Packed) and isinstance(item.layout, EnumLayout):
        if item.layout.domain.members == keys:
            return frame.keep(item.text)
        return _looked_up(frame, item.text, list(enumerate(item.layout.domain.members)), keys)
    number = number_text(frame, item, node)
    text = frame.keep(number.text)
    if keys != tuple(range(len(keys))):
        return _looked_up(frame, text, [(key, key) for key in keys], keys)
    if number.low is None or number.low < 0 or number.high is None or number.high >= len(keys):
        frame.fail(f"{text} < 0 or {text} >= {len(keys)}")
    return text


def _looked_up(frame: Frame, text: str, cases: list[Any], keys: tuple[Hashable, ...]) -> str:
    had, found = frame.keep(text), frame.fresh()
    frame.emit(f"{found} = -1")
    for case, key in cases:
        if key in keys:
            with frame.block(f"if {had} == {case}:"):
                frame.emit(f"{found} = {keys.index(key)}")
    frame.fail(f"{found} < 0")
    return found


def key_at(frame: Frame, keys: tuple[Hashable, ...], position: str, node: ast.AST) -> Worth:
    """Return the key that has a position at run time."""
    if keys == tuple(range(len(keys))):
        return Number(position, 0, len(keys) - 1)
    if all(isinstance(key, int) for key in keys):
        found = frame.fresh()
        frame.emit(f"{found} = 0")
        for number, key in enumerate(keys):
            with frame.block(f"if {position} == {number}:"):
                frame.emit(f"{found} = {key}")
        return Number(found, min(keys), max(keys))  # type: ignore[type-var,arg-type]
    if all(isinstance(key, str) for key in keys):
        return Packed(position, EnumLayout(Enum(*keys)))
    return frame.refuse(node, "keys must be integers or texts")


def array_element(held: Worth, position: str) -> Worth:
    """Return an element of an array: a place, or the value of packed bits."""
    layout: Any = held.layout  # type: ignore[union-attr]
    if isinstance(held, Place):
        return element(held, layout, 0, position)
    at = literal(layout.offset(int(position))) if position.isdigit() else f"({position} * {layout.of.bits})"
    return taken(layout.of, bits_of(held.text, at, layout.of.bits))  # type: ignore[union-attr]


def map_slot(held: Worth, position: str) -> Worth:
    """Return the slot of a map at a position: whether there is a value, and the value."""
    layout: Any = held.layout  # type: ignore[union-attr]
    if isinstance(held, Place):
        return element(held, layout.slots, 0, position)
    size = layout.slots.of.bits
    at = literal(int(position) * size) if position.isdigit() else f"({position} * {size})"
    return Packed(bits_of(held.text, at, size), layout.slots.of)  # type: ignore[union-attr]


def _slot_value(frame: Frame, slot: Worth) -> Worth:
    layout: Any = slot.layout  # type: ignore[union-attr]
    if isinstance(slot, Place):
        return below(slot, layout.above, layout.of)
    return taken(layout.of, bits_of(frame.keep(slot.text), layout.above, layout.of.bits))  # type: ignore[union-attr]


def seq_element(held: Worth, position: str) -> Worth:
    """Return an element of a sequence, which must be there."""
    layout: Any = held.layout  # type: ignore[union-attr]
    if isinstance(held, Place):
        return element(held, layout.elements, layout.above, position)
    size = layout.elements.of.bits
    at = f"({layout.above} + {position} * {size})"
    return taken(layout.elements.of, bits_of(held.text, at, size))  # type: ignore[union-attr]


def item_of(frame: Frame, held: Worth, key: Worth, node: ast.AST) -> Worth:
    """Return what `held[key]` stands for."""
    if isinstance(held, Place | Packed) and isinstance(held.layout, MaybeLayout):
        held = _there(frame, held)
    layout = held.layout if isinstance(held, Place | Packed) else None
    if isinstance(layout, ArrayLayout):
        return array_element(held, position_of(frame, layout.domain.keys, key, node))
    if isinstance(layout, MapLayout):
        slot = map_slot(held, position_of(frame, layout.domain.keys, key, node))
        frame.fail(f"{raw(frame, slot)} & 1 == 0")
        return _slot_value(frame, slot)
    if isinstance(layout, SeqLayout):
        return seq_element(held, _seq_position(frame, held, key, node))
    if isinstance(layout, PartsLayout) and isinstance(key, Constant):
        return part_of(frame, held, key.value, node)
    return frame.refuse(node, "this has no elements by key")


def _there(frame: Frame, held: Any) -> Worth:
    """Return the value of one that may be None; where it is, the written function gives up."""
    layout = held.layout
    if isinstance(held, Place):
        frame.fail(f"{read(frame, below(held, 0, BoolLayout(Bool())))} == 0")
        return below(held, layout.above, layout.of)
    text = frame.keep(held.text)
    frame.fail(f"{text} & 1 == 0")
    return taken(layout.of, bits_of(text, layout.above, layout.of.bits))


def _seq_position(frame: Frame, held: Worth, key: Worth, node: ast.AST) -> str:
    count = frame.keep(length_text(frame, held, node))
    number = number_text(frame, load(frame, key), node)
    text = frame.keep(number.text)
    if number.low is None or number.low < 0:
        moved = frame.fresh()
        frame.emit(f"{moved} = {text} + {count} if {text} < 0 else {text}")
        text = moved
        frame.fail(f"{text} < 0")
    frame.fail(f"{text} >= {count}")
    return text


def part_of(frame: Frame, held: Worth, name: Any, node: ast.AST) -> Worth:
    """Return a part of a record by its name, or of a tuple by its number."""
    if isinstance(held, Place | Packed) and isinstance(held.layout, MaybeLayout):
        held = _there(frame, held)
    layout: Any = getattr(held, "layout", None)
    names = getattr(layout.domain, "names", tuple(range(len(layout.parts)))) if layout else ()
    if isinstance(name, int) and name < 0:
        name += len(names)
    if not isinstance(layout, PartsLayout) or name not in names:
        frame.refuse(node, f"there is no part {name!r} here")
    part, offset = layout.parts[names.index(name)], layout.offsets[names.index(name)]
    if isinstance(held, Place):
        return below(held, offset, part)
    return taken(part, bits_of(held.text, offset, part.bits))  # type: ignore[union-attr]


def kept(frame: Frame, worth: Worth) -> Worth:
    """Return a value that later writes do not change."""
    found = load(frame, worth)
    if isinstance(found, Number):
        return Number(frame.keep(found.text), found.low, found.high)
    if isinstance(found, Flag):
        return Flag(frame.keep(found.text))
    return Packed(frame.keep(found.text), found.layout) if isinstance(found, Packed) else found


def set_bit(frame: Frame, held: Worth, number: str) -> str:
    """Return the text of the bit of a set that has a number."""
    if isinstance(held, Place):
        return read(frame, bit_place(held, number))
    return f"(({raw(frame, held)} >> {number}) & 1)"


def bit_place(place: Place, number: str) -> Place:
    """Return the place of a set's bit."""
    layout: Any = place.layout
    bits_layout = ArrayLayout(layout.domain, BoolLayout(Bool()), len(layout.domain.elements))
    return element(place, bits_layout, 0, number)


def length(frame: Frame, worth: Worth, node: ast.AST) -> Number:
    """Return the length of a collection."""
    if isinstance(worth, Constant):
        return Number(str(len(worth.value)), len(worth.value), len(worth.value))
    if isinstance(worth, Parts):
        count = len(one_by_one(frame, worth, node))
        return Number(str(count), count, count)
    layout = layout_in(worth)
    if isinstance(layout, ArrayLayout):
        return Number(str(layout.count), layout.count, layout.count)
    text = length_text(frame, worth, node)
    if isinstance(layout, SetLayout):
        return Number(text, 0, len(layout.domain.elements))
    return Number(text, 0, layout.domain.most if isinstance(layout, SeqLayout) else None)


def length_text(frame: Frame, worth: Worth, node: ast.AST) -> str:
    """Return the text of the length of a set, a map or a sequence."""
    layout = layout_in(worth)
    if isinstance(layout, SeqLayout):
        if isinstance(worth, Place):
            length_layout = IntLayout(Int(0, (1 << layout.length_bits) - 1))
            return read(frame, below(worth, 0, length_layout))
        return bits_of(raw(frame, worth), 0, layout.length_bits)
    if isinstance(layout, SetLayout):
        if isinstance(worth, Place) and not layout.small:
            words = [read(frame, word) for _, word in word_places(worth)]
            return "(" + " + ".join(f"ones({word})" for word in words) + ")"
        return f"ones({raw(frame, worth)})"
    if isinstance(layout, MapLayout):
        return _map_length(frame, worth, layout)
    return frame.refuse(node, "len() needs a set, a map, a sequence or an array")


def _map_length(frame: Frame, worth: Worth, layout: MapLayout) -> str:
    slots = [map_slot(worth, str(position)) for position in range(layout.slots.count)]
    return "(" + " + ".join(f"({raw(frame, slot)} & 1)" for slot in slots) + ")"
