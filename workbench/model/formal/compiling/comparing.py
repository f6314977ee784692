"""Comparisons and truth: what ==, <, `in`, `is None` and a bare condition mean for each kind of value."""

import ast
from collections.abc import Iterable
from collections.abc import Set as AbstractSet
from typing import Any

from workbench.model.formal.compiling.coercing import (
    bits,
    number_text,
    packed_constant,
    ranked,
    same,
)
from workbench.model.formal.compiling.frames import Frame
from workbench.model.formal.compiling.iterating import each
from workbench.model.formal.compiling.layouts import (
    ArrayLayout,
    EnumLayout,
    IntLayout,
    Layout,
    MapLayout,
    MaybeLayout,
    SeqLayout,
    SetLayout,
    layout_of,
)
from workbench.model.formal.compiling.parts import layout_in, length_text, map_slot, position_of, raw, set_bit
from workbench.model.formal.compiling.places import bits_of, load, read, taken, word_places
from workbench.model.formal.compiling.values import (
    Constant,
    Flag,
    Number,
    Packed,
    Parts,
    Place,
    Worth,
    literal,
)

__all__ = ["compared", "contains", "truth"]

SIGNS = {ast.Eq: "==", ast.NotEq: "!=", ast.Lt: "<", ast.LtE: "<=", ast.Gt: ">", ast.GtE: ">="}


def truth(frame: Frame, worth: Worth, node: ast.AST) -> str:
    """Return the text of a value's truth."""
    worth = load(frame, worth)
    if isinstance(worth, Constant):
        return str(bool(worth.value))
    if isinstance(worth, Flag):
        return worth.text
    if isinstance(worth, Number):
        return f"({worth.text} != 0)"
    if isinstance(worth, Parts):
        return str(bool(worth.items))
    layout = layout_in(worth)
    if isinstance(layout, SetLayout | SeqLayout | MapLayout):
        return f"({length_text(frame, worth, node)} != 0)"
    return frame.refuse(node, "its truth is not known here: compare it with something")


def compared(frame: Frame, left: Worth, operator: ast.cmpop, right: Worth, node: ast.AST) -> str:
    """Return the text of a comparison."""
    if isinstance(operator, ast.In | ast.NotIn):
        text = contains(frame, left, right, node)
        return text if isinstance(operator, ast.In) else f"(not {text})"
    if isinstance(operator, ast.Is | ast.IsNot):
        text = _identical(frame, left, right, node)
        return text if isinstance(operator, ast.Is) else f"(not {text})"
    left, right = load(frame, left), load(frame, right)
    if isinstance(operator, ast.Eq | ast.NotEq):
        text = _equal(frame, left, right, node)
        return text if isinstance(operator, ast.Eq) else f"(not {text})"
    if isinstance(layout_in(left), SetLayout) or isinstance(layout_in(right), SetLayout):
        return _subset(frame, left, operator, right, node)
    sign = SIGNS[type(operator)]
    return f"({number_text(frame, left, node).text} {sign} {number_text(frame, right, node).text})"


def _identical(frame: Frame, left: Worth, right: Worth, node: ast.AST) -> str:
    if isinstance(left, Constant):
        left, right = right, left
    left = load(frame, left)
    if not (isinstance(right, Constant) and (right.value is None or isinstance(right.value, bool))):
        frame.refuse(node, "`is` compares with None, True or False only")
    return _equal(frame, left, right, node)


def _equal(frame: Frame, left: Worth, right: Worth, node: ast.AST) -> str:
    if isinstance(left, Constant) and not isinstance(right, Constant):
        left, right = right, left
    if isinstance(right, Constant):
        return _equals_constant(frame, left, right.value, node)
    if isinstance(layout_in(left), MaybeLayout) and not isinstance(layout_in(right), MaybeLayout):
        left, right = right, left
    if isinstance(layout_in(right), MaybeLayout) and not isinstance(layout_in(left), MaybeLayout):
        return _equals_maybe(frame, left, right, node)
    return _equal_at_run_time(frame, left, right, node)


def _equal_at_run_time(frame: Frame, left: Worth, right: Worth, node: ast.AST) -> str:
    left_layout, right_layout = layout_in(left), layout_in(right)
    if isinstance(left_layout, EnumLayout) and isinstance(right_layout, EnumLayout):
        return _equal_names(raw(frame, left), left_layout, raw(frame, right), right_layout)
    if left_layout is not None and isinstance(right, Parts | Packed):
        return f"({raw(frame, left)} == {bits(frame, right, left_layout, node)})"
    if right_layout is not None and isinstance(left, Parts):
        return f"({bits(frame, left, right_layout, node)} == {raw(frame, right)})"
    if isinstance(left, Place) and isinstance(right, Place):
        return _equal_words(frame, left, right, node)
    return f"({number_text(frame, left, node).text} == {number_text(frame, right, node).text})"


def _equal_names(left: str, left_layout: EnumLayout, right: str, right_layout: EnumLayout) -> str:
    if same(left_layout, right_layout):
        return f"({left} == {right})"
    numbers = right_layout.domain.numbers
    both = [(number, numbers[name]) for name, number in left_layout.domain.numbers.items() if name in numbers]
    texts = [f"({left} == {one} and {right} == {other})" for one, other in both]
    return "(" + " or ".join(texts) + ")" if texts else "False"


def _equal_words(frame: Frame, left: Place, right: Place, node: ast.AST) -> str:
    if not same(left.layout, right.layout):
        frame.refuse(node, "values of different domains are compared")
    pairs = zip(word_places(left), word_places(right), strict=True)
    same_words = [f"{read(frame, one)} == {read(frame, other)}" for (_, one), (_, other) in pairs]
    return "(" + " and ".join(same_words) + ")"


def _equals_constant(  # noqa: PLR0911 - a table of kinds
    frame: Frame, left: Worth, value: Any, node: ast.AST
) -> str:
    if isinstance(left, Constant):
        return str(left.value == value)
    if isinstance(left, Number):
        return f"({left.text} == {literal(int(value))})" if isinstance(value, int) else "False"
    if isinstance(left, Flag):
        wanted = {0: f"(not {left.text})", 1: left.text}
        return wanted.get(value, "False") if isinstance(value, int) else "False"
    layout = layout_in(left)
    if layout is None:
        return frame.refuse(node, "this cannot be compared with a constant")
    if isinstance(layout, SetLayout) and not isinstance(value, AbstractSet):
        return "False"
    if isinstance(layout, SeqLayout) and isinstance(value, tuple):
        frame.refuse(node, "a sequence is a list, which no tuple equals")
    packed = packed_constant(layout, value)
    if packed is None:
        return "False"
    if layout.small:
        return f"({raw(frame, left)} == {literal(packed)})"
    words = [
        f"{read(frame, word)} == {literal(packed >> at)}"
        for at, word in word_places(left)  # type: ignore[arg-type]
    ]
    return "(" + " and ".join(words) + ")"


def _equals_maybe(frame: Frame, plain: Worth, maybe: Any, node: ast.AST) -> str:
    layout = maybe.layout
    text = frame.keep(raw(frame, maybe))
    inner = taken(layout.of, bits_of(text, layout.above, layout.of.bits))
    return f"(({text} & 1) != 0 and {_equal(frame, plain, inner, node)})"


def _subset(frame: Frame, left: Worth, operator: ast.cmpop, right: Worth, node: ast.AST) -> str:
    layout = layout_in(left) if isinstance(layout_in(left), SetLayout) else layout_in(right)
    if not layout.small:
        frame.refuse(node, "sets of more than 64 possible elements are not compared")
    one = frame.keep(bits(frame, left, layout, node))
    other = frame.keep(bits(frame, right, layout, node))
    if isinstance(operator, ast.Gt | ast.GtE):
        one, other = other, one
    inside = f"({one} & ~{other}) == 0"
    proper = isinstance(operator, ast.Lt | ast.Gt)
    return f"({inside} and {one} != {other})" if proper else f"({inside})"


def contains(  # noqa: PLR0911 - a table of kinds
    frame: Frame, item: Worth, held: Worth, node: ast.AST
) -> str:
    """Return the text of whether a value is in a collection."""
    item = load(frame, item)
    if isinstance(held, Constant) and isinstance(held.value, range):
        return _in_range(frame, item, held.value, node)
    if isinstance(held, Constant) and isinstance(held.value, Iterable) and not isinstance(held.value, str):
        return _any_equal(frame, item, [Constant(value) for value in held.value], node)
    if isinstance(held, Parts):
        return _any_equal(frame, item, list(held.items), node)
    layout = layout_in(held)
    if isinstance(layout, SetLayout):
        return _in_set(frame, item, held, layout, node)
    if isinstance(layout, MapLayout):
        return _in_map(frame, item, held, layout, node)
    if isinstance(layout, ArrayLayout | SeqLayout):
        return _among(frame, item, held, node)
    return frame.refuse(node, "`in` needs a set, a map, a sequence, an array or a constant collection")


def _in_range(frame: Frame, item: Worth, held: range, node: ast.AST) -> str:
    if isinstance(item, Constant):
        return str(item.value in held)
    if not held:
        return "False"
    text = frame.keep(number_text(frame, item, node).text)
    within = f"{min(held)} <= {text} <= {max(held)}"
    step = "" if abs(held.step) == 1 else f" and ({text} - {held.start}) % {held.step} == 0"
    return f"({within}{step})"


def _any_equal(frame: Frame, item: Worth, values: list[Worth], node: ast.AST) -> str:
    kept = _held(frame, item)
    texts = [_equal(frame, kept, load(frame, value), node) for value in values]
    return "(" + " or ".join(texts) + ")" if texts else "False"


def _held(frame: Frame, worth: Worth) -> Worth:
    if isinstance(worth, Number):
        return Number(frame.keep(worth.text), worth.low, worth.high)
    if isinstance(worth, Packed):
        return Packed(frame.keep(worth.text), worth.layout)
    return worth


def _fits(frame: Frame, item: Worth, layout: Layout, node: ast.AST) -> Worth | None:
    """Return a value as one of a domain, and None where it cannot be in it; `in` then is False, no error."""
    if isinstance(item, Constant):
        return item if packed_constant(layout, item.value) is not None else None
    if isinstance(layout, EnumLayout) and not isinstance(item, Packed):
        frame.refuse(node, f"an element of {layout.domain!r} is needed here")
    return item


def _in_set(frame: Frame, item: Worth, held: Worth, layout: SetLayout, node: ast.AST) -> str:
    of = layout_of(layout.domain.of, "a set's element")
    if isinstance(item, Packed) and isinstance(item.layout, MaybeLayout) and not isinstance(of, MaybeLayout):
        return _maybe_in_set(frame, item, held, layout, node)
    fitting = _fits(frame, item, of, node)
    if fitting is None:
        return "False"
    if isinstance(fitting, Number) and isinstance(of, IntLayout):
        return _number_in_set(frame, fitting, held, of)
    return f"({set_bit(frame, held, ranked(frame, fitting, layout, node))} != 0)"


def _maybe_in_set(frame: Frame, item: Packed, held: Worth, layout: SetLayout, node: ast.AST) -> str:
    maybe: Any = item.layout
    text, found = frame.keep(item.text), frame.fresh()
    frame.emit(f"{found} = False")
    with frame.block(f"if {text} & 1 != 0:"):
        inner = taken(maybe.of, bits_of(text, maybe.above, maybe.of.bits))
        frame.emit(f"{found} = {_in_set(frame, inner, held, layout, node)}")
    return found


def _number_in_set(frame: Frame, item: Number, held: Worth, of: IntLayout) -> str:
    low, high = of.domain.low, of.domain.high
    text = frame.keep(item.text)
    inside = item.low is not None and item.low >= low and item.high is not None and item.high <= high
    number = frame.keep(text if low == 0 else f"{text} - {low}")
    if inside:
        return f"({set_bit(frame, held, number)} != 0)"
    found = frame.fresh()
    frame.emit(f"{found} = False")
    with frame.block(f"if {low} <= {text} and {text} <= {high}:"):
        frame.emit(f"{found} = {set_bit(frame, held, number)} != 0")
    return found


def _in_map(frame: Frame, item: Worth, held: Worth, layout: MapLayout, node: ast.AST) -> str:
    if isinstance(item, Constant) and item.value not in layout.domain.positions:
        return "False"
    position = position_of(frame, layout.domain.keys, item, node)
    return f"(({raw(frame, map_slot(held, position))} & 1) != 0)"


def _among(frame: Frame, item: Worth, held: Worth, node: ast.AST) -> str:
    kept, found = _held(frame, item), frame.fresh()
    frame.emit(f"{found} = False")
    with each(frame, held, node) as (value, _):
        text = _equal(frame, kept, load(frame, value), node)
        with frame.block(f"if {text}:"):
            frame.emit(f"{found} = True")
    return found
