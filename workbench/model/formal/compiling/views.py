"""What of a state counts, as words: two states have equal words where a model's view of them is equal.

A view's result is a number, a boolean, a value of a domain, or a tuple of these. As Python compares them, so
do the words: all returns of the function must be of the same kind, one word or more for each part.
"""

import ast
from typing import Any

from workbench.model.formal._declaring import Declared
from workbench.model.formal._models import Specification
from workbench.model.formal.compiling.frames import NO_KEY, OK, Frame, Program
from workbench.model.formal.compiling.places import load, read, word_places
from workbench.model.formal.compiling.values import (
    Constant,
    Flag,
    Number,
    Packed,
    Parts,
    Place,
    State,
    Worth,
    literal,
)
from workbench.model.formal.errors import NotCompilableError

__all__ = ["write_view"]


def write_view(program: Program, declared: Specification) -> int:
    """Write the function `key_of`: from a state's words to a status and those of its view; return how many.

    Raises
    ------
    NotCompilableError
        When the compiled engine does not know something that the view uses, or constraints go with it.
    """
    view = declared.of_kind("view")[0]
    if declared.of_kind("constraint"):
        msg = f"{declared.name}: a view together with constraints is known to the interpreted engine only"
        raise NotCompilableError(msg)
    returning = _Returning(view)
    frame = Frame(program, view.function, None)
    frame.key = returning.text
    frame.names[view.function.__code__.co_varnames[0]] = State("w", fixed=True)
    for node in frame.tree.body:
        frame.statement(node)
    if not _always_returns(frame.tree.body):
        frame.refuse(frame.tree, "a view that may end without `return` is not compiled")
    words, nothing = ", ".join(program.registers("w")), ", ".join(["0"] * returning.words)
    lines = [line.replace(NO_KEY, nothing) for line in frame.lines]
    program.add("\n".join([f"@inlined\ndef key_of({words}):", *lines]))
    return returning.words


class _Returning:
    """How a view returns: the kinds of its result's parts are those of the first return."""

    def __init__(self, view: Declared) -> None:
        self.view = view
        self.kinds: list[Any] | None = None
        self.words = 0

    def text(self, frame: Frame, worth: Worth, node: ast.AST) -> str:
        """Return the statement that returns a result."""
        parts = list(_parts(frame, worth, node))
        kinds = [kind for kind, _ in parts]
        words = [text for _, texts in parts for text in texts] or ["0"]
        if self.kinds is None:
            self.kinds, self.words = kinds, len(words)
        elif self.kinds != kinds:
            frame.refuse(node, "the results of a view must all be of the same kind")
        return f"return ({OK}, {', '.join(words)},)"


def _parts(frame: Frame, worth: Worth, node: ast.AST) -> Any:
    """Yield what kind each part of a result is of, and the texts of its words."""
    worth = load(frame, worth)
    if isinstance(worth, Constant):
        yield from _of_constant(worth.value)
    elif isinstance(worth, Number):
        if max(abs(worth.low or 0), abs(worth.high or 0)) >= 1 << 63:
            frame.refuse(node, "the number may have more than 64 bits")
        yield "number", [worth.text]
    elif isinstance(worth, Flag):
        yield "number", [f"int({worth.text})"]  # as in Python, True is 1
    elif isinstance(worth, Packed):
        yield repr(worth.layout.domain), [worth.text]
    elif isinstance(worth, Place):
        yield repr(worth.layout.domain), [read(frame, word) for _, word in word_places(worth)]
    elif isinstance(worth, Parts) and worth.kind in ("tuple", "list"):
        yield "tuple", []
        for item in worth.items:
            yield from _parts(frame, item, node)
        yield "end", []
    else:
        frame.refuse(node, "a view returns numbers, values of fields, or tuples of them")


def _of_constant(value: Any) -> Any:
    if isinstance(value, int) and -(1 << 63) <= value < 1 << 63:
        yield "number", [f"({literal(int(value))})"]
    elif isinstance(value, tuple):
        yield "tuple", []
        for item in value:
            yield from _of_constant(item)
        yield "end", []
    else:
        yield ("constant", type(value), value), []


def _always_returns(body: list[ast.stmt]) -> bool:
    last = body[-1]
    if isinstance(last, ast.If):
        return bool(last.orelse) and _always_returns(last.body) and _always_returns(last.orelse)
    return isinstance(last, ast.Return)
