"""Timelines: every span has its place or is counted, and a large trace stays small."""

import re
import time
import xml.etree.ElementTree as ET

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from workbench.display import DisplayError, timeline
from workbench.display._trace import Trace, outline

SVG = "{http://www.w3.org/2000/svg}"


@st.composite
def traces(draw, most=60):
    n = draw(st.integers(1, most))
    parent = [draw(st.integers(-1, i - 1)) for i in range(n)]
    order = draw(st.permutations(range(n)))  # parents need not come first
    place = {old: new for new, old in enumerate(order)}
    parents = [0] * n
    for old, above in enumerate(parent):
        parents[place[old]] = -1 if above < 0 else place[above]
    numbers = st.integers(0, 10**12)
    columns = {
        "start": draw(st.lists(st.integers(-(10**12), 10**12), min_size=n, max_size=n)),
        "duration": draw(st.lists(numbers, min_size=n, max_size=n)),
        "label": draw(st.lists(st.sampled_from("ab"), min_size=n, max_size=n)),
        "group": draw(st.lists(st.sampled_from("xy"), min_size=n, max_size=n)),
        "error": draw(st.lists(st.sampled_from([False, False, False, True]), min_size=n, max_size=n)),
        "critical": draw(st.lists(st.sampled_from([False, False, True]), min_size=n, max_size=n)),
    }
    return Trace(parent=parents, **columns)


def picture_of(trace, **options):
    return timeline(
        start_ns=np.array(trace.start, dtype=np.int64),
        duration_ns=np.array(trace.duration, dtype=np.int64),
        parent=np.array(trace.parent),
        label=trace.label,
        group=trace.group,
        error=np.array(trace.error),
        critical=np.array(trace.critical),
        **options,
    )


def large(n=5000, seed=1):
    """Return a trace of many spans, with few errors and a critical path."""
    rng = np.random.default_rng(seed)
    parent = np.array([-1, *(int(rng.integers(max(0, i - 60), i)) if i % 3 else 0 for i in range(1, n))])
    critical = np.zeros(n, dtype=bool)
    row = n - 1
    while row >= 0:
        critical[row] = True
        row = parent[row]
    return {
        "start_ns": np.sort(rng.integers(0, 10**9, n)),
        "duration_ns": rng.integers(10**3, 10**7, n),
        "parent": parent,
        "label": [f"step {k}" for k in rng.integers(0, 9, n)],
        "group": [f"service {k}" for k in rng.integers(0, 4, n)],
        "error": rng.random(n) < 0.001,
        "critical": critical,
    }


@given(traces(), st.integers(2, 70))
@settings(deadline=None, max_examples=50)
def test_every_span_has_one_row_or_is_counted(trace, max_rows):
    folded = outline(trace, max_rows)
    members = [member for row in folded.rows for member in row.members]
    assert len(members) == len(set(members))
    assert len(members) + sum(row.below for row in folded.rows) + folded.rootless == len(trace)
    assert len(folded.rows) + (folded.rootless > 0) <= max_rows
    if len(trace) <= max_rows:
        assert sorted(members) == list(range(len(trace)))
        assert all(len(row.members) == 1 for row in folded.rows)


@given(traces(), st.integers(2, 70))
@settings(deadline=None, max_examples=50)
def test_rows_stand_depth_first_under_their_parent(trace, max_rows):
    rows = outline(trace, max_rows).rows
    above = {}
    for row in rows:
        if row.depth:
            assert all(trace.parent[member] in above[row.depth - 1].members for member in row.members)
        above[row.depth] = row
    for depth in range(max(row.depth for row in rows) + 1 if rows else 0):
        siblings = {}
        for row in rows:
            if row.depth == depth:
                siblings.setdefault(trace.parent[row.first], []).append(trace.start[row.first])
        assert all(starts == sorted(starts) for starts in siblings.values())


@given(traces(), st.integers(2, 70))
@settings(deadline=None, max_examples=50)
def test_errors_and_the_critical_path_are_kept_while_anything_else_can_go(trace, max_rows):
    rows = outline(trace, max_rows).rows
    shown = {row.first for row in rows if len(row.members) == 1}
    kept = {row for row in range(len(trace)) if trace.error[row] or trace.critical[row]}
    needed = set()
    for row in kept:
        above = row
        while above >= 0:
            needed.add(above)
            above = trace.parent[above]
    if len(needed) < max_rows:
        assert kept <= shown
    joined = {member for row in rows if len(row.members) > 1 for member in row.members}
    assert not joined & kept
    errors = sum(trace.error[member] for row in rows for member in row.members)
    assert errors + sum(row.errors_below for row in rows) <= sum(trace.error)


@given(traces(20), st.integers(480, 1200))
@settings(deadline=None, max_examples=40)
def test_bars_lie_on_the_time_axis(trace, width):
    root = ET.fromstring(picture_of(trace, width=width).svg)
    bars = [r for r in root.iter(f"{SVG}rect") if r.get("height") == "9"]
    assert len(bars) == len(trace)
    grid = next(path.get("d") for path in root.iter(f"{SVG}path") if path.get("class") == "g")
    zero = min(map(float, re.findall(r"M([\d.]+) ", grid)))
    for bar in bars:
        assert zero - 0.1 <= float(bar.get("x"))
        assert float(bar.get("x")) + float(bar.get("width")) <= width
        assert float(bar.get("width")) >= 1.9


def test_five_thousand_spans_stay_small_quick_and_honest():
    columns = large()
    began = time.process_time()
    picture = timeline(**columns)
    assert time.process_time() - began < 1
    assert len(picture.svg) < 150_000
    assert re.search(r"5,000 spans, \d+ rows shown", picture.svg)
    assert picture.text.startswith("timeline of 5,000 spans in 4 groups")
    assert picture.svg.count('class="e"') == columns["error"].sum() + 1  # and one in the legend
    assert picture.svg.count('class="s"') == columns["critical"].sum() + 1


def test_many_rows_stay_within_the_size():
    columns = large(400)
    columns["label"] = [f"an operation with a rather long name, number {row}" for row in range(400)]
    picture = timeline(**columns)
    assert "400 spans, 120 rows shown" in picture.svg
    assert len(picture.svg) < 150_000


def test_a_forest_of_roots_says_how_many_are_not_shown():
    n = 500
    picture = timeline(
        start_ns=range(n),
        duration_ns=[5] * n,
        parent=[-1] * n,
        label=[f"r{i}" for i in range(n)],
        group=["g"] * n,
    )
    assert "+381 spans in roots not shown" in picture.svg


def test_more_errors_than_rows_are_counted_below():
    n = 300
    picture = timeline(
        start_ns=range(n),
        duration_ns=[5] * n,
        parent=[-1] + [0] * (n - 1),
        label=[f"r{i}" for i in range(n)],
        group=["g"] * n,
        error=[False] + [True] * (n - 1),
        max_rows=50,
    )
    assert "+250 spans below (250 errors)" in picture.svg


def test_repeated_siblings_become_one_row_with_their_sum():
    picture = timeline(
        start_ns=range(0, 400, 4),
        duration_ns=[400] + [2] * 99,
        parent=[-1] + [0] * 99,
        label=["all"] + ["SELECT"] * 99,
        group=["g"] * 100,
        max_rows=20,
    )
    assert "\N{MULTIPLICATION SIGN}99" in picture.svg
    assert "Σ 198 ns" in picture.svg
    assert "100 spans, 2 rows shown" in picture.svg


def test_no_spans_draw_a_picture_that_says_so():
    picture = timeline(start_ns=[], duration_ns=[], parent=[], label=[], group=[], title="nothing")
    assert picture.text == "timeline of no spans"
    assert ">no spans</text>" in picture.svg


def test_unsigned_and_late_times_are_exact():
    start = np.array([2**64 - 20, 2**64 - 10], dtype=np.uint64)
    picture = timeline(start_ns=start, duration_ns=[20, 5], parent=[-1, 0], label=["a", "b"], group=["g"] * 2)
    assert picture.text == "timeline of 2 spans in 1 group, 20 ns"


def test_deep_traces_keep_names_and_numbers_apart():
    n = 100
    picture = timeline(
        start_ns=range(n),
        duration_ns=[200] * n,
        parent=range(-1, n - 1),
        label=["a long name of a span"] * n,
        group=["g"] * n,
        width=480,
    )
    widest = max(float(x) for x in re.findall(r'<text x="([\d.]+)" y="[\d.]+">a', picture.svg))
    assert widest < 480 * 0.42


GOOD = {
    "start_ns": [0, 1, 2],
    "duration_ns": [9, 1, 1],
    "parent": [-1, 0, 1],
    "label": ["a", "b", "c"],
    "group": ["x", "y", "z"],
}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"label": ["a"]}, r"columns differ in length .*label: 1"),
        ({"error": [True]}, r"columns differ in length .*error: 1"),
        ({"duration_ns": [9, -1, 1]}, r"duration_ns\[1\] is -1"),
        ({"duration_ns": [9.0, float("nan"), 1.0]}, r"duration_ns has dtype float64.*row 1 is nan"),
        (
            {"start_ns": [0.5, 1.0, 2.0]},
            r"start_ns has dtype float64, expected integers; use \.astype\('int64'\)",
        ),
        ({"start_ns": np.zeros((3, 1), dtype=int)}, r"start_ns has shape \(3, 1\)"),
        ({"start_ns": [[0], [1, 2], 3]}, "start_ns is ragged"),
        ({"parent": [-1, 0, 3]}, r"parent\[2\] is 3, expected a row from 0 to 2, or -1"),
        ({"parent": [-2, 0, 1]}, r"parent\[0\] is -2"),
        ({"parent": [-1, 2, 1]}, "parent has a cycle through rows 1 -> 2 -> 1"),
        ({"parent": [0, 0, 1]}, "parent has a cycle through rows 0 -> 0"),
        ({"label": "abc"}, "label is one string"),
        ({"error": [0, 1, 0]}, r"error has dtype int64, expected bool"),
        ({"width": 100}, "width is 100, expected at least 480"),
        ({"max_rows": 1}, "max_rows is 1"),
    ],
)
def test_wrong_input_is_named(change, message):
    with pytest.raises(DisplayError, match=message):
        timeline(**{**GOOD, **change})


def test_a_long_cycle_is_cut_short_in_the_message():
    n = 40
    with pytest.raises(DisplayError, match=r"0 -> 39 -> .* -> \.\.\. -> 0"):
        timeline(
            start_ns=range(n),
            duration_ns=[1] * n,
            parent=[n - 1, *range(n - 1)],
            label=["a"] * n,
            group=["g"] * n,
        )
