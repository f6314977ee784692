"""Statements of a model's text, and the functions that they make up."""

import ast
from collections.abc import Callable
from typing import Any

from workbench.model.formal.compiling.calls import iterated
from workbench.model.formal.compiling.coercing import bits, number_text, store
from workbench.model.formal.compiling.comparing import truth
from workbench.model.formal.compiling.comprehensions import bind, collected
from workbench.model.formal.compiling.containers import (
    assign_slot,
    delete,
    item_of,
    kept,
    map_slot,
    position_of,
)
from workbench.model.formal.compiling.expressions import condition, expression, operated
from workbench.model.formal.compiling.frames import ASSERTION, OK, Frame, Program
from workbench.model.formal.compiling.iterating import each, unrolled
from workbench.model.formal.compiling.layouts import MapLayout
from workbench.model.formal.compiling.places import load
from workbench.model.formal.compiling.values import (
    Constant,
    Flag,
    Number,
    Packed,
    Parts,
    Place,
    State,
    Worth,
)

__all__ = ["write_function", "written_function"]

MUTABLE = "a part of the state"


def write_function(
    program: Program, name: str, function: Callable[..., Any], worths: list[Worth], changed: str | None
) -> Any:
    """Write a function of the model, given what its arguments stand for; return what its result stands for.

    The written function returns a status, the result as an integer, and the words of the state if it changes it.
    """
    frame = Frame(program, function, changed)
    code = function.__code__
    parameters: list[str] = []
    for argument, worth in zip(code.co_varnames[: code.co_argcount], worths, strict=True):
        frame.names[argument] = _received(program, argument, worth, parameters)
    for node in frame.tree.body:
        statement(frame, node)
    frame.emit(frame.returning(OK))
    head = f"@inlined\ndef {name}({', '.join(parameters)}):"
    program.add("\n".join([head, *frame.lines]))
    return frame.result


def _received(program: Program, argument: str, worth: Worth, parameters: list[str]) -> Worth:
    if isinstance(worth, State):
        parameters.extend(program.registers(worth.prefix))
        return worth
    if isinstance(worth, Constant):
        return worth
    parameters.append(f"a_{argument}")
    if isinstance(worth, Number):
        return Number(f"a_{argument}", worth.low, worth.high)
    if isinstance(worth, Flag):
        return Flag(f"(a_{argument} != 0)")
    assert isinstance(worth, Packed)
    return Packed(f"a_{argument}", worth.layout)


def written_function(
    frame: Frame, function: Callable[..., Any], worths: list[Worth], node: ast.AST
) -> tuple[str, Any, str | None, list[str]]:
    """Write a function that another one calls, once for each kind of arguments.

    Return its name, what its result stands for, the state that it changes, and the texts of its arguments.
    """
    program = frame.program
    key_parts: list[Any] = []
    given: list[str] = []
    inner: list[Worth] = []
    changed: str | None = None
    for number, worth in enumerate(worths):
        if isinstance(worth, State):
            given.extend(program.registers(worth.prefix))
            mine = State(f"w{number}_", worth.fixed)
            changed = worth.prefix if not worth.fixed else changed
            inner.append(mine)
            key_parts.append(("state", worth.fixed))
            continue
        passed = load(frame, worth)
        inner.append(passed)
        key_parts.append(_kind(frame, passed, node))
        if not isinstance(passed, Constant):
            given.append(f"int({passed.text})" if isinstance(passed, Flag) else passed.text)  # type: ignore[union-attr]
    key = (function, tuple(key_parts))
    if key in program.writing:
        frame.refuse(node, "a function that calls itself is not compiled")
    if key not in program.known:
        program.writing.add(key)
        name = f"f{len(program.known)}_{function.__name__}"
        state = next((w.prefix for w in inner if isinstance(w, State) and not w.fixed), None)
        program.known[key] = name, write_function(program, name, function, inner, state)
        program.writing.discard(key)
    name, result = program.known[key]
    return name, result, changed, given


def _kind(frame: Frame, worth: Worth, node: ast.AST) -> Any:
    if isinstance(worth, Constant):
        try:
            hash(worth.value)
        except TypeError:
            return id(worth.value)
        return type(worth.value), worth.value
    if isinstance(worth, Number):
        return "number", worth.low, worth.high
    if isinstance(worth, Flag):
        return "flag"
    if isinstance(worth, Packed):
        return repr(worth.layout.domain)
    return frame.refuse(node, "a value of this kind cannot be given to a function")


def statement(frame: Frame, node: ast.stmt) -> None:
    """Write a statement."""
    known = _KNOWN.get(type(node))
    if known is None:
        frame.refuse(node, f"{type(node).__name__} is not known to the compiled engine")
    known(frame, node)


def _assign(frame: Frame, node: ast.Assign) -> None:
    for target in node.targets:
        _assign_to(frame, target, node.value, node)


def _annotated(frame: Frame, node: ast.AnnAssign) -> None:
    if node.value is not None:
        _assign_to(frame, node.target, node.value, node)


def _assign_to(frame: Frame, target: ast.expr, value: ast.expr, node: ast.stmt) -> None:
    if isinstance(target, ast.Tuple | ast.List):
        worth = expression(frame, value)
        items = _items(frame, worth, len(target.elts), node)
        for part, item in zip(target.elts, items, strict=True):
            _put(frame, part, item, node)
        return
    _put(frame, target, _value_for(frame, target, value), node)


def _items(frame: Frame, worth: Worth, count: int, node: ast.AST) -> list[Worth]:
    values = unrolled(worth)
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
    return expression(frame, value)


def _target(frame: Frame, target: ast.expr) -> Worth:
    if isinstance(target, ast.Attribute | ast.Subscript):
        return expression(frame, target)
    return frame.refuse(target, "this cannot be assigned to")


def _put(frame: Frame, target: ast.expr, worth: Worth, node: ast.stmt) -> None:
    if isinstance(target, ast.Name):
        _put_variable(frame, target, worth, node)
        return
    if isinstance(target, ast.Subscript):
        held = expression(frame, target.value)
        if isinstance(getattr(held, "layout", None), MapLayout):
            key = load(frame, expression(frame, target.slice))
            layout: Any = held.layout  # type: ignore[union-attr]
            slot = map_slot(frame, held, position_of(frame, layout.domain.keys, key, node))
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


def _assigned(
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


def _augmented(frame: Frame, node: ast.AugAssign) -> None:
    loaded: Any = ast.copy_location(ast.parse(ast.unparse(node.target), mode="eval").body, node.target)
    worth = operated(frame, expression(frame, loaded), node.op, expression(frame, node.value), node)
    target = node.target
    if isinstance(target, ast.Name):
        _put_variable(frame, target, worth, node)
        return
    place = _target(frame, target)
    if not isinstance(place, Place):
        frame.refuse(node, f"only {MUTABLE} can be assigned to")
    store(frame, place, worth, node)


def _if(frame: Frame, node: ast.If) -> None:
    text = condition(frame, node.test)
    if text in ("True", "False"):
        for each_node in node.body if text == "True" else node.orelse:
            statement(frame, each_node)
        return
    had = dict(frame.names)
    with frame.block(f"if {text}:"):
        for each_node in node.body:
            statement(frame, each_node)
    first = frame.names
    frame.names = dict(had)
    if node.orelse:
        with frame.block("else:"):
            for each_node in node.orelse:
                statement(frame, each_node)
    frame.names = _merged(first, frame.names, had, bool(node.orelse))


def _merged(
    first: dict[str, Worth], second: dict[str, Worth], had: dict[str, Worth], both: bool
) -> dict[str, Worth]:
    """Return what names stand for after a branch: what both sides agree on, and variables."""
    names: dict[str, Worth] = {}
    for name in first.keys() | second.keys():
        one, other = first.get(name), second.get(name)
        found = one if one is not None else other
        if (one is None or other is None) and name not in had and not _variable(found):
            continue
        if one is not None and other is not None and one != other and not (_variable(one) and _variable(other)):
            continue
        assert found is not None
        names[name] = found
    del both
    return names


def _variable(worth: Any) -> bool:
    return isinstance(worth, Number | Flag | Packed)


def _for(frame: Frame, node: ast.For) -> None:
    if node.orelse:
        frame.refuse(node, "else after a loop is not known here")
    held = iterated(frame, node.iter)
    values = unrolled(held)
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
    frame.depth += 0
    for inner in node.body:
        statement(frame, inner)


def _while(frame: Frame, node: ast.While) -> None:
    with frame.block("while True:"):
        text = condition(frame, node.test)
        with frame.block(f"if not {text}:"):
            frame.emit("break")
        _body(frame, node)


def _expression(frame: Frame, node: ast.Expr) -> None:
    if not isinstance(node.value, ast.Constant):
        expression(frame, node.value)


def _return(frame: Frame, node: ast.Return) -> None:
    if node.value is None:
        frame.emit(frame.returning(OK))
        return
    if isinstance(node.value, ast.BoolOp | ast.Compare) or (
        isinstance(node.value, ast.UnaryOp) and isinstance(node.value.op, ast.Not)
    ):
        worth: Worth = Flag(condition(frame, node.value))
    else:
        worth = load(frame, expression(frame, node.value))
    if worth == Constant(None):
        frame.emit(frame.returning(OK))
        return
    frame.result, text = _returned(frame, worth, node)
    frame.emit(frame.returning(OK, text))


def _returned(frame: Frame, worth: Worth, node: ast.AST) -> tuple[Worth, str]:
    had = frame.result
    if isinstance(had, Flag) or (had is None and _is_flag(worth)):
        return Flag(""), f"int({truth(frame, worth, node)})"
    if isinstance(had, Packed) or (had is None and isinstance(worth, Packed)):
        layout = had.layout if isinstance(had, Packed) else worth.layout  # type: ignore[union-attr]
        return Packed("", layout), bits(frame, worth, layout, node)
    return Number(""), number_text(frame, worth, node).text


def _assert(frame: Frame, node: ast.Assert) -> None:
    text = condition(frame, node.test)
    with frame.block(f"if not {text}:"):
        frame.emit(frame.returning(ASSERTION))


def _delete(frame: Frame, node: ast.Delete) -> None:
    for target in node.targets:
        if not isinstance(target, ast.Subscript):
            frame.refuse(node, "only keys of a map can be deleted")
        held = expression(frame, target.value)
        delete(frame, held, load(frame, expression(frame, target.slice)), node)


def _simple(text: str) -> Callable[[Frame, Any], None]:
    return lambda frame, _node: frame.emit(text)


_KNOWN: dict[type, Callable[[Frame, Any], None]] = {
    ast.Assign: _assign,
    ast.AnnAssign: _annotated,
    ast.AugAssign: _augmented,
    ast.If: _if,
    ast.For: _for,
    ast.While: _while,
    ast.Expr: _expression,
    ast.Return: _return,
    ast.Assert: _assert,
    ast.Delete: _delete,
    ast.Pass: _simple("pass"),
    ast.Break: _simple("break"),
    ast.Continue: _simple("continue"),
}
