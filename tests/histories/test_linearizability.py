"""Whatever the history and the model: the verdict is that of trying every order."""

import random
from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest
from histories.brute_force import PLAIN, brute_force, process_order, random_history, time_order
from hypothesis import given
from hypothesis import strategies as st

from workbench import histories
from workbench.histories import Operation, Register, linearizable, sequentially_consistent

NAMES = sorted(PLAIN)
START = {"Register": (0,)}


def model_of(name):
    return getattr(histories, name)(*START.get(name, ()))


def check(name, history):
    """Compare the verdict with every order, and its order and its blocking operation with what they claim."""
    expected = brute_force(name, history)
    verdict = linearizable(history, model_of(name))
    assert verdict.holds is expected, list(history)
    assert linearizable(history, model_of(name), engine="interpreted").holds is expected
    if expected:
        assert_order(name, history, verdict.prefix)
    else:
        assert_blocked(name, verdict)
    return expected


def assert_order(name, history, order):
    assert len(set(map(id, order))) == len(order)
    assert {id(each) for each in history if each.return_s is not None} <= set(map(id, order))
    for place, operation in enumerate(order):
        assert not any(time_order(later, operation) for later in order[place + 1 :])
    frozen_times = [
        Operation(0, place, place + 0.5, each.input, each.output) for place, each in enumerate(order)
    ]
    assert brute_force(name, frozen_times)


def assert_blocked(name, verdict):
    """All that returned before the blocking operation can be explained, but not its own return."""
    limit = verdict.blocking.return_s

    def cut(keeps):
        return [
            Operation(
                each.process, each.call_s, each.return_s if keeps(each) else None, each.input, each.output
            )
            for each in verdict.history
            if each.call_s <= limit
        ]

    returned = [each for each in verdict.history if each.return_s is not None]
    assert brute_force(name, cut(lambda each: each in returned and each.return_s < limit))
    assert not brute_force(name, cut(lambda each: each in returned and each.return_s <= limit))
    assert {id(each) for each in returned if each.return_s < limit} <= set(map(id, verdict.prefix))
    assert not any(each is verdict.blocking for each in verdict.prefix)


@pytest.mark.parametrize("name", NAMES)
def test_a_verdict_is_that_of_trying_every_order(name):
    rng = random.Random(f"orders of {name}")
    found = [check(name, random_history(name, rng, rng.randint(1, 6))) for _ in range(400)]
    assert 40 < sum(found) < 360


@pytest.mark.parametrize("name", NAMES)
def test_sequential_consistency_is_trying_every_order_that_keeps_the_processes(name):
    rng = random.Random(f"processes of {name}")
    found = []
    for _ in range(200):
        history = random_history(name, rng, rng.randint(1, 6))
        expected = brute_force(name, history, before=process_order)
        assert sequentially_consistent(history, model_of(name)).holds is expected, list(history)
        assert sequentially_consistent(history, model_of(name), engine="interpreted").holds is expected
        found.append(expected)
        if linearizable(history, model_of(name)).holds:
            assert expected
    assert sum(found) > 30


@given(st.sampled_from(NAMES), st.integers(0, 2**32), st.integers(0, 7))
def test_any_history_is_judged_as_by_trying_every_order(name, seed, size):
    check(name, random_history(name, random.Random(seed), size))


def test_what_returned_at_the_very_time_of_a_call_is_concurrent_with_it():
    """A's second write and B's read share an instant; A's two writes do not order the read between them."""
    history = [
        Operation("A", 0, 0.5, ("write", 1), True),
        Operation("B", 1, 2, ("read",), 5),
        Operation("A", 2, 3, ("write", 5), True),
    ]
    assert brute_force("Register", history)
    assert linearizable(history, Register(0)).holds
    assert linearizable(history, Register(0), engine="interpreted").holds


@pytest.mark.parametrize(
    "scale",
    [
        lambda time: time,
        lambda time: time - 3,
        lambda time: (time - 3) / 7,
        lambda time: (time - 2) * 1e-320,
        float,
        lambda time: time + (1 << 60),
        lambda time: time + 10**300,
        lambda time: Fraction(time, 10**30),
        lambda time: np.float64(time) if time % 2 else time,
        lambda time: time * 1e300 if time else -0.0,
    ],
    ids=["int", "negative", "third", "subnormal", "float", "large", "huge", "fraction", "mixed", "far"],
)
def test_times_may_be_of_any_kind_that_has_an_order(scale):
    rng = random.Random("times")
    for _ in range(60):
        history = random_history("Register", rng, rng.randint(1, 6))
        scaled = [
            replace(
                each,
                call_s=scale(each.call_s),
                return_s=None if each.return_s is None else scale(each.return_s),
            )
            for each in history
        ]
        expected, found = linearizable(history, Register(0)), linearizable(scaled, Register(0))
        assert (found.holds, found.steps) == (expected.holds, expected.steps)
