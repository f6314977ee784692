"""Placing a machine's transition into a function: its body, with names of its own, instead of a call.

    wait_s = take(p, s, now, 1.0)

becomes the statements of `take`, its parameters replaced by the arguments, with `wait_s = ...` for `return`.
"""

import ast
import inspect
import sys
import textwrap
from collections.abc import Callable
from functools import cache
from typing import Any

from workbench.errors import WorkbenchError

__all__ = [
    "FusingError",
    "Renaming",
    "function_tree",
    "is_whole",
    "nested_names",
    "place_transition",
    "stored_names",
]

Transition = Callable[..., Any]


class FusingError(WorkbenchError, SyntaxError):
    """Raised for a transition or a layer that is not written in the part of Python that can be fused."""


@cache
def _source(function: Transition) -> str:
    return textwrap.dedent(inspect.getsource(function))


def function_tree(function: Transition) -> ast.FunctionDef:
    """Return a new syntax tree of a function, without its docstring."""
    tree = ast.parse(_source(function)).body[0]
    if not isinstance(tree, ast.FunctionDef):
        msg = f"{function!r} is not a plain function"
        raise FusingError(msg)
    if ast.get_docstring(tree) is not None:
        del tree.body[0]
    return tree


def place_transition(
    tree: ast.FunctionDef, arguments: list[ast.expr], target: ast.expr | None, suffix: str
) -> list[ast.stmt]:
    """Return the statements of a transition that is called with some arguments.

    Raises
    ------
    FusingError
        When it returns elsewhere than at its end, or is called with another number of arguments.
    """
    names = [argument.arg for argument in tree.args.args]
    if len(names) != len(arguments):
        msg = f"{tree.name} takes {len(names)} arguments, got {len(arguments)}"
        raise FusingError(msg)
    *body, last = tree.body
    if any(isinstance(node, ast.Return) for statement in body for node in ast.walk(statement)):
        msg = f"{tree.name} must return once, at its end"
        raise FusingError(msg)
    assigned = stored_names(tree.body)
    before: list[ast.stmt] = []
    replaced: dict[str, ast.expr] = {}
    returned = last.value if isinstance(last, ast.Return) else None
    if isinstance(returned, ast.Name) and returned.id in assigned - {*names} and isinstance(target, ast.Name):
        replaced[returned.id] = ast.Name(
            target.id, ast.Load()
        )  # it is the target from its first assignment on
    for name, argument in zip(names, arguments, strict=True):
        if isinstance(argument, ast.Name | ast.Constant) and name not in assigned:
            replaced[name] = argument
        else:
            own = ast.Name(f"{name}{suffix}", ast.Load())
            before.append(ast.Assign([ast.Name(own.id, ast.Store())], argument))
            replaced[name] = own
    replaced |= {name: ast.Name(f"{name}{suffix}", ast.Load()) for name in assigned if name not in replaced}
    renaming = Renaming(replaced)
    placed = [*before, *(renaming.visit(statement) for statement in body)]
    if not isinstance(last, ast.Return):
        placed.append(renaming.visit(last))
    elif (
        target is not None
        and returned is not None
        and not _is_name(value := renaming.visit(returned), target)
    ):
        placed.append(ast.Assign([target], value))
    return placed


def _is_name(value: ast.expr, target: ast.expr) -> bool:
    return isinstance(value, ast.Name) and isinstance(target, ast.Name) and value.id == target.id


def is_whole(tree: ast.FunctionDef) -> bool:
    """Tell whether no other thread can run between its statements: it neither calls nor loops."""
    breaks = (ast.Call, ast.For, ast.While, ast.ListComp, ast.GeneratorExp, ast.With)
    return has_global_lock() and not any(isinstance(node, breaks) for node in ast.walk(tree))


def has_global_lock() -> bool:
    """Tell whether this interpreter runs one thread at a time."""
    return bool(getattr(sys, "_is_gil_enabled", lambda: True)())


def stored_names(body: list[ast.stmt]) -> set[str]:
    """Return the names that some statements assign."""
    nodes = [node for statement in body for node in ast.walk(statement)]
    stored = {node.id for node in nodes if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)}
    return stored | {node.name for node in nodes if isinstance(node, ast.ExceptHandler) and node.name}


def nested_names(body: list[ast.stmt]) -> set[str]:
    """Return the names of functions that are defined within some statements."""
    return {node.name for each in body for node in ast.walk(each) if isinstance(node, ast.FunctionDef)}


class Renaming(ast.NodeTransformer):
    """Replaces names by expressions, where they are read and where they are assigned."""

    def __init__(self, replaced: dict[str, ast.expr]) -> None:
        self.replaced = replaced

    def visit_Name(self, node: ast.Name) -> ast.expr:
        """Return what stands for a name."""
        found = self.replaced.get(node.id)
        if isinstance(found, ast.Name):
            return ast.copy_location(ast.Name(found.id, node.ctx), node)
        return node if found is None else found

    def visit_ExceptHandler(self, node: ast.ExceptHandler) -> ast.AST:
        """Rename what an exception is caught as."""
        self.generic_visit(node)
        found = self.replaced.get(node.name or "")
        if isinstance(found, ast.Name):
            node.name = found.id
        return node

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.AST:
        """Rename a function within."""
        self.generic_visit(node)
        found = self.replaced.get(node.name)
        if isinstance(found, ast.Name):
            node.name = found.id
        return node
