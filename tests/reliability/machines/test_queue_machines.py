"""Adaptive LIFO, deficit round robin, client throttling: against plain twins and closed forms."""

import math
import random
from collections import deque

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workbench.reliability.machines import adaptive_lifo, client_throttle, fair_queue


@given(st.lists(st.tuples(st.sampled_from([0.0, 0.01, 0.099, 0.1, 0.2]), st.booleans()), max_size=40))
def test_patience_is_short_and_the_newest_first_when_the_queue_was_not_empty_for_an_interval(
    both_worlds, script
):
    worlds = both_worlds(adaptive_lifo.Parameters(0.005, 0.1), adaptive_lifo.State())
    now = last_empty = 1.0
    worlds.step(adaptive_lifo.note_empty, now, use=(1,))
    for gap_s, empty in script:
        now += gap_s
        if empty:
            last_empty = now
            worlds.step(adaptive_lifo.note_empty, now, use=(1,))
        overloaded = last_empty < now - 0.1
        assert worlds.step(adaptive_lifo.is_overloaded, now, use=(0, 1)) == overloaded
        assert worlds.step(adaptive_lifo.patience, now, use=(0, 1)) == (0.005 if overloaded else 0.1)


@given(st.lists(st.sampled_from([0.01, 0.5, 1.0, 2.5, 7.0]), min_size=1, max_size=6))
def test_flows_that_always_wait_are_served_by_their_weights(both_worlds, weights):
    """Within one turn each: the bound of Shreedhar and Varghese, for calls of length 1."""
    worlds = both_worlds(*(fair_queue.Flow(weight) for weight in weights))
    served = [0] * len(weights)
    rounds = deque(range(len(weights)))
    turns = 0
    while turns < 20 * len(weights):
        flow = rounds[0]
        if worlds.step(fair_queue.serve, use=(flow,)):
            served[flow] += 1
        else:
            worlds.step(fair_queue.begin_turn, use=(flow,))
            rounds.rotate(-1)
            turns += 1
    for count, weight in zip(served, weights, strict=True):
        assert abs(count - 20 * weight) <= max(weights) + 1


def test_a_flow_that_nobody_waits_in_saves_nothing(both_worlds):
    worlds = both_worlds(fair_queue.Flow(5.0))
    worlds.step(fair_queue.begin_turn, use=(0,))
    worlds.step(fair_queue.end_flow, use=(0,))
    assert not worlds.step(fair_queue.serve, use=(0,))


@pytest.mark.parametrize(
    ("newcomer", "other", "displaced"),
    [
        ((0, 9), (1, 1), True),  # more important
        ((1, 0), (0, 9), False),  # less important
        ((1, 2), (1, 4), True),  # afterwards still not the longer one
        ((1, 3), (1, 4), False),
        ((1, 4), (1, 4), False),
    ],
)
def test_who_gives_way(newcomer, other, displaced):
    assert fair_queue.displaces(*newcomer, *other) is displaced


class Window:
    """The times of all requests and accepts, by the bucket of their time."""

    def __init__(self, bucket_s, buckets):
        self.bucket_s, self.buckets, self.requests, self.accepts, self.newest = bucket_s, buckets, [], [], 0

    def count(self, times):
        return sum(bucket > self.newest - self.buckets for bucket in times)

    def at(self, now):
        self.newest = max(self.newest, math.floor(now / self.bucket_s))

    def probability(self, ratio, most):
        requests, accepts = self.count(self.requests), self.count(self.accepts)
        return min(most, max(0.0, (requests - ratio * accepts) / (requests + 1)))


@given(
    ratio=st.sampled_from([1.0, 1.1, 2.0]),
    most=st.sampled_from([0.9, 1.0]),
    script=st.lists(
        st.tuples(
            st.sampled_from([0.0, 0.3, 1.0, 5.9, 6.0, 50.0, 119.0, 500.0]),
            st.booleans(),
            st.floats(0, 1, exclude_max=True),
        ),
        max_size=80,
    ),
)
def test_calls_are_rejected_with_the_books_probability_over_the_window(both_worlds, ratio, most, script):
    p = client_throttle.Parameters(ratio, most, 6.0, 20)
    worlds = both_worlds(p, client_throttle.State(), arrays=([0] * 20, [0] * 20))
    s = worlds.live[1]
    twin, now = Window(6.0, 20), 1000.0
    for gap_s, accepted, u in script:
        now += gap_s
        twin.at(now)
        if now >= s.until_s:
            worlds.step(client_throttle.turn, now, use=(0, 1), rings=(0, 1))
        probability = twin.probability(ratio, most)
        assert worlds.step(client_throttle.is_doubtful, use=(0, 1)) == (probability > 0)
        rejected = worlds.step(client_throttle.rejects, u, use=(0, 1))
        assert rejected == (u < probability)
        twin.requests.append(twin.newest)
        worlds.step(client_throttle.reject if rejected else client_throttle.request, use=(1,), rings=(0,))
        if accepted and not rejected:
            twin.accepts.append(twin.newest)
            worlds.step(client_throttle.accept, use=(1,), rings=(1,))
        assert (s.requests, s.accepts) == (twin.count(twin.requests), twin.count(twin.accepts))


def sent_in_the_long_run(callee, *, ratio=2.0, rate_hz=100, windows=40, seed=3):
    """Return the requests and the calls sent a window, with a callee that is a function of the time."""
    p = client_throttle.Parameters(ratio, 1.0, 1.0, 120)
    s, requests, accepts, rng = client_throttle.State(), [0] * 120, [0] * 120, random.Random(seed)
    sent = 0
    for number in range(windows * 120 * rate_hz):
        now = number / rate_hz
        if now >= s.until_s:
            client_throttle.turn(p, s, requests, accepts, now)
        if client_throttle.rejects(p, s, rng.random()):
            client_throttle.reject(s, requests)
            continue
        client_throttle.request(s, requests)
        sent += now >= windows * 60
        if callee(now, rng):
            client_throttle.accept(s, accepts)
    return 120 * rate_hz, sent / (windows / 2)


@pytest.mark.parametrize("ratio", [1.1, 2.0])
def test_a_callee_that_accepts_so_many_a_second_gets_k_times_as_many(ratio):
    """The closed form: with A accepts a window, p = (R - K A) / (R + 1), so R (1 - p) = K A + p."""
    given = [0]

    def ten_a_second(now, _rng):
        accepted = given[0] < 10 * now
        given[0] += accepted
        return accepted

    _, sent = sent_in_the_long_run(ten_a_second, ratio=ratio, windows=20)
    assert sent == pytest.approx(ratio * 10 * 120, rel=0.03)


def test_a_callee_that_rejects_less_than_half_is_not_spared():
    requests, sent = sent_in_the_long_run(lambda _now, rng: rng.random() < 0.6, windows=4)
    assert sent == pytest.approx(requests, rel=0.01)


def test_a_callee_that_accepts_a_share_below_one_in_k_gets_next_to_nothing():
    """The closed form for a share a: q = 1 / (1 + R (1 - K a)), so R q is about 1 / (1 - K a)."""
    requests, sent = sent_in_the_long_run(lambda _now, rng: rng.random() < 0.25, windows=30)
    assert sent == pytest.approx(requests / (1 + requests * (1 - 2 * 0.25)), abs=1.0)


@pytest.mark.parametrize(("most", "soonest_s", "latest_s"), [(0.9, 0, 240), (1.0, 500, 1500)])
def test_after_an_outage_longer_than_the_window_a_bound_of_the_probability_shortens_recovery(
    most, soonest_s, latest_s
):
    """Without one a single call a window finds out that the callee is back, and then K times as many."""
    p = client_throttle.Parameters(2.0, most, 6.0, 20)
    s, requests, accepts = client_throttle.State(), [0] * 20, [0] * 20
    rng = random.Random(1)
    rejected = []
    for tick in range(40 * 2000):
        now = tick / 40
        if now >= s.until_s:
            client_throttle.turn(p, s, requests, accepts, now)
        no = client_throttle.rejects(p, s, rng.random())
        (client_throttle.reject if no else client_throttle.request)(s, requests)
        if not no and not 200 <= now < 400:
            client_throttle.accept(s, accepts)
        if no:
            rejected.append(now)
    assert min(rejected) == pytest.approx(200 + 60, abs=10)  # half of the window has failed
    assert soonest_s < max(rejected) - 400 < latest_s
