"""What a span shows of a model: a step, with or without its arguments, or something of the state.

A mapping is a dictionary by the names of spans, or a function of a span. What it gives for a span is one of

::

    None                             nothing: the span is not looked at
    "charge"                         the action, with any arguments
    ("give_up", {"reason": "late"})  the action; arguments that are not given may be any
    Observed("charge", at="end")     the same, and when: somewhere within the span, at its start, at its end
    Observed(state={"paid": True})   no action, but what the state is
    [..., ...]                       several of these, in this order
"""

from collections.abc import Callable, Hashable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, TypeAlias, get_args

from workbench.model.formal._models import Frozen, Instance, Specification
from workbench.model.formal.errors import DomainError, MappingError
from workbench.model.formal.validating.spans import Span

__all__ = ["Observed", "Reading", "SpanMapping", "Vocabulary"]

At = Literal["within", "start", "end"]
SpanMapping: TypeAlias = Mapping[str, Any] | Callable[[Span], Any]
Key: TypeAlias = tuple[Hashable, ...]


@dataclass(frozen=True, slots=True)
class Observed:
    """What a span shows.

    Attributes
    ----------
    action : str or None
        The action of the model; None when only the state is seen.
    args : mapping
        Values of its parameters; one that is not given may have any.
    at : "within", "start" or "end"
        When it happened: at some time within the span, when the span began, or when it ended.
    state : mapping of str to values
        Fields of the model, and what they are right after it.
    """

    action: str | None = None
    args: Mapping[str, Any] = field(default_factory=dict)
    at: At = "within"
    state: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.at not in get_args(At):
            msg = f"at must be one of {', '.join(get_args(At))}, got {self.at!r}"
            raise MappingError(msg)

    @property
    def label(self) -> str:
        """The step as it would be called, without arguments that are not known."""
        known = ", ".join(f"{name}={value}" for name, value in self.args.items())
        seen = ", ".join(f"{name}={value}" for name, value in self.state.items())
        called = f"{self.action}({known})" if self.action else ""
        return " with ".join(part for part in (called, seen) if part)

    @property
    def key(self) -> Key:
        """What counts when two are compared."""
        return (self.action, *(tuple(sorted(part.items())) for part in (self.args, self.state)))


@dataclass(frozen=True, slots=True)
class Reading:
    """What is left of an observation when the model has been asked: instances, and parts of the state.

    Attributes
    ----------
    instances : tuple of Instance or None
        Those of the action that fit; None when nothing happens.
    state : tuple of (int, Hashable)
        The place of each field that is seen, and its frozen value.
    problem : str
        What can never be: a value that the model does not know.
    """

    instances: tuple[Instance, ...] | None
    state: tuple[tuple[int, Hashable], ...] = ()
    problem: str = ""

    def fits(self, after: Frozen) -> bool:
        """Tell whether a state is as it was seen."""
        return not self.problem and all(after[place] == value for place, value in self.state)


class Vocabulary:
    """What a model understands: reads observations, and names what is wrong with them."""

    def __init__(self, declared: Specification) -> None:
        self.declared = declared
        self._actions = {action.name: action for action in declared.actions}
        self._readings: dict[Key, Reading] = {}

    def shown(self, given: Any, where: str) -> tuple[Observed, ...]:
        """Return what a mapping gave for a span, as observations that the model understands.

        Raises
        ------
        MappingError
            When it is none of the forms, or names what the model does not have.
        """
        found = tuple(self._each(given, where))
        for observed in found:
            self._check(observed, where)
        return found

    def _each(self, given: Any, where: str) -> Iterable[Observed]:
        if given is None:
            return
        if isinstance(given, Observed):
            yield given
        elif isinstance(given, str):
            yield Observed(given)
        elif _is_pair(given):
            yield Observed(given[0], given[1] or {})
        elif isinstance(given, list | tuple):
            for part in given:
                yield from self._each(part, where)
        else:
            msg = f"{where}: expected an action's name, (name, arguments), Observed, a list of them or None, "
            msg += f"got {given!r:.80}"
            raise MappingError(msg)

    def _check(self, observed: Observed, where: str) -> None:
        action = self._actions.get(observed.action or "")
        if observed.action is not None and action is None:
            known = ", ".join(self._actions)
            msg = f"{where}: {self.declared.name} has no action {observed.action!r}; its actions are {known}"
            raise MappingError(msg)
        if observed.action is None and (observed.args or not observed.state):
            msg = f"{where}: without an action there are no arguments, and the state must be seen"
            raise MappingError(msg)
        known_names = () if action is None else tuple(action.parameters)
        _require_names(f"{where}: {observed.action} has no parameter", observed.args, known_names)
        fields = tuple(self.declared.fields)
        _require_names(f"{where}: {self.declared.name} has no field", observed.state, fields)

    def reading(self, observed: Observed) -> Reading:
        """Return what an observation means for this model."""
        try:
            key = observed.key
            found = self._readings.get(key)
        except TypeError:
            msg = f"{observed.label}: arguments and parts of the state must be hashable"
            raise MappingError(msg) from None
        if found is None:
            found = self._readings[key] = self._read(observed)
        return found

    def _read(self, observed: Observed) -> Reading:
        if observed.action is None:
            return self._with_state(None, observed)
        fitting = tuple(
            each
            for each in self.declared.instances
            if each.action.name == observed.action
            and all(each.arguments[name] == value for name, value in observed.args.items())
        )
        if fitting:
            return self._with_state(fitting, observed)
        parameters = self._actions[observed.action].parameters
        strange = (
            f"{name}={value!r}" for name, value in observed.args.items() if value not in parameters[name]
        )
        return Reading((), problem=f"the model does not know {', '.join(strange)} of {observed.action}")

    def _with_state(self, fitting: tuple[Instance, ...] | None, observed: Observed) -> Reading:
        places = {name: place for place, name in enumerate(self.declared.fields)}
        try:
            seen = tuple(
                (places[name], self.declared.fields[name].freeze(value))
                for name, value in observed.state.items()
            )
        except DomainError as error:
            return Reading(fitting, problem=f"the model does not know this state: {error}")
        return Reading(fitting, seen)


def _is_pair(given: Any) -> bool:
    return (
        isinstance(given, tuple)
        and len(given) == 2
        and isinstance(given[0], str)
        and (given[1] is None or isinstance(given[1], Mapping))
    )


def _require_names(said: str, given: Iterable[str], known: tuple[str, ...]) -> None:
    for name in given:
        if name not in known:
            msg = f"{said} {name!r}; it has {', '.join(known) or 'none'}"
            raise MappingError(msg)
