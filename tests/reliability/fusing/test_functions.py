"""Transitions placed into functions of one's own."""

import threading
from dataclasses import dataclass

import pytest

from workbench.reliability.fusing import transitions
from workbench.reliability.fusing.functions import fuse_function, packed, parts, put, whole
from workbench.reliability.fusing.transitions import FusingError
from workbench.reliability.machines._transition import transition

STEP = 2.0


@dataclass(slots=True)
class State:
    """A sum, a count, and how often anything was added."""

    total: float = 0.0
    count: float = 0.0
    added: int = 0


@transition
def add(p, s, value):
    """Add a value, so many steps of it; return the new sum."""
    total = s.total + value * p * STEP
    s.total = total
    s.count += 1.0
    s.added += 1
    return total


@transition
def add_some(p, s, values):
    """Add several."""
    total = s.total
    for value in values:
        total += value * p
    s.total = total
    return total


def adding(p, s, lock, states):
    """Make functions that add to the state, or to one of several."""

    def add_to(key, value):
        if key is None:
            with whole(lock):
                before = packed(s)
                total = add(p, s, value)
                after = packed(s)
            return total, before, after
        with whole(lock):
            state = states[key]
            total = add(p, parts(s, state), value)
            states[key] = state
        return total

    def replace(state):
        with whole(lock):
            put(s, state)

    return add_to, replace


class Lock:
    """Counts how often it is taken."""

    def __init__(self):
        self.taken = 0

    def __enter__(self):
        self.taken += 1

    def __exit__(self, *_):
        pass


def made(fields, placed=add, states=None):
    s, lock, states = State(), Lock(), {} if states is None else states
    fused = fuse_function(adding, (("add", placed),), fields)
    return s, lock, states, *fused(3.0, s, lock, states)


def test_a_transition_advances_a_state_and_values_of_one_field():
    s, lock, states, add_to, replace = made(("total",), states={"a": 100.0})
    assert add_to(None, 1.0) == (6.0, 0.0, 6.0)
    assert add_to("a", 2.0) == 112.0
    assert states == {"a": 112.0}
    assert (s.total, s.count, s.added) == (6.0, 2.0, 2)  # the other fields are of all
    replace(7.0)
    assert s.total == 7.0
    assert lock.taken == 0


def test_several_fields_are_a_tuple_and_need_the_lock():
    """Making a tuple may start the collection of garbage, which runs Python code."""
    s, lock, states, add_to, replace = made(("total", "count"), states={"a": (100.0, 5.0)})
    assert add_to(None, 1.0) == (6.0, (0.0, 0.0), (6.0, 1.0))
    assert add_to("a", 2.0) == 112.0
    assert states == {"a": (112.0, 6.0)}
    assert (s.total, s.count, s.added) == (6.0, 1.0, 2)
    replace((7.0, 8.0))
    assert (s.total, s.count) == (7.0, 8.0)
    assert lock.taken == 3


def test_a_transition_that_loops_needs_the_lock():
    _, lock, _, add_to, replace = made(("total",), placed=add_some)
    assert add_to(None, [1.0, 2.0])[0] == 9.0
    assert lock.taken == 1
    replace(0.0)
    assert lock.taken == 1


def test_without_a_global_lock_all_take_theirs(monkeypatch):
    monkeypatch.setattr(transitions, "has_global_lock", lambda: False)
    fuse_function.cache_clear()
    try:
        _, lock, _, add_to, replace = made(("total",))
        add_to(None, 1.0)
        replace(1.0)
        assert lock.taken == 2
    finally:
        fuse_function.cache_clear()


def test_the_forms_mean_nothing_by_themselves():
    for form in (parts, packed, put, whole):
        with pytest.raises(FusingError):
            form(*[None] * form.__code__.co_argcount)


def test_other_locks_are_left_alone():
    def locking(lock):
        def locked():
            with lock:
                return lock.locked()

        return locked

    assert fuse_function(locking, (), ())(threading.Lock())()
