"""Models whose states are the bits of one number: a register, keys with values, a set, a lock, a counter.

Each operation becomes a rule of the machine of `BITS`: what it tests, and what it does in either case. A
model's own step says what is right; a rule is the same in another notation, and tests hold the two equal.
"""

from collections.abc import Callable, Hashable
from functools import partial
from typing import Any, TypeAlias

from workbench.histories._columns import Columns
from workbench.histories.models.counting import Counter, Lock, Set, elements
from workbench.histories.models.model import SequentialModel, acknowledged, frozen
from workbench.histories.models.registers import KeyValue, Register
from workbench.histories.operation import Nil
from workbench.histories.search import _codes as codes
from workbench.histories.search.machine import Machine, UncodableError, rules_of
from workbench.histories.search.values import Inputs, Numbers, Outputs, numbered, whole_number, with_keys

__all__ = ["bit_machine"]

Pair: TypeAlias = tuple[int, int]  # what is kept of a state, and what is added: (state & keep) + add
Rule: TypeAlias = tuple[int, int, int, int, int, int]  # mask, when, then a pair, and the pair otherwise
Coder: TypeAlias = "Callable[[Any, Inputs, Outputs], Rules]"
Rules: TypeAlias = tuple[list[int], int]  # of all operations, one after the other, and the start

STAYS: Pair = (-1, 0)
REFUSES: Pair = (0, codes.REFUSED)
STAYS_OR_REFUSES = (*STAYS, *REFUSES)
ALL, NONE = -1, 0  # masks
ANYHOW: Rule = (NONE, 0, *STAYS_OR_REFUSES)
NOHOW: Rule = (NONE, 0, *REFUSES, *REFUSES)
NO_STATE = -1  # equals no bits
STATE_BITS = 62


def bit_machine(model: SequentialModel, columns: Columns) -> Machine:
    """Return a model of ours as a machine of bits.

    Raises
    ------
    UncodableError
        For any other model, and where operations or values do not fit.
    """
    coder = CODERS.get(type(model))
    if coder is None:
        raise UncodableError
    rules, start = with_keys(columns, partial(coder, model))
    return Machine(codes.BITS, rules_of(rules), start)


def _register(model: Register, inputs: Inputs, outputs: Outputs) -> Rules:
    """Let a state be the number of the value."""
    number = numbered([None, model.start], *inputs, outputs)
    rules: list[int] = []
    for asked, told in zip(inputs, outputs, strict=True):
        match asked:
            case ("read",):
                rules += ANYHOW if told is None else (ALL, number[told], *STAYS_OR_REFUSES)
            case ("write", value):
                rules += (NONE, 0, ~ALL, number[value], *REFUSES)
            case ("cas", old, new):
                rules += _compare_and_set(ALL, number[old], number[new], told)
            case ("swap", value):
                before = (NONE, 0) if told is None else (ALL, number[told])
                rules += (*before, ~ALL, number[value], *REFUSES)
            case _:
                raise UncodableError
    return rules, number[model.start]


def _key_value(model: KeyValue, inputs: Inputs, outputs: Outputs) -> Rules:
    """Give each key a field of as many bits as its values need; 0 is that it is missing."""
    fields, start = _fields(model, inputs, outputs)
    rules: list[int] = []
    for (name, key, *given), told in zip(inputs, outputs, strict=True):
        mask, number = fields[key]
        match name, *given:
            case ("get",):
                rules += ANYHOW if told is None else (mask, number[told], *STAYS_OR_REFUSES)
            case ("put", value):
                rules += (NONE, 0, ~mask, number[value], *REFUSES)
            case ("cas", old, new):
                rules += _compare_and_set(mask, number[old], number[new], told)
            case ("delete",):
                then = STAYS if acknowledged(told, False) else REFUSES
                rules += (mask, 0, *then, *((~mask, 0) if acknowledged(told, True) else REFUSES))
            case _:
                raise UncodableError
    return rules, start


def _fields(
    model: KeyValue, inputs: Inputs, outputs: Outputs
) -> tuple[dict[Hashable, tuple[int, Numbers]], int]:
    """Return each key's mask and the bits of its values there, and the start."""
    values: dict[Hashable, list[Any]] = {}
    for asked, told in zip(inputs, outputs, strict=True):
        if len(asked) < 2 or Nil in map(type, asked):  # which is held, although it equals None
            raise UncodableError
        values.setdefault(asked[1], []).extend((*asked[2:], told))
    numbered(values)
    fields: dict[Hashable, tuple[int, Numbers]] = {}
    start = shift = 0
    for key, known in values.items():
        initial = frozen(model.initial.get(key))
        number = numbered([None, initial], known)
        width = len(number).bit_length()
        fields[key] = ((1 << width) - 1) << shift, {value: code << shift for value, code in number.items()}
        start |= number[initial] << shift
        shift += width
    if shift > STATE_BITS:
        raise UncodableError
    return fields, start


def _compare_and_set(mask: int, old: int, new: int, told: Any) -> Rule:
    if not isinstance(told, int):
        return (mask, old, ~mask, new, *STAYS)
    then = (~mask, new) if told == 1 else REFUSES
    return (mask, old, *then, *(STAYS if told == 0 else REFUSES))


def _set(model: Set, inputs: Inputs, outputs: Outputs) -> Rules:
    """Give each element a bit."""
    number = numbered(model.start, [asked[1] for asked in inputs if len(asked) == 2])
    if len(number) > STATE_BITS:
        raise UncodableError
    bits = {element: 1 << place for element, place in number.items()}
    rules: list[int] = []
    for asked, told in zip(inputs, outputs, strict=True):
        match asked:
            case ("read",):
                rules += ANYHOW if told is None else _all_elements(told, bits)
            case ("contains", _) if told is None:
                rules += ANYHOW
            case ("contains", element):
                absent, present = ((STAYS if told == there else REFUSES) for there in (False, True))
                rules += (bits[element], bits[element], *present, *absent)
            case ("add", element):
                changed = (~bits[element], bits[element])
                rules += _change_of_element(bits[element], 0, changed, told)
            case ("remove", element):
                changed = (~bits[element], 0)
                rules += _change_of_element(bits[element], bits[element], changed, told)
            case _:
                raise UncodableError
    return rules, (1 << len(model.start)) - 1


def _all_elements(told: Any, bits: Numbers) -> Rule:
    found = elements(told)
    if found is None or not bits.keys() >= found:
        return NOHOW
    return (ALL, sum(bits[element] for element in found), *STAYS, *REFUSES)


def _change_of_element(bit: int, when: int, changed: Pair, told: Any) -> Rule:
    then = changed if acknowledged(told, True) else REFUSES
    return (bit, when, *then, *(STAYS if acknowledged(told, False) else REFUSES))


def _lock(_: Lock, inputs: Inputs, outputs: Outputs) -> Rules:
    """Let 0 be that it is free, and any other number who holds it."""
    number = numbered([None], (asked[1:] for asked in inputs))
    rules: list[int] = []
    for (name, *who), told in zip(inputs, outputs, strict=True):
        if name not in ("acquire", "release") or len(who) > 1:
            raise UncodableError
        holder = number[tuple(who)]
        when, after = (0, holder) if name == "acquire" else (holder, 0)
        claims = told is not None and acknowledged(told, True)
        then = (~ALL, after) if told is None or claims else REFUSES
        rules += (ALL, when, *then, *(REFUSES if claims else STAYS))
    return rules, 0


def _counter(model: Counter, inputs: Inputs, outputs: Outputs) -> Rules:
    """Let a state be the number and what all changes together may take from it: it is never negative."""
    if type(model.initial) is not int:
        raise UncodableError
    changes = [_change_of_number(asked) for asked in inputs]
    bias = sum(map(abs, changes)) + abs(model.initial)
    if bias >= 1 << (STATE_BITS - 1):
        raise UncodableError
    rules: list[int] = []
    for asked, told, change in zip(inputs, outputs, changes, strict=True):
        if told is None or (asked != ("read",) and not _is_number(told)):
            rules += (NONE, 0, ~NONE, change, *REFUSES)
            continue
        said = whole_number(told)
        before = NO_STATE if said is None else said - change + bias
        rules += (ALL, before if 0 <= before <= 2 * bias else NO_STATE, ~NONE, change, *REFUSES)
    return rules, model.initial + bias


def _change_of_number(asked: tuple[Any, ...]) -> int:
    match asked:
        case ("read",):
            return 0
        case ("increment",):
            return 1
        case ("decrement",):
            return -1
        case ("increment" | "add", by) if type(by) is int:
            return by
        case ("decrement", by) if type(by) is int:
            return -by
    raise UncodableError


def _is_number(told: Any) -> bool:
    return isinstance(told, int) and not isinstance(told, bool)


CODERS: dict[type, Coder] = {
    Register: _register,
    KeyValue: _key_value,
    Set: _set,
    Lock: _lock,
    Counter: _counter,
}
