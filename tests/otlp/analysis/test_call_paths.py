"""Call paths, against tuples of names."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from workbench.otlp.analysis._call_paths import call_paths


@st.composite
def labelled_forests(draw):
    """Draw parents in any order of rows, labels, and which roots are orphans."""
    size = draw(st.integers(0, 30))
    above = [draw(st.integers(-1, row - 1)) for row in range(size)]
    place = draw(st.permutations(range(size)))
    parent = np.full(size, -1, np.int64)
    for row, up in enumerate(above):
        parent[place[row]] = place[up] if up >= 0 else -1
    labels = np.array(draw(st.lists(st.integers(0, 3), min_size=size, max_size=size)), np.int64)
    orphan = np.array(draw(st.lists(st.booleans(), min_size=size, max_size=size)), np.bool_)
    return parent, labels, orphan


def naive_path(row, parent, labels, orphan):
    words = []
    while True:
        words.append(int(labels[row]))
        if parent[row] < 0:
            return (bool(orphan[row]), *reversed(words))
        row = parent[row]


@given(labelled_forests())
def test_spans_share_a_path_exactly_when_the_names_above_them_are_the_same(forest):
    parent, labels, orphan = forest
    paths = call_paths(parent, labels, orphan)
    naive = [naive_path(row, *forest) for row in range(len(parent))]
    assert len(paths) == len(set(naive))
    assert len(set(zip(paths.of_span.tolist(), naive, strict=True))) == len(paths)
    names = [f"n{label}" for label in range(4)]
    for row, (is_orphan, *words) in enumerate(naive):
        text = " > ".join([*(["..."] if is_orphan else []), *(f"n{word}" for word in words)])
        assert paths.text(int(paths.of_span[row]), names) == text


@given(labelled_forests())
def test_paths_come_after_those_above_them_and_sums_hold_all_below(forest):
    parent, labels, orphan = forest
    paths = call_paths(parent, labels, orphan)
    assert (paths.above < np.arange(len(paths))).all()
    whole = paths.with_below(np.bincount(paths.of_span, minlength=len(paths)).astype(float))
    assert whole[paths.above < 0].sum() == len(parent)


def test_a_chain_of_a_hundred_thousand_spans_is_a_hundred_thousand_paths():
    size = 100_000
    labels, orphan = np.zeros(size, np.int64), np.zeros(size, bool)
    children_last, children_first = np.arange(size) - 1, np.append(np.arange(1, size), -1)
    assert len(call_paths(children_last, labels, orphan)) == size
    assert len(call_paths(children_first, labels, orphan)) == size
