"""A model: a Python class whose fields have finite domains, and whose functions say how they change.

A state of the model is an instance of the class. What the class declares is collected in its
`Specification` when the class is made; both engines, the pictures and the exports read that.
"""

import inspect
from collections.abc import Callable, Hashable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, TypeAlias

from workbench.model.formal._declaring import Action, Arguments, Declared
from workbench.model.formal.domains.domain import Domain
from workbench.model.formal.errors import DomainError, ModelError

__all__ = ["Frozen", "Instance", "Model", "Specification", "specification"]

Frozen: TypeAlias = tuple[Hashable, ...]  # a state's frozen values in the order of the fields


@dataclass(frozen=True, slots=True)
class Instance:
    """An action with a choice of its parameters' values: what a label on an edge of the state graph is."""

    number: int
    action: Action
    arguments: Arguments

    @property
    def label(self) -> str:
        """The action as it would be called: ``empty(k=1)``."""
        return f"{self.action.name}({', '.join(f'{name}={value}' for name, value in self.arguments.items())})"


@dataclass(frozen=True, eq=False)
class Specification:
    """What a model's class declares.

    Attributes
    ----------
    fields : mapping of str to Domain
        In the order of their declaration, those of parent classes first.
    members : tuple of Declared
        Actions, invariants and the rest, in the order of their declaration.
    temporal : mapping of str to formulas
        Temporal properties by name.
    """

    model: "type[Model]"
    fields: Mapping[str, Domain]
    members: tuple[Declared, ...]
    temporal: Mapping[str, Any]

    @property
    def name(self) -> str:
        """The class's name."""
        return self.model.__name__

    def of_kind(self, kind: str) -> tuple[Declared, ...]:
        """Return the members of a kind: "invariant", "terminal", ..."""
        return tuple(member for member in self.members if member.kind == kind)

    @cached_property
    def actions(self) -> tuple[Action, ...]:
        """The actions in the order of their declaration."""
        return tuple(member for member in self.members if isinstance(member, Action))

    @cached_property
    def instances(self) -> tuple[Instance, ...]:
        """The actions with each choice of parameters, in the order in which they are tried."""
        chosen = [(action, arguments) for action in self.actions for arguments in action.choices]
        return tuple(Instance(number, *each) for number, each in enumerate(chosen))

    @cached_property
    def thaw(self) -> "Callable[[Frozen], Any]":
        """Make a state that may be changed of frozen values."""
        targets = [f"state.{name} = " for name in self.fields]
        values = {f"t{number}": domain.thaw for number, domain in enumerate(self.fields.values())}
        lines = [f"    {target}t{n}(values[{n}])" for n, target in enumerate(targets)]
        text = "\n".join(["def thaw(values):", "    state = new(model)", *lines, "    return state"])
        return _made("thaw", text, {**values, "new": object.__new__, "model": self.model})

    @cached_property
    def freeze(self) -> "Callable[[Any], Frozen]":
        """Make frozen values of a state; a value outside its domain is a DomainError naming the field."""
        values = {f"f{number}": domain.freeze for number, domain in enumerate(self.fields.values())}
        parts = ", ".join(f"f{number}(state.{name})" for number, name in enumerate(self.fields))
        quick = _made("freeze", f"def freeze(state):\n    return ({parts},)", values)

        def freeze(state: Any) -> Frozen:
            try:
                return quick(state)
            except DomainError:
                self._blame(state)
                raise

        return freeze

    def _blame(self, state: Any) -> None:
        for name, domain in self.fields.items():
            try:
                domain.freeze(getattr(state, name))
            except DomainError as error:
                msg = f"field {name} of {self.name}: {error}"
                raise DomainError(msg) from None

    def initial(self) -> Iterator[Frozen]:
        """Yield the frozen initial states as `init` emits them."""
        state = self.thaw(tuple(domain.lowest for domain in self.fields.values()))
        emitted = self.model.init(state)
        if inspect.isgenerator(emitted):
            for _ in emitted:
                yield self.freeze(state)
        else:
            yield self.freeze(state)

    def show(self, state: Frozen) -> dict[str, str]:
        """Return a state's values by field, as text."""
        named = zip(self.fields.items(), state, strict=True)
        return {name: domain.show(value) for (name, domain), value in named}


def _made(name: str, text: str, names: dict[str, Any]) -> Any:
    """Return a function made of its text: a loop over the fields, unrolled."""
    exec(text, names)  # noqa: S102 - the text is ours; the fields' names are identifiers
    return names[name]


class _ModelType(type):
    """Collects what a class declares, and turns its fields into slots."""

    __specification__: Specification

    def __new__(mcs, name: str, bases: tuple[type, ...], namespace: dict[str, Any]) -> "_ModelType":
        fields = {key: value for key, value in namespace.items() if isinstance(value, Domain)}
        if "init" in fields:
            msg = f"{name} declares a field called init, which is the function that sets the first states"
            raise ModelError(msg)
        temporal = {key: value for key, value in namespace.items() if hasattr(value, "__temporal__")}
        kept = {key: value for key, value in namespace.items() if key not in fields}
        made = super().__new__(mcs, name, bases, {**kept, "__slots__": tuple(fields)})
        inherited = [base.__specification__ for base in bases if hasattr(base, "__specification__")]
        made.__specification__ = _collected(made, inherited, namespace, fields, temporal)
        return made


def _collected(
    model: Any,
    inherited: list[Specification],
    namespace: dict[str, Any],
    fields: dict[str, Domain],
    temporal: dict[str, Any],
) -> Specification:
    members: dict[str, Declared] = {}
    all_fields: dict[str, Domain] = {}
    all_temporal: dict[str, Any] = {}
    for parent in inherited:
        all_fields |= parent.fields
        members |= {member.name: member for member in parent.members}
        all_temporal |= parent.temporal
    for name, value in namespace.items():
        if isinstance(value, Declared):
            members[name] = value
        else:
            members.pop(name, None)
        if name not in temporal:
            all_temporal.pop(name, None)
    again = sorted(all_fields.keys() & fields.keys())
    if again:
        msg = f"{model.__name__} declares the field {again[0]} again, which its parent has"
        raise ModelError(msg)
    return Specification(model, all_fields | fields, tuple(members.values()), all_temporal | temporal)


class Model(metaclass=_ModelType):
    """The root of all models: declare fields, `init`, and actions.

    Examples
    --------
    >>> import workbench.model.formal as wb
    >>> class Counter(wb.Model):
    ...     n = wb.Int(0, 3)
    ...     @wb.action
    ...     def up(s):
    ...         wb.require(s.n < 3)
    ...         s.n += 1
    ...     @wb.terminal
    ...     def full(s):
    ...         return s.n == 3
    >>> wb.check(Counter).distinct
    4
    """

    def __init__(self, **values: Any) -> None:
        declared = specification(type(self))
        unknown = sorted(values.keys() - declared.fields.keys())
        if unknown:
            known = ", ".join(declared.fields)
            msg = f"{declared.name} has no field {unknown[0]}; its fields are {known}"
            raise ModelError(msg)
        for name, domain in declared.fields.items():
            given = values.get(name)
            frozen = domain.freeze(given) if name in values else domain.lowest
            setattr(self, name, domain.thaw(frozen))

    def init(self) -> Any:
        """Set the fields of the initial state; each `yield`, if any, emits the state as it stands."""

    def __eq__(self, other: object) -> bool:
        if type(self) is not type(other):
            return NotImplemented
        freeze = specification(type(self)).freeze
        return freeze(self) == freeze(other)

    def __hash__(self) -> int:
        return hash(specification(type(self)).freeze(self))

    def __repr__(self) -> str:
        fields = specification(type(self)).fields
        return f"{type(self).__name__}({', '.join(f'{name}={getattr(self, name)!r}' for name in fields)})"


def specification(model: Any) -> Specification:
    """Return what a model declares.

    Raises
    ------
    ModelError
        When this is no class derived from `Model`, or it has no field.
    """
    kind = type(model) if isinstance(model, Model) else model
    if not (isinstance(kind, type) and issubclass(kind, Model)):
        msg = f"a model is a class derived from Model, got {model!r}"
        raise ModelError(msg)
    declared = kind.__specification__
    if not declared.fields:
        msg = f"{declared.name} declares no fields: a model has fields, such as n = Int(0, 5)"
        raise ModelError(msg)
    return declared
