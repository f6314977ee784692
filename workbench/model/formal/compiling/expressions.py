"""Expressions of a model's text, written as expressions over the words of a state."""

import ast
import operator
from collections.abc import Callable
from typing import Any

from workbench.model.formal.compiling.choices import layout_of_choice
from workbench.model.formal.compiling.coercing import bits, number_text, same
from workbench.model.formal.compiling.comparing import compared, truth
from workbench.model.formal.compiling.frames import Frame, writes
from workbench.model.formal.compiling.functions import call
from workbench.model.formal.compiling.layouts import EnumLayout, MaybeLayout, SeqLayout, SetLayout
from workbench.model.formal.compiling.parts import item_of, kept, layout_in, part_of, raw
from workbench.model.formal.compiling.places import field, load
from workbench.model.formal.compiling.values import Constant, Flag, Number, Packed, Parts, State, Worth

__all__ = ["condition", "operated"]

OPERATIONS: dict[type, tuple[str, Callable[[Any, Any], Any]]] = {
    ast.Add: ("+", operator.add),
    ast.Sub: ("-", operator.sub),
    ast.Mult: ("*", operator.mul),
    ast.FloorDiv: ("//", operator.floordiv),
    ast.Mod: ("%", operator.mod),
    ast.Pow: ("**", operator.pow),
    ast.LShift: ("<<", operator.lshift),
    ast.RShift: (">>", operator.rshift),
    ast.BitAnd: ("&", operator.and_),
    ast.BitOr: ("|", operator.or_),
    ast.BitXor: ("^", operator.xor),
}
SET_OPERATIONS = {ast.BitAnd: "{} & {}", ast.BitOr: "{} | {}", ast.BitXor: "{} ^ {}", ast.Sub: "{} & ~{}"}


def condition(frame: Frame, node: ast.expr) -> str:
    """Write an expression for its truth, and return the text of that."""
    if isinstance(node, ast.BoolOp):
        return _bool(frame, node, condition)
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not):
        return f"(not {condition(frame, node.operand)})"
    return truth(frame, frame.expression(node), node)


@writes(ast.Constant)
def _constant(_frame: Frame, node: ast.Constant) -> Worth:
    return Constant(node.value)


@writes(ast.Name)
def _name(frame: Frame, node: ast.Name) -> Worth:
    worth = frame.lookup(node)
    if node.id in frame.stale:
        frame.refuse(node, "the part of the state that this stands for has been replaced since")
    return worth


@writes(ast.Attribute)
def _attribute(frame: Frame, node: ast.Attribute) -> Worth:
    held = frame.expression(node.value)
    if isinstance(held, State):
        if node.attr in frame.program.layout.parts:
            return field(frame, held, node.attr)
        member = frame.program.model.__dict__.get(node.attr) or getattr(frame.program.model, node.attr, None)
        if isinstance(member, property):
            return call(frame, member.fget, [held], {}, node)
        return frame.refuse(node, f"the model has no field {node.attr}")
    if isinstance(held, Constant):
        return Constant(getattr(held.value, node.attr))
    return part_of(frame, held, node.attr, node)


@writes(ast.Subscript)
def _subscript(frame: Frame, node: ast.Subscript) -> Worth:
    held = frame.expression(node.value)
    if isinstance(node.slice, ast.Slice):
        return _sliced(frame, held, node.slice, node)
    key = load(frame, frame.expression(node.slice))
    if isinstance(held, Constant):
        return _constant_item(frame, held, key, node)
    if isinstance(held, Parts) and isinstance(key, Constant):
        found: Worth = held.items[key.value]
        return found
    return item_of(frame, held, key, node)


def _constant_item(frame: Frame, held: Constant, key: Worth, node: ast.AST) -> Worth:
    if isinstance(key, Constant):
        return Constant(held.value[key.value])
    values = held.value
    if not isinstance(values, tuple | list) or not all(isinstance(value, int) for value in values):
        frame.refuse(node, "a constant is indexed at run time only if it is a tuple or list of integers")
    position, found = frame.keep(number_text(frame, key, node).text), frame.fresh()
    frame.fail(f"{position} < 0 or {position} >= {len(values)}")
    frame.emit(f"{found} = 0")
    for number, value in enumerate(values):
        with frame.block(f"if {position} == {number}:"):
            frame.emit(f"{found} = {int(value)}")
    return Number(found, min(values), max(values))


def _sliced(frame: Frame, held: Worth, cut: ast.Slice, node: ast.AST) -> Worth:
    """Return `held[1:]`, which is what queues are read with; other slices are not known."""
    if isinstance(held, Constant):
        ends = [None if end is None else frame.expression(end) for end in (cut.lower, cut.upper, cut.step)]
        if all(end is None or isinstance(end, Constant) for end in ends):
            known: Any = [end.value if isinstance(end, Constant) else None for end in ends]
            return Constant(held.value[slice(*known)])
    layout: Any = getattr(held, "layout", None)
    first = cut.lower is not None and frame.expression(cut.lower) == Constant(1)
    if not (isinstance(layout, SeqLayout) and layout.small and first and cut.upper is None and not cut.step):
        frame.refuse(node, "of a sequence, [1:] is the slice that is known")
    text = frame.keep(raw(frame, held))
    size, ones = layout.elements.of.bits, (1 << layout.length_bits) - 1
    rest = f"(({text} >> {layout.above + size}) << {layout.above})"
    if layout.bits == 64:
        rest = f"(shift_right({text}, {layout.above + size}) << {layout.above})"
    found = frame.fresh()
    frame.emit(f"{found} = {text}")
    with frame.block(f"if {text} & {ones} != 0:"):
        frame.emit(f"{found} = {rest} | (({text} & {ones}) - 1)")
    return Packed(found, layout)


@writes(ast.BinOp)
def _binary(frame: Frame, node: ast.BinOp) -> Worth:
    left, right = frame.expression(node.left), frame.expression(node.right)
    return operated(frame, left, node.op, right, node)


def operated(frame: Frame, left: Worth, sign: ast.operator, right: Worth, node: ast.AST) -> Worth:
    """Return the outcome of an operation on two values."""
    left, right = load(frame, left), load(frame, right)
    text, function = OPERATIONS.get(type(sign)) or frame.refuse(node, "the operator is not known")
    if isinstance(left, Constant) and isinstance(right, Constant):
        return Constant(function(left.value, right.value))
    layouts = [getattr(side, "layout", None) for side in (left, right)]
    for layout in layouts:
        if isinstance(layout, SetLayout):
            return _set_operation(frame, left, sign, right, layout, node)
        if isinstance(layout, SeqLayout) and isinstance(sign, ast.Add):
            return _joined(frame, left, right, layout, node)
    if isinstance(left, Parts) and isinstance(right, Parts) and isinstance(sign, ast.Add):
        return Parts(left.kind, left.items + right.items)
    if isinstance(left, Flag) and isinstance(right, Flag) and isinstance(sign, ast.BitAnd | ast.BitOr):
        return Flag(f"({left.text} {text} {right.text})")
    return _arithmetic(frame, number_text(frame, left, node), sign, number_text(frame, right, node), text)


def _arithmetic(frame: Frame, left: Number, sign: ast.operator, right: Number, text: str) -> Number:
    if isinstance(sign, ast.FloorDiv | ast.Mod) and (right.low is None or right.low <= 0):
        divisor = frame.keep(right.text)
        frame.fail(f"{divisor} == 0")
        right = Number(divisor, right.low, right.high)
    return Number(f"({left.text} {text} {right.text})", *_bounds(left, sign, right))


def _bounds(left: Number, sign: ast.operator, right: Number) -> tuple[int | None, int | None]:
    ends = (left.low, left.high, right.low, right.high)
    if isinstance(sign, ast.Mod) and right.low is not None and right.low > 0 and right.high is not None:
        return 0, right.high - 1
    if any(end is None for end in ends) or not isinstance(sign, ast.Add | ast.Sub | ast.Mult):
        return None, None
    function = OPERATIONS[type(sign)][1]
    corners = [function(one, other) for one in ends[:2] for other in ends[2:]]
    return min(corners), max(corners)


def _set_operation(  # noqa: PLR0913
    frame: Frame, left: Worth, sign: ast.operator, right: Worth, layout: SetLayout, node: ast.AST
) -> Worth:
    if type(sign) not in SET_OPERATIONS or not layout.small:
        frame.refuse(node, "this operation on sets is not known")
    sides = bits(frame, left, layout, node), bits(frame, right, layout, node)
    return Packed(f"({SET_OPERATIONS[type(sign)].format(*sides)})", layout)


def _joined(frame: Frame, left: Worth, right: Worth, layout: SeqLayout, node: ast.AST) -> Worth:
    if not layout.small:
        frame.refuse(node, "sequences of more than 64 bits are joined by append only")
    one, other = frame.keep(bits(frame, left, layout, node)), frame.keep(bits(frame, right, layout, node))
    size, ones = layout.elements.of.bits, (1 << layout.length_bits) - 1
    frame.fail(f"({one} & {ones}) + ({other} & {ones}) > {layout.domain.most}")
    moved = f"(({other} >> {layout.above}) << (({one} & {ones}) * {size} + {layout.above}))"
    return Packed(frame.keep(f"({one} + ({other} & {ones})) | {moved}"), layout)


@writes(ast.UnaryOp)
def _unary(frame: Frame, node: ast.UnaryOp) -> Worth:
    if isinstance(node.op, ast.Not):
        return Flag(condition(frame, node))
    worth = load(frame, frame.expression(node.operand))
    if isinstance(worth, Constant):
        return Constant(-worth.value if isinstance(node.op, ast.USub) else worth.value)
    number = number_text(frame, worth, node)
    if not isinstance(node.op, ast.USub):
        return number
    low = None if number.high is None else -number.high
    return Number(f"(-{number.text})", low, None if number.low is None else -number.low)


def _bool(frame: Frame, node: ast.BoolOp, write_side: Callable[[Frame, ast.expr], str]) -> str:
    """Write `and` and `or`: what the right side needs before it is written only where it is evaluated."""
    word = "and" if isinstance(node.op, ast.And) else "or"
    text = write_side(frame, node.values[0])
    for side in node.values[1:]:
        before, had_names, depth = len(frame.lines), dict(frame.names), frame.depth
        frame.depth = depth + 1
        right = write_side(frame, side)
        frame.depth = depth
        if len(frame.lines) == before:
            text = f"({text} {word} {right})"
            continue
        written = frame.lines[before:]
        del frame.lines[before:]
        found = frame.fresh()
        frame.emit(f"{found} = {text}")
        frame.emit(f"if {found}:" if word == "and" else f"if not {found}:")
        frame.lines.extend(written)
        frame.lines.append("    " * (depth + 1) + f"{found} = {right}")
        frame.names = had_names
        text = found
    return text


@writes(ast.BoolOp)
def _bool_value(frame: Frame, node: ast.BoolOp) -> Worth:
    return Flag(_bool(frame, node, _flag))


def _flag(frame: Frame, node: ast.expr) -> str:
    """Write a side of `and` or `or` whose value is used: that is one of the sides, not its truth."""
    if isinstance(node, ast.BoolOp):
        return _bool(frame, node, _flag)
    worth = load(frame, frame.expression(node))
    if isinstance(worth, Flag) or (isinstance(worth, Constant) and isinstance(worth.value, bool)):
        return truth(frame, worth, node)
    return frame.refuse(
        node, "the value of `and` and `or` is known of booleans only: write it as x if x else y"
    )


@writes(ast.Compare)
def _compare(frame: Frame, node: ast.Compare) -> Worth:
    left = load(frame, frame.expression(node.left))
    if len(node.ops) > 1:
        left = kept(frame, left)
    texts = []
    for sign, side in zip(node.ops, node.comparators, strict=True):
        right = frame.expression(side)
        if not isinstance(sign, ast.In | ast.NotIn):
            right = load(frame, right)
        if len(node.ops) > 1:
            right = kept(frame, right)
        if isinstance(left, Constant) and isinstance(right, Constant):
            texts.append(str(_compared_now(sign, left.value, right.value)))
        else:
            texts.append(compared(frame, left, sign, right, node))
        left = right
    if len(texts) == 1 and texts[0] in ("True", "False"):
        return Constant(texts[0] == "True")
    return Flag(texts[0] if len(texts) == 1 else "(" + " and ".join(texts) + ")")


def _compared_now(sign: ast.cmpop, left: Any, right: Any) -> bool:
    functions: dict[type, Callable[[Any, Any], Any]] = {
        ast.Eq: operator.eq,
        ast.NotEq: operator.ne,
        ast.Lt: operator.lt,
        ast.LtE: operator.le,
        ast.Gt: operator.gt,
        ast.GtE: operator.ge,
        ast.Is: operator.is_,
        ast.IsNot: operator.is_not,
        ast.In: lambda item, held: item in held,
        ast.NotIn: lambda item, held: item not in held,
    }
    return bool(functions[type(sign)](left, right))


@writes(ast.IfExp)
def _if_else(frame: Frame, node: ast.IfExp) -> Worth:
    text = condition(frame, node.test)
    if text in ("True", "False"):
        return frame.expression(node.body if text == "True" else node.orelse)
    found = frame.fresh()
    with frame.block(f"if {text}:"):
        one = kept(frame, frame.expression(node.body))
        end_of_first = len(frame.lines)
    with frame.block("else:"):
        other = kept(frame, frame.expression(node.orelse))
        text_of, read = _alike(frame, one, other, node)
        begin = len(frame.lines)
        frame.emit(f"{found} = {text_of(one)}")
        first, frame.lines[begin:] = frame.lines[begin:], []
        frame.emit(f"{found} = {text_of(other)}")
    frame.lines[end_of_first:end_of_first] = first
    return read(found)


def _alike(
    frame: Frame, one: Worth, other: Worth, node: ast.AST
) -> tuple[Callable[[Worth], str], Callable[[str], Worth]]:
    """Return how two values become texts of one kind, and how to read that."""
    layouts = [found for found in (layout_in(one), layout_in(other)) if found is not None]
    maybe = [found for found in layouts if isinstance(found, MaybeLayout)]
    layout = next(iter([*filter(None, [layout_of_choice(one, other)]), *maybe, *layouts]), None)
    if layout is not None:
        kinds = {type(found) for found in layouts}
        if len(layouts) > 1 and not kinds & {MaybeLayout, EnumLayout} and not same(*layouts):
            frame.refuse(node, "the two values are of different domains")
        return (lambda side: bits(frame, side, layout, node)), (lambda text: Packed(text, layout))
    if all(
        isinstance(side, Flag) or (isinstance(side, Constant) and isinstance(side.value, bool))
        for side in (one, other)
    ):
        return (lambda side: truth(frame, side, node)), Flag
    numbers = [number_text(frame, side, node) for side in (one, other)]
    lows, highs = [number.low for number in numbers], [number.high for number in numbers]
    low = None if None in lows else min(lows)  # type: ignore[type-var]
    high = None if None in highs else max(highs)  # type: ignore[type-var]
    return (lambda side: number_text(frame, side, node).text), (lambda text: Number(text, low, high))


@writes(ast.Tuple, ast.List, ast.Set)
def _display(frame: Frame, node: ast.Tuple | ast.List | ast.Set) -> Worth:
    if any(isinstance(item, ast.Starred) for item in node.elts):
        return _spread(frame, node)
    items = tuple(load(frame, frame.expression(item)) for item in node.elts)
    kind = type(node).__name__.lower()
    if all(isinstance(item, Constant) for item in items):
        make = {"tuple": tuple, "list": tuple, "set": frozenset}[kind]
        return Constant(make(item.value for item in items))  # type: ignore[union-attr]
    return Parts(kind, tuple(kept(frame, item) for item in items))


def _spread(frame: Frame, node: ast.Tuple | ast.List | ast.Set) -> Worth:
    """Write `[*queue, x]` as the sequences that it joins."""
    made: Worth = Parts("list", ())
    for item in node.elts:
        if isinstance(item, ast.Starred):
            part = frame.expression(item.value)
        else:
            part = Parts("list", (kept(frame, load(frame, frame.expression(item))),))
        made = operated(frame, made, ast.Add(), part, node)
    return made


@writes(ast.Dict)
def _dict(frame: Frame, node: ast.Dict) -> Worth:
    if node.keys:
        frame.refuse(node, "a dictionary is written key by key here: s.field[key] = value")
    return Constant({})
