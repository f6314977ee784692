"""Critical and self time, against plain recursion, and by the laws that they obey."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from naive import union_length
from systems import CLIENT, MS

from workbench import otlp
from workbench.otlp.analysis._critical_path import critical_walk, self_time


@st.composite
def forests(draw):
    """Draw spans of several traces; children may begin before and end after their parents."""
    size = draw(st.integers(1, 12))
    parent = [-1] + [draw(st.integers(-1, row - 1)) for row in range(1, size)]
    start = [draw(st.integers(0, 30)) for _ in range(size)]
    stop = [begin + draw(st.integers(0, 30)) for begin in start]
    return tuple(np.array(column, np.int64) for column in (start, stop, parent))


def walked(forest):
    start, stop, parent = forest
    return critical_walk(start, stop, parent, np.flatnonzero(parent < 0))


def naive_segments(forest):
    """Return the critical segments (span, from, to) by recursion, as the module's docstring says it."""
    start, stop, parent = (column.tolist() for column in forest)
    segments = []

    def visit(span, low, high):
        until = high
        children = [row for row in range(len(parent)) if parent[row] == span]
        for child in sorted(children, key=lambda row: (-stop[row], row)):
            begun, ended = max(start[child], low), min(stop[child], high)
            if start[child] < until and begun <= ended <= until:
                segments.append((span, ended, until))
                visit(child, begun, ended)
                until = begun
        segments.append((span, low, until))

    for root in range(len(parent)):
        if parent[root] < 0:
            visit(root, start[root], stop[root])
    return sorted(segment for segment in segments if segment[1] < segment[2])


@given(forests())
def test_the_compiled_walk_is_the_recursion(forest):
    walk = walked(forest)
    columns = (walk.segment_row, walk.segment_start, walk.segment_stop)
    assert sorted(zip(*map(np.ndarray.tolist, columns), strict=True)) == naive_segments(forest)


@given(forests())
def test_segments_below_a_root_are_disjoint_and_sum_to_its_duration(forest):
    start, stop, parent = forest
    walk = walked(forest)
    root = np.arange(len(parent))
    while (parent[root] >= 0).any():
        root = np.where(parent[root] >= 0, parent[root], root)
    for top in np.flatnonzero(parent < 0):
        mine = root[walk.segment_row] == top
        pieces = list(zip(walk.segment_start[mine], walk.segment_stop[mine], strict=True))
        assert sum(b - a for a, b in pieces) == stop[top] - start[top] == union_length(pieces)


@given(forests())
def test_critical_time_is_the_length_of_a_spans_segments_and_zero_off_the_path(forest):
    walk = walked(forest)
    lengths = np.bincount(walk.segment_row, walk.segment_stop - walk.segment_start, minlength=len(walk.time))
    assert walk.time.tolist() == lengths.tolist()
    assert not walk.time[~walk.critical].any()


@given(forests())
def test_self_time_and_what_children_cover_make_up_the_duration(forest):
    start, stop, parent = forest
    for span, own in enumerate(self_time(start, stop, parent)):
        children = [
            (max(start[child], start[span]), min(stop[child], stop[span]))
            for child in np.flatnonzero(parent == span)
        ]
        assert own + union_length(children) == stop[span] - start[span]


def test_a_span_that_ends_before_it_starts_lasts_no_time():
    start, stop, parent = np.array([0, 5]), np.array([10, 3]), np.array([-1, 0])
    assert critical_walk(start, stop, parent, np.array([0])).time.tolist() == [10, 0]
    assert self_time(start, stop, parent).tolist() == [10, 0]


def test_a_chain_as_deep_as_it_is_long_is_walked():
    size = 100_000
    row = np.arange(size)
    walk = critical_walk(row, 3 * size - row, row - 1, np.array([0]))
    assert walk.time.tolist() == [2] * (size - 1) + [size + 2]


def test_operations_are_summed_over_all_traces(shop):
    paths = otlp.critical_paths(shop)
    rows = {(row["service"], row["name"]): row for row in paths.table.to_pylist()}
    assert next(iter(rows)) == ("pay", "pay work")
    pay, root = rows["pay", "pay work"], rows["shop", "POST /checkout"]
    assert (pay["spans"], pay["critical_spans"], pay["traces"]) == (5, 5, 5)
    assert pay["critical_ms"] == pytest.approx(5 * 46 + 400)
    assert pay["critical_ms_per_trace"] == pytest.approx(126)
    assert root["self_p50_ms"] == pytest.approx(30)
    assert sum(row["critical_ms"] for row in rows.values()) == pytest.approx(5 * 100 + 400)
    assert sum(row["critical_share"] for row in rows.values()) == pytest.approx(1)


def test_work_in_the_shadow_of_other_work_is_self_time_and_not_critical(system, tmp_path):
    system.span("a", 1, 1, ms=100)
    system.span("a", 1, 2, parent=1, at_ms=10, ms=80, name="long", kind=CLIENT)
    system.span("a", 1, 3, parent=1, at_ms=20, ms=30, name="shadowed", kind=CLIENT)
    paths = otlp.critical_paths(system.traces(tmp_path))
    assert paths.critical_time.tolist() == [20 * MS, 80 * MS, 0]
    assert paths.self_time.tolist() == [20 * MS, 80 * MS, 30 * MS]


def test_spans_below_another_parentless_span_are_on_no_path_and_counted(system, tmp_path):
    system.span("a", 1, 1, ms=100)
    system.span("b", 1, 2, parent=77, at_ms=10, ms=50)
    system.span("b", 1, 3, parent=2, at_ms=20, ms=20)
    paths = otlp.critical_paths(system.traces(tmp_path))
    assert paths.critical_time.tolist() == [100 * MS, 0, 0]
    assert paths.apart == 2
    assert repr(paths) == "CriticalPaths: 2 operations, 1 trace, 100 ms in all, 2 spans apart"


def test_spans_without_a_start_are_on_no_critical_path(system, tmp_path):
    system.span("a", 1, 1, ms=100)
    system.span("b", 1, 2, parent=1, at_ms=10, ms=50).start_time_unix_nano = 0
    system.span("a", 2, 3, ms=100).start_time_unix_nano = 0
    system.span("b", 2, 4, parent=3, at_ms=10, ms=50)
    traces = system.traces(tmp_path)
    critical = dict(
        zip(traces["span_id"].to_pylist(), otlp.critical_paths(traces).critical_time, strict=True)
    )
    by_number = {int.from_bytes(span): int(time) for span, time in critical.items()}
    assert by_number == {1: 100 * MS, 2: 0, 3: 0, 4: 0}


def test_segments_tell_when_a_trace_waited_for_what(shop):
    segments = otlp.critical_paths(shop.slowest(1)).segments.to_pandas()
    assert ((segments["end"] - segments["start"]).dt.total_seconds() * 1e3).sum() == pytest.approx(500)
    ordered = segments.sort_values("start")
    assert (ordered["end"].to_numpy()[:-1] == ordered["start"].to_numpy()[1:]).all()


def test_critical_paths_draw_themselves(shop):
    paths = otlp.critical_paths(shop)
    assert "pay work" in paths._repr_html_()
    assert paths.to_arrow() is paths.table
    ax = paths.plot()
    assert ax.get_title(loc="left") == "pay pay work holds 70% of the waiting"
    assert len(paths.plot(most=2).get_yticks()) == 2
    flame = paths.flame()
    assert flame.get_title(loc="left") == "What 180.0 ms of a mean trace are spent in, by call path"
    assert any("pay work" in text.get_text() for text in flame.texts)


def test_no_spans_have_no_critical_path(shop):
    none = otlp.critical_paths(shop.filter(np.zeros(len(shop), bool)))
    assert len(none) == none.traces == len(none.segments) == 0
    none.plot()
    none.flame()
