"""Comprehensions and generator expressions: loops that look for, count or collect."""

import ast
from collections.abc import Callable
from typing import Any

from workbench.model.formal.compiling.coercing import bits, number_text, ranked
from workbench.model.formal.compiling.expressions import condition
from workbench.model.formal.compiling.frames import Frame, writes
from workbench.model.formal.compiling.iterating import each, iterated, unrolled
from workbench.model.formal.compiling.layouts import (
    ArrayLayout,
    EnumLayout,
    IntLayout,
    Layout,
    SeqLayout,
    SetLayout,
)
from workbench.model.formal.compiling.parts import kept, part_of
from workbench.model.formal.compiling.places import load
from workbench.model.formal.compiling.values import Constant, Number, Packed, Parts, Worth, literal
from workbench.model.formal.domains.scalars import Int
from workbench.model.formal.domains.sets import Set

__all__ = ["bind", "collected", "found_any", "loop", "reduced"]

Comprehension = Any  # ast.GeneratorExp | ast.ListComp | ast.SetComp


def loop(frame: Frame, target: ast.expr, iterable: ast.expr, body: Callable[[], None]) -> None:
    """Write a loop over an iterable, with the target bound in its body."""
    held = iterated(frame, iterable)
    values = unrolled(frame, held, iterable)
    if values is not None:
        for value in values:
            bind(frame, target, value)
            body()
        return
    with each(frame, held, iterable) as (value, _):
        bind(frame, target, value)
        body()


def bind(frame: Frame, target: ast.expr, worth: Worth) -> None:
    """Let the names of a loop's target stand for a value."""
    if isinstance(target, ast.Name):
        frame.names[target.id] = worth
        frame.stale.discard(target.id)
        return
    if not isinstance(target, ast.Tuple | ast.List):
        frame.refuse(target, "a loop's target is a name, or a tuple of names")
    for position, part in enumerate(target.elts):
        bind(frame, part, _part(frame, worth, position, target))


def _part(frame: Frame, worth: Worth, position: int, node: ast.AST) -> Worth:
    if isinstance(worth, Constant):
        return Constant(worth.value[position])
    if isinstance(worth, Parts):
        part: Worth = worth.items[position]
        return part
    return part_of(frame, worth, position, node)


def _nested(frame: Frame, node: Comprehension, body: Callable[[], None], number: int = 0) -> None:
    """Write the loops and conditions of a comprehension around what each of its elements needs."""
    if number == len(node.generators):
        body()
        return
    part = node.generators[number]

    def within(conditions: list[ast.expr]) -> None:
        if not conditions:
            _nested(frame, node, body, number + 1)
            return
        with frame.block(f"if {condition(frame, conditions[0])}:"):
            within(conditions[1:])

    had = dict(frame.names)
    loop(frame, part.target, part.iter, lambda: within(list(part.ifs)))
    frame.names = had


def found_any(frame: Frame, node: Comprehension, *, wanted: bool) -> str:
    """Write `any(...)`, or `all(...)` as the absence of what is not."""
    found = frame.fresh()
    frame.emit(f"{found} = False")

    def look() -> None:
        with frame.block(f"if not {found}:"):
            text = condition(frame, node.elt)
            frame.emit(f"{found} = {text}" if wanted else f"{found} = not {text}")

    _nested(frame, node, look)
    return found if wanted else f"(not {found})"


def reduced(frame: Frame, node: Comprehension, function: Any) -> Number:
    """Write `sum(...)`, `min(...)` or `max(...)` over a comprehension."""
    total, seen = frame.fresh(), frame.fresh()
    frame.emit(f"{total} = 0")
    if function is not sum:
        frame.emit(f"{seen} = False")

    def take() -> None:
        text = frame.keep(number_text(frame, frame.expression(node.elt), node).text)
        if function is sum:
            frame.emit(f"{total} += {text}")
            return
        sign = "<" if function is min else ">"
        with frame.block(f"if not {seen} or {text} {sign} {total}:"):
            frame.emit(f"{total} = {text}")
        frame.emit(f"{seen} = True")

    _nested(frame, node, take)
    if function is not sum:
        frame.fail(f"not {seen}")
    return Number(total, 0 if function is sum and _counts(node) else None, None)


def _counts(node: Comprehension) -> bool:
    return isinstance(node.elt, ast.Constant | ast.Compare)


@writes(ast.SetComp, ast.ListComp, ast.GeneratorExp)
def _comprehension(frame: Frame, node: Comprehension) -> Worth:
    return collected(frame, node, None)


def collected(frame: Frame, node: Comprehension, layout: Layout | None) -> Worth:
    """Write a comprehension that makes a set, a sequence or an array of a layout."""
    if isinstance(node, ast.SetComp) or isinstance(layout, SetLayout):
        return _collected_set(frame, node, layout)
    if isinstance(layout, SeqLayout) and layout.small:
        return _collected_seq(frame, node, layout)
    if isinstance(layout, ArrayLayout) and layout.small:
        return _collected_array(frame, node, layout)
    return frame.refuse(
        node, "a comprehension is known where it is assigned, counted, or given to any() or all()"
    )


def _collected_set(frame: Frame, node: Comprehension, layout: Layout | None) -> Worth:
    made = frame.fresh()
    frame.emit(f"{made} = 0")
    found: list[SetLayout] = [layout] if isinstance(layout, SetLayout) else []

    def take() -> None:
        worth = kept(frame, load(frame, frame.expression(node.elt)))
        if not found:
            found.append(_set_of(frame, worth, node))
        frame.emit(f"{made} |= 1 << {ranked(frame, worth, found[0], node)}")

    _nested(frame, node, take)
    if not found:
        return Constant(frozenset())
    if not found[0].small:
        frame.refuse(node, "a set of more than 64 possible elements is made by add() only")
    return Packed(made, found[0])


def _set_of(frame: Frame, worth: Worth, node: ast.AST) -> SetLayout:
    """Return the set that elements like this one are of, where it is not said."""
    if isinstance(worth, Number) and worth.low is not None and worth.high is not None:
        return SetLayout(Set(Int(worth.low, worth.high)))
    if isinstance(worth, Packed) and isinstance(worth.layout, EnumLayout | IntLayout):
        return SetLayout(Set(worth.layout.domain))
    return frame.refuse(node, "it is not known what set this is: assign it to a field")


def _collected_seq(frame: Frame, node: Comprehension, layout: SeqLayout) -> Worth:
    made, count = frame.fresh(), frame.fresh()
    frame.emit(f"{made} = 0")
    frame.emit(f"{count} = 0")

    def take() -> None:
        text = frame.keep(bits(frame, frame.expression(node.elt), layout.elements.of, node))
        frame.fail(f"{count} >= {layout.domain.most}")
        frame.emit(f"{made} |= {text} << ({layout.above} + {count} * {layout.elements.of.bits})")
        frame.emit(f"{count} += 1")

    _nested(frame, node, take)
    return Packed(f"({made} | {count})", layout)


def _collected_array(frame: Frame, node: Comprehension, layout: ArrayLayout) -> Worth:
    made, count = frame.fresh(), frame.fresh()
    frame.emit(f"{made} = {literal(0)}")
    frame.emit(f"{count} = 0")

    def take() -> None:
        text = frame.keep(bits(frame, frame.expression(node.elt), layout.of, node))
        frame.fail(f"{count} >= {layout.count}")
        frame.emit(f"{made} |= {text} << ({count} * {layout.of.bits})")
        frame.emit(f"{count} += 1")

    _nested(frame, node, take)
    frame.fail(f"{count} != {layout.count}")
    return Packed(made, layout)
