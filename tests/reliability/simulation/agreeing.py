"""Schedules of calls, pipelines around policies under test, and the check that both worlds decide alike."""

from dataclasses import replace

import numpy as np
from hypothesis import strategies as st

from workbench.backoff import Exponential
from workbench.reliability.errors import ErrorClass
from workbench.reliability.pipeline import Pipeline
from workbench.reliability.policies.breaker import CircuitBreaker
from workbench.reliability.policies.bulkhead import Bulkhead
from workbench.reliability.policies.deadline import Deadline
from workbench.reliability.policies.fallback import Fallback
from workbench.reliability.policies.retry import Retry
from workbench.reliability.policies.timeout import Timeout
from workbench.reliability.simulation import _codes as codes
from workbench.reliability.simulation.replay import Schedule, replay

from .live import StreamOfCall, play, play_in_threads, play_in_turn

SEED = 11


@st.composite
def schedules(draw, most=60):
    """Return calls that come at random, at a rate that the policies of `around` sometimes mind.

    Hardly any two things happen at the very same instant: for that see `test_coincidence`.
    """
    size = draw(st.integers(1, most))
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    rate_hz = draw(st.sampled_from([5.0, 50.0, 500.0]))
    shape = (size, codes.GIVEN_ATTEMPTS)
    failed = rng.random(shape) < draw(st.sampled_from([0.0, 0.3, 0.8]))
    return Schedule(np.cumsum(rng.exponential(1 / rate_hz, size)), rng.exponential(0.05, shape), failed)


def retries(layer):
    """Return what makes a retry that stands in a layer."""
    return st.builds(
        lambda attempts, patience_s: (
            lambda: Retry(
                attempts=attempts,
                backoff=Exponential(0.02, jitter="full"),
                retry_after_max_s=patience_s,
                rng=StreamOfCall(SEED, layer),
            )
        ),
        st.integers(2, 4),
        st.sampled_from([0.0, 0.1, 60.0]),
    )


WAITERS = st.sampled_from(
    [
        lambda _: Timeout(0.06),
        lambda _: Deadline(0.15),
        lambda _: Bulkhead(3, queue=2, max_wait_s=0.04),
    ]
)
IN_TURN = st.sampled_from(
    [
        lambda _: CircuitBreaker(window=10, minimum_calls=5, open_s=0.2, half_open_calls=2),
        lambda _: Fallback("instead", on=(TimeoutError, ErrorClass.OVERLOAD, ErrorClass.THROTTLED)),
    ]
)
OTHERS = WAITERS | IN_TURN


@st.composite
def around(draw, policies, others=OTHERS):
    """Return what makes a pipeline: one or two of some policies, and others around and within.

    What makes a policy is told the layer in which it stands, for its random numbers.
    """
    makers = draw(st.lists(policies, min_size=1, max_size=2)) + draw(st.lists(others, max_size=2))
    makers = draw(st.permutations(makers))
    if draw(st.booleans()):
        place = draw(st.integers(0, len(makers)))
        retry = draw(retries(place))
        makers = [*makers[:place], lambda _: retry(), *makers[place:]]
    return lambda: Pipeline(*(make(layer) for layer, make in enumerate(makers)))


@st.composite
def schedules_in_turn(draw):
    """Return calls that come one after the other, soon enough to be limited."""
    size = draw(st.integers(1, 40))
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    shape = (size, codes.GIVEN_ATTEMPTS)
    failed = rng.random(shape) < draw(st.sampled_from([0.0, 0.3, 0.8]))
    return Schedule(np.cumsum(rng.exponential(0.05, size)), rng.exponential(0.01, shape), failed)


def check_agreement(make_pipeline, schedule):
    """Have calls overlap, in tasks: each ends alike, at the same instant to the last bit; return both."""
    played, pipeline = play(make_pipeline, schedule)
    return pipeline, _compared(played, replay(pipeline, schedule, seed=SEED))


def check_agreement_in_threads(make_pipeline, schedule):
    """Have calls overlap, each in a thread of its own; see `check_agreement`."""
    played, pipeline = play_in_threads(make_pipeline, schedule)
    return pipeline, _compared(played, replay(pipeline, schedule, seed=SEED))


def check_agreement_in_turn(make_pipeline, schedule):
    """Have each call end before the next one comes, in sync code; see `check_agreement`."""
    played, pipeline = play_in_turn(make_pipeline, schedule)
    actual = replace(schedule, arrivals_s=np.array(played.arrived_s))
    return pipeline, _compared(played, replay(pipeline, actual, seed=SEED))


def _compared(played, replayed):
    assert replayed.outcomes.tolist() == [_code_of(outcome, replayed.known) for outcome in played.outcomes]
    assert replayed.attempts.tolist() == played.attempts
    assert replayed.finished_s.tolist() == played.finished_s
    return replayed


def _code_of(outcome, known):
    """Return the code of an outcome, which may be a result or an exception itself."""
    if isinstance(outcome, int):
        return outcome
    if isinstance(outcome, BaseException):
        return codes.EXCEPTIONS + [type(each) for each in known.exceptions].index(type(outcome))
    return codes.RESULTS + known.results.index(outcome)
