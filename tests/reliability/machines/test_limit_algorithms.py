"""AIMD, Vegas and Gradient2: against twins of Netflix's classes, and in a model of a callee with a queue."""

import math
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workbench.reliability.machines import aimd, gradient2, sampling, vegas

SAMPLES = st.lists(
    st.tuples(st.floats(1e-4, 10.0), st.integers(0, 300), st.booleans(), st.floats(0, 1, exclude_max=True)),
    max_size=80,
)
GRADIENT2 = gradient2.Parameters(20, 200, 1.5, 0.2, 4.0, 600, 10)
VEGAS = vegas.Parameters(1, 1000, 3, 6, 1.0, 30)
AIMD = aimd.Parameters(20, 200, 0.9, 5.0)


class Gradient2Limit:
    """`Gradient2Limit._update` and `ExpAvgMeasurement`."""

    def __init__(self):
        self.limit, self.value, self.sum, self.count = 20.0, 0.0, 0.0, 0

    def add(self, sample):
        if self.count < 10:
            self.count += 1
            self.sum += sample
            self.value = self.sum / self.count
        else:
            factor = 2.0 / (600 + 1)
            self.value = self.value * (1 - factor) + sample * factor
        return self.value

    def update(self, rtt, inflight, dropped, u):
        long_rtt = self.add(rtt)
        if long_rtt / rtt > 2:
            self.value *= 0.95
        if inflight < self.limit / 2:
            return self.limit
        gradient = max(0.5, min(1.0, 1.5 * long_rtt / rtt))
        new = self.limit * gradient + 4.0
        new = self.limit * (1 - 0.2) + new * 0.2
        self.limit = max(20.0, min(200.0, new))
        return self.limit


class VegasLimit:
    """`VegasLimit._update`, with its table of whole logarithms."""

    TABLE = tuple(max(1, int(math.log10(n))) if n else 1 for n in range(1000))

    def __init__(self):
        self.limit, self.noload, self.count, self.jitter = 20.0, 0.0, 0, 1.0

    def log10(self, limit):
        return self.TABLE[int(limit)] if int(limit) < 1000 else int(math.sqrt(int(limit)))

    def update(self, rtt, inflight, dropped, u):
        self.count += 1
        if self.jitter * 30 * self.limit <= self.count:
            self.jitter, self.count, self.noload = 0.5 + 0.5 * u, 0, rtt
            return self.limit
        if self.noload == 0 or rtt < self.noload:
            self.noload = rtt
            return self.limit
        queue = math.ceil(self.limit * (1 - self.noload / rtt))
        log10 = self.log10(self.limit)
        if dropped:
            new = self.limit - log10
        elif inflight * 2 < self.limit:
            return self.limit
        elif queue <= log10:
            new = self.limit + 6 * log10
        elif queue < 3 * log10:
            new = self.limit + log10
        elif queue > 6 * log10:
            new = self.limit - log10
        else:
            return self.limit
        self.limit = max(1.0, min(1000.0, new))
        return self.limit


class AIMDLimit:
    """`AIMDLimit._update`."""

    def __init__(self):
        self.limit = 20

    def update(self, rtt, inflight, dropped, u):
        if dropped or rtt > 5.0:
            self.limit = int(self.limit * 0.9)
        elif inflight * 2 >= self.limit:
            self.limit += 1
        self.limit = min(200, max(20, self.limit))
        return float(self.limit)


@pytest.mark.parametrize(
    ("machine", "parameters", "twin_type"),
    [(gradient2, GRADIENT2, Gradient2Limit), (vegas, VEGAS, VegasLimit), (aimd, AIMD, AIMDLimit)],
    ids=["gradient2", "vegas", "aimd"],
)
@given(samples=SAMPLES)
def test_limits_are_those_of_the_source_in_both_worlds(both_worlds, machine, parameters, twin_type, samples):
    worlds = both_worlds(parameters, machine.State())
    twin = twin_type()
    for sample in samples:
        assert worlds.step(machine.update, *sample, use=(0, 1)) == twin.update(*sample)


@given(st.floats(900.0, 1000.0), SAMPLES)
def test_vegas_uses_the_square_root_from_a_thousand_on(both_worlds, limit, samples):
    parameters = vegas.Parameters(1, 5000, 3, 6, 1.0, 30)
    worlds = both_worlds(parameters, vegas.State(limit=limit + 500, shortest_s=1.0))
    root = int(math.sqrt(int(limit + 500)))
    assert worlds.step(vegas.update, 1.0, 2000, False, 0.0, use=(0, 1)) == limit + 500 + 6 * root
    assert worlds.step(vegas.update, 1.0, 2000, True, 0.0, use=(0, 1)) > limit + 500


def test_vegas_takes_the_shortest_time_anew_after_probe_times_limit_samples(both_worlds):
    """So that it learns when the callee has become slower for good."""
    worlds = both_worlds(VEGAS, vegas.State(limit=20.0))
    for _ in range(599):
        worlds.step(vegas.update, 1.0, 0, False, 0.5, use=(0, 1))
    assert worlds.live[1].shortest_s == 1.0
    worlds.step(vegas.update, 3.0, 0, False, 0.5, use=(0, 1))
    assert (worlds.live[1].shortest_s, worlds.live[1].jitter) == (3.0, 0.75)


class Callee:
    """`workers` calls are worked on at a time: of n calls in flight each takes n/workers times as long."""

    def __init__(self, workers, service_s):
        self.workers, self.service_s = workers, service_s

    def rtt_s(self, inflight):
        return self.service_s * max(1.0, inflight / self.workers)


def settle(machine, parameters, state, callee, demand=10**6, rounds=3000):
    """Let a saturated client learn; return the limits."""
    limits, u = [], random.Random(7)
    for _ in range(rounds):
        inflight = min(int(state.limit), demand)
        machine.update(parameters, state, callee.rtt_s(inflight), inflight, False, u.random())
        limits.append(state.limit)
    return limits


def gradient2_rest(workers, tolerance=1.5, queue=4.0):
    """Where ``limit * (1 - gradient) = queue``, with the long average at the service time."""
    return workers * tolerance + queue


@pytest.mark.parametrize("workers", [40, 60, 100])
def test_gradient2_first_rests_a_queue_above_where_calls_become_slower_than_is_tolerated(workers):
    """The closed form: with long = service, limit (1 - 1.5 workers / limit) = 4."""
    slow = gradient2.Parameters(
        20, 1000, 1.5, 0.2, 4.0, 10**9, 10
    )  # the long average stays at the service time
    limits = settle(gradient2, slow, gradient2.State(), Callee(workers, 0.1))
    assert limits[-1] == pytest.approx(gradient2_rest(workers), abs=1.0)


def test_gradient2_comes_down_when_the_callee_loses_workers_and_goes_up_when_it_gets_more():
    p, s = gradient2.Parameters(5, 1000, 1.5, 0.2, 4.0, 10**9, 10), gradient2.State()
    callee = Callee(100, 0.1)
    settle(gradient2, p, s, callee)
    for workers in (30, 100, 60, 10):
        callee.workers = workers
        assert settle(gradient2, p, s, callee)[-1] == pytest.approx(gradient2_rest(workers), abs=1.0)


def test_gradient2_follows_a_ramp_of_workers_within_a_few_samples():
    p, s = gradient2.Parameters(5, 1000, 1.5, 0.2, 4.0, 10**9, 10), gradient2.State()
    callee = Callee(40, 0.1)
    settle(gradient2, p, s, callee)
    for workers in range(40, 120):
        callee.workers = workers
        limit = settle(gradient2, p, s, callee, rounds=10)[-1]
        assert gradient2_rest(workers) - 10 < limit < gradient2_rest(workers) + 10


def test_gradient2_takes_a_latency_that_has_shifted_for_good_as_usual_after_the_long_window():
    """Without queueing: calls take three times as long as before, for another reason than load."""
    p, s = gradient2.Parameters(20, 200, 1.5, 0.2, 4.0, 600, 10), gradient2.State()
    callee = Callee(10**9, 0.1)
    assert settle(gradient2, p, s, callee)[-1] == 200.0
    callee.service_s = 0.3
    shrunk = settle(gradient2, p, s, callee, rounds=60)[-1]
    assert shrunk < 30
    assert settle(gradient2, p, s, callee, rounds=1200)[-1] == 200.0


def test_gradient2_forgets_an_overload_faster_than_its_window():
    """While long > 2 rtt the average decays by 5 % a sample instead of by 2/601."""
    s = gradient2.State(long_s=10.0, samples=10)
    for count in range(1000):  # noqa: B007 - it is the result
        if s.long_s <= 0.2 * 1.01:
            break
        gradient2.update(GRADIENT2, s, 0.1, 0, False, 0.0)
    assert count == pytest.approx(math.log(0.2 / 10.0) / math.log(0.95), rel=0.1)


def test_gradient2_does_not_grow_while_less_than_half_of_the_limit_is_used():
    s = gradient2.State(limit=50.0)
    assert set(settle(gradient2, GRADIENT2, s, Callee(1000, 0.1), demand=24)) == {50.0}
    assert settle(gradient2, GRADIENT2, s, Callee(1000, 0.1), demand=25, rounds=1)[-1] > 50.0


@pytest.mark.parametrize("workers", [20, 60])
def test_vegas_rests_where_the_queue_is_between_alpha_and_beta(workers):
    p = vegas.Parameters(1, 1000, 3, 6, 1.0, 10**9)
    s = vegas.State(shortest_s=0.1)
    limits = settle(vegas, p, s, Callee(workers, 0.1))
    root = 1 if limits[-1] < 100 else 2
    assert len(set(limits[-500:])) == 1
    assert (
        3 * root
        <= math.ceil(limits[-1] * (1 - 0.1 / Callee(workers, 0.1).rtt_s(int(limits[-1]))))
        <= 6 * root
    )


def test_aimd_saws_below_the_limit_at_which_calls_are_dropped():
    """Between 0.9 times the first limit that is dropped, and that limit: its closed form."""
    p, s = aimd.Parameters(1, 1000, 0.9, 5.0), aimd.State()
    limits = []
    for _ in range(2000):
        aimd.update(p, s, 0.1, int(s.limit), s.limit > 100, 0.0)
        limits.append(s.limit)
    assert (min(limits[-500:]), max(limits[-500:])) == (int(0.9 * 101), 101)


@given(
    window_s=st.sampled_from([0.0, 0.5, 1.0]),
    least=st.sampled_from([1, 3]),
    calls=st.lists(
        st.tuples(
            st.floats(0.0, 1.0), st.sampled_from([5e-5, 1e-4, 0.1, 0.7]), st.integers(1, 50), st.booleans()
        ),
        max_size=60,
    ),
)
def test_a_window_stands_for_its_samples_by_their_mean_and_their_most(both_worlds, window_s, least, calls):
    worlds = both_worlds(sampling.Parameters(window_s, least, 1e-4), sampling.State())
    w = worlds.live[1]
    now, until_s, gathered = 10.0, -math.inf, []
    for gap_s, rtt_s, inflight, dropped in calls:
        now += gap_s
        ended = worlds.step(sampling.sample, now, rtt_s, inflight, dropped, use=(0, 1))
        if rtt_s >= 1e-4:
            gathered.append((rtt_s, inflight, dropped))
        assert ended == (rtt_s >= 1e-4 and now >= until_s)
        if ended:
            ready = worlds.step(sampling.end_window, now, use=(0, 1))
            assert ready == (len(gathered) >= least)
            assert w.rtt_s == pytest.approx(sum(each[0] for each in gathered) / len(gathered))
            assert (w.inflight, w.dropped) == (
                max(each[1] for each in gathered),
                any(each[2] for each in gathered),
            )
            until_s, gathered = now + window_s, []


def test_a_second_thread_that_ends_the_same_window_learns_nothing():
    p, w = sampling.Parameters(1.0, 1, 1e-4), sampling.State()
    sampling.sample(p, w, 5.0, 0.1, 1, False)
    assert sampling.end_window(p, w, 5.0)
    assert not sampling.end_window(p, w, 5.0)
