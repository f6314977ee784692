"""Guarded commands: run by a plain interpreter, they have the states of every shipped model."""

import pytest

import workbench.model.formal as wb
from workbench.model.formal import library
from workbench.model.formal._models import specification
from workbench.model.formal.exporting.commands import commands_of
from workbench.model.formal.exporting.terms import value_of

LARGE = {"EWD998", "Paxos", "PaxosCommit", "RaftElection"}  # explored by SPIN, or as far as the first states
FIRST = 400


def explored(commands, most):
    """Return how many states there are, or which come first."""
    place = {cell: number for number, cell in enumerate(commands.cells)}
    level = list(dict.fromkeys(tuple(int(t.args[0]) for t in state) for state in commands.initial))
    seen = set(level)
    while level and len(seen) < most:
        following = []
        for state in level:
            for after in successors(commands, place, state):
                if after not in seen:
                    seen.add(after)
                    following.append(after)
        level = following
    return len(seen)


def successors(commands, place, state):
    values = dict(zip(commands.cells, state, strict=True))
    for command in commands.commands:
        if value_of(command.guard, values) and value_of(command.kept, values):
            assert not command.fails, command.fails
            after = list(state)
            for cell, term in command.sets:
                after[place[cell]] = int(value_of(term, values))
            yield tuple(after)


def made(name):
    model = getattr(library, name)
    return model if isinstance(model, type) else model()


@pytest.mark.parametrize("name", [name for name in library.__all__ if name not in LARGE | {"GameOfLife"}])
def test_commands_reach_the_states_of_a_shipped_model(name):
    model = made(name)
    assert explored(commands_of(specification(model)), 10**9) == wb.check(model, engine="python").distinct


@pytest.mark.parametrize("name", sorted(LARGE))
def test_commands_begin_as_a_large_shipped_model_does(name):
    model = made(name)
    for depth in range(1, 20):
        ours = wb.check(model, engine="python", max_depth=depth).distinct
        if ours >= FIRST:
            break
    assert explored(commands_of(specification(model)), ours) == ours
