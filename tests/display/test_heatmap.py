"""Heat maps: every count is drawn once, zero is empty, and thousands of cells stay small."""

import re
import xml.etree.ElementTree as ET
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from workbench.display import DisplayError, heatmap
from workbench.display._grid import Grid
from workbench.display._heatmap import _Sheet
from workbench.display._scale import scale_of

SVG = "{http://www.w3.org/2000/svg}"
NAMES = {"x_label": "time (s)", "y_label": "latency (ms)"}
counts = hnp.arrays(
    np.int64, hnp.array_shapes(min_dims=2, max_dims=2, max_side=8), elements=st.integers(0, 50)
)


def sheet_of(values):
    grid = Grid(values.astype(float), np.arange(values.shape[1] + 1.0), np.arange(values.shape[0] + 1.0))
    return _Sheet(grid, log=False, windows=[], x_label="x", y_label="y", title="", value_name="count")


@given(counts)
@settings(deadline=None)
def test_every_cell_that_is_not_zero_is_drawn_once_and_no_other(values):
    sheet = sheet_of(values)
    drawn = np.zeros(values.shape)
    total = 0
    for row, first, end, colour in sheet.runs:
        drawn[row, first:end] += 1
        total += values[row, first:end].sum()
        assert {sheet._colour(value) for value in values[row, first:end].tolist()} == {colour}
    assert (drawn == (values > 0)).all()
    assert total == values.sum()


@given(counts)
@settings(deadline=None)
def test_the_text_gives_the_total(values):
    ny, nx = values.shape
    picture = heatmap(values, x_edges=range(nx + 1), y_edges=range(ny + 1), **NAMES)
    assert picture.text == (
        f"heat map of {nx} x {ny} cells, {np.count_nonzero(values)} not empty, count {values.sum():,} in all"
    )


@given(st.lists(st.floats(1e-6, 1e9), min_size=1, max_size=50))
def test_a_larger_count_never_has_a_lower_colour(values):
    scale = scale_of(values)
    colours = [scale.colour(scale.level(value)) for value in sorted(values)]
    assert colours == sorted(colours)
    assert colours[0] >= 0
    assert colours[-1] <= 6


@given(st.lists(st.integers(1, 10**9), min_size=1, max_size=50))
def test_no_count_lies_below_its_level(values):
    scale = scale_of(map(float, values))
    assert all(scale.thresholds[scale.level(value)] <= value for value in values)


@pytest.mark.parametrize("seed", [0, 1])
def test_thousands_of_cells_stay_small(seed):
    values = np.random.default_rng(seed).integers(0, 1000, (40, 120))
    picture = heatmap(values, x_edges=range(121), y_edges=range(41), **NAMES)
    assert len(picture.svg) < 100_000


def test_few_cells_have_tips_that_say_what_they_hold():
    svg = heatmap([[3, 0]], x_edges=[0, 1, 2], y_edges=[5, 10], value_name="requests", **NAMES).svg
    assert "3 requests · time (s) 0 to 1 · latency (ms) 5 to 10" in svg


def test_cells_lie_within_the_axes_and_do_not_overlap():
    root = ET.fromstring(heatmap(np.eye(6), x_edges=range(7), y_edges=np.geomspace(1, 64, 7), **NAMES).svg)
    boxes = [
        tuple(map(float, re.match(r"M(\S+) (\S+)H(\S+)V(\S+)H", path.get("d")).groups()))
        for path in root.iter(f"{SVG}path")
        if (path.get("class") or "").startswith("k")
    ]
    assert len(boxes) == 6
    ordered = sorted(boxes)
    for (_, top, right, _), (left, _, _, bottom) in pairwise(ordered):
        assert right == pytest.approx(left, abs=0.2)
        assert bottom == pytest.approx(top, abs=0.2)


def test_logarithmic_edges_give_a_logarithmic_axis():
    edges = [1, 10, 100, 1000]
    log = heatmap(np.ones((3, 1)), x_edges=[0, 1], y_edges=edges, **NAMES)
    assert log == heatmap(np.ones((3, 1)), x_edges=[0, 1], y_edges=edges, y_scale="log", **NAMES)
    assert log != heatmap(np.ones((3, 1)), x_edges=[0, 1], y_edges=edges, y_scale="linear", **NAMES)
    even = heatmap(np.ones((3, 1)), x_edges=[0, 1], y_edges=[1, 2, 3, 4], **NAMES)
    assert even == heatmap(np.ones((3, 1)), x_edges=[0, 1], y_edges=[1, 2, 3, 4], y_scale="linear", **NAMES)


def test_marks_are_outlined_with_their_text_on_rows_that_do_not_meet():
    marks = [(0, 2, "a fault with a long name"), (1, 3, "another fault with a long name"), (90, 200, "late")]
    root = ET.fromstring(
        heatmap(np.ones((1, 100)), x_edges=range(101), y_edges=[0, 1], marks=marks, **NAMES).svg
    )
    found = {t.text: float(t.get("y")) for t in root.iter(f"{SVG}text") if t.get("class") == "c b o"}
    assert set(found) == {name for *_, name in marks}
    assert found["a fault with a long name"] != found["another fault with a long name"]


def test_no_counts_draw_a_picture_that_says_so():
    assert "every cell is zero" in heatmap(np.zeros((2, 2)), x_edges=range(3), y_edges=range(3), **NAMES).svg


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"counts": [[1, 2, 3]]}, r"counts has shape \(1, 3\), expected \(2, 2\)"),
        ({"counts": [[1], [2]], "y_edges": [0, 1]}, r"use counts\.T"),
        ({"counts": [1, 2]}, r"counts has shape \(2,\)"),
        ({"counts": [[1, 2], [3]]}, "counts is ragged"),
        ({"counts": [["a", "b"], ["c", "d"]]}, "expected numbers"),
        ({"counts": [[1, -2], [3, 4]]}, r"counts\[0, 1\] is -2"),
        ({"counts": [[1, 2], [3, float("nan")]]}, r"counts\[1, 1\] is nan"),
        ({"x_edges": [0, 2, 1]}, "x_edges does not ascend: 2 is followed by 1 at 2"),
        ({"y_edges": [0, 1, 1]}, "y_edges does not ascend"),
        ({"y_edges": [0, 1, float("inf")]}, r"y_edges\[2\] is inf"),
        ({"x_edges": [0]}, "x_edges has shape"),
        ({"y_scale": "log"}, "y_edges begins at 0, a logarithmic axis above 0"),
        ({"y_scale": "square"}, "y_scale is 'square'"),
        ({"marks": [(1, 0, "x")]}, r"marks\[0\] is 1 to 0"),
        ({"marks": [(8, 9, "x")]}, r"marks\[0\] is 8 to 9"),
        ({"marks": [(0, 1)]}, r"marks\[0\] is \(0, 1\)"),
    ],
)
def test_wrong_input_is_named(change, message):
    good = {"counts": [[1, 2], [3, 4]], "x_edges": [0, 1, 2], "y_edges": [0, 1, 2], **NAMES}
    arguments = {**good, **change}
    with pytest.raises(DisplayError, match=message):
        heatmap(arguments.pop("counts"), **arguments)
