"""Why no behaviour goes on: the event that cannot be shown, and its guards in the states reached."""

from dataclasses import dataclass, replace

from workbench.model.formal._enabling import Guards, Tried, guards_of
from workbench.model.formal._models import Frozen, Specification
from workbench.model.formal.interpreting.steps import successor
from workbench.model.formal.validating.events import Pattern
from workbench.model.formal.validating.mappings import Reading
from workbench.model.formal.validating.searching import Outcome

__all__ = ["Refusal", "refusal_of"]

MOST_STATES = 12  # in which guards are evaluated: those reached first, by the fewest hidden steps


@dataclass(frozen=True, slots=True)
class Refusal:
    """Where a trace leaves the model.

    Attributes
    ----------
    event : int or None
        The first event, in time, that cannot follow the longest prefix; None when all events are shown and
        only the end is missing.
    others : tuple of int
        Those that might have come instead, and cannot be shown either.
    reached : int
        In how many states the model may be after the prefix.
    guards : tuple of Guards
        The event's actions, tried in those states; at most a dozen.
    reason : str
        What does not hold in the state that comes nearest.
    instead : tuple of str
        The actions that the model could have taken there.
    """

    event: int | None
    others: tuple[int, ...]
    reached: int
    guards: tuple[Guards, ...]
    reason: str
    instead: tuple[str, ...]


def refusal_of(
    declared: Specification, pattern: Pattern, readings: tuple[Reading, ...], outcome: Outcome
) -> Refusal:
    """Return why a pattern is not shown."""
    if not outcome.reached:
        return Refusal(None, (), 0, (), "the model has no initial state", ())
    prefixes = dict.fromkeys(mask for _, mask in outcome.reached)
    shown = min(prefixes, key=lambda mask: _in_line(mask, len(pattern)))
    states = list(dict.fromkeys(state for state, mask in outcome.reached if mask == shown))
    waiting = [
        event for event, (_, before) in enumerate(pattern) if not shown >> event & 1 and before & ~shown == 0
    ]
    instead = _instead(declared, states[:MOST_STATES])
    if not waiting:
        return Refusal(None, (), len(states), (), "no terminal state is reached", instead)
    guards = tuple(_tried(declared, state, readings[waiting[0]]) for state in states[:MOST_STATES])
    reason = _nearest(guards) or _nearest_state(declared, states, readings[waiting[0]])
    return Refusal(waiting[0], tuple(waiting[1:]), len(states), guards, reason, instead)


def _in_line(mask: int, count: int) -> tuple[bool, ...]:
    """Order prefixes: those that hold the earlier events come first."""
    return tuple(not mask >> event & 1 for event in range(count))


def _tried(declared: Specification, state: Frozen, reading: Reading) -> Guards:
    tried = tuple(
        _as_seen(declared, state, guards_of(declared, state, each), reading, each.number)
        for each in reading.instances or ()
    )
    return Guards(declared.thaw(state), tried)


def _as_seen(declared: Specification, state: Frozen, tried: Tried, reading: Reading, number: int) -> Tried:
    """Return an action as not enabled where it is, but leads to another state than was seen."""
    if not tried.enabled:
        return tried
    after = successor(declared, state, declared.instances[number])
    return replace(
        tried, enabled=False, note=reading.problem or _differs(declared, after, reading) or tried.note
    )


def _differs(declared: Specification, state: object, reading: Reading) -> str:
    """Say which parts of a state are not as they were seen."""
    if not isinstance(state, tuple):
        return ""
    named = list(declared.fields.items())
    parts = [
        f"{named[place][0]} is {named[place][1].show(state[place])}, not {named[place][1].show(value)}"
        for place, value in reading.state
        if state[place] != value
    ]
    return "then " + ", ".join(parts) if parts else ""


def _nearest(guards: tuple[Guards, ...]) -> str:
    """Return what does not hold where the least does not; empty when there was no action to try."""
    tried = [each for guard in guards for each in guard.tried]
    if not tried:
        return ""
    nearest = min(tried, key=lambda each: len(each.failed) + bool(each.note))
    return f"{nearest.label}: {nearest.reason}"


def _nearest_state(declared: Specification, states: list[Frozen], reading: Reading) -> str:
    """Return what is not as it was seen, where nothing but the state was seen, or nothing that can be."""
    if reading.problem:
        return reading.problem
    return min((_differs(declared, state, reading) for state in states), key=len).removeprefix("then ")


def _instead(declared: Specification, states: list[Frozen]) -> tuple[str, ...]:
    found: dict[str, None] = {}
    for state in states:
        for instance in declared.instances:
            if instance.label not in found and guards_of(declared, state, instance).enabled:
                found[instance.label] = None
    return tuple(found)
