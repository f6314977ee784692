"""How spans hang together, against plain Python."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from naive import union_length
from systems import CLIENT

from workbench.otlp.analysis._critical_path import critical_path


def test_parents_are_found_within_the_trace_only(system, tmp_path):
    system.span("a", 1, 1)
    system.span("a", 2, 2, parent=1)  # span 1 is of another trace
    system.span("a", 1, 3, parent=1)
    system.span("a", 1, 4, parent=99)
    assert system.traces(tmp_path).structure.parent.tolist() == [-1, -1, 0, -1]


def test_cycles_are_cut(system, tmp_path):
    system.span("a", 1, 1, parent=3)
    system.span("a", 1, 2, parent=1)
    system.span("a", 1, 3, parent=2)
    system.span("a", 1, 4, parent=4)
    system.span("a", 1, 5)
    system.span("a", 1, 6, parent=5)
    traces = system.traces(tmp_path)
    assert traces.structure.parent.tolist() == [-1, -1, -1, -1, -1, 4]
    assert len(traces.slowest(1)) == 6


def test_entry_spans_are_where_a_service_is_entered(shop):
    entries = shop.filter(shop.structure.is_entry)
    assert entries["name"].to_pylist() == ["POST /checkout"] * 5 + ["stock work"] * 5 + ["pay work"] * 5


def test_own_time_leaves_out_waiting_for_others(shop):
    own = shop.structure.own_time / 1e6
    assert own[shop.structure.root].tolist() == [100 - 20 - 50] * 5
    pay = np.flatnonzero(shop["service.name"].to_numpy(zero_copy_only=False) == "pay")
    assert own[pay].tolist() == [46, 46, 46, 46, 446]


def test_calls_to_databases_are_own_time_and_calls_without_an_answer_are_not(system, tmp_path):
    system.span("a", 1, 1, ms=100)
    system.span("a", 1, 2, parent=1, at_ms=10, ms=30, kind=CLIENT, db__system__name="sqlite")
    system.span("a", 1, 3, parent=1, at_ms=50, ms=40, kind=CLIENT)  # nobody answered
    assert system.traces(tmp_path).structure.own_time[0] == 60e6


def test_a_call_without_a_client_span_lasts_as_long_as_the_called_service(system, tmp_path):
    system.span("a", 1, 1, ms=100)
    system.span("b", 1, 2, parent=1, at_ms=10, ms=30)
    system.span("b", 1, 3, parent=2, at_ms=12, ms=5, error=True)
    structure = system.traces(tmp_path).structure
    assert structure.own_time.tolist() == [70e6, 30e6, 0]
    assert structure.remote_calls[0].tolist() == [1]


def test_an_error_is_owned_by_the_service_in_which_it_started(shop):
    failed = shop.filter(shop.structure.own_error)
    assert failed["service.name"].to_pylist() == ["pay"]


def test_overlapping_calls_are_counted_once(system, tmp_path):
    system.span("a", 1, 1, ms=100)
    for span, (at, ms) in enumerate([(10, 30), (20, 40), (90, 50)], 2):
        system.span("a", 1, span, parent=1, at_ms=at, ms=ms, kind=CLIENT)
    assert system.traces(tmp_path).structure.own_time[0] == (100 - 50 - 10) * 1e6


def test_the_root_is_the_longest_span_without_a_parent(system, tmp_path):
    system.span("a", 1, 1, ms=5, name="orphan", parent=77)
    system.span("a", 1, 2, ms=50, name="root")
    assert system.traces(tmp_path).roots()["name"].to_pylist() == ["root"]


def test_the_critical_path_goes_through_what_ended_last():
    #        0 root, 1 and 2 overlap and 2 ends last, 3 came before both, 4 is below the shadowed 1
    start = np.array([0, 10, 12, 2, 11])
    stop = np.array([100, 60, 90, 8, 50])
    parent = np.array([-1, 0, 0, 0, 1])
    assert critical_path(start, stop, parent).tolist() == [True, False, True, True, False]


def test_a_call_given_up_is_critical_until_its_parent_ends():
    start, stop = np.array([0, 1]), np.array([10, 99])
    assert critical_path(start, stop, np.array([-1, 0])).tolist() == [True, True]


@st.composite
def trees(draw):
    size = draw(st.integers(1, 8))
    parent = [-1] + [draw(st.integers(0, row - 1)) for row in range(1, size)]
    start = [draw(st.integers(0, 20)) for _ in range(size)]
    stop = [begin + draw(st.integers(0, 20)) for begin in start]
    return np.array(start), np.array(stop), np.array(parent)


@given(trees())
def test_critical_children_never_overlap_in_time(tree):
    """A trace waits for one thing at a time; and a span is critical only below critical ones."""
    start, stop, parent = tree
    critical = critical_path(start, stop, parent)
    assert critical[parent < 0].all()
    assert critical[parent[critical & (parent >= 0)]].all()
    for span in np.flatnonzero(critical):
        children = np.flatnonzero(critical & (parent == span))
        ordered = sorted(zip(start[children], stop[children], strict=True))
        cut = [(a, min(b, *(c for c, _ in ordered[i + 1 :]), 10**9)) for i, (a, b) in enumerate(ordered)]
        assert union_length(cut) == sum(max(b - a, 0) for a, b in cut)


def test_services_are_those_of_the_spans_that_are_there(system, tmp_path):
    for number, service in enumerate(("a", "b", "c"), 1):
        system.span(service, number, number)
    some = system.traces(tmp_path).filter([True, False, True]).structure
    assert (some.services, some.service.tolist()) == (["a", "c"], [0, 1])


def test_a_service_of_a_very_long_name_costs_its_name_once(system, tmp_path):
    """A column of fixed width would need 4 bytes a letter and span: 4 GB for these."""
    name = "x" * 1_000_000
    for number in range(1, 1001):
        system.span(name if number == 1 else "b", 1, number)
    structure = system.traces(tmp_path).structure
    assert structure.services == ["b", name]
    assert structure.service.tolist() == [1] + 999 * [0]
