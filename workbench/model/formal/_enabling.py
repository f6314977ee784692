"""Why is this action not enabled here? Every guard of an action, evaluated in one state.

An action ends at the first guard that does not hold. Here it goes on, so that all guards are seen. What
stands behind a guard that does not hold may fail, for the guard protected it; then the rest is not reached.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from workbench import display
from workbench.model.formal._declaring import Action
from workbench.model.formal._guards import Guard, recorded_guards
from workbench.model.formal._models import Frozen, Instance, Model, Specification, specification
from workbench.model.formal.errors import ModelError
from workbench.model.formal.interpreting.steps import Broken, successor, truth
from workbench.model.formal.verdicts import Step

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Guards", "Tried", "guards_of", "why_not"]

MOST_TEXT = 200  # characters of a state in a title


@dataclass(frozen=True, slots=True)
class Tried:
    """One action with its arguments, tried in a state.

    Attributes
    ----------
    action : str
    args : mapping
    enabled : bool
    guards : tuple of Guard
        In the order in which they were met.
    note : str
        What else there is to say: why later guards were not reached, or that the state after the action is
        left out by a constraint.
    """

    action: str
    args: Mapping[str, Any]
    enabled: bool
    guards: tuple[Guard, ...]
    note: str = ""

    @property
    def label(self) -> str:
        """The action as it would be called."""
        return Step(self.action, self.args, None).label

    @property
    def failed(self) -> tuple[Guard, ...]:
        """The guards that do not hold."""
        return tuple(guard for guard in self.guards if not guard.held)

    @property
    def reason(self) -> str:
        """The guards that do not hold, with their lines, on one line of text."""
        parts = [f"{guard.text} (line {guard.line})" for guard in self.failed]
        return "; ".join([*parts, self.note] if self.note else parts)


@dataclass(frozen=True, slots=True)
class Guards:
    """Actions that were tried in a state, each with its guards.

    Attributes
    ----------
    state : Model
    tried : tuple of Tried
        In the order in which the model tries them.
    """

    state: Model
    tried: tuple[Tried, ...]

    @property
    def enabled(self) -> tuple[Tried, ...]:
        """Those that are enabled."""
        return tuple(each for each in self.tried if each.enabled)

    def table(self) -> display.Table:
        """Return the guards of one action, or for several which of them do not hold."""
        if len(self.tried) == 1:
            return _one(self.tried[0], _short(self.state))
        rows = [[each.label, _word(each.enabled), each.reason] for each in self.tried]
        title = f"{repr(self).removeprefix('Guards: ')} in {_short(self.state)}"
        return display.table(["action", "enabled", "what does not hold"], rows, title=title, max_rows=60)

    def to_pandas(self) -> "pd.DataFrame":
        """Return a row for each guard of each action: action, enabled, line, text, held."""
        import pandas as pd  # noqa: PLC0415 - for those who ask

        rows = [
            (each.label, each.enabled, guard.line, guard.text, guard.held)
            for each in self.tried
            for guard in each.guards
        ]
        return pd.DataFrame(rows, columns=["action", "enabled", "line", "guard", "held"])

    def __repr__(self) -> str:
        if len(self.tried) == 1:
            tried = self.tried[0]
            counted = f"{len(tried.failed)} of {display.plural(len(tried.guards), 'guard')}"
            return f"Guards: {tried.label} is " + (
                "enabled" if tried.enabled else f"not enabled: {counted} not held"
            )
        return f"Guards: {len(self.enabled)} of {display.plural(len(self.tried), 'action')} enabled"

    def _repr_html_(self) -> str:
        return self.table()._repr_html_()


def why_not(state: Model | Step, action: Action | str | None = None, /, **args: Any) -> Guards:
    """Evaluate the guards of an action in a state.

    Parameters
    ----------
    state : Model or Step
        A state, or a step of a trace: the state after it.
    action : str or Action, optional
        The action, or its name; without one, all actions of the model.
    args
        Values of its parameters; those that are not given take all their values.

    Raises
    ------
    ModelError
        When this is no state, the model has no such action, or the action no such parameter or value.

    Examples
    --------
    >>> import workbench.model.formal as wb
    >>> model = wb.library.TransactionCommit(rm=2)
    >>> wb.why_not(model(), "commit", r=0)
    Guards: commit(r=0) is not enabled: 2 of 2 guards not held
    """
    at = state.state if isinstance(state, Step) else state
    if not isinstance(at, Model):
        msg = f"expected a state of a model, or a step of a trace, got {at!r}"
        raise ModelError(msg)
    declared = specification(at)
    frozen = declared.freeze(at)
    chosen = _chosen(declared, action, args)
    return Guards(at, tuple(guards_of(declared, frozen, instance) for instance in chosen))


def guards_of(declared: Specification, state: Frozen, instance: Instance) -> Tried:
    """Return the guards of an action with its arguments in a frozen state."""
    guards, failure = _recorded(declared, state, instance)
    after = successor(declared, state, instance)
    note = f"what follows was not reached: {failure}" if failure and after is None else ""
    if isinstance(after, Broken):
        note = f"its assertion fails{': ' if after.reason else ''}{after.reason}"
    elif after is not None:
        left_out = [each.name for each in declared.of_kind("constraint") if not truth(declared, each, after)]
        note = f"the state after it is left out by {', '.join(left_out)}" if left_out else ""
    return Tried(instance.action.name, dict(instance.arguments), after is not None, guards, note)


def _recorded(declared: Specification, state: Frozen, instance: Instance) -> tuple[tuple[Guard, ...], str]:
    """Return the guards, and what went wrong behind one that does not hold."""
    with recorded_guards() as guards:
        try:
            instance.action.function(declared.thaw(state), **instance.arguments)
        except Exception as error:  # noqa: BLE001 - code behind a guard that does not hold may do anything
            return tuple(guards), f"{type(error).__name__}: {error}"
    return tuple(guards), ""


def _chosen(declared: Specification, action: Action | str | None, args: Mapping[str, Any]) -> list[Instance]:
    name = action.name if isinstance(action, Action) else action
    if name is None and not args:
        return list(declared.instances)
    known = {each.name: each for each in declared.actions}
    if name not in known:
        msg = f"{declared.name} has no action {name!r}; its actions are {', '.join(known)}"
        raise ModelError(msg)
    _check_arguments(known[name], args)
    return [
        each
        for each in declared.instances
        if each.action.name == name and all(each.arguments[key] == value for key, value in args.items())
    ]


def _check_arguments(action: Action, args: Mapping[str, Any]) -> None:
    for key, value in args.items():
        if key not in action.parameters:
            msg = f"{action.name} has no parameter {key!r}; it has {', '.join(action.parameters) or 'none'}"
            raise ModelError(msg)
        if value not in action.parameters[key]:
            values = ", ".join(map(repr, action.parameters[key]))
            msg = f"{key}={value!r} is none of the values of {action.name}'s {key}: {values}"
            raise ModelError(msg)


def _one(tried: Tried, state: str) -> display.Table:
    rows = [[guard.line, guard.text, _word(guard.held)] for guard in tried.guards]
    title = f"{tried.label} is {'enabled' if tried.enabled else 'not enabled'} in {state}"
    more = [["", tried.note, ""]] if tried.note else []
    return display.table(["line", "guard", "held"], [*rows, *more], title=title, max_rows=60)


def _short(state: Model) -> str:
    text = repr(state)
    return text if len(text) <= MOST_TEXT else text[: MOST_TEXT - 1] + "…"


def _word(flag: bool) -> str:  # noqa: FBT001 - one flag
    return "yes" if flag else "no"
