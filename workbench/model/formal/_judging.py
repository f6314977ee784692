"""Does a behaviour violate a property? Judged step by step, by Python, without a search.

A behaviour that never ends is a *lasso*: positions ``0 .. n-1``, each followed by the next, the last by
position `loop`. The truth of a formula of linear time at each position is a fixed point: ``until(p, q)`` is
the least solution of ``x[i] = q[i] or (p[i] and x[after i])``, and ``release(p, q)`` the greatest of
``x[i] = q[i] and (p[i] or x[after i])``; two rounds from the last position back to the first reach it.
"""

from collections.abc import Callable

from workbench.model.formal._explorations import Limits
from workbench.model.formal._models import Frozen, Instance, Specification
from workbench.model.formal.errors import ModelError
from workbench.model.formal.interpreting.steps import Broken, successor, successors, truth
from workbench.model.formal.temporal.formulas import Atom, Constant, Formula, formula
from workbench.model.formal.verdicts import Step, Violation

__all__ = ["is_violated"]


def is_violated(declared: Specification, violation: Violation) -> bool:
    """Tell whether a behaviour of a model, with states of that model, violates the property that it names.

    A property that the model does not have (any more) is violated by no behaviour; one that only a search can
    judge ("refinement") is taken to be.
    """
    judge = JUDGES.get(violation.kind)
    return judge is None or judge(declared, violation)


def _last(declared: Specification, violation: Violation) -> Frozen:
    return declared.freeze(violation.trace[-1].state)


def _invariant(declared: Specification, violation: Violation) -> bool:
    named = [each for each in declared.of_kind("invariant") if each.name == violation.property]
    return any(not truth(declared, each, _last(declared, violation)) for each in named)


def _deadlock(declared: Specification, violation: Violation) -> bool:
    state = _last(declared, violation)
    if any(truth(declared, each, state) for each in declared.of_kind("terminal")):
        return False
    return next(successors(declared, state), None) is None


def _assertion(declared: Specification, violation: Violation) -> bool:
    instance = _instance(declared, violation.trace[-1])
    return isinstance(successor(declared, _last(declared, violation), instance), Broken)


def _action_property(declared: Specification, violation: Violation) -> bool:
    before, after = (declared.freeze(step.state) for step in violation.trace[-2:])
    named = [each for each in declared.of_kind("action property") if each.name == violation.property]
    return any(not truth(declared, each, before, after) for each in named)


def _temporal(declared: Specification, violation: Violation) -> bool:
    if violation.property not in declared.temporal:
        return False
    wanted = formula(declared.temporal[violation.property])
    from workbench.model.formal.temporal.branching import branches  # noqa: PLC0415 - it imports NumPy

    if violation.loop is None or branches(wanted):
        return _branching(declared, wanted)
    if violation.trace[-1].state != violation.trace[violation.loop].state:
        return False
    if not _is_fair(declared, violation.trace[violation.loop + 1 :]):
        return False
    states = [declared.freeze(step.state) for step in violation.trace[:-1]]
    return not _truths(declared, wanted, states, [*range(1, len(states)), violation.loop])[0]


def _branching(declared: Specification, wanted: Formula) -> bool:
    """Tell whether a formula of branching time is false; no single behaviour can show that."""
    from workbench.model.formal._engines import explored_graph  # noqa: PLC0415 - it imports Numba
    from workbench.model.formal.temporal.branching import states_where  # noqa: PLC0415
    from workbench.model.formal.temporal.graphs import Graph  # noqa: PLC0415

    graph = Graph(declared, explored_graph(declared, Limits(), "auto", None))
    return not states_where(graph, wanted)[: graph.initial].all()


def _truths(  # noqa: PLR0911 - a table of operators
    declared: Specification, wanted: Formula, states: list[Frozen], after: list[int]
) -> list[bool]:
    """Return whether a formula is true at each position of a lasso."""
    if isinstance(wanted, Constant):
        return [wanted.value] * len(states)
    if isinstance(wanted, Atom):
        return [_true_of(declared, wanted, state) for state in states]
    operator: str = wanted.operator  # type: ignore[attr-defined]
    parts = [_truths(declared, part, states, after) for part in wanted.parts]  # type: ignore[attr-defined]
    if operator == "not":
        return [not here for here in parts[0]]
    if operator == "next":
        return [parts[0][following] for following in after]
    first, second = parts
    if operator == "and":
        return [a and b for a, b in zip(first, second, strict=True)]
    if operator == "or":
        return [a or b for a, b in zip(first, second, strict=True)]
    if operator == "until":
        return _fixed_point(after, lambda here, later: second[here] or (first[here] and later), start=False)
    return _fixed_point(after, lambda here, later: second[here] and (first[here] or later), start=True)


def _fixed_point(after: list[int], rule: Callable[[int, bool], bool], *, start: bool) -> list[bool]:
    found = [start] * len(after)
    for _ in range(2):
        for here in reversed(range(len(after))):
            found[here] = rule(here, found[after[here]])
    return found


def _true_of(declared: Specification, atom: Atom, state: Frozen) -> bool:
    if atom.function is not None:
        return bool(atom.function(declared.thaw(state)))
    for member in declared.members:
        if member.name == atom.name:
            return truth(declared, member, state)
    msg = f"{declared.name} has no predicate {atom.name}"
    raise ModelError(msg)


def _is_fair(declared: Specification, steps: list[Step]) -> bool:
    """Tell whether a loop does not put off for ever what is declared fair."""
    states = [declared.freeze(step.state) for step in steps]
    for instance in declared.instances:
        if instance.action.fair is None or any(_is_taken(instance, step) for step in steps):
            continue
        enabled = [_is_enabled(declared, state, instance) for state in states]
        if all(enabled) or (instance.action.fair == "strong" and any(enabled)):
            return False
    return True


def _is_taken(instance: Instance, step: Step) -> bool:
    return step.action == instance.action.name and dict(step.args) == dict(instance.arguments)


def _is_enabled(declared: Specification, state: Frozen, instance: Instance) -> bool:
    after = successor(declared, state, instance)
    if after is None or isinstance(after, Broken):
        return False
    return all(truth(declared, each, after) for each in declared.of_kind("constraint"))


def _instance(declared: Specification, step: Step) -> Instance:
    return next(each for each in declared.instances if _is_taken(each, step))


JUDGES: dict[str, Callable[[Specification, Violation], bool]] = {
    "invariant": _invariant,
    "deadlock": _deadlock,
    "assertion": _assertion,
    "action property": _action_property,
    "temporal": _temporal,
}
"""How each kind of property is judged."""
