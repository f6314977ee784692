"""Numbers for values, so that kernels can tell which are equal."""

from collections.abc import Callable, Hashable, Iterable, Sequence
from itertools import chain
from operator import ne
from typing import Any, TypeAlias, TypeVar

from workbench.histories._columns import Columns
from workbench.histories.models.model import frozen
from workbench.histories.operation import Nil
from workbench.histories.search.machine import UncodableError

__all__ = ["Inputs", "Numbers", "Outputs", "numbered", "whole_number", "with_keys"]

Inputs: TypeAlias = Sequence[tuple[Any, ...]]
Outputs: TypeAlias = Sequence[Any]
Numbers: TypeAlias = dict[Any, int]
Found = TypeVar("Found")


def with_keys(columns: Columns, code: Callable[[Inputs, Outputs], Found]) -> Found:
    """Call with inputs and outputs all values of which can be keys.

    Raises
    ------
    UncodableError
        Where there is one that cannot.
    """
    try:
        return code(columns.inputs, columns.outputs)
    except TypeError:
        pass
    try:
        return code([frozen(asked) for asked in columns.inputs], [frozen(told) for told in columns.outputs])
    except TypeError as error:
        raise UncodableError from error


def numbered(first: Iterable[Hashable], *others: Iterable[Hashable]) -> Numbers:
    """Give values numbers from 0 on: to those that come first in their order, to all others in any.

    Raises
    ------
    UncodableError
        Where a value is not equal to itself, as a float that is no number: a key finds it all the same.
    """
    numbers = {value: number for number, value in enumerate(dict.fromkeys(first))}
    rest = set(chain(*others)).difference(numbers)
    numbers.update(zip(rest, range(len(numbers), len(numbers) + len(rest)), strict=True))
    if any(map(ne, numbers, numbers)):
        raise UncodableError
    return numbers


def whole_number(value: Any) -> int | None:
    """Return the int that a value equals, None where there is none.

    Raises
    ------
    UncodableError
        Where that is not certain, as of a type of the user's own.
    """
    if isinstance(value, int):
        return int(value)
    if type(value) is float:
        return int(value) if value.is_integer() else None
    if value is None or type(value) in {str, bytes, Nil, tuple, list, dict, set, frozenset}:
        return None
    raise UncodableError
