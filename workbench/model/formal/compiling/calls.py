"""Calls in a model's text: built-in functions, methods of collections, records, the model's functions."""

import ast
from typing import Any

from workbench.model.formal._declaring import Declared
from workbench.model.formal._guards import require
from workbench.model.formal.compiling.coercing import bits, number_text, one_by_one
from workbench.model.formal.compiling.comparing import truth
from workbench.model.formal.compiling.comprehensions import collected, found_any, reduced
from workbench.model.formal.compiling.containers import METHODS
from workbench.model.formal.compiling.expressions import condition
from workbench.model.formal.compiling.frames import NOT_ENABLED, Frame, writes
from workbench.model.formal.compiling.functions import call
from workbench.model.formal.compiling.iterating import each
from workbench.model.formal.compiling.layouts import (
    ArrayLayout,
    MapLayout,
    PartsLayout,
    SeqLayout,
    SetLayout,
    layout_of,
)
from workbench.model.formal.compiling.parts import kept, layout_in, length, part_of
from workbench.model.formal.compiling.places import load
from workbench.model.formal.compiling.values import Constant, Flag, Number, Packed, Parts, Place, State, Worth
from workbench.model.formal.domains.collections import Record

__all__ = ["called"]

REDUCTIONS = (sum, min, max)


@writes(ast.Call)
def called(frame: Frame, node: ast.Call) -> Worth:
    """Write a call, and return what it stands for."""
    if any(isinstance(arg, ast.Starred) for arg in node.args) or any(k.arg is None for k in node.keywords):
        frame.refuse(node, "* and ** in a call are not known here")
    if isinstance(node.func, ast.Attribute):
        held = frame.expression(node.func.value)
        if not isinstance(held, Constant):
            return _method(frame, held, node.func.attr, node)
    target = frame.expression(node.func)
    if not isinstance(target, Constant):
        frame.refuse(node, "what is called must be known when the model is compiled")
    if target.value is require:
        return _require(frame, node)
    if (
        target.value in (any, all, *REDUCTIONS)
        and len(node.args) == 1
        and _yields(target.value, node.args[0])
    ):
        return _over_comprehension(frame, target.value, node)
    if target.value in (len, sum) and _comprehends(node.args[0]):
        args: list[Worth] = [frame.expression(node.args[0])]
    elif target.value in (set, frozenset, list, tuple, sorted) and node.args:
        return _converted(frame, target.value, node)
    else:
        args = [frame.expression(arg) for arg in node.args]
    named = {str(keyword.arg): frame.expression(keyword.value) for keyword in node.keywords}
    return _applied(frame, target.value, args, named, node)


def _comprehends(node: ast.AST) -> bool:
    return isinstance(node, ast.GeneratorExp | ast.ListComp | ast.SetComp)


def _yields(function: Any, node: ast.AST) -> bool:
    """Whether a function may take what a comprehension yields: a set that is summed has nothing twice."""
    return _comprehends(node) and not (function is sum and isinstance(node, ast.SetComp))


def _require(frame: Frame, node: ast.Call) -> Worth:
    text = condition(frame, node.args[0])
    if text != "True":
        with frame.block(f"if not {text}:"):
            frame.emit(frame.returning(NOT_ENABLED))
    return Constant(None)


def _over_comprehension(frame: Frame, function: Any, node: ast.Call) -> Worth:
    if function in (any, all):
        return Flag(found_any(frame, node.args[0], wanted=function is any))
    return reduced(frame, node.args[0], function)


def _converted(frame: Frame, function: Any, node: ast.Call) -> Worth:
    """Write set(...) and its like: of a constant, a collection that has that form, or a comprehension."""
    if node.keywords or len(node.args) != 1:
        frame.refuse(node, f"{function.__name__}() takes one collection here")
    arg, makes_set = node.args[0], function in (set, frozenset)
    if _comprehends(arg) and function is not sorted:
        return collected(frame, _set_comprehension(arg) if makes_set else arg, None)
    worth = load(frame, frame.expression(arg))
    layout = layout_in(worth)
    if isinstance(worth, Constant):
        return Constant(function(worth.value))
    if makes_set and isinstance(layout, ArrayLayout | SeqLayout | MapLayout):
        return collected(frame, _set_comprehension(arg), None)
    if isinstance(worth, Parts) and function is not sorted and (makes_set or worth.kind != "set"):
        return Parts("set" if makes_set else "list", worth.items)
    if isinstance(layout, (SetLayout,) if makes_set else (ArrayLayout, SeqLayout)) and function is not sorted:
        return kept(frame, worth)
    return frame.refuse(node, "this order is known to the interpreted engine only")


def _set_comprehension(node: Any) -> ast.SetComp:
    """Return the set of what an expression yields as a comprehension."""
    if _comprehends(node):
        return ast.copy_location(ast.SetComp(node.elt, node.generators), node)
    each_one = ast.Name("_each", ast.Load())
    over = ast.comprehension(ast.Name("_each", ast.Store()), node, [], 0)
    return ast.fix_missing_locations(ast.copy_location(ast.SetComp(each_one, [over]), node))


def _applied(  # noqa: PLR0911 - a table of what is called
    frame: Frame, function: Any, args: list[Worth], named: dict[str, Worth], node: ast.Call
) -> Worth:
    everything = [*args, *named.values()]
    if isinstance(function, Record):
        return _record(frame, function, named, node)
    if function is len:
        return length(frame, args[0], node)
    if function is range and not all(isinstance(each, Constant) for each in args):
        return frame.refuse(node, "a range that is known at run time is for loops only")
    if all(isinstance(each, Constant) for each in everything) and not isinstance(function, Declared):
        return Constant(function(*(a.value for a in args), **{k: v.value for k, v in named.items()}))  # type: ignore[union-attr]
    if function in (any, all):
        return _any_of(frame, function, args[0], node)
    if function in REDUCTIONS:
        return _reduced(frame, function, args, node)
    if function is abs:
        text = frame.keep(number_text(frame, load(frame, args[0]), node).text)
        return Number(f"abs({text})", 0, None)
    if function is bool:
        return Flag(truth(frame, args[0], node))
    if function is int:
        return number_text(frame, args[0], node)
    return call(frame, function, args, named, node)


def _any_of(frame: Frame, function: Any, held: Worth, node: ast.AST) -> Worth:
    found = frame.fresh()
    if isinstance(held, Parts):
        texts = [truth(frame, item, node) for item in held.items]
        return Flag("(" + (" or " if function is any else " and ").join(texts) + ")")
    frame.emit(f"{found} = {function is all}")
    with each(frame, held, node) as (value, _):
        text = truth(frame, value, node)
        with frame.block(f"if {text}:" if function is any else f"if not {text}:"):
            frame.emit(f"{found} = {function is any}")
    return Flag(found)


def _reduced(frame: Frame, function: Any, args: list[Worth], node: ast.AST) -> Worth:
    if function is not sum and len(args) > 1:
        return _least(frame, function, args, node)
    if isinstance(args[0], Parts):
        items = one_by_one(frame, args[0], node) if function is sum else list(args[0].items)
        return _least(frame, function, items, node)
    total, seen = frame.fresh(), frame.fresh()
    frame.emit(f"{total} = 0")
    frame.emit(f"{seen} = False")
    with each(frame, args[0], node) as (value, _):
        text = frame.keep(number_text(frame, value, node).text)
        if function is sum:
            frame.emit(f"{total} += {text}")
        else:
            with frame.block(f"if not {seen} or {text} {'<' if function is min else '>'} {total}:"):
                frame.emit(f"{total} = {text}")
        frame.emit(f"{seen} = True")
    if function is not sum:
        frame.fail(f"not {seen}")
    return Number(total, None, None)


def _least(frame: Frame, function: Any, args: list[Worth], node: ast.AST) -> Worth:
    numbers = [number_text(frame, load(frame, arg), node) for arg in args]
    if function is sum:
        return Number("(" + " + ".join(number.text for number in numbers) + ")")
    texts = [frame.keep(number.text) for number in numbers]
    lows, highs = [number.low for number in numbers], [number.high for number in numbers]
    pick = min if function is min else max
    low = None if None in lows else pick(lows)  # type: ignore[type-var]
    high = None if None in highs else pick(highs)  # type: ignore[type-var]
    return Number(f"{function.__name__}({', '.join(texts)})", low, high)


def _record(frame: Frame, domain: Record, named: dict[str, Worth], node: ast.AST) -> Worth:
    layout: Any = layout_of(domain, "a record")
    if not layout.small:
        frame.refuse(node, "a record of more than 64 bits is written field by field")
    unknown = [name for name in named if name not in domain.names]
    if unknown:
        frame.refuse(node, f"the record has no field {unknown[0]}")
    parts = []
    for name, part, offset in zip(domain.names, layout.parts, layout.offsets, strict=True):
        worth = named.get(name, Constant(part.domain.thaw(part.domain.lowest)))
        parts.append(f"({bits(frame, worth, part, node)} << {offset})")
    return Packed(frame.keep("(" + " | ".join(parts) + ")"), layout)


def _method(frame: Frame, held: Worth, name: str, node: ast.Call) -> Worth:
    args = [frame.expression(arg) for arg in node.args]
    named = {str(keyword.arg): frame.expression(keyword.value) for keyword in node.keywords}
    if isinstance(held, State):
        member = getattr(frame.program.model, name, None)
        if member is None:
            frame.refuse(node, f"the model has no {name}")
        return call(frame, member, [held, *args], named, node)
    layout = getattr(held, "layout", None)
    if isinstance(layout, PartsLayout) and name == "replace":
        return _replaced(frame, held, layout, named, node)
    for (kind, known), apply in METHODS.items():
        if known == name and isinstance(layout, kind):
            loaded = [
                arg if isinstance(arg, Place) and not arg.layout.small else load(frame, arg) for arg in args
            ]
            return apply(frame, held, [kept(frame, arg) for arg in loaded], node)
    return frame.refuse(node, f"{name}() is not known here")


def _replaced(frame: Frame, held: Worth, layout: Any, named: dict[str, Worth], node: ast.AST) -> Worth:
    fields = {name: named.get(name) or part_of(frame, held, name, node) for name in layout.domain.names}
    return _record(frame, layout.domain, fields, node)
