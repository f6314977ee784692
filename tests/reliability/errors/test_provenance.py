"""Policies record themselves on the exceptions that pass them."""

import copy
import dataclasses
import pickle
import traceback

import pytest

from workbench.reliability import (
    CircuitOpenError,
    Provenance,
    ProvenanceError,
    provenance_of,
    record_provenance,
)

INNER = Provenance("timeout 'pay'", elapsed_s=0.25)
OUTER = Provenance("retry 'pay'", attempt=3, elapsed_s=1.25, deadline_left_s=0.75)


def passed_two_policies(error):
    return record_provenance(record_provenance(error, INNER), OUTER)


def test_an_exception_that_no_policy_touched_has_none():
    assert provenance_of(ValueError()) == ()
    assert CircuitOpenError().provenance == ()


@pytest.mark.parametrize("error", [ValueError("x"), CircuitOpenError("pay"), KeyboardInterrupt()])
def test_the_outermost_policy_comes_first(error):
    assert provenance_of(passed_two_policies(error)) == (OUTER, INNER)


def test_type_identity_arguments_and_traceback_stay():
    error = ConnectionResetError(104, "reset")
    assert passed_two_policies(error) is error
    assert error.args == (104, "reset")
    assert error.errno == 104
    assert error.__cause__ is None


def test_people_see_it_under_the_traceback():
    text = "".join(traceback.format_exception(passed_two_policies(ValueError("x"))))
    assert text.endswith(
        "ValueError: x\n"
        "timeout 'pay': attempt 1, after 0.25 s\n"
        "retry 'pay': attempt 3, after 1.25 s, 0.75 s left until the deadline\n"
    )


def test_notes_of_others_stay():
    error = ValueError()
    error.add_note("mine")
    passed_two_policies(error)
    assert error.__notes__[0] == "mine"
    assert len(error.__notes__) == 3


def test_a_deadline_that_has_passed_is_said_so():
    assert str(Provenance("retry", 1, 2.0, -0.5)) == "retry: attempt 1, after 2 s, 0.5 s past the deadline"


def test_exceptions_that_are_frozen_take_it_too():
    @dataclasses.dataclass(frozen=True)
    class FrozenError(Exception):
        code: int

    error = passed_two_policies(FrozenError(7))
    assert provenance_of(error) == (OUTER, INNER)
    assert len(error.__notes__) == 2


def test_it_goes_through_pickle_and_copy_of_foreign_exceptions():
    error = passed_two_policies(ConnectionResetError(104, "reset"))
    for found in (pickle.loads(pickle.dumps(error)), copy.copy(error)):
        assert provenance_of(found) == (OUTER, INNER)
        assert found.__notes__ == error.__notes__


def test_an_exception_raised_again_and_again_does_not_grow():
    error = ValueError()
    for attempt in range(1, 101):
        record_provenance(error, Provenance("retry", attempt))
    assert [each.attempt for each in provenance_of(error)] == list(range(100, 68, -1))
    assert len(error.__notes__) == 32


@pytest.mark.parametrize(
    "wrong", [{"attempt": 0}, {"elapsed_s": -1.0}, {"elapsed_s": float("nan")}, {"elapsed_s": float("inf")}]
)
def test_what_cannot_be_is_refused(wrong):
    with pytest.raises(ProvenanceError, match=r"expected (1|zero)"):
        Provenance("retry", **wrong)
