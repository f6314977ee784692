"""The circuit breaker's machine: against a twin that keeps lists, its whole table, in both worlds."""

import itertools
import math

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from reliability.machines.breaker_twin import Twin

from workbench.reliability.machines import breaker as machine
from workbench.reliability.machines.breaker_windows import count_in_row, count_in_time, rotate

NAMES = ("closed", "open", "half_open", "forced_open", "disabled")
RATES = st.sampled_from([0.125, 0.25, 0.5, 0.75, 1.0, 2.0])
WINDOWS = st.one_of(
    st.tuples(st.just("calls"), st.integers(1, 6)),
    st.tuples(st.just("row"), st.integers(1, 4)),
    st.tuples(st.just("buckets"), st.integers(1, 4), st.sampled_from([0.5, 1.0, 2.0])),
)
SETTINGS = st.fixed_dictionaries(
    {
        "minimum": st.integers(1, 6),
        "failure_rate": RATES,
        "slow_rate": RATES,
        "open_s": st.sampled_from([0.0, 1.0, 4.0]),
        "trials": st.integers(1, 3),
        "trial_s": st.sampled_from([2.0, math.inf]),
        "growth": st.sampled_from([1.0, 2.0]),
        "most_s": st.sampled_from([8.0, math.inf]),
    }
)
SLOW_IS_GOOD = {
    "minimum": 1, "failure_rate": 0.5, "slow_rate": 2.0, "open_s": 1.0, "trials": 1,
    "trial_s": 2.0, "growth": 1.0, "most_s": 8.0,
}  # fmt: skip
STEP = st.one_of(
    st.tuples(st.just("call"), st.sampled_from([0.0, 0.5, 1.0, 3.0])),
    st.tuples(st.just("end"), st.integers(0, 5), st.integers(0, 3), st.sampled_from([0.0, 0.25, 1.0, 9.0])),
    st.tuples(st.just("release"), st.integers(0, 5)),
    st.tuples(st.just("switch"), st.integers(0, 4)),
)


class Pair:
    """The machine in both worlds, driven as its policy drives it, and the twin."""

    def __init__(self, both_worlds, window, settings):
        kind, count = window[:2]
        minimum = (
            min(settings["minimum"], count)
            if kind == "calls"
            else 0
            if kind == "row"
            else settings["minimum"]
        )
        self.twin = Twin(window, **{**settings, "minimum": minimum})
        self.kind = kind
        self.p = machine.Parameters(
            window=count if kind != "buckets" else 0,
            minimum_calls=minimum,
            failure_rate=settings["failure_rate"],
            slow_rate=settings["slow_rate"],
            slow_s=1.0,
            open_s=settings["open_s"],
            half_open_calls=settings["trials"],
            half_open_s=settings["trial_s"],
            open_growth=settings["growth"],
            open_most_s=settings["most_s"],
            buckets=count if kind == "buckets" else 0,
            bucket_s=window[2] if kind == "buckets" else math.inf,
        )
        ring = [0] * (3 * count if kind == "buckets" else count)
        self.worlds = both_worlds(self.p, machine.State(), arrays=[ring])
        self.s, self.now, self.out, self.rejected = self.worlds.live[1], 0.0, [], 0

    def call(self, pause_s):
        self.now += pause_s
        admitted = self.twin.admit(self.now)
        if self.s.state != machine.CLOSED:
            assert self.worlds.step(machine.admit, self.now, use=(0, 1)) == admitted
        self.rejected += not admitted
        if admitted:
            generation = -1 if self.s.state == machine.DISABLED else self.s.generation
            self.out.append((generation, -1 if self.twin.state == "disabled" else self.twin.generation))

    def end(self, which, outcome, pause_s):
        if self.out:
            mine, twins = self.out.pop(which % len(self.out))
            self.now += pause_s
            changed = self.twin.learn(twins, bool(outcome & 1), bool(outcome & 2), self.now)
            assert self.learnt(mine, outcome) == changed

    def learnt(self, generation, outcome):
        step, now = self.worlds.step, self.now
        if self.s.state != machine.CLOSED or self.kind == "calls":
            quick = self.s.state == machine.CLOSED and self.s.calls == self.p.window and outcome == 0
            if quick:
                step(machine.succeed, generation, use=(0, 1), rings=(0,))
                return False
            return step(machine.learn, generation, outcome, now, use=(0, 1), rings=(0,))
        if self.kind == "row":
            broken = step(count_in_row, generation, outcome, use=(0, 1))
        else:
            step(rotate, now, use=(0, 1), rings=(0,))
            broken = step(count_in_time, generation, outcome, use=(0, 1), rings=(0,))
        return bool(broken) and bool(step(machine.trip, generation, now, use=(1,)))

    def release(self, which):
        if self.out:
            mine, twins = self.out.pop(which % len(self.out))
            assert self.worlds.step(machine.release, mine, use=(1,)) == self.twin.release(twins)

    def switch(self, state):
        changed = self.twin.force(NAMES[state], self.now)
        assert self.worlds.step(machine.switch, state, self.now, use=(0, 1)) == changed

    def check(self):
        assert NAMES[self.s.state] == self.twin.state
        assert self.s.rejected == self.rejected
        assert self.s.generation == self.twin.generation
        if self.twin.state == "half_open":
            assert self.s.permits == self.twin.trials - self.twin.out - len(self.twin.seen)
            assert self.s.calls == len(self.twin.seen)
        if self.twin.state == "closed":
            seen = self.twin.looked_at()
            if self.kind == "row":
                row = list(itertools.takewhile(lambda each: each[1] or each[2], reversed(self.twin.seen)))
                assert self.s.failed == len(row)
            else:
                assert (self.s.calls, self.s.failed, self.s.slow) == (
                    len(seen),
                    sum(each[1] for each in seen),
                    sum(each[2] for each in seen),
                )


@given(window=WINDOWS, settings=SETTINGS, steps=st.lists(STEP, max_size=80))
@example(window=("row", 2), settings=SLOW_IS_GOOD, steps=[("call", 0.0), ("end", 0, 2, 0.0)])
def test_it_does_what_the_twin_does_in_both_worlds(both_worlds, window, settings, steps):
    """Returns, states, counts and permits after each step; calls overlap and end in any order."""
    pair = Pair(both_worlds, window, settings)
    for name, *arguments in steps:
        getattr(pair, name)(*arguments)
        pair.check()


@given(window=WINDOWS, failing=st.lists(st.integers(0, 3), max_size=60))
def test_calls_one_after_the_other_open_it_when_the_twin_says_so(both_worlds, window, failing):
    settings = {
        "minimum": 3, "failure_rate": 0.5, "slow_rate": 0.75, "open_s": 2.0, "trials": 2,
        "trial_s": math.inf, "growth": 2.0, "most_s": 8.0,
    }  # fmt: skip
    pair = Pair(both_worlds, window, settings)
    for outcome in failing:
        pair.call(0.25)
        pair.end(0, outcome, 0.25)
        pair.check()


@given(
    buckets=st.integers(1, 4),
    seconds=st.sampled_from([0.5, 1.0, 2.0]),
    ends=st.lists(st.tuples(st.integers(0, 3), st.sampled_from([0.0, 0.25, 1.0, 3.0, 9.0])), max_size=40),
)
def test_a_window_of_time_holds_what_the_twin_sees_after_pauses_of_any_length(
    both_worlds, buckets, seconds, ends
):
    never = {
        "minimum": 1, "failure_rate": 2.0, "slow_rate": 2.0, "open_s": 2.0, "trials": 2,
        "trial_s": math.inf, "growth": 1.0, "most_s": math.inf,
    }  # fmt: skip
    pair = Pair(both_worlds, ("buckets", buckets, seconds), never)
    for outcome, pause_s in ends:
        pair.call(0.0)
        pair.end(0, outcome, pause_s)
        pair.check()


# The table: every state, every event, and what comes of it

STATES = {"closed": 0, "open": 1, "half_open": 2, "forced_open": 3, "disabled": 4}
EVENTS = (
    "early call",
    "late call",
    "failure",
    "success",
    "last failure",
    "last success",
    "old failure",
    "release",
)
NEXT = {
    ("closed", "last failure"): "open",
    ("open", "late call"): "half_open",
    ("half_open", "last failure"): "open",
    ("half_open", "last success"): "closed",
}


@pytest.mark.parametrize(("state", "event"), list(itertools.product(STATES, EVENTS)))
def test_each_event_leads_from_each_state_where_the_table_says(state, event):
    p = machine.Parameters(4, 2, 1.0, 2.0, 1.0, 10.0, 2)
    s, ring = machine.State(state=STATES[state], generation=5, changed_s=100.0), bytearray(4)
    outcome = 1 if "failure" in event else 0
    if event.startswith("last"):
        s.calls, s.failed = 1, outcome
        ring[0], s.at = outcome, 1
    if state == "half_open":
        s.permits = 1
    if event in ("early call", "late call"):
        now = 109.0 if event == "early call" else 110.0
        admitted = machine.admit(p, s, now)
        assert admitted == (
            state in ("closed", "half_open", "disabled") or (state, event) == ("open", "late call")
        )
        assert s.rejected == (not admitted)
    elif event == "release":
        assert machine.release(s, 5) is True
        assert s.permits == (2 if state == "half_open" else 0)
    else:
        generation = 4 if event == "old failure" else 5
        changed = machine.learn(p, s, ring, generation, outcome, 101.0)
        assert changed == ((state, event) in NEXT)
    assert s.state == STATES[NEXT.get((state, event), state)]
    assert s.generation == 5 + ((state, event) in NEXT)


@pytest.mark.parametrize(("before", "after"), list(itertools.product(STATES, STATES)))
def test_each_state_can_be_asked_for_from_each_state(before, after):
    p = machine.Parameters(4, 2, 1.0, 2.0, 1.0, 10.0, 3)
    s = machine.State(state=STATES[before], generation=5, calls=3, failed=2, slow=1, at=3, growth=4.0)
    assert machine.switch(p, s, STATES[after], 7.0) == (before != after)
    assert (s.state, s.generation, s.changed_s, s.permits) == (STATES[after], 6, 7.0, 3)
    assert (s.calls, s.failed, s.slow, s.at, s.growth) == (0, 0, 0, 0, 1.0)


def test_a_trial_that_is_out_for_too_long_opens_it_again():
    p = machine.Parameters(4, 2, 1.0, 2.0, 1.0, 10.0, 1, half_open_s=5.0)
    s = machine.State(state=machine.HALF_OPEN, generation=5, changed_s=100.0, permits=0)
    assert machine.admit(p, s, 104.9) is False
    assert s.state == machine.HALF_OPEN
    assert machine.admit(p, s, 105.0) is False
    assert (s.state, s.generation) == (machine.OPEN, 6)


def test_each_failed_trial_doubles_the_time_it_stays_open_up_to_the_most():
    p = machine.Parameters(1, 1, 1.0, 2.0, 1.0, 10.0, 1, open_growth=2.0, open_most_s=35.0)
    s, ring, now, waits = machine.State(), bytearray(1), 0.0, []
    machine.learn(p, s, ring, 0, 1, now)
    for _ in range(4):
        opened = now
        while not machine.admit(p, s, now):
            now += 1.0
        waits.append(now - opened)
        machine.learn(p, s, ring, s.generation, 1, now)
    assert waits == [10.0, 20.0, 35.0, 35.0]
