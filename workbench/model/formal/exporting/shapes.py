"""The cells that a field consists of, the live value made of them, and the terms that a value puts into them.

::

    Int, Bool, Enum    one cell                    Array, Tuple, Record    the cells of the parts
    Set                one for each element        Seq      the length, and the cells of each place
    Maybe              whether there is one,       Map      for each key whether it has a value,
                       and the cells of the value           and the cells of the value

Cells of what is not there are at their lowest, so that equal states have equal cells.
"""

from collections.abc import Callable, Iterator
from functools import singledispatch
from typing import Any

from workbench.model.formal.domains.collections import Array, Map, Record, Seq, Tuple
from workbench.model.formal.domains.domain import Domain
from workbench.model.formal.domains.scalars import Bool, Enum, Int, Maybe
from workbench.model.formal.domains.sets import Set
from workbench.model.formal.errors import DomainError, ModelError
from workbench.model.formal.exporting.collections import (
    ArrayParts,
    MapParts,
    MaybePart,
    RecordParts,
    SeqParts,
    SetBits,
)
from workbench.model.formal.exporting.guarded import Guarded
from workbench.model.formal.exporting.scalars import Scalar, number_of, plain, truth_term
from workbench.model.formal.exporting.terms import FALSE, TRUE, Cell, Term, both, choose, constant, either

__all__ = ["cells", "leaves", "live"]

Names = tuple[str, ...]
Index = tuple[int, ...]


@singledispatch
def cells(domain: Any, names: Names, index: Index) -> Iterator[Cell]:  # noqa: ARG001 - others use it
    """Yield the cells of a field or of a part of it."""
    msg = f"field {names[0]}: {domain!r} cannot be exported, its values have no bound"
    raise ModelError(msg)


@cells.register
def _(domain: Int, names: Names, index: Index) -> Iterator[Cell]:
    yield Cell(names, index, domain.low, domain.high)


@cells.register
def _(domain: Bool, names: Names, index: Index) -> Iterator[Cell]:
    del domain
    yield Cell(names, index, 0, 1, truth=True)


@cells.register
def _(domain: Enum, names: Names, index: Index) -> Iterator[Cell]:
    yield Cell(names, index, 0, len(domain.members) - 1, enum=domain)


@cells.register
def _(domain: Maybe, names: Names, index: Index) -> Iterator[Cell]:
    yield Cell((*names, "is_set"), index, 0, 1, truth=True, role="is_set")
    yield from cells(domain.of, names, index)


@cells.register
def _(domain: Array, names: Names, index: Index) -> Iterator[Cell]:
    for position in range(len(domain.keys)):
        yield from cells(domain.of, names, (*index, position))


@cells.register
def _(domain: Set, names: Names, index: Index) -> Iterator[Cell]:
    for position in range(len(domain.elements)):
        yield Cell(names, (*index, position), 0, 1, truth=True)


@cells.register
def _(domain: Seq, names: Names, index: Index) -> Iterator[Cell]:
    yield Cell((*names, "length"), index, 0, domain.most, role="length")
    for position in range(domain.most):
        yield from cells(domain.of, names, (*index, position))


@cells.register
def _(domain: Map, names: Names, index: Index) -> Iterator[Cell]:
    for position in range(len(domain.keys)):
        yield Cell((*names, "has"), (*index, position), 0, 1, truth=True, role="has")
        yield from cells(domain.of, names, (*index, position))


@cells.register
def _(domain: Record, names: Names, index: Index) -> Iterator[Cell]:
    for name, part in domain.fields.items():
        yield from cells(part, (*names, name), index)


@cells.register
def _(domain: Tuple, names: Names, index: Index) -> Iterator[Cell]:
    for number, part in enumerate(domain.parts):
        yield from cells(part, (*names, f"part{number}"), index)


def live(domain: Domain, take: Callable[[], Term]) -> Any:  # noqa: PLR0911 - one for each domain
    """Return the value made of the next terms."""
    match domain:
        case Enum():
            return plain(take(), domain)
        case Int() | Bool():
            return plain(take())
        case Maybe():
            is_set = take()
            return MaybePart(domain.of, is_set, live(domain.of, take))
        case Array():
            return ArrayParts(domain, [live(domain.of, take) for _ in domain.keys])
        case Set():
            return SetBits(domain, [take() for _ in domain.elements])
        case Seq():
            length = take()
            return SeqParts(domain, length, [live(domain.of, take) for _ in range(domain.most)])
        case Map():
            pairs = [(take(), live(domain.of, take)) for _ in domain.keys]
            return MapParts(domain, [has for has, _ in pairs], [part for _, part in pairs])
        case Record():
            return RecordParts(domain, {name: live(part, take) for name, part in domain.fields.items()})
        case Tuple():
            return tuple(live(part, take) for part in domain.parts)
        case _:
            msg = f"{domain!r} cannot be exported"
            raise ModelError(msg)


def leaves(domain: Domain, value: Any) -> list[Term]:  # noqa: C901, PLR0911 - one for each domain
    """Return the terms that a value puts into the cells of its domain.

    Raises
    ------
    DomainError
        When the value is of another shape, or known to be outside.
    """
    if isinstance(value, MaybePart) and not isinstance(domain, Maybe):
        value = value.held
    match domain:
        case Enum():
            return [_member(domain, value)]
        case Bool():
            return [truth_term(value)]
        case Int():
            return [_number(domain, value)]
        case Maybe():
            return _maybe(domain, value)
        case Array():
            return [leaf for part in _array(domain, value) for leaf in leaves(domain.of, part)]
        case Set():
            return _set(domain, value)
        case Seq():
            return _sequence(domain, value)
        case Map():
            return _map(domain, value)
        case Record():
            return _record(domain, value)
        case Tuple():
            return [
                leaf for part, held in zip(domain.parts, value, strict=True) for leaf in leaves(part, held)
            ]
        case _:
            msg = f"{domain!r} cannot be exported"
            raise ModelError(msg)


def lowest(domain: Domain) -> list[Term]:
    """Return the terms of a domain's lowest value."""
    return leaves(domain, domain.thaw(domain.lowest))


def _member(domain: Enum, value: Any) -> Term:
    if isinstance(value, Scalar):
        if value.enum is not None and value.enum.members == domain.members:
            return value.term
        value = value.known()
    return constant(domain.numbers[domain.freeze(value)], domain)


def _number(domain: Int, value: Any) -> Term:
    term = number_of(value)
    if term is None or term.high < domain.low or term.low > domain.high:
        msg = f"{value!r} is outside {domain!r}"
        raise DomainError(msg)
    return term


def _maybe(domain: Maybe, value: Any) -> list[Term]:
    if value is None:
        return [FALSE, *lowest(domain.of)]
    if not isinstance(value, MaybePart):
        return [TRUE, *leaves(domain.of, value)]
    held, low = leaves(domain.of, value.held), lowest(domain.of)
    if lowest(value.domain) != low:
        held = [choose(value.is_set, term, least) for term, least in zip(held, low, strict=True)]
    return [value.is_set, *held]


def _array(domain: Array, value: Any) -> list[Any]:
    if isinstance(value, ArrayParts):
        return value.parts
    parts = [value[key] for key in domain.keys] if isinstance(value, dict) else list(value)
    if len(parts) != len(domain.keys):
        msg = f"{value!r} does not have one value for each of the {len(domain.keys)} keys of {domain!r}"
        raise DomainError(msg)
    return parts


def _set(domain: Set, value: Any) -> list[Term]:
    if isinstance(value, SetBits) and value.domain.elements == domain.elements:
        return list(value.bits)
    pairs = value.pairs if isinstance(value, Guarded) else [(TRUE, element) for element in value]
    bits = [FALSE] * len(domain.elements)
    for condition, element in pairs:
        where = SetBits(domain, []).where(element)
        bits = [either(bit, both(condition, here)) for bit, here in zip(bits, where, strict=True)]
    return bits


def _sequence(domain: Seq, value: Any) -> list[Term]:
    if isinstance(value, SeqParts) and (value.domain is domain or not value.length.known):
        same = value.domain.most == domain.most and lowest(value.domain.of) == lowest(domain.of)
        if same and not value.length.known:
            return [value.length, *(leaf for slot in value.slots for leaf in leaves(domain.of, slot))]
    elements = list(value)
    if len(elements) > domain.most:
        msg = f"a sequence of {len(elements)} is longer than {domain!r} allows"
        raise DomainError(msg)
    filled = [leaf for element in elements for leaf in leaves(domain.of, element)]
    return [constant(len(elements)), *filled, *(lowest(domain.of) * (domain.most - len(elements)))]


def _map(domain: Map, value: Any) -> list[Term]:
    if isinstance(value, MapParts) and value.domain.keys == domain.keys:
        pairs = zip(value.has, value.parts, strict=True)
        return [leaf for has, part in pairs for leaf in (has, *leaves(domain.of, part))]
    found: list[Term] = []
    known = {key: value[key] for key in value}
    for key in domain.keys:
        found += [TRUE, *leaves(domain.of, known[key])] if key in known else [FALSE, *lowest(domain.of)]
    return found


def _record(domain: Record, value: Any) -> list[Term]:
    get = value.part if hasattr(value, "part") else value.__getitem__
    return [leaf for name, part in domain.fields.items() for leaf in leaves(part, get(name))]
