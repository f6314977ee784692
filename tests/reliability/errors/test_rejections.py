"""What policies raise: their tree, their messages, and that they cross processes whole."""

import copy
import pickle
from concurrent.futures import ProcessPoolExecutor

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workbench import WorkbenchError, reliability
from workbench.reliability import (
    AttemptTimeoutError,
    BudgetExhaustedError,
    BulkheadFullError,
    ChaosError,
    CircuitOpenError,
    DeadlineExceededError,
    ErrorClass,
    LoadShedError,
    Provenance,
    RateLimitedError,
    RejectedError,
    ReliabilityError,
    ThrottledError,
    classify,
    is_retryable,
    record_provenance,
)

REJECTIONS = {
    CircuitOpenError: ErrorClass.OPEN,
    RateLimitedError: ErrorClass.THROTTLED,
    ThrottledError: ErrorClass.THROTTLED,
    BulkheadFullError: ErrorClass.OVERLOAD,
    LoadShedError: ErrorClass.OVERLOAD,
    BudgetExhaustedError: ErrorClass.BUDGET_EXHAUSTED,
}
OTHERS = {
    DeadlineExceededError: ErrorClass.TIMEOUT,
    AttemptTimeoutError: ErrorClass.TIMEOUT,
    ChaosError: ErrorClass.TRANSIENT,
}
ALL = {**REJECTIONS, **OTHERS, RejectedError: ErrorClass.OVERLOAD, ReliabilityError: ErrorClass.TRANSIENT}
FILLED = [
    CircuitOpenError("pay", 2.5),
    RateLimitedError("pay", 0.1),
    ThrottledError("pay", None, 0.25),
    BulkheadFullError("pay", None, 8),
    LoadShedError("pay", 1.0, "priority below 3"),
    BudgetExhaustedError("pay"),
    DeadlineExceededError("pay", 2.0, True),
    AttemptTimeoutError("pay", 0.25),
    ChaosError("pay", "a reset connection"),
    RejectedError(),
    ReliabilityError(),
]


@pytest.mark.parametrize("kind", REJECTIONS)
def test_rejections_are_one_family_below_the_root_of_our_errors(kind):
    assert issubclass(kind, RejectedError)
    assert issubclass(kind, ReliabilityError)
    assert issubclass(kind, WorkbenchError)


@pytest.mark.parametrize("kind", OTHERS)
def test_what_may_have_reached_the_callee_is_no_rejection(kind):
    assert issubclass(kind, ReliabilityError)
    assert not issubclass(kind, RejectedError)


@pytest.mark.parametrize("kind", [DeadlineExceededError, AttemptTimeoutError])
def test_timeouts_are_caught_as_pythons_own(kind):
    with pytest.raises(TimeoutError):
        raise kind(timeout_s=1.0)


@pytest.mark.parametrize(("kind", "expected"), ALL.items())
def test_each_knows_its_class(kind, expected):
    assert classify(kind()) is kind.error_class is expected


def test_a_deadline_that_passed_leaves_no_time_for_another_try():
    assert not is_retryable(DeadlineExceededError())
    assert is_retryable(AttemptTimeoutError())
    assert not is_retryable(CircuitOpenError())
    assert is_retryable(RateLimitedError())


def test_a_subclass_of_yours_sets_its_own_class():
    class QuotaOfTheDayError(RejectedError):
        error_class = ErrorClass.PERMANENT

    assert classify(QuotaOfTheDayError()) is ErrorClass.PERMANENT
    assert not is_retryable(QuotaOfTheDayError())


def test_messages_name_policy_reason_and_way_out():
    assert [str(error) for error in FILLED] == [
        "circuit breaker 'pay' is open; try again in 2.5 s",
        "rate limiter 'pay' has no permit; try again in 0.1 s",
        "client throttle 'pay' dropped the call, as 25% of calls are",
        "bulkhead 'pay' is full, 8 calls at once",
        "load shedder 'pay' dropped the call: priority below 3; try again in 1 s",
        "retry budget 'pay' is exhausted",
        "deadline 'pay' of 2 s passed while the callee was at work",
        "timeout 'pay': the attempt took longer than 0.25 s",
        "chaos 'pay' injected a reset connection",
        "policy rejected the call",
        "policy ended the call",
    ]


def test_every_argument_may_be_left_out_or_given_by_name():
    assert all(str(kind()) for kind in ALL)
    assert RateLimitedError(policy="pay", retry_after_s=1.5).retry_after_s == 1.5
    assert BulkheadFullError("pay", limit=4).limit == 4
    assert ThrottledError("pay", probability=0.5).probability == 0.5
    assert LoadShedError("pay", reason="old").reason == "old"
    assert DeadlineExceededError("pay", timeout_s=1, started=True).started
    assert ChaosError(reason="x").reason == "x"


def test_a_delay_is_never_negative():
    assert RateLimitedError("pay", -3.0).retry_after_s == 0.0


@pytest.mark.parametrize("error", FILLED, ids=lambda error: type(error).__name__)
@pytest.mark.parametrize(
    "again",
    [lambda e: pickle.loads(pickle.dumps(e)), copy.copy, copy.deepcopy],
    ids=["pickle", "copy", "deep"],
)
def test_pickle_and_copy_keep_type_arguments_provenance_and_notes(error, again):
    marked = record_provenance(copy.copy(error), Provenance("retry", 2, 0.5, 1.5))
    found = again(marked)
    assert type(found) is type(error)
    assert found.args == error.args
    assert str(found) == str(error)
    assert found.provenance == (Provenance("retry", 2, 0.5, 1.5),)
    assert found.__notes__ == marked.__notes__


@given(policy=st.text(), delay=st.none() | st.floats(0, 1e9))
def test_whatever_the_arguments_a_round_trip_keeps_them(policy, delay):
    found = pickle.loads(pickle.dumps(CircuitOpenError(policy, delay)))
    assert (found.policy, found.retry_after_s) == (policy, delay)


def fail_in_worker():
    raise record_provenance(DeadlineExceededError("pay", 2.0, True), Provenance("retry", 3))


def test_they_rise_out_of_another_process_as_they_were():
    with ProcessPoolExecutor(1) as pool:
        failure = pool.submit(fail_in_worker).exception()
    assert isinstance(failure, DeadlineExceededError)
    assert (failure.policy, failure.timeout_s, failure.started) == ("pay", 2.0, True)
    assert failure.provenance == (Provenance("retry", 3),)


def test_all_names_that_scripts_rely_on_are_in_the_face_of_the_room():
    for kind in ALL:
        assert getattr(reliability, kind.__name__) is kind
