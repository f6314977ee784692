"""Functions of a model: written once for each kind of arguments that they are called with."""

import ast
import types
from collections.abc import Callable
from typing import Any

from workbench.model.formal._declaring import Declared
from workbench.model.formal.compiling.frames import OK, Frame, Program
from workbench.model.formal.compiling.places import load
from workbench.model.formal.compiling.values import Constant, Flag, Number, Packed, State, Worth

__all__ = ["call", "write_function"]


def write_function(  # noqa: PLR0913
    program: Program,
    name: str,
    function: Callable[..., Any],
    worths: list[Worth],
    changed: str | None,
    *,
    judged: bool = False,
) -> Any:
    """Write a function of the model, given what its arguments stand for; return what its result stands for.

    Of the result of one that is `judged`, the truth alone counts.

    The written function returns a status, the result as an integer, and the words of a state that it changes.
    """
    frame = Frame(program, function, changed, judged=judged)
    code = function.__code__
    parameters: list[str] = []
    for argument, worth in zip(code.co_varnames[: code.co_argcount], worths, strict=True):
        frame.names[argument] = _received(program, argument, worth, parameters)
    for node in frame.tree.body:
        frame.statement(node)
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
    return Packed(f"a_{argument}", worth.layout)  # type: ignore[union-attr]


def call(frame: Frame, function: Any, args: list[Worth], named: dict[str, Worth], node: ast.AST) -> Worth:
    """Write a call of one of the model's own functions, or of a plain function that it uses."""
    judged = isinstance(function, Declared)
    if isinstance(function, Declared):
        function = function.function
    if not isinstance(function, types.FunctionType):
        frame.refuse(node, f"{getattr(function, '__name__', function)!r} cannot be called here")
    worths = _in_order(frame, function, args, named, node)
    name, result, changed, given = _written_function(frame, function, worths, node, judged=judged)
    outcome = frame.fresh()
    frame.emit(f"{outcome} = {name}({', '.join(given)})")
    with frame.block(f"if {outcome}[0] != {OK}:"):
        frame.emit(frame.returning(f"{outcome}[0]"))
    if changed is not None:
        for number, word in enumerate(frame.program.registers(changed)):
            frame.emit(f"{word} = {outcome}[{2 + number}]")
    if isinstance(result, Flag):
        return Flag(f"({outcome}[1] != 0)")
    if isinstance(result, Packed):
        return Packed(f"{outcome}[1]", result.layout)
    return Number(f"{outcome}[1]") if isinstance(result, Number) else Constant(None)


def _in_order(
    frame: Frame, function: Any, args: list[Worth], named: dict[str, Worth], node: ast.AST
) -> list[Worth]:
    code = function.__code__
    names = code.co_varnames[: code.co_argcount]
    defaults = dict(
        zip(names[len(names) - len(function.__defaults__ or ()) :], function.__defaults__ or (), strict=True)
    )
    found = dict(zip(names, args, strict=False)) | named
    worths: list[Worth] = []
    for name in names:
        if name in found:
            worths.append(found[name])
        elif name in defaults:
            worths.append(Constant(defaults[name]))
        else:
            frame.refuse(node, f"{function.__name__} needs {name}")
    return worths


def _written_function(
    frame: Frame, function: Callable[..., Any], worths: list[Worth], node: ast.AST, *, judged: bool
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
    key = (function, tuple(key_parts), judged)
    if key in program.writing:
        frame.refuse(node, "a function that calls itself is not compiled")
    if key not in program.known:
        program.writing.add(key)
        name = f"f{len(program.known)}_{function.__name__}"
        state = next((w.prefix for w in inner if isinstance(w, State) and not w.fixed), None)
        program.known[key] = name, write_function(program, name, function, inner, state, judged=judged)
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
