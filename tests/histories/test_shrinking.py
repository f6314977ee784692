"""The smallest history that still fails, and why it does."""

import random
from dataclasses import replace

import pytest
from histories.brute_force import PLAIN, brute_force, random_history
from hypothesis import given
from hypothesis import strategies as st

from workbench import histories
from workbench.histories import (
    NIL,
    History,
    HistoryError,
    KeyValue,
    Operation,
    Register,
    linearizable,
    shrink,
)

ONE = Operation("A", 0, 1, ("write", 1), NIL)
TWO = Operation("A", 2, 3, ("write", 2), NIL)
STALE = Operation("B", 4, 5, ("read",), 1)


def noisy():
    """A stale read among fifty operations that have nothing to do with it."""
    noise = [Operation("C", 10 + k, 10.5 + k, ("read",), 2) for k in range(25)]
    noise += [Operation("D", k / 10, k / 10 + 0.05, ("cas", 7, 8), False) for k in range(25)]
    return History([ONE, TWO, STALE, *noise])


def test_a_stale_read_keeps_both_writes_that_make_it_stale():
    assert list(shrink(noisy(), Register())) == [ONE, TWO, STALE]


def test_without_what_may_have_happened_a_value_that_nobody_wrote_is_enough():
    smallest = shrink(noisy(), Register(), removed="absent")
    assert len(smallest) == 1
    assert linearizable(smallest, Register()).holds is False


def test_only_the_part_that_fails_is_left():
    other = [Operation(f"other {k}", k, k + 1, ("put", "y", k), NIL) for k in range(5)]
    history = [Operation("A", 0, 1, ("put", "x", 1), NIL), Operation("B", 4, 5, ("get", "x"), NIL), *other]
    assert [operation.input[1] for operation in shrink(History(history), KeyValue())] == ["x", "x"]


@pytest.mark.parametrize("name", sorted(PLAIN))
@given(seed=st.integers(0, 2**32))
def test_what_is_left_fails_whatever_the_others_did_and_none_more_can_be_withdrawn(name, seed):
    model = getattr(histories, name)(*((0,) if name == "Register" else ()))
    history = random_history(name, random.Random(seed), 6)
    if linearizable(history, model).holds:
        with pytest.raises(HistoryError, match="only a history that is not linearizable"):
            shrink(history, model)
        return
    kept = list(shrink(history, model))
    verdict = linearizable(history, model)
    before = [each for each in verdict.history if each.call_s <= verdict.blocking.return_s]
    assert all(any(each is operation for operation in before) for each in kept)

    def fails(chosen):
        return linearizable(chosen, model).blocking is verdict.blocking and not brute_force(
            name, withdrawn(before, chosen)
        )

    assert not brute_force(name, kept)
    assert fails(kept)
    for one in kept:
        assert not fails([each for each in kept if each is not one])


@given(seed=st.integers(0, 2**32))
def test_what_is_left_of_operations_that_never_were_is_minimal_by_itself(seed):
    history = random_history("Register", random.Random(seed), 6)
    if brute_force("Register", history):
        return
    kept = list(shrink(history, Register(0), removed="absent"))
    assert not brute_force("Register", kept)
    for one in kept:
        assert brute_force("Register", [each for each in kept if each is not one])


def withdrawn(operations, kept):
    """Return operations of which those not kept may have happened."""
    chosen = set(map(id, kept))
    return [
        each if id(each) in chosen else replace(each, process=("gone", row), return_s=None, output=None)
        for row, each in enumerate(operations)
    ]


def test_a_history_that_cannot_be_decided_is_not_shrunk():
    with pytest.raises(HistoryError, match="this one is linearizable"):
        shrink(History([ONE]), Register())
    with pytest.raises(HistoryError, match='removed must be "possible" or "absent"'):
        shrink(noisy(), Register(), removed="maybe")
