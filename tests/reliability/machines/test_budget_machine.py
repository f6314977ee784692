"""The budget's law, in every interval, and the same in both worlds."""

import math

from hypothesis import given
from hypothesis import strategies as st

from workbench.reliability.machines.budget import Parameters, State, deposit, withdraw

PARAMETERS = st.builds(Parameters, st.floats(0, 1), st.floats(0, 5), st.floats(1, 20))
STEPS = st.lists(st.tuples(st.booleans(), st.floats(0, 3)), max_size=120)


@given(p=PARAMETERS, steps=STEPS)
def test_it_decides_alike_interpreted_and_compiled(both_worlds, p, steps):
    worlds, now = both_worlds(p, State()), 0.0
    for pays, pause_s in steps:
        now += pause_s
        if pays:
            worlds.step(deposit, use=(0, 1))
        else:
            worlds.step(withdraw, now, use=(0, 1))


@given(p=PARAMETERS, steps=STEPS)
def test_in_every_interval_retries_are_within_the_law(p, steps):
    """Checked for all pairs of instants, not only from the start."""
    s, now, history = State(), 0.0, [(0.0, 0, 0)]
    for pays, pause_s in steps:
        now += pause_s
        before = history[-1]
        if pays:
            deposit(p, s)
            history.append((now, before[1] + 1, before[2]))
        else:
            history.append((now, before[1], before[2] + withdraw(p, s, now)))
    for start, (from_s, calls, retries) in enumerate(history):
        for to_s, calls_then, retries_then in history[start:]:
            allowed = p.burst + p.ratio * (calls_then - calls) + p.minimum_hz * (to_s - from_s)
            assert retries_then - retries <= allowed + 1e-9


@given(p=PARAMETERS, steps=STEPS)
def test_it_grants_what_a_bucket_that_is_filled_drop_by_drop_grants(p, steps):
    """An independent twin that keeps tokens, not what is missing, and counts time at each step."""
    s, now, tokens = State(), 0.0, p.burst
    for pays, pause_s in steps:
        now += pause_s
        if pays:
            deposit(p, s)
            tokens = min(p.burst, tokens + p.ratio)
            continue
        filled = min(p.burst, tokens + p.minimum_hz * (now - s.counted_s))
        granted = withdraw(p, s, now)
        if not math.isclose(filled, 1.0, abs_tol=1e-9):
            assert granted == (filled >= 1.0)
        tokens = filled - granted


def test_it_starts_full_and_a_clock_that_goes_back_gives_nothing():
    p, s = Parameters(0.0, 1.0, 2.0), State()
    assert [withdraw(p, s, 5.0) for _ in range(3)] == [True, True, False]
    assert withdraw(p, s, 4.0) is False
    assert withdraw(p, s, 6.0) is True


@given(steps=st.lists(st.booleans(), max_size=100))
def test_it_grants_what_whole_quarters_in_a_purse_grant(steps):
    """An independent count in whole quarters of an attempt, where time pays for nothing."""
    p, s, quarters = Parameters(0.25, 0.0, 3.0), State(), 12
    for calls in steps:
        if calls:
            deposit(p, s)
            quarters = min(12, quarters + 1)
        else:
            assert withdraw(p, s, 5.0) == (quarters >= 4)
            quarters -= 4 * (quarters >= 4)
    assert s.granted + s.refused == steps.count(False)


def test_a_budget_without_end_always_grants():
    p, s = Parameters(math.inf, 0.0, math.inf), State()
    for _ in range(1000):
        assert withdraw(p, s, 1.0)
    deposit(p, s)
    assert (s.missing, s.granted) == (0.0, 1000)
