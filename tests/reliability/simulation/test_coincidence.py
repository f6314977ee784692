"""Where much happens at the very same instant, live and simulated calls decide alike: all times are ticks.

What is due at one instant happens in the order in which it was set, each after all that follows at once from
the one before; calls come last.
"""

import numpy as np
from hypothesis import example, given, settings
from hypothesis import strategies as st

from workbench.backoff import Constant
from workbench.reliability.pipeline import Pipeline
from workbench.reliability.policies.breaker import CircuitBreaker
from workbench.reliability.policies.bulkhead import Bulkhead
from workbench.reliability.policies.deadline import Deadline
from workbench.reliability.policies.fallback import Fallback
from workbench.reliability.policies.hedge import Hedge
from workbench.reliability.policies.limiter import RateLimiter
from workbench.reliability.policies.retry import Retry
from workbench.reliability.policies.shedder import LoadShedder
from workbench.reliability.policies.timeout import Timeout
from workbench.reliability.simulation import _codes as codes
from workbench.reliability.simulation.replay import Schedule
from workbench.reliability.simulation.requests import Requests

from .agreeing import check_agreement, check_agreement_in_threads
from .live import CourseCache
from .test_answer_agreement import check_memories

TICK_S = 1 / 128  # sums of it are exact


def ticks(least, most):
    """Return some ticks, in seconds."""
    return st.integers(least, most).map(lambda count: count * TICK_S)


ENTRIES, STALE_S, FEW = st.sampled_from([1, 100]), st.sampled_from([0.0, 3 * TICK_S]), st.integers(1, 3)
ORDERS = st.sampled_from(["fifo", "lifo", "priority"])
IN_THREADS = st.one_of(
    st.builds(
        lambda ttl_s, entries, spare_s: (
            lambda: CourseCache(ttl_s=ttl_s, max_entries=entries, stale_if_error_s=spare_s)
        ),
        ticks(1, 5),
        ENTRIES,
        STALE_S,
    ),
    st.builds(lambda order: lambda: Bulkhead(2, queue=6, order=order), ORDERS),
    st.builds(
        lambda order, wait_s: lambda: Bulkhead(2, queue=6, max_wait_s=wait_s, order=order),
        ORDERS,
        ticks(1, 4),
    ),
    st.builds(
        lambda target_s: lambda: LoadShedder(2, queue=8, target_s=target_s, interval_s=3 * target_s),
        ticks(1, 2),
    ),
    st.builds(
        lambda attempts, delay_s: lambda: Retry(attempts=1 + attempts, backoff=Constant(delay_s)),
        FEW,
        ticks(0, 3),
    ),
    st.builds(
        lambda open_s: lambda: CircuitBreaker(window=4, minimum_calls=2, open_s=open_s, half_open_calls=1),
        ticks(10, 20),
    ),
    st.builds(
        lambda limiter, burst, wait_s: (
            lambda: limiter(rate_hz=1 / burst / TICK_S, burst=burst, wait_s=wait_s)
        ),
        st.sampled_from([RateLimiter.gcra, RateLimiter.token_bucket, RateLimiter.leaky_bucket]),
        FEW,
        ticks(1, 4),
    ),
    st.just(lambda: Fallback("instead", on=(TimeoutError, ConnectionError))),
)
IN_TASKS = st.one_of(
    IN_THREADS,
    st.builds(
        lambda ttl_s, entries: (
            lambda: CourseCache(ttl_s=ttl_s, max_entries=entries, stale_while_revalidate_s=3 * TICK_S)
        ),
        ticks(1, 5),
        ENTRIES,
    ),
    st.builds(lambda delay_s, hedges: lambda: Hedge(delay_s, hedges=hedges), ticks(0, 5), st.integers(1, 2)),
    st.builds(lambda limit_s: lambda: Timeout(limit_s), ticks(1, 9)),
    st.builds(lambda limit_s: lambda: Deadline(limit_s), ticks(5, 15)),
)


@st.composite
def schedules(draw):
    """Return calls whose times are ticks: when they come and how long they take, which may be no time."""
    size = draw(st.integers(2, 16))
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    shape = (size, codes.GIVEN_ATTEMPTS)
    return Schedule(
        np.sort(rng.integers(0, 2 * size, size)) * TICK_S,
        rng.integers(draw(st.integers(0, 1)), 12, shape) * TICK_S,
        rng.random(shape) < draw(st.sampled_from([0.0, 0.3, 0.8])),
        requests=Requests(keys=rng.integers(0, draw(st.sampled_from([1, 2, 4])), size)),
    )


def check(agreement, makers, schedule):
    """Play a schedule to a pipeline in both worlds, and compare what the calls became and what is counted."""
    check_memories(*agreement(lambda: Pipeline(*(make() for make in makers)), schedule))


def alike(arrivals, durations, *, failed=False):
    """Return a schedule, in ticks, in which all attempts of a call are alike."""
    shape = (len(arrivals), codes.GIVEN_ATTEMPTS)
    taken_s = np.broadcast_to(np.array(durations)[:, None] * TICK_S, shape)
    return Schedule(np.array(arrivals) * TICK_S, taken_s, np.full(shape, failed))


@settings(max_examples=400, deadline=None)
@given(st.lists(IN_TASKS, min_size=1, max_size=4), schedules())
@example(
    [lambda: Deadline(5 * TICK_S), lambda: Bulkhead(1, queue=2), lambda: Deadline(9 * TICK_S)],
    alike([0, 0], [9, 9]),
)
@example([lambda: Timeout(5 * TICK_S)], alike([0, 0], [5, 5]))
def test_tasks_decide_alike(makers, schedule):
    check(check_agreement, makers, schedule)


@settings(max_examples=200, deadline=None)
@given(st.lists(IN_THREADS, min_size=1, max_size=4), schedules())
@example(
    [
        lambda: Bulkhead(2, queue=6),
        lambda: CircuitBreaker(window=4, minimum_calls=2),
        lambda: CourseCache(ttl_s=1),
    ],
    alike([0, 1, 5], [5, 2, 11], failed=True),
)
def test_threads_decide_alike(makers, schedule):
    check(check_agreement_in_threads, makers, schedule)


def test_a_call_that_is_cancelled_as_it_is_given_a_place_hands_it_on_in_its_turn():
    """The first call's answer comes; all that follows does so at that instant, turn by turn.

    The other calls' first attempts follow it, and the extra ones of all wait for a place. One of these is
    given a place and is cancelled, as its call has an answer, in the same turn. It was woken before, so it
    hands the place on in that turn and not in one of its own.
    """
    pipeline, replayed = check_agreement(
        lambda: Pipeline(
            Hedge(2 * TICK_S, hedges=2), Bulkhead(2, queue=6), CourseCache(ttl_s=5 * TICK_S, max_entries=1)
        ),
        alike([0, 1, 3], [6, 6, 6]),
    )
    check_memories(pipeline, replayed)
    assert replayed.world.caches.states["hits"].tolist()[0] == 4


def test_a_race_that_is_won_as_its_next_attempt_is_due_starts_no_other():
    """The first attempt answers at the instant at which the third is due, while the second runs."""
    pipeline, replayed = check_agreement(lambda: Pipeline(Hedge(2 * TICK_S, hedges=2)), alike([0], [4]))
    check_memories(pipeline, replayed)
    assert replayed.attempts.tolist() == [2]


def test_an_answer_that_comes_at_the_limit_is_late_as_the_limit_was_set_first():
    schedule = alike([0], [5])
    _, replayed = check_agreement(lambda: Pipeline(Timeout(5 * TICK_S)), schedule)
    assert replayed.outcomes.tolist() == [codes.TIMED_OUT]


def test_what_a_cache_fetches_beside_calls_keeps_to_their_limits_also_in_the_attempts_of_a_hedge():
    """The outer limit of the second call comes when it has ended: the inner one alone knows of it."""
    schedule = alike([0, 2], [1, 9])
    pipeline, replayed = check_agreement(
        lambda: Pipeline(
            Timeout(3 * TICK_S),
            CourseCache(ttl_s=TICK_S, stale_while_revalidate_s=9 * TICK_S),
            Hedge(5 * TICK_S),
            Timeout(7 * TICK_S),
        ),
        schedule,
    )
    check_memories(pipeline, replayed)
    assert replayed.world.hedges.states["counted_s"].tolist()[0] == 5 * TICK_S
