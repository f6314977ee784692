"""Statements of a model's text: assignments to the state and to variables, branches, loops, assertions."""

import ast
from typing import Any

from workbench.model.formal.compiling.coercing import bits, number_text, store
from workbench.model.formal.compiling.comparing import truth
from workbench.model.formal.compiling.comprehensions import bind, collected
from workbench.model.formal.compiling.containers import assign_slot, delete
from workbench.model.formal.compiling.expressions import condition, operated
from workbench.model.formal.compiling.frames import ASSERTION, OK, Frame, writes
from workbench.model.formal.compiling.iterating import each, iterated, unrolled
from workbench.model.formal.compiling.layouts import MapLayout
from workbench.model.formal.compiling.parts import item_of, kept, map_slot, position_of
from workbench.model.formal.compiling.places import load
from workbench.model.formal.compiling.values import Constant, Flag, Number, Packed, Parts, Place, State, Worth

MUTABLE = "a part of the state"


@writes(ast.Assign)
def _assign(frame: Frame, node: ast.Assign) -> None:
    for target in node.targets:
        _assign_to(frame, target, node.value, node)


@writes(ast.AnnAssign)
def _annotated(frame: Frame, node: ast.AnnAssign) -> None:
    if node.value is not None:
        _assign_to(frame, node.target, node.value, node)


def _assign_to(frame: Frame, target: ast.expr, value: ast.expr, node: ast.stmt) -> None:
    if isinstance(target, ast.Tuple | ast.List):
        worth = frame.expression(value)
        items = _items(frame, worth, len(target.elts), node)
        for part, item in zip(target.elts, items, strict=True):
            _put(frame, part, item, node)
        return
    if isinstance(value, ast.IfExp) and not isinstance(target, ast.Name):
        sides = [ast.copy_location(ast.Assign([target], side), node) for side in (value.body, value.orelse)]
        frame.statement(ast.copy_location(ast.If(value.test, [sides[0]], [sides[1]]), node))
        return
    _put(frame, target, _value_for(frame, target, value), node)


def _items(frame: Frame, worth: Worth, count: int, node: ast.AST) -> list[Worth]:
    values = unrolled(frame, worth, node)
    if values is None:
        values = [item_of(frame, worth, Constant(number), node) for number in range(count)]
    if len(values) != count:
        frame.refuse(node, f"{count} names, but {len(values)} values")
    return [kept(frame, value) for value in values]


def _value_for(frame: Frame, target: ast.expr, value: ast.expr) -> Worth:
    """Write the value of an assignment; where it goes says what a comprehension collects."""
    if isinstance(value, ast.ListComp | ast.SetComp | ast.GeneratorExp):
        place = None if isinstance(target, ast.Name) else _target(frame, target)
        return collected(frame, value, place.layout if isinstance(place, Place) else None)
    return frame.expression(value)


def _target(frame: Frame, target: ast.expr) -> Worth:
    if isinstance(target, ast.Attribute | ast.Subscript):
        return frame.expression(target)
    return frame.refuse(target, "this cannot be assigned to")


def _put(frame: Frame, target: ast.expr, worth: Worth, node: ast.stmt) -> None:
    if isinstance(target, ast.Name):
        _put_variable(frame, target, worth, node)
        return
    if isinstance(target, ast.Subscript):
        held = frame.expression(target.value)
        if isinstance(getattr(held, "layout", None), MapLayout):
            key = load(frame, frame.expression(target.slice))
            layout: Any = held.layout  # type: ignore[union-attr]
            slot = map_slot(held, position_of(frame, layout.domain.keys, key, node))
            if not isinstance(slot, Place) or slot.state.fixed:
                frame.refuse(node, "only an action may change the state")
            assign_slot(frame, slot, worth, node)
            return
    place = _target(frame, target)
    if not isinstance(place, Place):
        frame.refuse(node, f"only {MUTABLE} can be assigned to")
    _replaced(frame, place)
    store(frame, place, worth, node)


def _replaced(frame: Frame, place: Place) -> None:
    """Remember that variables which stood for a part of a field now would stand for another value."""
    for name, worth in frame.names.items():
        if isinstance(worth, Place) and worth.root == place.root and worth.state == place.state:
            frame.stale.add(name)


def _put_variable(frame: Frame, target: ast.Name, worth: Worth, node: ast.stmt) -> None:
    frame.stale.discard(target.id)
    if isinstance(worth, Place) and not _scalar(worth):
        frame.names[target.id] = worth  # another name for a part of the state, as in Python
        return
    worth = load(frame, worth)
    again = frame.assigned.get(target.id, 0) > 1 or frame.depth > 1
    if not again and isinstance(worth, Constant | Parts | State):
        frame.names[target.id] = worth
        return
    variable = f"v_{target.id}"
    had = frame.names.get(target.id)
    frame.names[target.id] = _assigned(frame, variable, worth, had, node, again=again)


def _scalar(place: Place) -> bool:
    return not isinstance(place.layout.domain.thaw(place.layout.domain.lowest), list) and not hasattr(
        place.layout.domain.thaw(place.layout.domain.lowest), "domain"
    )


def _assigned(  # noqa: PLR0913
    frame: Frame, variable: str, worth: Worth, had: Worth | None, node: ast.stmt, *, again: bool
) -> Worth:
    """Write the assignment of a variable, of the kind that it has already if it has one."""
    if isinstance(had, Flag) or (had is None and _is_flag(worth)):
        frame.emit(f"{variable} = {truth(frame, worth, node)}")
        return Flag(variable)
    if isinstance(had, Packed) or (had is None and isinstance(worth, Packed)):
        layout = had.layout if isinstance(had, Packed) else worth.layout  # type: ignore[union-attr]
        frame.emit(f"{variable} = {bits(frame, worth, layout, node)}")
        return Packed(variable, layout)
    number = number_text(frame, worth, node)
    frame.emit(f"{variable} = {number.text}")
    return Number(variable) if again else Number(variable, number.low, number.high)


def _is_flag(worth: Worth) -> bool:
    return isinstance(worth, Flag) or (isinstance(worth, Constant) and isinstance(worth.value, bool))


@writes(ast.AugAssign)
def _augmented(frame: Frame, node: ast.AugAssign) -> None:
    loaded: Any = ast.copy_location(ast.parse(ast.unparse(node.target), mode="eval").body, node.target)
    worth = operated(frame, frame.expression(loaded), node.op, frame.expression(node.value), node)
    target = node.target
    if isinstance(target, ast.Name):
        _put_variable(frame, target, worth, node)
        return
    place = _target(frame, target)
    if not isinstance(place, Place):
        frame.refuse(node, f"only {MUTABLE} can be assigned to")
    store(frame, place, worth, node)


@writes(ast.If)
def _if(frame: Frame, node: ast.If) -> None:
    text = condition(frame, node.test)
    if text in ("True", "False"):
        for each_node in node.body if text == "True" else node.orelse:
            frame.statement(each_node)
        return
    had = dict(frame.names)
    with frame.block(f"if {text}:"):
        for each_node in node.body:
            frame.statement(each_node)
    first = frame.names
    frame.names = dict(had)
    if node.orelse:
        with frame.block("else:"):
            for each_node in node.orelse:
                frame.statement(each_node)
    frame.names = _merged(first, frame.names, had)


def _merged(first: dict[str, Worth], second: dict[str, Worth], had: dict[str, Worth]) -> dict[str, Worth]:
    """Return what names stand for after a branch: what both sides agree on, and variables."""
    names: dict[str, Worth] = {}
    for name in first.keys() | second.keys():
        one, other = first.get(name), second.get(name)
        found = one if one is not None else other
        if (one is None or other is None) and name not in had and not _variable(found):
            continue
        if (
            one is not None
            and other is not None
            and one != other
            and not (_variable(one) and _variable(other))
        ):
            continue
        names[name] = found  # type: ignore[assignment]
    return names


def _variable(worth: Any) -> bool:
    return isinstance(worth, Number | Flag | Packed)


@writes(ast.For)
def _for(frame: Frame, node: ast.For) -> None:
    if node.orelse:
        frame.refuse(node, "else after a loop is not known here")
    held = iterated(frame, node.iter)
    values = unrolled(frame, held, node)
    had = dict(frame.names)
    if values is None:
        with each(frame, held, node) as (value, _):
            bind(frame, node.target, value)
            _body(frame, node)
    else:
        _unrolled_for(frame, node, values)
    frame.names = {name: worth for name, worth in frame.names.items() if name in had or _variable(worth)}


def _unrolled_for(frame: Frame, node: ast.For, values: list[Worth]) -> None:
    if any(isinstance(inner, ast.Break | ast.Continue) for inner in ast.walk(node)):
        frame.refuse(node, "break and continue need a loop over a range or over a part of the state")
    for value in values:
        bind(frame, node.target, value)
        _body(frame, node)


def _body(frame: Frame, node: ast.For | ast.While) -> None:
    for inner in node.body:
        frame.statement(inner)


@writes(ast.While)
def _while(frame: Frame, node: ast.While) -> None:
    with frame.block("while True:"):
        text = condition(frame, node.test)
        with frame.block(f"if not {text}:"):
            frame.emit("break")
        _body(frame, node)


@writes(ast.Expr)
def _expression(frame: Frame, node: ast.Expr) -> None:
    if not isinstance(node.value, ast.Constant):
        frame.expression(node.value)


@writes(ast.Return)
def _return(frame: Frame, node: ast.Return) -> None:
    if node.value is None and frame.key is None:
        frame.emit(frame.returning(OK))
        return
    if node.value is None:
        worth: Worth = Constant(None)
    elif _is_condition(frame, node.value):
        worth = Flag(condition(frame, node.value))
    else:
        worth = load(frame, frame.expression(node.value))
    if frame.key is not None:
        frame.emit(frame.key(frame, worth, node))
        return
    if worth == Constant(None):
        frame.emit(frame.returning(OK))
        return
    frame.result, text = _returned(frame, worth, node)
    frame.emit(frame.returning(OK, text))


def _is_condition(frame: Frame, node: ast.expr) -> bool:
    """Tell whether an expression is a boolean, or only its truth matters."""
    if isinstance(node, ast.BoolOp):
        return frame.judged
    return isinstance(node, ast.Compare) or (isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not))


def _returned(frame: Frame, worth: Worth, node: ast.AST) -> tuple[Worth, str]:
    had = frame.result
    if isinstance(had, Flag) or (had is None and _is_flag(worth)):
        return Flag(""), f"int({truth(frame, worth, node)})"
    if isinstance(had, Packed) or (had is None and isinstance(worth, Packed)):
        layout = had.layout if isinstance(had, Packed) else worth.layout  # type: ignore[union-attr]
        return Packed("", layout), bits(frame, worth, layout, node)
    return Number(""), number_text(frame, worth, node).text


@writes(ast.Assert)
def _assert(frame: Frame, node: ast.Assert) -> None:
    text = condition(frame, node.test)
    with frame.block(f"if not {text}:"):
        frame.emit(frame.returning(ASSERTION))


@writes(ast.Delete)
def _delete(frame: Frame, node: ast.Delete) -> None:
    for target in node.targets:
        if not isinstance(target, ast.Subscript):
            frame.refuse(node, "only keys of a map can be deleted")
        held = frame.expression(target.value)
        delete(frame, held, load(frame, frame.expression(target.slice)), node)


@writes(ast.Pass, ast.Break, ast.Continue)
def _simple(frame: Frame, node: ast.stmt) -> None:
    frame.emit(ast.unparse(node))
