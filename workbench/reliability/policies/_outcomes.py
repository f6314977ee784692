"""Which exceptions count as failures: by type, by class of error, or as a function says.

::

    on=ConnectionError                       a type, or a tuple of them
    on=ErrorClass.TIMEOUT                    what `classify` makes of it
    on=lambda error: error.code == 503       a predicate
    on=(ConnectionError, ErrorClass.OVERLOAD)    any of several

A group of exceptions counts where all its members do; or where groups are asked for by their type.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeAlias

from workbench.reliability.errors.classification import classify
from workbench.reliability.errors.taxonomy import ErrorClass
from workbench.reliability.policy import PolicyError

__all__ = ["Failures", "On", "OneOn"]

OneOn: TypeAlias = type[BaseException] | ErrorClass | Callable[[BaseException], bool]
On: TypeAlias = OneOn | tuple[OneOn, ...] | list[OneOn] | set[OneOn] | frozenset[OneOn]


@dataclass(frozen=True, slots=True)
class Failures:
    """Which exceptions count; `types` alone decide where `judge` is None, and `certain` ones in any case.

    Attributes
    ----------
    types : tuple of exception types
        What may count: for an ``except`` clause.
    judge : callable, optional
        Tells for an exception of these types whether it counts.
    certain : tuple of exception types
        What counts whatever else is said.
    """

    types: tuple[type[BaseException], ...]
    judge: Callable[[BaseException], bool] | None = None
    certain: tuple[type[BaseException], ...] = ()

    @classmethod
    def of(cls, on: On, ignore: On = (), *, least: type[BaseException] = BaseException) -> "Failures":
        """Return what `on` says, without what `ignore` says.

        Raises
        ------
        PolicyError
            When either is something else than types, error classes and functions, or a type is no `least`.
        """
        wanted, unwanted = _parts(on, "on"), _parts(ignore, "ignore")
        for part in wanted:
            if isinstance(part, type) and not issubclass(part, least):
                msg = f"on: {part.__name__} is not an {least.__name__}; it always passes"
                raise PolicyError(msg)
        types = tuple(part for part in wanted if isinstance(part, type))
        certain = () if unwanted else types
        if len(types) < len(wanted):
            return cls((*types, Exception), _judge(wanted, unwanted), certain)
        if unwanted or not any(issubclass(ExceptionGroup, each) for each in types):
            return cls((*types, ExceptionGroup), _judge(wanted, unwanted), certain)
        return cls(types, None, certain)

    def include(self, error: BaseException) -> bool:
        """Tell whether an exception counts."""
        if isinstance(error, self.certain):
            return True
        return isinstance(error, self.types) and (self.judge is None or bool(self.judge(error)))


def _parts(on: On, name: str) -> tuple[OneOn, ...]:
    parts: tuple[OneOn, ...] = tuple(on) if isinstance(on, tuple | list | set | frozenset) else (on,)
    for part in parts:
        if not _fits(part):
            msg = f"{name}: {part!r} is no exception type, no ErrorClass and no function of an exception"
            raise PolicyError(msg)
    return parts


def _fits(part: object) -> bool:
    if isinstance(part, type):
        return issubclass(part, BaseException)
    return isinstance(part, ErrorClass) or callable(part)


def _judge(wanted: tuple[OneOn, ...], unwanted: tuple[OneOn, ...]) -> Callable[[BaseException], bool]:
    is_wanted, is_unwanted = _any(wanted), _any(unwanted)
    by_name = any(isinstance(part, type) and issubclass(part, BaseExceptionGroup) for part in wanted)

    def judged(error: BaseException) -> bool:
        if isinstance(error, BaseExceptionGroup) and not (by_name and is_wanted(error)):
            return all(map(judged, error.exceptions))
        return is_wanted(error) and not is_unwanted(error)

    return judged


def _any(parts: tuple[Any, ...]) -> Callable[[BaseException], bool]:
    types = tuple(part for part in parts if isinstance(part, type))
    classes = frozenset(part for part in parts if isinstance(part, ErrorClass))
    asked = tuple(part for part in parts if not isinstance(part, type | ErrorClass))

    def found(error: BaseException) -> bool:
        if isinstance(error, types) or (classes and classify(error) in classes):
            return True
        return any(ask(error) for ask in asked)

    return found
