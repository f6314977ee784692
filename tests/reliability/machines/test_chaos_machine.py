"""Injection: random numbers by seed and call, against the published generator; the same in both worlds."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from workbench.reliability.machines import chaos


def splitmix64(seed, count):
    """The generator as published: a state that is added to, and finished."""
    found, state = [], seed
    for _ in range(count):
        state = (state + 0x9E3779B97F4A7C15) % 2**64
        z = state
        z = (z ^ z >> 30) * 0xBF58476D1CE4E5B9 % 2**64
        z = (z ^ z >> 27) * 0x94D049BB133111EB % 2**64
        found.append(z ^ z >> 31)
    return found


def test_the_generator_gives_what_its_authors_publish():
    """The first five outputs for the seed 1234567."""
    published = [
        6457827717110365317, 3203168211198807973, 9817491932198370423, 4593380528125082431,
        16408922859458223821,
    ]  # fmt: skip
    assert splitmix64(1234567, 5) == published
    numbers = [chaos.uniform(1234567, call, draw) for call in range(3) for draw in (0, 1)][:5]
    assert numbers == [(each >> 11) / 2**53 for each in published]


@given(seed=st.integers(-(2**70), 2**70), draw=st.integers(0, 1))
def test_numbers_by_call_are_the_same_one_by_one_and_all_at_once(seed, draw):
    one_by_one = [chaos.uniform(seed, call, draw) for call in range(20)]
    assert chaos.uniforms(seed, 20, draw).tolist() == one_by_one
    assert all(0.0 <= u < 1.0 for u in one_by_one)


def test_numbers_are_uniform():
    u = np.sort(chaos.uniforms(3, 100_000))
    distance = np.abs(u - (np.arange(100_000) + 0.5) / 100_000).max()
    assert distance < 1.63 / np.sqrt(100_000)  # Kolmogorov-Smirnov, 1 %


@given(
    rate=st.sampled_from([0.0, 0.1, 1.0]), numbers=st.lists(st.floats(0, 1, exclude_max=True), max_size=50)
)
def test_it_hits_the_same_calls_in_both_worlds(both_worlds, rate, numbers):
    worlds = both_worlds(chaos.State())
    hits = [bool(worlds.step(chaos.inject, rate, u, use=(0,))) for u in numbers]
    assert hits == [u < rate for u in numbers]
    assert (worlds.live[0].calls, worlds.live[0].injected) == (len(hits), sum(hits))
