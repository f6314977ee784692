"""Each kernel against its plain twin, and against wrong input."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as nps
from naive import union_length

from workbench import kernels

WORDS = st.sampled_from([0, 1, 2, 2**63, 2**64 - 1])


@st.composite
def keys_and_queries(draw):
    width = draw(st.integers(1, 3))
    rows = nps.arrays(np.uint64, st.tuples(st.integers(0, 12), st.just(width)), elements=WORDS)
    return draw(rows), draw(rows)


@given(keys_and_queries())
def test_find_rows_is_the_first_equal_row(pair):
    keys, queries = pair
    first = {}
    for row, key in enumerate(map(tuple, keys)):
        first.setdefault(key, row)
    assert kernels.find_rows(keys, queries).tolist() == [first.get(tuple(query), -1) for query in queries]


def test_find_rows_of_many_keys():
    rng = np.random.default_rng(7)
    keys = rng.integers(0, 2**63, (100_000, 3)).astype(np.uint64)
    order = rng.permutation(len(keys))
    assert (kernels.find_rows(keys, keys[order]) == order).all()


@st.composite
def intervals(draw):
    owners = draw(st.integers(1, 3))
    size = draw(st.integers(0, 8))
    numbers = st.integers(-5, 20)
    rows = [(draw(st.integers(-1, owners - 1)), draw(numbers), draw(numbers)) for _ in range(size)]
    bounds = [(draw(numbers), draw(numbers)) for _ in range(owners)]
    return rows, bounds


@given(intervals())
def test_covered_length_is_the_length_of_the_union(case):
    rows, bounds = case
    owner, start, stop = np.array(rows, np.int64).reshape(-1, 3).T
    lower, upper = np.array(bounds).T
    expected = [
        union_length([(max(a, low), min(b, high)) for who, a, b in rows if who == number])
        for number, (low, high) in enumerate(bounds)
    ]
    assert kernels.covered_length(owner, start, stop, lower, upper).tolist() == expected


@given(
    nps.arrays(np.float64, st.tuples(st.integers(0, 30), st.just(2)), elements=st.floats(-3, 3)),
    st.lists(st.floats(-2, 2), min_size=2, max_size=6, unique=True).map(sorted),
    st.lists(st.floats(-2, 2), min_size=2, max_size=6, unique=True).map(sorted),
)
def test_histogram2d_agrees_with_numpy(points, x_edges, y_edges):
    x, y = points.T
    expected, _, _ = np.histogram2d(y, x, bins=[np.array(y_edges), np.array(x_edges)])
    assert (kernels.histogram2d(x, y, x_edges, y_edges) == expected).all()


def test_histogram2d_leaves_out_nan_and_infinities():
    nowhere = [np.nan, np.inf, -np.inf]
    assert kernels.histogram2d(nowhere, [0, 0, 0], [-1, 1], [-1, 1]).sum() == 0


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: kernels.find_rows([[1, 2]], [[1]]), r"queries must have the shape \(any, 2\), got \(1, 1\)"),
        (lambda: kernels.find_rows([1, 2], [[1]]), "keys must have the shape"),
        (lambda: kernels.covered_length([0], [1, 2], [3], [0], [9]), "start must have the shape"),
        (lambda: kernels.covered_length([1], [1], [3], [0], [9]), "owner names row 1, of 1 owners"),
        (lambda: kernels.histogram2d([1], [1], [0, 0], [0, 1]), "x_edges must be two or more ascending"),
        (lambda: kernels.histogram2d([1], [1], [0, 1], [0, np.nan]), "y_edges must be two or more"),
        (lambda: kernels.histogram2d([1], [1, 2], [0, 1], [0, 1]), "y must have the shape"),
    ],
)
def test_arrays_that_do_not_fit_are_refused(call, message):
    with pytest.raises(kernels.KernelError, match=message):
        call()


def test_kernels_take_read_only_and_strided_arrays():
    keys = np.arange(20, dtype=np.uint64).reshape(10, 2)[::2]
    keys.setflags(write=False)
    assert kernels.find_rows(keys, keys[::-1]).tolist() == [4, 3, 2, 1, 0]


def test_warm_compiles_all_and_reports_progress():
    calls = []
    compiled = kernels.warm(lambda name, done, total: calls.append((name, done, total)))
    assert compiled == kernels.registered_kernels()
    assert [done for _, done, _ in calls] == list(range(len(compiled) + 1))
    assert all(kernel.is_cached() for kernel in compiled)


def test_a_call_after_warm_compiles_nothing_more():
    """The signatures that are warmed are those that the public functions call with."""
    kernels.warm()
    counts = {kernel.name: len(kernel.dispatcher.signatures) for kernel in kernels.registered_kernels()}
    kernels.find_rows(np.zeros((3, 2), np.int64), np.zeros((3, 2), np.uint64))
    kernels.covered_length([0], [1], [2], [0], [9])
    kernels.histogram2d([1], [1], [0, 1], [0, 1])
    after = {kernel.name: len(kernel.dispatcher.signatures) for kernel in kernels.registered_kernels()}
    assert after == counts
    assert all(counts.values())
