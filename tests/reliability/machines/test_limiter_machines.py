"""Rate limiters' machines: alike in both worlds, equal to plain twins, bounded in every interval."""

import copy
from array import array
from math import ceil, inf

import pytest
from hypothesis import given
from hypothesis import strategies as st
from reliability.machines.limiter_twins import BucketTwin, FixedWindowTwin, SlidingLogTwin, SlidingWindowTwin

from workbench.reliability.machines import (
    fixed_window,
    gcra,
    leaky_bucket,
    sliding_log,
    sliding_window,
    token_bucket,
)

BUCKETS = (gcra, token_bucket, leaky_bucket)
WINDOWS = (fixed_window, sliding_window, sliding_log)
# Multiples of a power of two and rates of small integers: exact in binary, so that twins in fractions agree.
EXACT_STEPS = st.lists(st.tuples(st.integers(0, 2048), st.integers(0, 4)), min_size=1, max_size=60)
STEPS = st.lists(st.tuples(st.floats(0, 3), st.integers(0, 5)), min_size=1, max_size=60)


class Run:
    """A machine, its records, and what it let through."""

    def __init__(self, machine, *numbers, patience_s=0.0):
        self.machine, self.p, self.s = machine, machine.parameters(*numbers, patience_s), machine.State()
        self.rings = (array("d", [-inf]) * numbers[0],) if machine is sliding_log else ()
        self.passed = []

    def take(self, now, cost=1):
        """Return the seconds to wait."""
        wait_s = self.machine.take(self.p, self.s, *self.rings, now, cost)
        if wait_s <= self.p.patience_s:
            self.passed += [now + max(0.0, wait_s)] * cost
        return wait_s

    def copied(self):
        twin = copy.copy(self)
        twin.s, twin.rings, twin.passed = copy.deepcopy((self.s, self.rings, self.passed))
        return twin

    def most_in(self, seconds):
        """Return the most calls in any interval of that length, half open."""
        return max((sum(a <= b < a + seconds for b in self.passed) for a in self.passed), default=0)


def times(steps, start_s, unit_s):
    """Yield moments and costs."""
    now = start_s
    for step, cost in steps:
        now += step * unit_s
        yield now, cost


@pytest.mark.parametrize("machine", BUCKETS + WINDOWS, ids=lambda each: each.__name__.rpartition(".")[2])
@given(
    steps=STEPS,
    first=st.integers(1, 6),
    second=st.floats(0.01, 20),
    patience_s=st.sampled_from([0.0, 0.3, inf]),
)
def test_both_worlds_agree_to_the_last_bit(both_worlds, machine, steps, first, second, patience_s):
    numbers = (second, float(first)) if machine in BUCKETS else (first, second)
    p = machine.parameters(*numbers, patience_s)
    arrays = ([-inf] * first,) if machine is sliding_log else ()
    worlds = both_worlds(p, machine.State(), arrays=arrays)
    for now, cost in times(steps, 0.0, 1.0):
        if machine is sliding_log:
            worlds.step(machine.take, now, min(cost, first), use=(0, 1), rings=(0,))
        else:
            worlds.step(machine.take, now, float(cost), use=(0, 1))
        worlds.step(machine.surplus, now, use=(0, 1))


@given(steps=EXACT_STEPS, rate_hz=st.integers(1, 50), burst=st.integers(1, 8), start=st.integers(0, 10**6))
def test_gcra_token_bucket_leaky_bucket_and_the_twin_decide_alike(steps, rate_hz, burst, start):
    runs, twin = (
        [Run(machine, float(rate_hz), float(burst)) for machine in BUCKETS],
        BucketTwin(rate_hz, burst),
    )
    for now, cost in times(steps, float(start), 2.0**-10):
        decisions = {run.take(now, cost) <= 0.0 for run in runs}
        assert decisions == {twin.take(now, cost)}


@given(steps=STEPS, rate_hz=st.floats(0.1, 50), burst=st.integers(1, 8), start_s=st.floats(0, 1e6))
def test_gcra_token_bucket_and_leaky_bucket_decide_alike_with_patience_and_any_rate(
    steps, rate_hz, burst, start_s
):
    """Their waits differ by rounding only."""
    runs = [Run(machine, rate_hz, float(burst), patience_s=1.0) for machine in BUCKETS]
    for now, cost in times(steps, start_s, 1.0):
        waits = [run.take(now, cost) for run in runs]
        assert waits == pytest.approx([waits[0]] * 3, abs=1e-5)
        if abs(waits[0] - 1.0) > 1e-5:
            assert len({run.s.taken for run in runs}) == 1
        else:
            return  # as near as that to the patience rounding may decide, and from then on they differ


@pytest.mark.parametrize("machine", BUCKETS)
@given(
    steps=STEPS, rate_hz=st.floats(0.1, 50), burst=st.integers(1, 8), patience_s=st.sampled_from([0.0, 0.5])
)
def test_buckets_let_no_more_through_than_the_burst_and_the_rate(machine, steps, rate_hz, burst, patience_s):
    run = Run(machine, rate_hz, float(burst), patience_s=patience_s)
    for now, cost in times(steps, 0.0, 0.3):
        run.take(now, min(cost, burst))
    for first, start_s in enumerate(run.passed):
        for count, end_s in enumerate(run.passed[first:], 1):
            assert count <= burst + rate_hz * (end_s - start_s) + 1e-5


@pytest.mark.parametrize(
    ("machine", "twin"),
    [(fixed_window, FixedWindowTwin), (sliding_window, SlidingWindowTwin), (sliding_log, SlidingLogTwin)],
)
@given(steps=EXACT_STEPS, limit=st.sampled_from([1, 2, 4, 8]), window=st.sampled_from([0.5, 1.0, 4.0]))
def test_windows_decide_as_their_twins(machine, twin, steps, limit, window):
    run, plain = Run(machine, limit, window), twin(limit, window)
    for now, cost in times(steps, 0.0, 2.0**-8):
        cost = min(cost, limit)  # noqa: PLW2901 - what could never pass is the policy's business
        assert (run.take(now, cost) <= 0.0) == plain.take(now, cost)


@pytest.mark.parametrize(
    ("machine", "most"),
    [
        (fixed_window, lambda limit, share: limit * (ceil(share) + 1)),
        (sliding_window, lambda limit, share: limit * (1 + share)),
        (sliding_log, lambda limit, share: limit * ceil(share)),
    ],
)
@given(
    steps=STEPS, limit=st.integers(1, 6), window_s=st.floats(0.1, 5), patience_s=st.sampled_from([0.0, 3.0])
)
def test_windows_let_no_more_through_than_their_bounds(machine, most, steps, limit, window_s, patience_s):
    run = Run(machine, limit, window_s, patience_s=patience_s)
    for now, cost in times(steps, 0.0, 0.5):
        run.take(now, min(cost, limit))
    for share in (1e-3, 0.5, 1.0, 1.5, 3.0):
        assert run.most_in(share * window_s * (1 - 1e-5)) <= most(limit, share) + 1e-3


def test_a_fixed_window_lets_twice_its_limit_through_at_a_border_and_the_others_do_not():
    found = {}
    for machine in WINDOWS:
        run = Run(machine, 10, 1.0)
        for now in [0.999] * 20 + [1.0] * 20:
            run.take(now)
        found[machine] = run.most_in(0.01)
    assert found == {fixed_window: 20, sliding_window: 10, sliding_log: 10}


def test_a_sliding_window_that_counts_nearly_reaches_twice_its_limit_within_a_window_and_the_log_does_not():
    found = {}
    for machine in (sliding_window, sliding_log):
        run = Run(machine, 100, 1.0)
        for now in [0.99] * 100 + [1.0 + step / 1000 for step in range(985)]:
            run.take(now)
        found[machine] = run.most_in(1.0 - 1e-4)
    assert 190 <= found[sliding_window] < 200
    assert found[sliding_log] == 100


@pytest.mark.parametrize("machine", BUCKETS + WINDOWS)
@given(
    steps=STEPS,
    first=st.integers(1, 6),
    second=st.floats(0.05, 20),
    cost=st.integers(1, 6),
    start_s=st.sampled_from([0.0, 1000.1, 86_400.3, 1e6 + 0.7]),
)
def test_a_refused_call_passes_after_its_wait_and_not_noticeably_before(
    machine, steps, first, second, cost, start_s
):
    run = Run(machine, *((second, float(first)) if machine in BUCKETS else (first, second)))
    now = start_s
    for now, each in times(steps, start_s, 0.1):
        run.take(now, min(each, first))
    wait_s = run.take(now, min(cost, first))
    if wait_s > 0.0:
        assert run.copied().take(now + wait_s, min(cost, first)) <= 0.0
        early_s = wait_s * 0.999 - 1e-5 * max(second, 1 / second)
        if early_s > 0.0 and machine is not sliding_window:  # which knows the wait within the window only
            assert run.copied().take(now + early_s, min(cost, first)) > 0.0


@pytest.mark.parametrize("machine", BUCKETS)
@given(rate_hz=st.floats(0.01, 1000), burst=st.integers(1, 200), now=st.floats(0, 1e6))
def test_a_whole_burst_passes_at_one_moment_and_no_more(machine, rate_hz, burst, now):
    """At any time of any clock: rounding neither takes the last call away nor adds one."""
    run = Run(machine, rate_hz, float(burst))
    assert [run.take(now) <= 0.0 for _ in range(burst + 1)] == [True] * burst + [False]


@pytest.mark.parametrize("machine", BUCKETS)
@given(rate_hz=st.integers(1, 1000), start_s=st.floats(0, 1e5))
def test_calls_that_come_at_the_rate_all_pass_though_their_times_are_rounded(machine, rate_hz, start_s):
    run = Run(machine, float(rate_hz), 1.0)
    now = start_s
    for _ in range(50):
        assert run.take(now) <= 0.0
        now += 1 / rate_hz


@pytest.mark.parametrize("machine", BUCKETS)
def test_as_a_queue_calls_leave_evenly_spaced_in_the_order_in_which_they_came(machine):
    run = Run(machine, 10.0, 1.0, patience_s=0.5)
    waits = [run.take(7.0) for _ in range(8)]
    assert waits == pytest.approx([0.0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.6])
    assert (run.s.taken, run.s.refused) == (6, 2)


@pytest.mark.parametrize("machine", BUCKETS + WINDOWS)
@given(steps=STEPS, first=st.integers(1, 5), second=st.floats(0.1, 20), cost=st.integers(1, 5))
def test_a_state_with_a_surplus_decides_like_a_new_one(machine, steps, first, second, cost):
    """So forgetting it changes nothing."""
    numbers = (second, float(first)) if machine in BUCKETS else (first, second)
    run = Run(machine, *numbers)
    for now, each in times(steps, 0.0, 0.1):
        run.take(now, min(each, first))
        if machine.surplus(run.p, run.s, now) >= 0.0:
            costs = [min(cost, first)] * 3
            fresh, old = Run(machine, *numbers), run.copied()
            assert [old.take(now, each) for each in costs] == pytest.approx(
                [fresh.take(now, each) for each in costs]
            )


@pytest.mark.parametrize("machine", BUCKETS + WINDOWS)
def test_a_state_has_a_surplus_in_the_end(machine):
    run = Run(machine, *((10.0, 5.0) if machine in BUCKETS else (5, 0.5)))
    run.take(3.0, 5)
    assert machine.surplus(run.p, run.s, 3.1) < 0.0
    assert machine.surplus(run.p, run.s, 5.0) >= 0.0


@pytest.mark.parametrize("machine", BUCKETS + WINDOWS)
@given(steps=st.lists(st.tuples(st.floats(-1, 2), st.integers(1, 3)), max_size=40))
def test_a_clock_that_reads_less_than_before_lets_no_more_through(machine, steps):
    """Threads read the clock first and take afterwards, so a reading may be older than the state."""
    run = Run(machine, *((5.0, 3.0) if machine in BUCKETS else (3, 0.6)))
    latest = now = 10.0
    for step, cost in steps:
        now = max(0.0, now + step)
        latest = max(latest, now)
        run.take(now, cost)
    most = 3 + 5 * (latest + 0.0)
    assert len(run.passed) <= (most if machine in BUCKETS else 3 * (latest / 0.6 + 2))
