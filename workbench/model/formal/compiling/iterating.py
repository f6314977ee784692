"""Loops over what a model's text iterates: ranges, sets, sequences, arrays, maps and constants."""

import ast
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from workbench.model.formal.compiling.coercing import number_text, one_by_one, unranked
from workbench.model.formal.compiling.frames import Frame
from workbench.model.formal.compiling.layouts import (
    ArrayLayout,
    MapLayout,
    SeqLayout,
    SetLayout,
    layout_of,
)
from workbench.model.formal.compiling.parts import (
    array_element,
    key_at,
    length_text,
    map_slot,
    raw,
    seq_element,
    set_bit,
)
from workbench.model.formal.compiling.places import load, taken
from workbench.model.formal.compiling.values import Constant, Number, Packed, Parts, Place, State, Worth

__all__ = ["Span", "each", "iterated", "unrolled"]


@dataclass(frozen=True, slots=True)
class Span:
    """The numbers of a `range(...)` that is known at run time."""

    start: Number
    stop: Number
    step: int


def unrolled(frame: Frame, iterable: Any, node: ast.AST) -> list[Worth] | None:
    """Return the values of an iterable that is known now, but for numbers, which a loop counts; else None."""
    if isinstance(iterable, Parts):
        return one_by_one(frame, iterable, node)
    if isinstance(iterable, Constant) and not isinstance(iterable.value, range):
        return [Constant(value) for value in iterable.value]
    return None


@contextmanager
def each(frame: Frame, iterable: Any, node: ast.AST) -> Iterator[tuple[Worth, str]]:
    """Write a loop; yields the value and its position while the body is written."""
    if isinstance(iterable, Constant) and isinstance(iterable.value, range):
        held = iterable.value
        iterable = Span(Number(str(held.start)), Number(str(held.stop)), held.step)
        bounds = (min(held), max(held)) if held else (0, 0)
        with _counted(frame, iterable, bounds) as found:
            yield found
    elif isinstance(iterable, Span):
        with _counted(frame, iterable, _bounds(iterable)) as found:
            yield found
    else:
        layout = getattr(iterable, "layout", None)
        for kind, loop in _LOOPS:
            if isinstance(layout, kind):
                with loop(frame, iterable, layout, node) as found:
                    yield found
                return
        frame.refuse(node, "this cannot be iterated in the compiled engine")


def _bounds(span: Span) -> tuple[int | None, int | None]:
    if span.step < 0:
        low = None if span.stop.low is None else span.stop.low + 1
        return low, span.start.high
    return span.start.low, None if span.stop.high is None else span.stop.high - 1


@contextmanager
def _counted(frame: Frame, span: Span, bounds: tuple[int | None, int | None]) -> Iterator[tuple[Worth, str]]:
    name = frame.fresh()
    with frame.block(f"for {name} in range({span.start.text}, {span.stop.text}, {span.step}):"):
        yield Number(name, *bounds), name


@contextmanager
def _over_set(frame: Frame, worth: Any, layout: SetLayout, _node: ast.AST) -> Iterator[tuple[Worth, str]]:
    held = Packed(frame.keep(raw(frame, worth)), layout) if layout.small else _snapshot(frame, worth)
    name = frame.fresh()
    of = layout_of(layout.domain.of, "a set's element")
    with (
        frame.block(f"for {name} in range({len(layout.domain.elements)}):"),
        frame.block(f"if {set_bit(frame, held, name)} != 0:"),
    ):
        yield _of_number(frame, name, of), name


def _of_number(frame: Frame, name: str, of: Any) -> Worth:
    found = taken(of, unranked(name, of))
    return Packed(frame.keep(found.text), of) if isinstance(found, Packed) else found


def _snapshot(frame: Frame, worth: Any) -> Place:
    """Return a copy of a place's words, which the body may change."""
    prefix = frame.fresh() + "_"
    for word in worth.words:
        frame.emit(f"{prefix}{word} = {worth.state.prefix}{word}")
    return Place(State(prefix, fixed=True), worth.word, worth.shift, worth.layout, worth.words, worth.root)


@contextmanager
def _over_seq(frame: Frame, worth: Any, layout: SeqLayout, node: ast.AST) -> Iterator[tuple[Worth, str]]:
    held = Packed(frame.keep(raw(frame, worth)), layout) if layout.small else _snapshot(frame, worth)
    count = frame.keep(length_text(frame, held, node))
    name = frame.fresh()
    with frame.block(f"for {name} in range({count}):"):
        yield seq_element(held, name), name


@contextmanager
def _over_array(frame: Frame, worth: Any, layout: ArrayLayout, _node: ast.AST) -> Iterator[tuple[Worth, str]]:
    name = frame.fresh()
    with frame.block(f"for {name} in range({layout.count}):"):
        yield array_element(worth, name), name


@contextmanager
def _over_map(frame: Frame, worth: Any, layout: MapLayout, node: ast.AST) -> Iterator[tuple[Worth, str]]:
    held = Packed(frame.keep(raw(frame, worth)), layout) if layout.small else _snapshot(frame, worth)
    name = frame.fresh()
    with (
        frame.block(f"for {name} in range({layout.slots.count}):"),
        frame.block(f"if {raw(frame, map_slot(held, name))} & 1 != 0:"),
    ):
        yield key_at(frame, layout.domain.keys, name, node), name


_LOOPS: tuple[tuple[Any, Any], ...] = (
    (SetLayout, _over_set),
    (SeqLayout, _over_seq),
    (ArrayLayout, _over_array),
    (MapLayout, _over_map),
)


def iterated(frame: Frame, node: ast.expr) -> Any:
    """Return what a loop goes over: a constant, a collection, or the numbers of a range."""
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id not in frame.names:
        function = frame.lookup(node.func)
        if function == Constant(range):
            return _span(frame, node)
        if isinstance(function, Constant) and function.value in (list, tuple, sorted) and len(node.args) == 1:
            return _ordered(frame, function.value, node)
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and not node.args:
        held = frame.expression(node.func.value)
        if isinstance(getattr(held, "layout", None), MapLayout) and node.func.attr == "keys":
            return held
    return frame.expression(node)


def _ordered(frame: Frame, function: Any, node: ast.Call) -> Any:
    """Return a set or a map itself for `list(...)`, and for `sorted(...)` if it is gone through so anyway."""
    held = frame.expression(node.args[0])
    layout = getattr(held, "layout", None)
    if not isinstance(layout, SetLayout | MapLayout) or node.keywords:
        return frame.expression(node)
    if function is sorted and not _is_ascending(layout):
        frame.refuse(node, "this order is known to the interpreted engine only")
    return held


def _is_ascending(layout: SetLayout | MapLayout) -> bool:
    domain = layout.domain
    values = list(domain.of.values()) if isinstance(layout, SetLayout) else list(domain.keys)  # type: ignore[union-attr]
    try:
        return bool(values == sorted(values))
    except TypeError:
        return False


def _span(frame: Frame, node: ast.Call) -> Any:
    args = [load(frame, frame.expression(arg)) for arg in node.args]
    if all(isinstance(arg, Constant) for arg in args):
        return Constant(range(*(arg.value for arg in args)))  # type: ignore[union-attr]
    step = args[2] if len(args) > 2 else Constant(1)
    if not isinstance(step, Constant):
        frame.refuse(node, "the step of a range must be a constant")
    ends = [number_text(frame, arg, node) for arg in args[:2]]
    held = [Number(frame.keep(end.text), end.low, end.high) for end in ends]
    start = held[0] if len(held) > 1 else Number("0", 0, 0)
    return Span(start, held[-1], step.value)
