"""What a value is that is one of two: `"a" if s.flag else "b"`, where no field says which names there are."""

from collections.abc import Hashable
from typing import Any

from workbench.model.formal.compiling.layouts import EnumLayout, Layout, MaybeLayout, layout_of
from workbench.model.formal.compiling.values import Constant, Flag, Number, Packed, Worth
from workbench.model.formal.domains.domain import Domain
from workbench.model.formal.domains.scalars import Bool, Enum, Int, Maybe

__all__ = ["layout_of_choice"]

NOTHING = Constant(None)


def layout_of_choice(one: Worth, other: Worth) -> Layout | None:
    """Return a layout that has both values, where one of them is a name or None; else None."""
    if NOTHING in (one, other) and one != other:
        return _optional(other if one == NOTHING else one)
    members = [*_members(one), *_members(other)]
    if not all(_members(side) for side in (one, other)):
        return None
    for side in (one, other):
        if isinstance(side, Packed) and set(members) == set(_members(side)):
            return side.layout
    return layout_of(Enum(*dict.fromkeys(members)), "a choice")


def _members(worth: Worth) -> tuple[Hashable, ...]:
    if isinstance(worth, Packed) and isinstance(worth.layout, EnumLayout):
        return worth.layout.domain.members
    if isinstance(worth, Constant) and isinstance(worth.value, Hashable) and not isinstance(worth.value, int):
        return (worth.value,)
    return ()


def _optional(worth: Worth) -> Layout | None:
    if isinstance(worth, Packed) and isinstance(worth.layout, MaybeLayout):
        return worth.layout
    domain = _domain(worth)
    return None if domain is None else layout_of(Maybe(domain), "a choice")


def _domain(worth: Worth) -> Domain | None:
    if isinstance(worth, Packed):
        domain: Any = worth.layout.domain
        return domain
    if isinstance(worth, Flag) or (isinstance(worth, Constant) and isinstance(worth.value, bool)):
        return Bool()
    if isinstance(worth, Constant) and isinstance(worth.value, int):
        return Int(worth.value, worth.value)
    if isinstance(worth, Number) and worth.low is not None and worth.high is not None:
        return Int(worth.low, worth.high)
    members = _members(worth)
    return Enum(*members) if members else None
