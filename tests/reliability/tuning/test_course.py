"""A breaker over recorded calls decides as a plain one and as the live policy; the truth judges it."""

import re

import numpy as np
import pytest
from hypothesis import example, given, settings

from workbench.reliability import CircuitBreaker, Retry, replay
from workbench.reliability.policies._breaker_statistics import STATES
from workbench.reliability.simulation import _codes as codes
from workbench.reliability.tuning.course import breaker_course
from workbench.reliability.tuning.errors import TuningError
from workbench.reliability.tuning.recorded import KnownFault, RecordedCalls

from .plain import OPTIONS, play_live, play_plain, recordings

EVEN = np.arange(10.0)
FAILING = RecordedCalls(EVEN, np.full(10, 0.5), (EVEN >= 3) & (EVEN < 7), (KnownFault(3, 7),), 12.0)


def changes_of(course):
    return [(at, STATES[state]) for at, state in zip(course.changed_s, course.states, strict=True)]


LATE = RecordedCalls(  # the third call opens it, and the fourth ends when it has closed again
    [0.0, 0.1, 0.2, 0.3, 2.0, 5.0, 6.0, 7.0],
    [0.1, 0.1, 0.3, 2.7, 0.5, 0.5, 0.5, 0.5],
    [False, False, True, False, False, False, False, True],
    (),
    50.0,
)
ONE_BUCKET = {
    "window_s": 4.0, "buckets": 1, "minimum_calls": 3,
    "failure_rate": 0.1, "open_s": 0.0, "half_open_calls": 1,
}  # fmt: skip


@settings(max_examples=400, deadline=None)
@given(OPTIONS, recordings())
@example(ONE_BUCKET, LATE)
def test_it_decides_as_a_plain_breaker(options, calls):
    course = breaker_course(CircuitBreaker(**options), calls)
    assert (course.allowed.tolist(), changes_of(course)) == play_plain(options, calls)


@settings(max_examples=200, deadline=None)
@given(OPTIONS, recordings(whole=True))
def test_a_call_that_ends_when_another_comes_has_ended_before(options, calls):
    course = breaker_course(CircuitBreaker(**options), calls)
    assert (course.allowed.tolist(), changes_of(course)) == play_plain(options, calls)


@settings(max_examples=100, deadline=None)
@given(OPTIONS, recordings())
def test_it_decides_as_the_live_policy_on_a_virtual_clock(options, calls):
    course = breaker_course(CircuitBreaker(**options), calls)
    assert (course.allowed.tolist(), changes_of(course)) == play_live(options, calls)


@settings(max_examples=100, deadline=None)
@given(OPTIONS, recordings())
def test_it_decides_as_the_simulator(options, calls):
    replayed = replay(CircuitBreaker(**options), calls.schedule())
    passed = replayed.outcomes != codes.CIRCUIT_OPEN
    assert breaker_course(CircuitBreaker(**options), calls).allowed.tolist() == passed.tolist()


@settings(max_examples=200, deadline=None)
@given(OPTIONS, recordings(whole=True))
def test_each_second_is_exposed_protected_lost_or_fine(options, calls):
    """With whole seconds, counting them one by one gives the sums."""
    course = breaker_course(CircuitBreaker(**{**options, "slow_s": 60.0}), calls)
    exposed = lost = 0
    for second in np.arange(0.5, 50.0):
        before = [state for at, state in changes_of(course) if at <= second]
        is_closed = not before or before[-1] == "closed"
        in_fault = any(fault.start_s <= second < fault.end_s for fault in calls.faults)
        exposed += is_closed and in_fault
        lost += not is_closed and not in_fault
    assert (course.exposed_s, course.lost_s) == pytest.approx((exposed, lost))


@settings(max_examples=200, deadline=None)
@given(OPTIONS, recordings())
def test_each_opening_is_false_or_belongs_to_a_fault(options, calls):
    course = breaker_course(CircuitBreaker(**options), calls)
    false = 0
    for at in course.openings_s:
        owners = [
            fault
            for fault, settled_s in zip(calls.faults, calls.settled_s, strict=True)
            if fault.start_s <= at <= settled_s
        ]
        false += at <= calls.duration_s and not owners
    assert course.false_openings == false


def test_a_fault_is_detected_when_it_opens():
    course = breaker_course(CircuitBreaker.consecutive(2, open_s=100.0), FAILING)
    assert course.detection_s.tolist() == [1.5]
    assert (course.exposed_s, course.lost_s, course.false_openings) == (1.5, 5.0, 0)
    assert course.allowed.tolist() == [True] * 5 + [False] * 5
    assert repr(course) == "BreakerCourse: fault after 1.50 s, 0 false openings, 5 calls refused"


def test_a_fault_is_missed_where_it_does_not_open():
    course = breaker_course(CircuitBreaker(), FAILING)
    assert course.detection_s.tolist() == [np.inf]
    assert (course.exposed_s, course.lost_s) == (4.0, 0.0)
    assert "fault missed" in repr(course)


def test_a_breaker_that_is_open_already_detects_at_once():
    """It had opened falsely, and the fault came while it was open."""
    calls = RecordedCalls(EVEN, np.zeros(10), np.ones(10, bool), (KnownFault(3, 7),), 12.0)
    course = breaker_course(CircuitBreaker.consecutive(2, open_s=4.0), calls)
    assert course.openings_s.tolist() == [1.0]
    assert course.detection_s.tolist() == [0.0]
    assert course.false_openings == 1


def test_what_opens_before_the_last_call_of_a_fault_has_ended_is_not_false():
    calls = RecordedCalls([1, 2, 6], [3, 3.5, 0.1], [1, 1, 0], (KnownFault(0, 3),), 9.0)
    course = breaker_course(CircuitBreaker.consecutive(2), calls)
    assert course.openings_s.tolist() == [5.5]
    assert course.detection_s.tolist() == [np.inf]
    assert (course.exposed_s, course.lost_s, course.false_openings) == (3.0, 3.5, 0)


def test_changes_after_the_recording_do_not_count():
    calls = RecordedCalls([1.0, 2.0], [10.0, 10.0], [True, True], (), 5.0)
    course = breaker_course(CircuitBreaker.consecutive(2), calls)
    assert course.openings_s.tolist() == [12.0]
    assert (course.false_openings, course.lost_s, course.exposed_s) == (0, 0.0, 0.0)


def test_the_breaker_that_is_asked_about_stays_as_it_is():
    breaker = CircuitBreaker.consecutive(1)
    breaker_course(breaker, FAILING)
    assert (breaker.state, breaker.statistics.opened) == ("closed", 0)


def test_only_breakers_are_judged():
    with pytest.raises(TuningError, match=re.escape("expected a CircuitBreaker, got Retry")):
        breaker_course(Retry(), FAILING)


def test_it_draws_itself():
    course = breaker_course(CircuitBreaker.consecutive(2, open_s=3.0), FAILING)
    ax = course.plot()
    assert ax.get_title(loc="left") == "fault after 1.5 s, false openings: 0"
    labels = [text.get_text() for text in ax.get_legend().get_texts()]
    assert labels == ["answered", "failed", "refused", "fault", "not closed"]
    assert "half_open" in course._repr_html_()
    assert course.to_pandas().allowed.tolist() == course.allowed.tolist()
