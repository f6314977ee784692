"""Transitions placed into functions of one's own: what a policy offers beside calling through it.

A factory is a function that makes others, as closures::

    def taking(p, s, lock, states):
        def take_now(key, now):
            with whole(lock):
                state = states[key]
                wait_s = take(p, parts(s, state), now, 1.0)
                states[key] = state
            return wait_s

        return take_now

The compiler understands these forms; everything else is copied as it stands:

- a call of a transition, of those that are given by name, becomes its body.
- ``parts(s, state)`` as its state: some fields are not those of `s`, but parts of a value: the value
  itself where there is one such field, a tuple where there are several.
- ``state = packed(s)`` makes such a value, ``put(s, state)`` writes its parts into `s`.
- ``with whole(lock):`` takes the lock, unless no other thread can run within the block.
"""

import ast
import linecache
from collections.abc import Callable
from functools import cache
from typing import Any

from workbench.reliability.fusing.transitions import FusingError, function_tree, is_whole, place_transition

__all__ = ["fuse_function", "packed", "parts", "put", "whole"]

Factory = Callable[..., Any]
PARTS, PACKED, PUT, WHOLE = "parts", "packed", "put", "whole"


def parts(_s: Any, _state: Any) -> Any:
    """Stand for a state whose parts are in a value."""
    raise FusingError(PARTS)


def packed(_s: Any) -> Any:
    """Stand for a value of the parts of a state."""
    raise FusingError(PACKED)


def put(_s: Any, _state: Any) -> Any:
    """Stand for writing a value's parts into a state."""
    raise FusingError(PUT)


def whole(_lock: Any) -> Any:
    """Stand for the lock, where it is needed."""
    raise FusingError(WHOLE)


@cache
def fuse_function(
    factory: Factory, transitions: tuple[tuple[str, Any], ...], fields: tuple[str, ...]
) -> Factory:
    """Return a factory with transitions in place of their calls.

    Parameters
    ----------
    factory : callable
    transitions : tuple of (name, transition)
        By which names the factory calls which.
    fields : tuple of str
        The fields of the state that are parts of values.
    """
    forms = _Forms(dict(transitions), fields)
    tree = forms.visit(function_tree(factory))
    source = ast.unparse(ast.fix_missing_locations(ast.Module([tree], [])))
    place = f"<fused {factory.__name__}: {', '.join(each.__module__ for _, each in transitions)}>"
    linecache.cache[place] = (len(source), None, source.splitlines(keepends=True), place)
    scope = {**factory.__globals__, **forms.namespace}
    exec(compile(source, place, "exec"), scope)  # noqa: S102 - it was made from our own functions
    found: Factory = scope[factory.__name__]
    return found


class _Forms(ast.NodeTransformer):
    """Replaces the forms, from the innermost out."""

    def __init__(self, transitions: dict[str, Any], fields: tuple[str, ...]) -> None:
        self.transitions, self.fields = transitions, fields
        self.namespace: dict[str, Any] = {}

    def visit_Assign(self, node: ast.Assign) -> Any:
        call = node.value
        name = _called(call)
        if name == PACKED:
            node.value = self._value(call.args[0])  # type: ignore[attr-defined]
        elif name in self.transitions:
            return self._transition(self.transitions[name], call, node.targets[0])
        return node

    def visit_Expr(self, node: ast.Expr) -> Any:
        if _called(node.value) != PUT:
            return node
        state, value = node.value.args  # type: ignore[attr-defined]
        return ast.Assign([self._value(state, ast.Store())], value)

    def visit_With(self, node: ast.With) -> Any:
        self.generic_visit(node)
        call: Any = node.items[0].context_expr
        if _called(call) != WHOLE:
            return node
        # A new tuple may start the collection of garbage, and with it code of others.
        makes = any(
            isinstance(each, ast.Tuple) and isinstance(each.ctx, ast.Load) for each in _nodes(node.body)
        )
        if _is_whole(node.body) and not makes and len(self.fields) == 1:
            return node.body
        node.items[0].context_expr = call.args[0]
        return node

    def _transition(self, function: Any, call: Any, target: ast.expr) -> list[ast.stmt]:
        suffix = "_"  # the same everywhere: they follow each other, and fewer local names make faster calls
        state = call.args[1]
        in_parts = _called(state) == PARTS
        if in_parts:
            call.args[1] = state.args[0]
        body = place_transition(function_tree(function), call.args, target, suffix)
        body = [_Globals(function, self.namespace).visit(statement) for statement in body]
        if not in_parts:
            return body
        s, value = state.args
        names = [ast.Name(f"{s.id}_{field}", ast.Load()) for field in self.fields]
        renaming = _Parts(s.id, {field: name.id for field, name in zip(self.fields, names, strict=True)})
        body = [renaming.visit(statement) for statement in body]
        stored = [ast.Name(name.id, ast.Store()) for name in names]
        before = ast.Assign([_one_or_tuple(stored, ast.Store())], value)
        after = ast.Assign([ast.Name(value.id, ast.Store())], _one_or_tuple(names, ast.Load()))
        return [before, *body, after]

    def _value(self, state: Any, context: Any = None) -> ast.expr:
        context = context or ast.Load()
        fields = [ast.Attribute(ast.Name(state.id, ast.Load()), field, context) for field in self.fields]
        return _one_or_tuple(fields, context)


class _Globals(ast.NodeTransformer):
    """Gives the globals of a transition names of their own; numbers become constants."""

    def __init__(self, function: Any, namespace: dict[str, Any]) -> None:
        self.scope, self.namespace = function.__globals__, namespace

    def visit_Name(self, node: ast.Name) -> ast.expr:
        if node.id not in self.scope or not isinstance(node.ctx, ast.Load):
            return node
        value = self.scope[node.id]
        if isinstance(value, int | float):
            return ast.Constant(value)
        alias = f"{node.id}_g{id(value):x}"
        self.namespace[alias] = value
        return ast.Name(alias, ast.Load())


class _Parts(ast.NodeTransformer):
    """Replaces fields of a state by local names."""

    def __init__(self, state: str, names: dict[str, str]) -> None:
        self.state, self.names = state, names

    def visit_Attribute(self, node: ast.Attribute) -> ast.expr:
        is_part = isinstance(node.value, ast.Name) and node.value.id == self.state and node.attr in self.names
        return ast.Name(self.names[node.attr], node.ctx) if is_part else node


def _is_whole(body: list[ast.stmt]) -> bool:
    block = ast.parse("def block(): pass").body[0]
    block.body = body  # type: ignore[attr-defined]
    return is_whole(block)  # type: ignore[arg-type]


def _called(node: Any) -> str:
    return node.func.id if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) else ""


def _nodes(body: list[ast.stmt]) -> list[ast.AST]:
    return [node for statement in body for node in ast.walk(statement)]


def _one_or_tuple(values: Any, context: Any) -> Any:
    return values[0] if len(values) == 1 else ast.Tuple(values, context)
