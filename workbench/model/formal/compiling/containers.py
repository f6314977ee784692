"""The methods by which an action reads and changes the collections in its state."""

import ast
from collections.abc import Callable
from typing import Any

from workbench.model.formal.compiling.coercing import bits, number_text, ranked, store
from workbench.model.formal.compiling.comparing import compared
from workbench.model.formal.compiling.frames import Frame
from workbench.model.formal.compiling.iterating import each
from workbench.model.formal.compiling.layouts import ArrayLayout, IntLayout, MapLayout, SeqLayout, SetLayout
from workbench.model.formal.compiling.parts import (
    bit_place,
    item_of,
    kept,
    length_text,
    map_slot,
    position_of,
    raw,
    seq_element,
    set_bit,
)
from workbench.model.formal.compiling.places import below, bits_of, element, load, read, taken, write
from workbench.model.formal.compiling.values import Constant, Flag, Number, Packed, Place, Worth
from workbench.model.formal.domains.scalars import Int

__all__ = ["METHODS", "assign_slot", "delete"]


def delete(frame: Frame, held: Worth, key: Worth, node: ast.AST) -> None:
    """Write `del held[key]`."""
    if not isinstance(held, Place) or not isinstance(held.layout, MapLayout):
        frame.refuse(node, "only keys of a map in the state can be deleted")
    slot = map_slot(held, position_of(frame, held.layout.domain.keys, key, node))
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
    frame.fail(f"{set_bit(frame, place, number)} == 0")
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
    layout: Any = place.layout
    write(frame, below(place, 0, IntLayout(Int(0, (1 << layout.length_bits) - 1))), text)


def _seq_pop(frame: Frame, held: Worth, args: list[Worth], node: ast.AST) -> Worth:
    place = _changing(frame, held, node)
    layout: Any = place.layout
    if args and args not in ([Constant(0)], [Constant(-1)]):
        return _seq_pop_at(frame, place, number_text(frame, args[0], node).text, node)
    count = frame.keep(length_text(frame, place, node))
    frame.fail(f"{count} == 0")
    last = frame.keep(f"{count} - 1")
    if args == [Constant(0)]:
        value = kept(frame, seq_element(place, "0"))
        _shift_down(frame, place, node)
    else:
        value = kept(frame, seq_element(place, last))
        write(frame, element(place, layout.elements, layout.above, last), "0")
    _set_length(frame, place, last)
    return value


def _seq_pop_at(frame: Frame, place: Place, position: str, node: ast.AST) -> Worth:
    layout: Any = place.layout
    count = frame.keep(length_text(frame, place, node))
    at = frame.fresh()
    frame.emit(f"{at} = {position}")
    with frame.block(f"if {at} < 0:"):
        frame.emit(f"{at} += {count}")
    frame.fail(f"{at} < 0 or {at} >= {count}")
    value = kept(frame, seq_element(place, at))
    most = layout.domain.most
    for number in range(most - 1):
        with frame.block(f"if {number} >= {at}:"):
            moved = frame.keep(read(frame, element(place, layout.elements, layout.above, str(number + 1))))
            write(frame, element(place, layout.elements, layout.above, str(number)), moved)
    write(frame, element(place, layout.elements, layout.above, str(most - 1)), "0")
    _set_length(frame, place, f"({count} - 1)")
    return value


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
    total = frame.fresh()
    frame.emit(f"{total} = 0")
    with each(frame, held, node) as (value, _):
        found = compared(frame, value, ast.Eq(), args[0], node)
        with frame.block(f"if {found}:"):
            frame.emit(f"{total} += 1")
    return Number(total, 0, None)


def _map_get(frame: Frame, held: Worth, args: list[Worth], node: ast.AST) -> Worth:
    layout: Any = held.layout  # type: ignore[union-attr]
    slot = map_slot(held, position_of(frame, layout.domain.keys, args[0], node))
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
        _clear(frame, map_slot(place, position_of(frame, layout.domain.keys, args[0], node)), node)
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
