"""Elements of collections, and the methods by which an action reads and changes them."""

import ast
from collections.abc import Callable, Hashable
from typing import Any

from workbench.model.formal.compiling.coercing import bits, number_text, ranked, store
from workbench.model.formal.compiling.comparing import (
    bit_place,
    compared,
    length_text,
    raw,
    set_bit,
)
from workbench.model.formal.compiling.frames import ERROR, Frame
from workbench.model.formal.compiling.layouts import (
    ArrayLayout,
    EnumLayout,
    MapLayout,
    MaybeLayout,
    PartsLayout,
    SeqLayout,
    SetLayout,
)
from workbench.model.formal.compiling.places import below, bits_of, element, load, read, taken, write
from workbench.model.formal.compiling.values import (
    Constant,
    Flag,
    Number,
    Packed,
    Place,
    Worth,
    literal,
)

__all__ = [
    "METHODS",
    "array_element",
    "delete",
    "assign_slot",
    "item_of",
    "kept",
    "key_at",
    "map_slot",
    "part_of",
    "position_of",
    "seq_element",
]


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
        from workbench.model.formal.domains.scalars import Enum

        return Packed(position, EnumLayout(Enum(*keys)))
    return frame.refuse(node, "keys must be integers or texts")


def array_element(frame: Frame, held: Worth, position: str) -> Worth:
    """Return an element of an array: a place, or the value of packed bits."""
    layout: Any = held.layout  # type: ignore[union-attr]
    if isinstance(held, Place):
        return element(held, layout, 0, position)
    at = literal(layout.offset(int(position))) if position.isdigit() else f"({position} * {layout.of.bits})"
    return taken(layout.of, bits_of(held.text, at, layout.of.bits))  # type: ignore[union-attr]


def map_slot(frame: Frame, held: Worth, position: str) -> Worth:
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


def seq_element(frame: Frame, held: Worth, position: str) -> Worth:
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
        return array_element(frame, held, position_of(frame, layout.domain.keys, key, node))
    if isinstance(layout, MapLayout):
        slot = map_slot(frame, held, position_of(frame, layout.domain.keys, key, node))
        frame.fail(f"{raw(frame, slot)} & 1 == 0")
        return _slot_value(frame, slot)
    if isinstance(layout, SeqLayout):
        return seq_element(frame, held, _seq_position(frame, held, key, node))
    if isinstance(layout, PartsLayout) and isinstance(key, Constant):
        return part_of(frame, held, key.value, node)
    return frame.refuse(node, "this has no elements by key")


def _there(frame: Frame, held: Any) -> Worth:
    """Return the value of one that may be None; where it is, the written function gives up."""
    layout = held.layout
    if isinstance(held, Place):
        from workbench.model.formal.compiling.layouts import BoolLayout
        from workbench.model.formal.domains.scalars import Bool

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


def delete(frame: Frame, held: Worth, key: Worth, node: ast.AST) -> None:
    """Write `del held[key]`."""
    if not isinstance(held, Place) or not isinstance(held.layout, MapLayout):
        frame.refuse(node, "only keys of a map in the state can be deleted")
    slot = map_slot(frame, held, position_of(frame, held.layout.domain.keys, key, node))
    frame.fail(f"{raw(frame, slot)} & 1 == 0")
    _clear(frame, slot, node)


def _clear(frame: Frame, place: Any, node: ast.AST) -> None:
    if place.layout.small:
        write(frame, place, "0")
    else:
        frame.refuse(node, "a value of more than 64 bits cannot be taken out")


def assign_slot(frame: Frame, slot: Any, worth: Worth, node: ast.AST) -> None:
    """Write a value into a slot of a map."""
    layout = slot.layout
    if layout.small:
        write(frame, slot, frame.keep(f"1 | ({bits(frame, worth, layout.of, node)} << {layout.above})"))
    else:
        frame.refuse(node, "a value of more than 64 bits cannot be put into a map")


def _changing(frame: Frame, held: Worth, node: ast.AST) -> Place:
    if not isinstance(held, Place) or held.state.fixed:
        frame.refuse(node, "only what is part of the state can be changed, and only by an action")
    return held


def _set_add(frame: Frame, held: Worth, args: list[Worth], node: ast.AST) -> Worth:
    place = _changing(frame, held, node)
    write(frame, bit_place(place, ranked(frame, args[0], place.layout, node)), "1")  # type: ignore[arg-type]
    return Constant(None)


def _set_discard(frame: Frame, held: Worth, args: list[Worth], node: ast.AST) -> Worth:
    place = _changing(frame, held, node)
    write(frame, bit_place(place, ranked(frame, args[0], place.layout, node)), "0")  # type: ignore[arg-type]
    return Constant(None)


def _set_remove(frame: Frame, held: Worth, args: list[Worth], node: ast.AST) -> Worth:
    place = _changing(frame, held, node)
    layout: Any = place.layout
    number = ranked(frame, args[0], layout, node)
    frame.fail(f"{set_bit(frame, place, layout, number)} == 0")
    write(frame, bit_place(place, number), "0")
    return Constant(None)


def _set_algebra(sign: str, *, changes: bool) -> Callable[..., Worth]:
    def apply(frame: Frame, held: Worth, args: list[Worth], node: ast.AST) -> Worth:
        layout: Any = held.layout  # type: ignore[union-attr]
        if not layout.small:
            frame.refuse(node, "sets of more than 64 possible elements have no algebra here")
        made = raw(frame, held)
        for other in args:
            made = f"({made} {sign}{bits(frame, other, layout, node)})"
        if changes:
            store(frame, _changing(frame, held, node), Packed(made, layout), node)
            return Constant(None)
        return Packed(frame.keep(made), layout)

    return apply


def _set_compare(operator: ast.cmpop) -> Callable[..., Worth]:
    def apply(frame: Frame, held: Worth, args: list[Worth], node: ast.AST) -> Worth:
        return Flag(compared(frame, held, operator, args[0], node))

    return apply


def _set_disjoint(frame: Frame, held: Worth, args: list[Worth], node: ast.AST) -> Worth:
    layout: Any = held.layout  # type: ignore[union-attr]
    return Flag(f"({raw(frame, held)} & {bits(frame, args[0], layout, node)}) == 0")


def _cleared(frame: Frame, held: Worth, args: list[Worth], node: ast.AST) -> Worth:
    del args
    place = _changing(frame, held, node)
    store(frame, place, Constant(place.layout.domain.thaw(place.layout.domain.lowest)), node)
    return Constant(None)


def _copied(frame: Frame, held: Worth, args: list[Worth], node: ast.AST) -> Worth:
    del args, node
    worth = load(frame, held)
    return Packed(frame.keep(worth.text), worth.layout) if isinstance(worth, Packed) else worth


def _seq_append(frame: Frame, held: Worth, args: list[Worth], node: ast.AST) -> Worth:
    place = _changing(frame, held, node)
    layout: Any = place.layout
    count = frame.keep(length_text(frame, place, node))
    frame.fail(f"{count} >= {layout.domain.most}")
    value = frame.keep(bits(frame, args[0], layout.elements.of, node))
    write(frame, element(place, layout.elements, layout.above, count), value)
    _set_length(frame, place, f"({count} + 1)")
    return Constant(None)


def _set_length(frame: Frame, place: Place, text: str) -> None:
    from workbench.model.formal.compiling.layouts import IntLayout
    from workbench.model.formal.domains.scalars import Int

    layout: Any = place.layout
    write(frame, below(place, 0, IntLayout(Int(0, (1 << layout.length_bits) - 1))), text)


def _seq_pop(frame: Frame, held: Worth, args: list[Worth], node: ast.AST) -> Worth:
    place = _changing(frame, held, node)
    layout: Any = place.layout
    if args and args != [Constant(0)] and args != [Constant(-1)]:
        frame.refuse(node, "pop() and pop(0) are known here")
    count = frame.keep(length_text(frame, place, node))
    frame.fail(f"{count} == 0")
    last = frame.keep(f"{count} - 1")
    if args == [Constant(0)]:
        value = kept(frame, seq_element(frame, place, "0"))
        _shift_down(frame, place, node)
    else:
        value = kept(frame, seq_element(frame, place, last))
        write(frame, element(place, layout.elements, layout.above, last), "0")
    _set_length(frame, place, last)
    return value


def kept(frame: Frame, worth: Worth) -> Worth:
    """Return a value that later writes do not change."""
    found = load(frame, worth)
    if isinstance(found, Number):
        return Number(frame.keep(found.text), found.low, found.high)
    if isinstance(found, Flag):
        return Flag(frame.keep(found.text))
    return Packed(frame.keep(found.text), found.layout) if isinstance(found, Packed) else found


def _shift_down(frame: Frame, place: Place, node: ast.AST) -> None:
    layout: Any = place.layout
    if layout.small:
        text = frame.keep(read(frame, place))
        size = layout.elements.of.bits
        rest = bits_of(text, layout.above + size, layout.elements.bits - size)
        write(frame, place, frame.keep(f"({rest} << {layout.above})"))
        return
    del node
    for position in range(layout.domain.most - 1):
        moved = frame.keep(read(frame, element(place, layout.elements, layout.above, str(position + 1))))
        write(frame, element(place, layout.elements, layout.above, str(position)), moved)
    write(frame, element(place, layout.elements, layout.above, str(layout.domain.most - 1)), "0")


def _counted(frame: Frame, held: Worth, args: list[Worth], node: ast.AST) -> Worth:
    from workbench.model.formal.compiling.iterating import each

    total = frame.fresh()
    frame.emit(f"{total} = 0")
    with each(frame, held, node) as (value, _):
        found = compared(frame, value, ast.Eq(), args[0], node)
        with frame.block(f"if {found}:"):
            frame.emit(f"{total} += 1")
    return Number(total, 0, None)


def _map_get(frame: Frame, held: Worth, args: list[Worth], node: ast.AST) -> Worth:
    layout: Any = held.layout  # type: ignore[union-attr]
    slot = map_slot(frame, held, position_of(frame, layout.domain.keys, args[0], node))
    text = frame.keep(raw(frame, slot))
    default = args[1] if len(args) > 1 else Constant(None)
    if default == Constant(None):
        return Packed(text, layout.slots.of)
    found = frame.fresh()
    of = layout.slots.of.of
    frame.emit(f"{found} = {bits(frame, default, of, node)}")
    with frame.block(f"if {text} & 1 != 0:"):
        frame.emit(f"{found} = {bits_of(text, layout.slots.of.above, of.bits)}")
    return taken(of, found)


def _map_pop(frame: Frame, held: Worth, args: list[Worth], node: ast.AST) -> Worth:
    place = _changing(frame, held, node)
    layout: Any = place.layout
    if len(args) > 1:
        found = _map_get(frame, held, args, node)
        value = kept(frame, found)
        _clear(frame, map_slot(frame, place, position_of(frame, layout.domain.keys, args[0], node)), node)
        return value
    value = kept(frame, item_of(frame, held, args[0], node))
    delete(frame, held, args[0], node)
    return value


METHODS: dict[tuple[Any, str], Callable[..., Worth]] = {
    (SetLayout, "add"): _set_add,
    (SetLayout, "discard"): _set_discard,
    (SetLayout, "remove"): _set_remove,
    (SetLayout, "update"): _set_algebra("| ", changes=True),
    (SetLayout, "union"): _set_algebra("| ", changes=False),
    (SetLayout, "issubset"): _set_compare(ast.LtE()),
    (SetLayout, "issuperset"): _set_compare(ast.GtE()),
    (SetLayout, "isdisjoint"): _set_disjoint,
    (SetLayout, "clear"): _cleared,
    (SetLayout, "copy"): _copied,
    (SeqLayout, "append"): _seq_append,
    (SeqLayout, "pop"): _seq_pop,
    (SeqLayout, "clear"): _cleared,
    (SeqLayout, "copy"): _copied,
    (SeqLayout, "count"): _counted,
    (ArrayLayout, "count"): _counted,
    (MapLayout, "get"): _map_get,
    (MapLayout, "pop"): _map_pop,
    (MapLayout, "clear"): _cleared,
}
