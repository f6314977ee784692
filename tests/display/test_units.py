"""Durations, counts and ticks as people read them."""

import re
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workbench.display import duration_text
from workbench.display._units import axis_texts, plural, ticks, time_ticks, value_text

SCALE = {"ns": 1, "µs": 1e3, "ms": 1e6, "s": 1e9}


@pytest.mark.parametrize(
    ("nanoseconds", "text"),
    [
        (0, "0 ns"),
        (1, "1 ns"),
        (999, "999 ns"),
        (1_000, "1.00 µs"),
        (12_345_678, "12.3 ms"),
        (999_499, "999 µs"),
        (999_500, "1.00 ms"),
        (59_940_000_000, "59.9 s"),
        (59_960_000_000, "1 min 00 s"),
        (3_599_900_000_000, "1 h 00 min"),
        (200_000_000_000_000, "2 d 7 h"),
        (-1_500, "-1.50 µs"),
    ],
)
def test_duration_text(nanoseconds, text):
    assert duration_text(nanoseconds) == text


@given(st.integers(0, 59_000_000_000))
def test_duration_text_is_true_to_three_digits(nanoseconds):
    number, unit = duration_text(nanoseconds).split()
    assert float(number) * SCALE[unit] == pytest.approx(nanoseconds, rel=0.0051)
    assert len(re.sub(r"\D", "", number)) <= 3


@given(st.integers(1, 10**18), st.integers(2, 12))
def test_time_ticks_are_few_exact_and_within_the_span(span, count):
    found = time_ticks(span, count)
    offsets = [offset for offset, _ in found]
    assert offsets[0] == 0
    assert offsets[-1] <= span
    assert 1 <= len(offsets) <= count + 1
    assert len({label for _, label in found}) == len(found)
    assert len({b - a for a, b in pairwise(offsets)}) <= 1


@given(st.floats(-1e6, 1e6), st.floats(1e-3, 1e9), st.integers(1, 12))
def test_ticks_lie_within_the_axis(low, length, count):
    high = low + length
    found = ticks(low, high, count)
    assert len(found) <= count + 2
    assert all(low - length * 1e-6 <= tick <= high + length * 1e-6 for tick in found)


def test_ticks_of_an_empty_axis():
    assert ticks(3, 3, 5) == [3]


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0, "0"),
        (7.0, "7"),
        (9999, "9,999"),
        (12_345, "12.3k"),
        (2.5e6, "2.5M"),
        (3e9, "3G"),
        (0.25, "0.25"),
        (-3, "-3"),
    ],
)
def test_value_text(value, text):
    assert value_text(value) == text


def test_plural():
    assert [plural(0, "span"), plural(1, "span"), plural(2000, "span")] == [
        "0 spans",
        "1 span",
        "2,000 spans",
    ]


@pytest.mark.parametrize(
    ("numbers", "texts"),
    [
        ([0, 0.1, 0.2, 3 * 0.1], ["0", "0.1", "0.2", "0.3"]),
        ([0, 2_500_000], ["0", "2,500,000"]),
        ([0, 12_250_000], ["0", "12.25M"]),
        ([1_700_000_000, 1_700_000_100], ["1,700,000,000", "1,700,000,100"]),
        ([], []),
    ],
)
def test_the_texts_of_an_axis_are_exact_and_distinct(numbers, texts):
    assert axis_texts(numbers) == texts
