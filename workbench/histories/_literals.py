"""Values as text that Python reads back, `NIL` included."""

import ast
from typing import Any

from workbench.histories.errors import MappingError
from workbench.histories.operation import NIL

__all__ = ["from_text", "to_text"]


def to_text(value: Any) -> str:
    """Return a value as a literal.

    Raises
    ------
    MappingError
        When what is read back would not be equal.
    """
    text = repr(value)
    try:
        same = from_text(text) == value
    except MappingError:
        same = False
    if not same:
        msg = (
            f"cannot write {value!r} into a span: expected numbers, texts, None, NIL, and containers of them"
        )
        raise MappingError(msg)
    return text


def from_text(text: str) -> Any:
    """Return the value of a literal.

    Raises
    ------
    MappingError
        When it is none.
    """
    try:
        return ast.literal_eval(_Nils().visit(ast.parse(text, mode="eval")))
    except (ValueError, SyntaxError, TypeError, MemoryError, RecursionError) as error:
        msg = f"expected a Python literal, got {text!r}"
        raise MappingError(msg) from error


class _Nils(ast.NodeTransformer):
    def visit_Name(self, node: ast.Name) -> ast.expr:
        return ast.Constant(value=NIL) if node.id == "NIL" else node  # type: ignore[arg-type]
