"""The machine of time limits."""

import math

from hypothesis import given
from hypothesis import strategies as st

from workbench.reliability.machines.timeout import Parameters, State, abandon, expire, limit, refuse


@given(
    timeout_s=st.floats(0.001, 1e6),
    now=st.floats(0, 1e6),
    deadline_s=st.just(math.inf) | st.floats(0, 1e6),
    counts=st.lists(st.sampled_from([abandon, expire, refuse]), max_size=10),
)
def test_it_decides_alike_interpreted_and_compiled(both_worlds, timeout_s, now, deadline_s, counts):
    worlds = both_worlds(Parameters(timeout_s), State())
    assert worlds.step(limit, now, deadline_s, use=(0,)) == min(now + timeout_s, deadline_s)
    for each in counts:
        worlds.step(each, use=(1,))
