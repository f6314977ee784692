"""A model as guarded commands: for each action instance and each way through it, a guard and what it sets.

This is what both exports print: under the guard, all assignments happen at once, reading the state before.
"""

import inspect
import traceback
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any

from workbench.model.formal._declaring import Declared
from workbench.model.formal._guards import NotEnabledError
from workbench.model.formal._models import Instance, Specification
from workbench.model.formal.domains.sets import Set
from workbench.model.formal.errors import DomainError, FormalError, NotExportableError
from workbench.model.formal.exporting.collections import SetBits
from workbench.model.formal.exporting.guarded import GuardedSet
from workbench.model.formal.exporting.operations import truth
from workbench.model.formal.exporting.paths import changed, paths
from workbench.model.formal.exporting.rewriting import rewritten
from workbench.model.formal.exporting.shapes import cells, leaves, live
from workbench.model.formal.exporting.terms import FALSE, TRUE, Cell, Term, both, cell_term, either

__all__ = ["Command", "Commands", "commands_of", "refused"]


@dataclass(frozen=True, slots=True)
class Command:
    """One way through an action.

    Attributes
    ----------
    guard : Term
        When this way is taken.
    sets : tuple of (Cell, Term)
        What it sets, from the state before.
    fails : str
        Why it ends in an error in place of a state: an assertion, a value outside its domain.
    kept : Term
        Whether the constraints let the state after it be explored.
    holds : tuple of (str, Term)
        The action properties, over the state before.
    """

    instance: Instance
    guard: Term
    sets: tuple[tuple[Cell, Term], ...] = ()
    fails: str = ""
    kept: Term = TRUE
    holds: tuple[tuple[str, Term], ...] = ()


@dataclass(frozen=True, slots=True)
class Commands:
    """A model as both exports print it."""

    declared: Specification
    cells: tuple[Cell, ...]
    initial: tuple[tuple[Term, ...], ...]
    commands: tuple[Command, ...]
    properties: dict[str, dict[str, Term]]  # of a kind, by name


class _State:
    """A state whose fields are made of terms; methods of the model are rewritten when they are used."""

    def __init__(self, declared: Specification, values: dict[str, Any]) -> None:
        object.__setattr__(self, "_declared", declared)
        object.__setattr__(self, "_values", values)

    def __getattr__(self, name: str) -> Any:
        if name in self._values:
            return self._values[name]
        for kind in self._declared.model.__mro__:
            if name in kind.__dict__:
                return self._bound(kind.__dict__[name])
        msg = f"the model has no field {name}"
        raise AttributeError(msg)

    def _bound(self, member: Any) -> Any:
        if isinstance(member, property) and member.fget is not None:
            return rewritten(member.fget)(self)
        if isinstance(member, staticmethod):
            return rewritten(member.__func__)
        if isinstance(member, Declared):
            member = member.function
        if callable(member) and hasattr(member, "__code__"):
            return rewritten(member).__get__(self)
        return member

    def __setattr__(self, name: str, value: Any) -> None:
        if name not in self._values:
            msg = f"the model has no field {name}"
            raise AttributeError(msg)
        changed()
        domain = self._declared.fields[name]
        if isinstance(value, GuardedSet) and isinstance(domain, Set):  # which knows what a set can do
            value = SetBits(domain, leaves(domain, value))
        self._values[name] = value

    def leaves(self) -> list[Term]:
        """Return the terms of all cells."""
        fields = self._declared.fields.items()
        return [leaf for name, domain in fields for leaf in leaves(domain, self._values[name])]


def commands_of(declared: Specification) -> Commands:
    """Return a model as guarded commands.

    Raises
    ------
    NotExportableError
        Naming the line of the model that cannot be exported, and why.
    """
    if declared.of_kind("view"):
        msg = f"{declared.name} declares a view, which the exports do not know"
        raise NotExportableError(msg)
    return _Reader(declared).read()


class _Reader:
    def __init__(self, declared: Specification) -> None:
        self.declared = declared
        fields = declared.fields.items()
        try:
            self.cells = tuple(cell for name, domain in fields for cell in cells(domain, (name,), ()))
        except FormalError as error:
            raise NotExportableError(str(error)) from None
        self.before = [cell_term(cell) for cell in self.cells]

    def read(self) -> Commands:
        commands = tuple(each for instance in self.declared.instances for each in self._commands(instance))
        kinds = "invariant", "constraint", "terminal"
        properties = {
            kind: {m.name: self._truth(m, self.before) for m in self.declared.of_kind(kind)} for kind in kinds
        }
        after = [cell_term(replace(cell, primed=True)) for cell in self.cells]
        steps = self.declared.of_kind("action property")
        properties["action property"] = {m.name: self._truth(m, self.before, after) for m in steps}
        initial = tuple(self._initial())
        if not initial:
            msg = f"{self.declared.name} has no initial state, and so nothing to export"
            raise NotExportableError(msg)
        return Commands(self.declared, self.cells, initial, commands, properties)

    def _initial(self) -> Iterator[tuple[Term, ...]]:
        constraints = self.declared.of_kind("constraint")
        for frozen in dict.fromkeys(self.declared.initial()):
            state = self.declared.thaw(frozen)
            if all(each.function(state) for each in constraints):
                values = self.declared.fields.items()
                terms = [leaf for name, domain in values for leaf in leaves(domain, getattr(state, name))]
                yield tuple(terms)

    def _state(self, terms: list[Term]) -> _State:
        source = iter(terms)
        values = {name: live(domain, lambda: next(source)) for name, domain in self.declared.fields.items()}
        return _State(self.declared, values)

    def _commands(self, instance: Instance) -> Iterator[Command]:
        function = instance.action.function

        def run() -> list[Term] | str:
            state = self._state(self.before)
            try:
                rewritten(function)(state, **instance.arguments)
                return state.leaves()
            except NotEnabledError:
                return ""
            except AssertionError as error:
                return f"assertion {error}".strip()
            except (DomainError, IndexError, KeyError) as error:
                return f"error: {error}"

        for path in self._paths(instance.action, run):
            guard = both(*path.conditions)
            if isinstance(path.outcome, list):
                yield self._command(instance, guard, path.outcome)
            elif path.outcome:
                yield Command(instance, guard, fails=path.outcome)

    def _command(self, instance: Instance, guard: Term, after: list[Term]) -> Command:
        pairs = zip(self.cells, self.before, after, strict=True)
        sets = tuple((cell, new) for cell, old, new in pairs if new != old)
        kept = both(*(self._truth(each, after) for each in self.declared.of_kind("constraint")))
        steps = self.declared.of_kind("action property")
        holds = tuple((each.name, self._truth(each, self.before, after)) for each in steps)
        return Command(instance, guard, sets, kept=kept, holds=holds)

    def _truth(self, member: Declared, *states: list[Term]) -> Term:
        def run() -> Term:
            return truth(rewritten(member.function)(*map(self._state, states)))

        found = [both(*path.conditions, path.outcome) for path in self._paths(member, run)]
        return either(*found) if found else FALSE

    def _paths(self, member: Declared, run: Callable[[], Any]) -> Iterator[Any]:
        try:
            yield from paths(run)
        except NotExportableError:
            raise
        except Exception as error:
            raise refused(member, error) from error


def refused(member: Declared, error: Exception) -> NotExportableError:
    """Return the error that names the line of the model where an export failed, and why."""
    return NotExportableError(f"{_where(member, error)}: in {member.name}: {error or type(error).__name__}")


def _where(member: Declared, error: Exception) -> str:
    """Return the file and the line of the model where something failed."""
    code = member.function.__code__
    file, line = code.co_filename, code.co_firstlineno
    own = {file, inspect.getsourcefile(code)}
    for frame in traceback.extract_tb(error.__traceback__):
        if frame.filename in own and frame.lineno:
            line = frame.lineno
    return f"{file}:{line}"
