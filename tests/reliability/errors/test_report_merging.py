"""A report of parts is the report of the whole, in any order and grouping, however small its memory."""

from collections import Counter
from functools import reduce
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workbench.reliability import ErrorReport, ReportError, classify
from workbench.reliability.errors._causes import OTHER_MESSAGES

KINDS = [ValueError, KeyError, TimeoutError, ConnectionError, MemoryError, RuntimeError]
ERRORS = st.lists(
    st.builds(lambda kind, text: kind(text), st.sampled_from(KINDS), st.sampled_from("abcdefgh"))
)
CAPACITIES = st.sampled_from([1, 2, 3, 5, 100])


@given(ERRORS, ERRORS, CAPACITIES)
def test_merging_is_commutative(one, two, capacity):
    first, second = ErrorReport.of(one, capacity=capacity), ErrorReport.of(two, capacity=capacity)
    assert first + second == second + first


@given(ERRORS, ERRORS, ERRORS, CAPACITIES)
def test_merging_is_associative(one, two, three, capacity):
    a, b, c = (ErrorReport.of(each, capacity=capacity) for each in (one, two, three))
    assert (a + b) + c == a + (b + c)


@given(ERRORS, CAPACITIES, st.data())
def test_the_report_of_parts_is_the_report_of_the_whole(errors, capacity, data):
    cuts = sorted(data.draw(st.lists(st.integers(0, len(errors)), max_size=4)))
    parts = [errors[a:b] for a, b in pairwise([0, *cuts, len(errors)])]
    order = data.draw(st.permutations(parts))
    merged = reduce(ErrorReport.merge, (ErrorReport.of(part, capacity=capacity) for part in order))
    assert merged == ErrorReport.of(data.draw(st.permutations(errors)), capacity=capacity)


@given(ERRORS, CAPACITIES)
def test_classes_are_exact_and_memory_is_bounded(errors, capacity):
    report = ErrorReport.of(errors, capacity=capacity)
    assert report.by_class() == Counter(map(classify, errors))
    assert len(report) == len(errors)
    assert len(report.entries()) <= 2 * capacity + 8


@given(ERRORS, CAPACITIES)
def test_what_is_kept_in_full_is_counted_exactly(errors, capacity):
    truth = Counter((type(error).__name__, error.args[0]) for error in errors)
    for entry in ErrorReport.of(errors, capacity=capacity).entries():
        if entry.site.file == "" and entry.cause.message not in ("", OTHER_MESSAGES):
            assert entry.count == truth[entry.cause.type_name, entry.cause.message.strip("'")]


@given(ERRORS)
def test_an_empty_report_changes_nothing(errors):
    report = ErrorReport.of(errors)
    assert report + ErrorReport() == report


def test_merging_changes_neither():
    first, second = ErrorReport.of([ValueError("a")]), ErrorReport.of([ValueError("a")])
    assert len(first + second) == 2
    assert len(first) == len(second) == 1


def test_reports_of_different_capacity_do_not_merge():
    with pytest.raises(ReportError, match="capacities are 1 and 2"):
        ErrorReport(1) + ErrorReport(2)
    with pytest.raises(TypeError):
        ErrorReport() + 1


def test_a_flood_of_messages_keeps_type_and_place():
    words = [
        f"{chr(97 + a)}{chr(97 + b)}{chr(97 + c)}" for a in range(26) for b in range(26) for c in range(10)
    ]
    report = ErrorReport.of((ValueError(word) for word in words), capacity=100)
    assert len(report.entries()) == 101
    first = report.entries()[0]
    assert (first.cause.type_name, first.cause.message, first.count) == ("ValueError", "…", len(words) - 100)
