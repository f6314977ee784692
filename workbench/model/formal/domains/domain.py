"""What a domain is: a set of values, each with a live form and a frozen one.

*Live* values are what the text of a model works with: lists, sets, records. *Frozen* values are what is
stored of a state: equal values are equal and hash alike, and never change. `freeze` and `thaw` go between.
"""

from abc import ABC, abstractmethod
from collections.abc import Hashable, Iterator
from typing import TYPE_CHECKING, Any

from workbench.model.formal.errors import DomainError, ModelError

__all__ = ["Domain", "domain_of"]


class Domain(ABC):
    """A set of values that a field of a model may have.

    Attributes
    ----------
    size : int or None
        How many values there are; None when they are not bounded.
    lowest : Hashable
        The frozen value that a field has unless `init` sets another.
    """

    size: int | None
    lowest: Hashable

    @abstractmethod
    def freeze(self, value: Any) -> Hashable:
        """Return the frozen form of a live value.

        Raises
        ------
        DomainError
            When the value is outside the domain.
        """

    @abstractmethod
    def thaw(self, frozen: Any) -> Any:
        """Return the live form of a frozen value, sharing nothing that may change."""

    @abstractmethod
    def frozen_values(self) -> Iterator[Hashable]:
        """Yield all frozen values in order, the lowest first."""

    def show(self, frozen: Any) -> str:
        """Return a frozen value as a reader wants to see it."""
        return str(frozen)

    if TYPE_CHECKING:  # a field of a model, for type checkers: its state holds live values

        def __get__(self, state: object, owner: type) -> Any: ...
        def __set__(self, state: object, value: Any) -> None: ...

    def values(self) -> Iterator[Any]:
        """Yield all values in order, live."""
        return (self.thaw(frozen) for frozen in self.frozen_values())

    def __iter__(self) -> Iterator[Any]:
        return self.values()

    def __contains__(self, value: object) -> bool:
        try:
            self.freeze(value)
        except DomainError:
            return False
        return True


def domain_of(declared: Any, where: str) -> Domain:
    """Return a domain as it was declared: one of ours, a range of integers, or a collection of constants.

    Raises
    ------
    ModelError
        For anything else.
    """
    from workbench.model.formal.domains.scalars import Bool, Enum, Int  # noqa: PLC0415 - they derive from this

    if isinstance(declared, Domain):
        return declared
    if declared is bool:
        return Bool()
    if isinstance(declared, range) and declared and abs(declared.step) == 1:
        return Int(min(declared), max(declared))
    if isinstance(declared, tuple | list) and declared:
        return Enum(*declared)
    if isinstance(declared, type) and hasattr(declared, "__members__"):
        return Enum(*declared.__members__.values())
    msg = f"{where} must be a domain such as Int(0, 5), a range or a tuple of constants, got {declared!r}"
    raise ModelError(msg)
