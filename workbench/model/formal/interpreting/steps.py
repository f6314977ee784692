"""One step of a model, run by Python: the successors of a state, and what is wrong with a state."""

from collections.abc import Callable, Hashable, Iterator
from dataclasses import dataclass
from typing import Any

from workbench.model.formal._guards import NotEnabledError
from workbench.model.formal._models import Frozen, Instance, Specification
from workbench.model.formal.errors import ActionError, DomainError

__all__ = ["Broken", "successor", "successors", "truth", "viewed"]


@dataclass(frozen=True, slots=True)
class Broken:
    """In place of a successor: an assertion in the action did not hold."""

    reason: str


def successors(declared: Specification, state: Frozen) -> Iterator[tuple[Instance, Frozen | Broken]]:
    """Yield each enabled action instance with the state after it."""
    for instance in declared.instances:
        after = successor(declared, state, instance)
        if after is not None:
            yield instance, after


def successor(declared: Specification, state: Frozen, instance: Instance) -> Frozen | Broken | None:
    """Return the state after an action, or None where it is not enabled.

    Raises
    ------
    ActionError
        When the action raises an error, or leaves a value outside its domain.
    """
    changed = declared.thaw(state)
    try:
        instance.action.function(changed, **instance.arguments)
        return declared.freeze(changed)
    except NotEnabledError:
        return None
    except AssertionError as error:
        return Broken(str(error))
    except DomainError as error:
        msg = f"{instance.label} in {declared.name}: {error} (in state {_shown(declared, state)})"
        raise ActionError(msg) from None
    except Exception as error:
        kind = type(error).__name__
        msg = f"{instance.label} raised {kind}: {error} (in state {_shown(declared, state)})"
        raise ActionError(msg) from error


def truth(declared: Specification, member: Any, state: Frozen, *others: Frozen) -> bool:
    """Return whether a property holds in a state, or on a step between two.

    Raises
    ------
    ActionError
        When the property itself raises an error.
    """
    try:
        return bool(member.function(*(declared.thaw(each) for each in (state, *others))))
    except Exception as error:
        kind = type(error).__name__
        msg = f"{member.kind} {member.name} raised {kind}: {error} (in state {_shown(declared, state)})"
        raise ActionError(msg) from error


def viewed(declared: Specification, view: Any) -> Callable[[Frozen], Hashable]:
    """Return a function from a state to what a view shows of it.

    Raises
    ------
    ActionError
        By that function, when the view raises an error, or its result is no key.
    """

    def key(state: Frozen) -> Hashable:
        try:
            found: Hashable = view.function(declared.thaw(state))
        except Exception as error:
            kind = type(error).__name__
            msg = f"view {view.name} raised {kind}: {error} (in state {_shown(declared, state)})"
            raise ActionError(msg) from error
        try:
            hash(found)
        except TypeError:
            msg = f"view {view.name} returned {found!r}, which may change: make it a tuple or a frozenset"
            raise ActionError(msg) from None
        return found

    return key


def _shown(declared: Specification, state: Frozen) -> str:
    return ", ".join(f"{name}={value}" for name, value in declared.show(state).items())
