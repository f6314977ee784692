"""Caches and hedges decide alike, live and compiled: who fetches, who follows, who wins."""

from hypothesis import given, settings
from hypothesis import strategies as st

from workbench.reliability.errors import ErrorClass
from workbench.reliability.pipeline import Pipeline
from workbench.reliability.policies.bulkhead import Bulkhead
from workbench.reliability.policies.cache import Cache
from workbench.reliability.policies.hedge import Hedge
from workbench.reliability.policies.shedder import LoadShedder

from .agreeing import (
    IN_TURN,
    OTHERS,
    around,
    check_agreement,
    check_agreement_in_threads,
    check_agreement_in_turn,
    schedules,
    schedules_in_turn,
)
from .live import CourseCache
from .test_queue_agreement import requested


@st.composite
def caches(draw, *, revalidates=True):
    """Return what makes a cache whose answers grow old soon."""
    options = {
        "ttl_s": draw(st.sampled_from([0.01, 0.1, 1.0])),
        "max_entries": draw(st.sampled_from([1, 3, 100])),
        "stale_if_error_s": draw(st.sampled_from([0.0, 0.2])),
        "stale_while_revalidate_s": draw(st.sampled_from([0.0, 0.1])) if revalidates else 0.0,
        "error_ttl_s": draw(st.sampled_from([None, 0.05])),
        "stale_on": draw(st.sampled_from([Exception, ConnectionError, ErrorClass.OVERLOAD])),
    }
    return lambda _: CourseCache(**options)


@st.composite
def hedges(draw):
    """Return what makes a hedge that starts attempts often."""
    options = {
        "delay_s": draw(st.sampled_from([None, 0.011, 0.047])),
        "quantile": draw(st.sampled_from([0.5, 0.9])),
        "minimum_calls": draw(st.sampled_from([2, 10])),
        "hedges": draw(st.integers(1, 3)),
        "budget": draw(st.sampled_from([None, 0.3])),
        "burst": draw(st.sampled_from([1.0, 5.0])),
        "on": draw(st.sampled_from([Exception, ConnectionError, TimeoutError])),
    }
    return lambda _: Hedge(**options)


QUEUES = st.sampled_from(
    [
        lambda _: Bulkhead(2, queue=6),
        lambda _: Bulkhead(3, queue=4, max_wait_s=0.04, order="priority"),
        lambda _: LoadShedder(2, queue=8, target_s=0.01, interval_s=0.03),
    ]
)


def check_memories(pipeline, replayed):
    """Compare what caches and hedges have counted at the end."""
    numbers = {Cache: 0, Hedge: 0}
    for policy in pipeline.policies:
        kind = Cache if isinstance(policy, Cache) else type(policy)
        if kind in numbers:
            answers = replayed.world.caches if kind is Cache else replayed.world.hedges
            state = answers.states[numbers[kind]]
            numbers[kind] += 1
            for field in state.dtype.names:
                assert state[field] == getattr(policy.memory, field), field


@settings(max_examples=150, deadline=None)
@given(around(caches(), OTHERS | QUEUES), requested(schedules()))
def test_overlapping_calls_are_answered_from_memory_alike(make_pipeline, schedule):
    """Also where the one that fetches is cancelled, and another takes over."""
    check_memories(*check_agreement(make_pipeline, schedule))


@settings(max_examples=150, deadline=None)
@given(around(hedges(), OTHERS | QUEUES), requested(schedules()))
def test_overlapping_calls_are_hedged_alike(make_pipeline, schedule):
    check_memories(*check_agreement(make_pipeline, schedule))


@settings(max_examples=150, deadline=None)
@given(around(caches() | hedges(), OTHERS | QUEUES), requested(schedules()))
def test_caches_and_hedges_together_decide_alike(make_pipeline, schedule):
    check_memories(*check_agreement(make_pipeline, schedule))


@settings(max_examples=100, deadline=None)
@given(around(caches(revalidates=False), IN_TURN), requested(schedules_in_turn()))
def test_calls_in_turn_are_answered_from_memory_alike(make_pipeline, schedule):
    """In sync code."""
    check_memories(*check_agreement_in_turn(make_pipeline, schedule))


@settings(max_examples=30, deadline=None)
@given(caches(revalidates=False), requested(schedules(most=30)))
def test_threads_are_answered_from_memory_alike(make, schedule):
    """Also those that follow the one that fetches."""
    check_memories(*check_agreement_in_threads(lambda: Pipeline(make(0)), schedule))


@settings(max_examples=30, deadline=None)
@given(hedges(), st.lists(IN_TURN, max_size=1), schedules_in_turn())
def test_calls_in_turn_are_hedged_alike(make, outer, schedule):
    """In threads: a hedge over the service itself, as attempts that lose go on."""
    makers = [*outer, make]
    check_memories(
        *check_agreement_in_turn(lambda: Pipeline(*(each(n) for n, each in enumerate(makers))), schedule)
    )
