"""Who did what, on lifelines, from top to bottom."""

import re
import xml.etree.ElementTree as ET

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workbench.display import DisplayError, sequence
from workbench.display._sequence import Arrow, Box, Diagram
from workbench.display._sequence_sheet import Sheet

TEXT = st.text(max_size=30)


@st.composite
def diagrams(draw):
    lines = draw(st.integers(2, 5))
    names = [f"{k} {draw(TEXT)}" for k in range(lines)]
    rows = draw(st.lists(TEXT, min_size=1, max_size=6))
    places, ends = st.integers(0, len(rows) - 1), st.integers(0, lines - 1)
    boxes = draw(st.lists(st.tuples(places, ends, TEXT), max_size=6))
    arrows = [
        (row, source, target, text, max(row, arrival))
        for row, source, target, text, arrival in draw(
            st.lists(st.tuples(places, ends, ends, TEXT, places), max_size=6)
        )
        if source != target
    ]
    loop = draw(st.none() | places)
    return names, rows, boxes, arrows, loop


def sheet_of(drawn):
    names, rows, boxes, arrows, loop = drawn
    made = [Arrow(*arrow) for arrow in arrows]
    return Sheet(Diagram(names, rows, [Box(*box) for box in boxes], made, loop, set(), "", ""))


@given(diagrams())
def test_any_diagram_gives_sound_xml_and_stable_bytes(drawn):
    names, rows, boxes, arrows, loop = drawn
    columns = {
        "lifelines": names,
        "rows": rows,
        "boxes": [(row, names[line], text) for row, line, text in boxes],
        "arrows": [(row, names[a], names[b], text, arrival) for row, a, b, text, arrival in arrows],
        "loop": loop,
        "mark": [0],
        "title": "<&>",
        "footnote": "]]>",
    }
    names_differ = len({" ".join(name.split()) for name in names}) == len(names)
    assert names_differ
    picture = sequence(**columns)
    ET.fromstring(picture.svg)
    assert sequence(**columns).svg == picture.svg


@given(diagrams())
def test_time_goes_down_and_everything_is_on_the_page(drawn):
    sheet = sheet_of(drawn)
    assert sheet.x == sorted(sheet.x)
    for place in range(len(sheet.diagram.arrows)):
        (x0, y0), (x1, y1) = sheet._ends(place)
        assert y1 >= y0
        assert 0 < min(x0, x1) < max(x0, x1) < sheet.width
        assert y1 <= sheet.bottom
    for box in sheet.diagram.boxes:
        x, _, wide = sheet._place(box)
        assert x > 0
        assert x + wide < sheet.width


def test_an_arrow_that_arrives_later_is_slanted_and_ends_at_the_box():
    sheet = sheet_of((["a", "b"], ["send", "receive"], [(1, 1, "gets it")], [(0, 0, 1, "hello", 1)], None))
    (x0, y0), (x1, y1) = sheet._ends(0)
    left, top, _ = sheet._place(sheet.diagram.boxes[0])
    assert (x0, x1) == (sheet.x[0], left)
    assert y0 < top < y1


def test_the_words_count_what_is_drawn():
    picture = sequence(lifelines=["a", "b"], rows=["x"], arrows=[(0, "a", "b", "m")], loop=0)
    assert picture.text == "sequence of 1 row on 2 lifelines, 1 arrow, back to row 0"
    assert len(re.findall(r'class="v"', picture.svg)) == 2
    assert "then row 0 again" in picture.svg


def test_nothing_is_a_picture_too():
    assert sequence(lifelines=[], rows=[]).text == "sequence of 0 rows on 0 lifelines, 0 arrows"


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"lifelines": ["a", "a"]}, "names 'a' twice"),
        ({"boxes": [(0, "c", "x")]}, "box 'x' names the lifeline 'c'; they are a, b"),
        ({"boxes": [(7, "a", "x")]}, "box 'x' names row 7, expected 0 to 1"),
        ({"boxes": [(0, "a")]}, "a box is"),
        ({"arrows": [(0, "a", "b")]}, "an arrow is"),
        ({"arrows": [(0, "a", "a", "m")]}, "arrow 'm' leads from a in row 0 to a in row 0"),
        ({"arrows": [(1, "a", "b", "m", 0)]}, "arrow 'm' leads from a in row 1 to b in row 0"),
        ({"loop": 2}, "loop names row 2"),
        ({"mark": [-1]}, "mark names row -1"),
    ],
    ids=["twice", "lifeline", "row", "short box", "short arrow", "itself", "backwards", "loop", "mark"],
)
def test_what_cannot_be_drawn_is_refused(wrong, words):
    with pytest.raises(DisplayError, match=words):
        sequence(**({"lifelines": ["a", "b"], "rows": ["x", "y"]} | wrong))
