"""What operators, comprehensions and calls in a model's text do when their operands are terms.

Rewritten functions call these in place of Python's own operators, which would ask for truth values at once.
"""

from collections.abc import Callable, Iterable, Mapping
from types import FunctionType
from typing import Any

from workbench.model.formal._declaring import Declared
from workbench.model.formal._guards import NotEnabledError, require
from workbench.model.formal.domains.collections import Record
from workbench.model.formal.domains.values import FiniteArray, FiniteSet, RecordValue
from workbench.model.formal.exporting.collections import (
    ArrayParts,
    MapParts,
    MaybePart,
    RecordParts,
    SeqParts,
    SetBits,
    merged,
)
from workbench.model.formal.exporting.guarded import Guarded, GuardedSet, counted
from workbench.model.formal.exporting.paths import changed, changes_something, decide, without_change
from workbench.model.formal.exporting.scalars import Scalar, compare_scalars, number_of, plain, truth_term
from workbench.model.formal.exporting.terms import (
    FALSE,
    TRUE,
    Term,
    arithmetic,
    both,
    choose,
    constant,
    either,
    less,
    negated,
)

__all__ = ["OPERATIONS", "same", "truth"]

SYMBOLIC = (Scalar, MaybePart, ArrayParts, SetBits, SeqParts, MapParts, RecordParts, Guarded)
Thunk = Callable[[], Any]
CHANGING = frozenset(
    "add append clear discard extend insert pop popitem remove reverse setdefault sort update".split()  # noqa: SIM905
)  # methods that change what they are of


def truth(value: Any) -> Term:
    """Return whether a value counts as true."""
    if isinstance(value, SetBits):
        return either(*value.bits)
    if isinstance(value, SeqParts):
        return less(constant(0), value.length)
    if isinstance(value, MaybePart):
        return both(value.is_set, truth(value.held))
    if isinstance(value, Guarded):
        return either(*(condition for condition, _ in value.pairs))
    return truth_term(value)


def same(left: Any, right: Any) -> Term:  # noqa: PLR0911 - one for each kind of values
    """Return whether two values are equal."""
    for one, other in ((left, right), (right, left)):
        if isinstance(one, MaybePart):
            return _same_maybe(one, other)
    if left is None or right is None:
        return TRUE if left is right else FALSE
    if isinstance(left, Scalar) or isinstance(right, Scalar):
        return compare_scalars("==", left, right)
    for one, other in ((left, right), (right, left)):
        if isinstance(one, SetBits | MapParts):
            return _same_leaves(one, other)
        if isinstance(one, RecordParts):
            return _same_records(one, other)
        if isinstance(one, GuardedSet):
            return _same_sets(one, other)
    if _is_sequence(left) and _is_sequence(right):
        return _same_sequences(list(left), list(right))
    return constant(value=bool(left == right))


def _same_maybe(one: MaybePart, other: Any) -> Term:
    if other is None:
        return negated(one.is_set)
    if isinstance(other, MaybePart):
        neither = both(negated(one.is_set), negated(other.is_set))
        return either(neither, both(one.is_set, other.is_set, same(one.held, other.held)))
    return both(one.is_set, same(one.held, other))


def _same_leaves(one: SetBits | MapParts, other: Any) -> Term:
    from workbench.model.formal.exporting.shapes import leaves  # noqa: PLC0415 - it compares elements

    pairs = zip(leaves(one.domain, one), leaves(one.domain, other), strict=True)
    return both(*(_same_terms(*pair) for pair in pairs))


def _same_terms(left: Term, right: Term) -> Term:
    return compare_scalars("==", plain(left), plain(right))


def _same_records(one: RecordParts, other: Any) -> Term:
    if not isinstance(other, RecordParts | RecordValue) or one.names != other.names:
        return FALSE
    return both(*(same(one.part(name), other.part(name)) for name in one.names))


def _same_sets(one: GuardedSet, other: Any) -> Term:
    if not isinstance(other, GuardedSet | set | frozenset | FiniteSet):
        return FALSE
    return both(_inside(one, other), _inside(other, one))


def _inside(one: Any, other: Any) -> Term:
    return both(*(either(negated(condition), _is_in(value, other)) for condition, value in _pairs(one)))


def _is_sequence(value: Any) -> bool:
    return isinstance(value, list | tuple | ArrayParts | SeqParts | FiniteArray)


def _same_sequences(left: list[Any], right: list[Any]) -> Term:
    return both(*map(same, left, right)) if len(left) == len(right) else FALSE


def _all_of(place: int, first: Any, *others: Thunk) -> Any:
    """Return `first and ...`."""
    return _connected(place, first, others, both, stops_at=FALSE)


def _any_of(place: int, first: Any, *others: Thunk) -> Any:
    """Return `first or ...`."""
    return _connected(place, first, others, either, stops_at=TRUE)


def _connected(
    place: int, value: Any, others: Iterable[Thunk], join: Callable[..., Term], *, stops_at: Term
) -> Any:
    """Join conditions; one that cannot be computed while an earlier one is open makes that one be decided."""
    for other in others:
        term = truth(value)
        if term.known:
            value = value if term == stops_at else other()
            continue
        if changes_something(place):
            value = plain(stops_at) if decide(term) == stops_at.args[0] else other()
            continue
        try:
            with without_change(place):
                following = truth(other())
        except Exception:  # noqa: BLE001 - the model's own text guards it by the condition before it
            value = plain(stops_at) if decide(term) == stops_at.args[0] else other()
        else:
            value = plain(join(term, following))
    return value


def _not(value: Any) -> Any:
    return plain(negated(truth(value)))


def _compare(signs: tuple[str, ...], *values: Any) -> Any:
    """Return the outcome of a comparison, of a chain of them too."""
    pairs = zip(signs, values[:-1], values[1:], strict=True)
    return plain(both(*(_compared(sign, left, right) for sign, left, right in pairs)))


def _compared(sign: str, left: Any, right: Any) -> Term:  # noqa: PLR0911 - one for each kind of sign
    if sign in ("!=", "not in", "is not"):
        return negated(_compared({"!=": "==", "not in": "in", "is not": "is"}[sign], left, right))
    if sign == "in":
        return _is_in(left, right)
    if sign == "is" and left is not None and right is not None:
        return constant(value=left is right) if not _either_symbolic(left, right) else same(left, right)
    if sign in ("==", "is"):
        return same(left, right)
    if isinstance(left, SetBits) or isinstance(right, SetBits):
        return _subset(sign, left, right)
    if _either_symbolic(left, right) and number_of(left) is not None and number_of(right) is not None:
        return compare_scalars(sign, left, right)
    order: dict[str, Thunk] = {
        "<": lambda: left < right,
        "<=": lambda: left <= right,
        ">": lambda: left > right,
        ">=": lambda: left >= right,
    }
    return (
        _ordered_sequences(sign, left, right) if _parts_symbolic(left, right) else truth_term(order[sign]())
    )


def _either_symbolic(*values: Any) -> bool:
    return any(isinstance(value, SYMBOLIC) for value in values)


def _parts_symbolic(left: Any, right: Any) -> bool:
    return _is_sequence(left) and _is_sequence(right) and _either_symbolic(*left, *right)


def _ordered_sequences(sign: str, left: Any, right: Any) -> Term:
    if sign in (">", ">="):
        left, right, sign = right, left, "<" + sign[1:]
    return _lexical(list(left), list(right), or_equal=sign == "<=")


def _lexical(left: list[Any], right: list[Any], *, or_equal: bool) -> Term:
    if not left or not right:
        return constant(value=len(left) < len(right) or (or_equal and len(left) == len(right)))
    rest = _lexical(left[1:], right[1:], or_equal=or_equal)
    return either(_compared("<", left[0], right[0]), both(same(left[0], right[0]), rest))


def _subset(sign: str, left: Any, right: Any) -> Term:
    if sign in (">", ">="):
        left, right, sign = right, left, "<" + sign[1:]
    inside = truth(left <= right if isinstance(left, SetBits) else right >= left)
    return both(inside, negated(same(left, right))) if sign == "<" else inside


def _is_in(value: Any, held: Any) -> Term:
    if isinstance(held, MaybePart):
        held = held.held
    if isinstance(held, SetBits):
        return held.has(value)
    if isinstance(held, MapParts):
        held = held.keys()
    if isinstance(held, Guarded):
        return either(*(both(condition, same(value, each)) for condition, each in held.pairs))
    if isinstance(held, SeqParts) and not held.length.known:
        places = enumerate(held.slots)
        return either(*(both(less(constant(at), held.length), same(value, each)) for at, each in places))
    if isinstance(held, str) or (
        not _either_symbolic(value, held) and isinstance(held, set | frozenset | Mapping)
    ):
        return constant(value=value in held)
    return either(*(same(value, each) for each in held))


def _if(place: int, condition: Any, yes: Thunk, no: Thunk) -> Any:
    """Return one of two values: as a term where both are scalars, by a decision otherwise."""
    term = truth(condition)
    if term.known:
        return yes() if term.args[0] else no()
    if changes_something(place):
        return yes() if decide(term) else no()
    try:
        with without_change(place):
            found = merged(term, yes(), no())
    except Exception:  # noqa: BLE001 - one of the two cannot be computed where the other is meant
        found = None
    if found is not None:
        return found
    return yes() if decide(term) else no()


def _item(held: Any, key: Any) -> Any:
    """Return an item; of a constant table of numbers, as a term."""
    if isinstance(held, tuple | list) and isinstance(key, Scalar) and all(isinstance(v, int) for v in held):
        found = constant(held[-1])
        for position in reversed(range(len(held) - 1)):
            found = choose(same(key, position), constant(held[position]), found)
        return plain(found)
    return held[key]


def _pairs(held: Any) -> list[tuple[Term, Any]]:
    """Return what an iteration yields, each with the condition under which it does."""
    if isinstance(held, MaybePart):
        held = held.held
    if isinstance(held, Guarded):
        return held.pairs
    if isinstance(held, SetBits):
        return list(zip(list(held.bits), held.elements(), strict=True))
    if isinstance(held, MapParts):
        return held.keys().pairs
    if isinstance(held, SeqParts) and not held.length.known:
        return [(less(constant(at), held.length), slot) for at, slot in enumerate(held.slots)]
    return [(TRUE, each) for each in held]


def _collected(pairs: list[tuple[Term, Any]]) -> Any:
    """Return a comprehension's values: a list where all of them are known to be there."""
    return (
        [value for _, value in pairs] if all(condition == TRUE for condition, _ in pairs) else Guarded(pairs)
    )


def _collected_set(pairs: list[tuple[Term, Any]]) -> Any:
    """Return the different values of a set comprehension."""
    is_known = all(condition == TRUE and not _either_symbolic(value) for condition, value in pairs)
    return {value for _, value in pairs} if is_known else GuardedSet(pairs)


def _under(conditions: tuple[Term, ...], *filters: Thunk) -> Term:
    """Return whether an element is there and passes the filters of its comprehension."""
    found = both(*conditions)
    for each in filters:
        if found != FALSE:
            found = both(found, truth(each()))
    return found


def _possible(condition: Term) -> bool:
    return condition != FALSE


def _any(values: Any) -> Any:
    return plain(either(*(both(condition, truth(value)) for condition, value in _pairs(values))))


def _all(values: Any) -> Any:
    return plain(both(*(either(negated(condition), truth(value)) for condition, value in _pairs(values))))


def _sum(values: Any, start: Any = 0) -> Any:
    total = number_of(start)
    assert total is not None  # noqa: S101 - sums start at numbers
    for condition, value in _pairs(values):
        term = number_of(value)
        if term is None:
            msg = f"{value!r} is no number"
            raise TypeError(msg)
        added = counted([condition]) if term == constant(1) else choose(condition, term, constant(0))
        total = arithmetic("+", total, added)
    return plain(total)


def _len(held: Any) -> Any:
    if isinstance(held, MaybePart):
        held = held.held
    if isinstance(held, SeqParts):
        return plain(held.length)
    if isinstance(held, SetBits):
        return plain(held.size())
    if isinstance(held, MapParts):
        return plain(counted(held.has))
    return len(held) if not isinstance(held, Guarded) else plain(counted(c for c, _ in held.pairs))


def _extreme(sign: str) -> Callable[..., Any]:
    def extreme(*values: Any, **options: Any) -> Any:
        pairs = _pairs(values[0]) if len(values) == 1 else [(TRUE, value) for value in values]
        simple = not options and all(condition == TRUE for condition, _ in pairs)
        if not simple or not _either_symbolic(*(value for _, value in pairs)):
            every = [value for condition, value in pairs if decide(condition)]
            return (min if sign == "<=" else max)(every, **options)
        found = pairs[0][1]
        for _, value in pairs[1:]:
            found = merged(_compared(sign, found, value), found, value)
        return found

    return extreme


def _require(condition: Any) -> None:
    if not decide(truth(condition)):
        raise NotEnabledError


def _abs(value: Any) -> Any:
    return _if(0, _compare(("<",), value, 0), lambda: -value, lambda: value)


_KNOWN: dict[Any, Callable[..., Any]] = {
    any: _any,
    all: _all,
    sum: _sum,
    len: _len,
    min: _extreme("<="),
    max: _extreme(">="),
    abs: _abs,
    bool: lambda value: plain(truth(value)),
    require: _require,
}


def _call(function: Any, *args: Any, **named: Any) -> Any:
    """Call a function of the model's text."""
    from workbench.model.formal.exporting.rewriting import rewritten  # noqa: PLC0415 - it uses these

    try:
        known = _KNOWN.get(function)
    except TypeError:
        known = None
    if known is not None:
        return known(*args, **named)
    if isinstance(function, Record):
        lowest = {name: part.thaw(part.lowest) for name, part in function.fields.items()}
        return (
            RecordParts(function, lowest | named) if _either_symbolic(*named.values()) else function(**named)
        )
    if isinstance(function, Declared):
        function = function.function
    if getattr(function, "__name__", "") in CHANGING and hasattr(function, "__self__"):
        changed()
    if isinstance(function, FunctionType) and not hasattr(function, "exported"):
        return rewritten(function)(*args, **named)
    return function(*args, **named)


OPERATIONS: dict[str, Callable[..., Any]] = {
    "all_of": _all_of,
    "any_of": _any_of,
    "not": _not,
    "compare": _compare,
    "if": _if,
    "item": _item,
    "pairs": _pairs,
    "collected": _collected,
    "collected_set": _collected_set,
    "under": _under,
    "possible": _possible,
    "joined": both,
    "call": _call,
}
