"""Breadth-first search by several threads: limits, and what was found.

Level by level: threads take the level's states in chunks, and meet now and then, when limits are looked at.
"""

import math
import time

import numpy as np

from workbench.model.formal._explorations import Exploration, Found, Limits
from workbench.model.formal._models import Specification
from workbench.model.formal._watching import Watch
from workbench.model.formal.compiling.exploring import blame, found_in, packed_start
from workbench.model.formal.compiling.machines import machine_of
from workbench.model.formal.compiling.memory import PackedStates
from workbench.model.formal.compiling.orders import Order
from workbench.model.formal.compiling.teams import Team

__all__ = ["explore"]


def explore(
    declared: Specification, limits: Limits, threads: int, *, watch: Watch | None = None
) -> Exploration:
    """Explore a model breadth first by several threads.

    Limits are looked at when the threads meet, so a search may go a little beyond them. The states of a level
    come in any order, and a trace is one of the shortest, but may be another one each time.

    Raises
    ------
    NotCompilableError
        When the model has no compiled form.
    """
    machine = machine_of(declared)
    started, first = packed_start(machine, limits)
    with Team(machine, first, threads, stop_at_first=limits.stop_at_first) as team:
        bound = _run(team, limits, watch, begun=bool(started.violations))
        return _explored(team, started.generated, dict(started.violations), bound)


def _run(team: Team, limits: Limits, watch: Watch | None, *, begun: bool) -> str:
    """Explore level by level; return what ended it early."""
    ends_at = time.monotonic() + (math.inf if limits.timeout_s is None else limits.timeout_s)
    while team.begin_level():
        if limits.max_depth is not None and len(team.starts) >= limits.max_depth:
            return f"max_depth={limits.max_depth}"
        while team.has_chunks:
            bound = _bound(team, limits, ends_at, begun=begun)
            if bound:
                return bound
            fault = team.advance()
            if fault is not None:
                blame(team.machine.text.declared, team.machine.text.layout.unpack(fault))
            if watch is not None:
                watch(team.count, team.waiting, len(team.starts))
    return ""


def _bound(team: Team, limits: Limits, ends_at: float, *, begun: bool) -> str:
    if limits.stop_at_first and (begun or team.found_something()):
        return "stop_at_first"
    if limits.max_states is not None and team.count >= limits.max_states:
        return f"max_states={limits.max_states}"
    if time.monotonic() > ends_at:
        return f"timeout_s={limits.timeout_s:g}"
    if limits.memory_bytes is not None and team.bytes_held > limits.memory_bytes:
        return f"memory_bytes={limits.memory_bytes:,}"
    return ""


def _explored(
    team: Team, generated: int, violations: dict[tuple[str, str], Found], bound: str
) -> Exploration:
    """Return what was found, the states of each level together."""
    held = team.bytes_held
    team.drop_table()
    order, text = Order.of([*team.starts, team.ends, team.counts]), team.machine.text
    taken = np.sum([member.taken for member in team.members], axis=0)
    found = [
        Found(each.kind, each.name, order.number(each.state), each.instance, each.after)
        for member in team.members
        for each in found_in(text, member.found)
    ]
    states, parents = order.empty(text.layout.words), order.empty()
    team.each(lambda own: order.place_states(states, own.number, own.states))
    team.each(lambda own: order.place_parents(parents, own.number, own.parents))
    for each in sorted(found, key=lambda one: one.state):
        violations.setdefault((each.kind, each.name), each)
    return Exploration(
        states=PackedStates(states, text.layout),
        parents=parents,
        levels=order.levels[: len(team.starts)],
        generated=generated + int(taken.sum()),
        taken=taken[: len(text.declared.instances)],
        violations=sorted(violations.values(), key=lambda one: (one.state, one.kind)),
        bound=bound,
        engine="compiled",
        memory_bytes=held,
    )
