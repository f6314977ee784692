"""Behaviours taken again: by the model as it is now, which may have been changed since.

A behaviour is a list of steps. It is taken again when the first state is an initial one of the model, each
action is enabled where it was taken, and each leads to the state that was recorded. Of a state only the
fields that were recorded are compared: a model that has got more since may still have the behaviour.
"""

import re
from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from workbench.model.formal._enabling import guards_of
from workbench.model.formal._judging import is_violated
from workbench.model.formal._models import Frozen, Instance, Specification, specification
from workbench.model.formal.errors import DomainError, ReplayError
from workbench.model.formal.interpreting.steps import Broken, successor, successors
from workbench.model.formal.verdicts import Step, Violation

if TYPE_CHECKING:
    from workbench.model.formal.verdicts import Verdict

__all__ = ["STAYS", "as_test", "assert_mended", "replay"]

STAYS = "stays"  # the action of a step in which nothing can happen, in behaviours that never end


class OtherFieldsError(ReplayError):
    """Raised when a model lacks a field of a recorded state: the two cannot be compared."""


def replay(model: Any, trace: Sequence[Step]) -> list[Step]:
    """Take the steps of a behaviour again, and return them with the states that the model leads to now.

    Parameters
    ----------
    model : class
        Derived from `Model`: the one that the trace is of, or a later form of it.
    trace : sequence of Step
        From an initial state on; a state may be given as a mapping of its fields. Where the last step fails
        an assertion, its state is the one before.

    Raises
    ------
    ReplayError
        When a step cannot be taken, naming it, with the guards that do not hold; or when it leads to another
        state than the one recorded, with the fields that differ.

    Examples
    --------
    >>> import workbench.model.formal as wb
    >>> verdict = wb.check(wb.library.DieHard)
    >>> wb.replay(wb.library.DieHard, verdict.trace)[-1].state
    DieHard(big=4, small=3)
    """
    declared = specification(model)
    if not (isinstance(trace, Sequence) and all(isinstance(step, Step) for step in trace)):
        msg = f"a trace is a list of steps, as verdict.trace is, got {trace!r}"
        raise ReplayError(msg)
    if not trace:
        return []
    errors: list[ReplayError] = []
    for start in _starts(declared, trace[0]):
        try:
            states = [start, *_followed(declared, start, trace)]
        except ReplayError as error:
            errors.append(error)
            continue
        pairs = zip(trace, states, strict=True)
        return [Step(step.action, dict(step.args), declared.thaw(state)) for step, state in pairs]
    raise errors[0]


def assert_mended(model: Any, violation: Violation) -> None:
    """Fail as long as a model has a behaviour that violates a property.

    Parameters
    ----------
    model : class
        Derived from `Model`.
    violation : Violation
        As a verdict gives it, with its behaviour.

    Raises
    ------
    AssertionError
        When the model can take every step of the behaviour and the property does not hold of it.
    ReplayError
        When the model lacks a field that was recorded: then the states cannot be compared.

    Notes
    -----
    It says nothing about other behaviours: that a property holds is what `check` says.
    """
    __tracebackhide__ = True
    declared = specification(model)
    try:
        taken = replay(model, violation.trace)
    except OtherFieldsError:
        raise
    except ReplayError:
        return
    if not is_violated(declared, Violation(violation.kind, violation.property, taken, violation.loop)):
        return
    lines = "\n".join(f"  {number}. {step!r}" for number, step in enumerate(taken))
    back = "" if violation.loop is None else f"\nand again from step {violation.loop + 1} on"
    msg = f"{declared.name} violates {violation.kind} {violation.property}:\n{lines}{back}"
    raise AssertionError(msg)


def as_test(verdict: "Verdict") -> Callable[[], None]:
    """Return a function without arguments that fails as long as the model has a verdict's first violation.

    Raises
    ------
    ReplayError
        When the verdict has no violation.
    """
    violation = first_violation(verdict)
    model = verdict.model

    def test() -> None:
        __tracebackhide__ = True
        assert_mended(model, violation)

    test.__name__ = test.__qualname__ = name_of_test(verdict)
    test.__doc__ = f"{specification(model).name} does not violate {violation.kind} {violation.property}."
    return test


def first_violation(verdict: "Verdict") -> Violation:
    """Return the violation with the shortest behaviour; an error where there is none."""
    if not verdict.violations:
        msg = f"{verdict!r} has no behaviour to take again: nothing is violated"
        raise ReplayError(msg)
    return verdict.violations[0]


def name_of_test(verdict: "Verdict") -> str:
    """Return ``test_<model>_<property>``, in the form of a Python function's name."""
    words = f"{specification(verdict.model).name}_{first_violation(verdict).property}"
    parted = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", words)
    return "test_" + re.sub(r"\W+", "_", parted).strip("_").lower()


def _starts(declared: Specification, step: Step) -> list[Frozen]:
    """Return the initial states that look like the recorded one."""
    if step.action is not None:
        msg = f"step 0 is {step.label}: a behaviour begins with an initial state, whose action is None"
        raise ReplayError(msg)
    recorded = _recorded(declared, 0, step)
    initial = list(declared.initial())
    starts = [state for state in initial if not _difference(declared, recorded, state)]
    if not starts:
        differs = f": {_difference(declared, recorded, initial[0])}" if len(initial) == 1 else ""
        msg = f"step 0: {step.state!r} is no initial state of {declared.name}{differs}"
        raise ReplayError(msg)
    return starts


def _followed(declared: Specification, start: Frozen, trace: Sequence[Step]) -> Iterator[Frozen]:
    """Yield the state after each further step."""
    state = start
    for number, step in enumerate(trace[1:], start=1):
        recorded = _recorded(declared, number, step)
        if step.action == STAYS and STAYS not in {each.name for each in declared.actions}:
            _check_stays(declared, number, state)
        else:
            state = _after(declared, number, step, state, is_last=number == len(trace) - 1)
        differs = _difference(declared, recorded, state)
        if differs:
            msg = f"step {number}, {step.label}, leads elsewhere: {differs}"
            raise ReplayError(msg)
        yield state


def _recorded(declared: Specification, number: int, step: Step) -> dict[str, Hashable]:
    """Return the fields of a recorded state as the model would hold them now."""
    held = step.state
    names = held if isinstance(held, Mapping) else specification(held).fields
    found = {}
    for name in names:
        if name not in declared.fields:
            msg = f"step {number}, {step.label}: {declared.name} has no field {name}, which was recorded"
            raise OtherFieldsError(msg)
        value = held[name] if isinstance(held, Mapping) else getattr(held, name)
        try:
            found[name] = declared.fields[name].freeze(value)
        except DomainError as error:
            msg = f"step {number}, {step.label}: field {name} of the recorded state: {error}"
            raise ReplayError(msg) from None
    return found


def _after(declared: Specification, number: int, step: Step, before: Frozen, *, is_last: bool) -> Frozen:
    """Return the state after a step; the one before, for a last step that fails an assertion."""
    instance = _instance(declared, number, step)
    found = successor(declared, before, instance)
    if found is None:
        tried = guards_of(declared, before, instance)
        msg = f"step {number}, {step.label}, is not enabled: {tried.reason or 'a guard does not hold'}"
        raise ReplayError(msg)
    if not isinstance(found, Broken):
        return found
    if is_last:
        return before
    msg = f"step {number}, {step.label}: an assertion fails: {found.reason}"
    raise ReplayError(msg)


def _check_stays(declared: Specification, number: int, state: Frozen) -> None:
    for instance, _ in successors(declared, state):
        msg = f"step {number}: nothing could happen when it was recorded, and now {instance.label} is enabled"
        raise ReplayError(msg)


def _instance(declared: Specification, number: int, step: Step) -> Instance:
    named = [each for each in declared.instances if each.action.name == step.action]
    if not named:
        known = ", ".join(each.name for each in declared.actions)
        msg = f"step {number}: {declared.name} has no action {step.action!r}; its actions are {known}"
        raise ReplayError(msg)
    for each in named:
        if dict(each.arguments) == dict(step.args):
            return each
    msg = f"step {number}: {step.label} is no choice of {step.action}'s parameters, which are " + (
        ", ".join(f"{name} in {values!r}" for name, values in named[0].action.parameters.items()) or "none"
    )
    raise ReplayError(msg)


def _difference(declared: Specification, recorded: Mapping[str, Hashable], now: Frozen) -> str:
    """Return which recorded fields have other values now; empty for none."""
    parts = []
    for (name, domain), new in zip(declared.fields.items(), now, strict=True):
        old = recorded.get(name, new)
        if old != new:
            parts.append(f"{name} was {domain.show(old)} and is now {domain.show(new)}")
    return ", ".join(parts)
