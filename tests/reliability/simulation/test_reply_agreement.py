"""Recorded answers of any kind: policies judge results and exceptions alike, live and compiled."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from workbench.backoff import Exponential
from workbench.reliability.errors import ErrorClass
from workbench.reliability.pipeline import Pipeline
from workbench.reliability.policies.adaptive import AdaptiveLimit
from workbench.reliability.policies.breaker import CircuitBreaker
from workbench.reliability.policies.budget import RetryBudget
from workbench.reliability.policies.fallback import Fallback
from workbench.reliability.policies.retry import Retry
from workbench.reliability.policies.throttle import ClientThrottle
from workbench.reliability.policies.timeout import Timeout
from workbench.reliability.simulation import _codes as codes
from workbench.reliability.simulation.distributions import Constant
from workbench.reliability.simulation.errors import SimulationError
from workbench.reliability.simulation.replay import Schedule, replay
from workbench.reliability.simulation.service import Even, Service
from workbench.reliability.simulation.simulate import simulate

from .agreeing import SEED, check_agreement, check_agreement_in_turn
from .live import StreamOfCall, StreamOfPolicy


class Response:
    """What an HTTP client returns."""

    def __init__(self, status, headers=()):
        self.status, self.headers = status, dict(headers)


def is_bad(response):
    return isinstance(response, Response) and response.status >= 500


ANSWERS = (
    Response(200),
    Response(503, {"Retry-After": "1"}),
    Response(500),
    ConnectionResetError("reset"),
    ValueError("bad request"),
    TimeoutError("slow"),
)
ONS = st.sampled_from([Exception, ConnectionError, (TimeoutError, ConnectionError), ErrorClass.TRANSIENT])
BAD = st.sampled_from([None, is_bad])


@st.composite
def answered(draw, gap_s):
    """Return calls that get any of the answers."""
    size = draw(st.integers(1, 40))
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    shape = (size, codes.GIVEN_ATTEMPTS)
    weights = draw(st.sampled_from([(5, 1, 1, 1, 1, 1), (1, 1, 1, 0, 0, 0), (1, 0, 3, 3, 1, 1)]))
    replies = rng.choice(len(ANSWERS), shape, p=np.array(weights) / sum(weights))
    arrivals = np.cumsum(rng.exponential(gap_s, size))
    return Schedule(arrivals, rng.exponential(0.02, shape), replies=replies, answers=ANSWERS)


@st.composite
def judging(draw, *, timeouts):
    """Return what makes a pipeline of policies with predicates."""
    retry = st.builds(
        lambda attempts, on, bad, patience_s, heeds, budget, timeout_s: (
            lambda layer: Retry(
                attempts=attempts,
                backoff=Exponential(0.02, jitter="full"),
                on=on,
                on_result=bad,
                retry_after_max_s=patience_s,
                **({} if heeds else {"retry_after": None}),
                budget=RetryBudget(ratio=0.1, burst=2.0) if budget else None,
                timeout_s=timeout_s,
                rng=StreamOfCall(SEED, layer),
            )
        ),
        st.integers(1, 4),
        ONS,
        BAD,
        st.sampled_from([0.5, 60.0]),
        st.booleans(),
        st.booleans(),
        st.sampled_from([0.05, np.inf]),
    )
    kinds = [
        retry,
        st.builds(
            lambda on, bad, window: (
                lambda _: CircuitBreaker(on=on, on_result=bad, open_s=0.1, half_open_calls=2, **window)
            ),
            ONS,
            BAD,
            st.sampled_from(
                [{"consecutive": 2}, {"window": 5, "minimum_calls": 3}, {"window_s": 0.5, "minimum_calls": 3}]
            ),
        ),
        st.builds(lambda on, bad: lambda _: Fallback("instead", on=on, on_result=bad), ONS, BAD),
        st.builds(
            lambda on: lambda layer: ClientThrottle(ratio=1.1, on=on, rng=StreamOfCall(SEED, layer)),
            st.none() | ONS,
        ),
        st.builds(
            lambda on: (
                lambda layer: AdaptiveLimit(
                    "vegas", initial=4, on=on, window_s=0.0, rng=StreamOfPolicy(SEED, layer)
                )
            ),
            ONS,
        ),
    ]
    if timeouts:
        kinds.append(st.just(lambda _: Timeout(0.04)))
    makers = draw(st.lists(st.one_of(kinds), min_size=1, max_size=4))
    return lambda: Pipeline(*(make(layer) for layer, make in enumerate(makers)))


@settings(max_examples=100, deadline=None)
@given(judging(timeouts=True), answered(0.02))
def test_answers_of_overlapping_calls_are_judged_alike(make_pipeline, schedule):
    check_agreement(make_pipeline, schedule)


@settings(max_examples=100, deadline=None)
@given(judging(timeouts=False), answered(0.05))
def test_answers_of_calls_in_turn_are_judged_alike(make_pipeline, schedule):
    check_agreement_in_turn(make_pipeline, schedule)


def test_an_unwanted_result_is_returned_at_last():
    schedule = Schedule(np.zeros(1), np.full((1, 16), 0.1), replies=np.full((1, 16), 2, int), answers=ANSWERS)
    retry = Retry(attempts=3, backoff=Exponential(0.5, jitter="none"), on_result=is_bad)
    replayed = replay(retry, schedule)
    assert replayed.known.results[replayed.outcomes[0] - codes.RESULTS].status == 500
    assert replayed.attempts.tolist() == [3]
    assert replayed.finished_s == pytest.approx([0.1 + 0.5 + 0.1 + 1.0 + 0.1])


@pytest.mark.parametrize(
    ("given", "match"),
    [
        ({}, "either failed or replies"),
        ({"failed": np.zeros((1, 16), bool), "replies": np.zeros((1, 16), int)}, "either failed or replies"),
        ({"replies": np.full((1, 16), 6), "answers": ANSWERS}, "from 0 to 5"),
        ({"replies": np.zeros((1, 2), int), "answers": ANSWERS}, "shape"),
    ],
)
def test_schedules_that_say_nothing_or_too_much_are_named_errors(given, match):
    with pytest.raises(SimulationError, match=match):
        Schedule(np.zeros(1), np.ones((1, 16)), **given)


def test_more_answers_than_there_is_room_for_are_a_named_error():
    replies = np.zeros((1, 16), int)
    schedule = Schedule(np.zeros(1), np.ones((1, 16)), replies=replies, answers=[*map(str, range(17))])
    with pytest.raises(SimulationError, match="at most 16"):
        replay(None, schedule)


def test_a_retry_that_asks_for_patience_in_its_own_way_is_a_named_error():
    with pytest.raises(SimulationError, match="retry_after"):
        simulate(Retry(retry_after=lambda _: 1.0), Service(service_time=Constant(1.0)), Even(1.0))
