"""Operations that overlap, in lanes, and an order of them."""

import math
import re
import xml.etree.ElementTree as ET

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workbench.display import DisplayError, schedule
from workbench.display._schedule_layout import lay_out

ROWS = st.lists(
    st.tuples(st.integers(0, 3), st.integers(0, 9), st.integers(0, 4), st.text(max_size=20)), max_size=12
)


def columns(rows):
    return {
        "lane": [str(lane) for lane, *_ in rows],
        "start": [start for _, start, *_ in rows],
        "end": [start + size if size else math.inf for _, start, size, _ in rows],
        "label": [label for *_, label in rows],
    }


@given(ROWS)
def test_any_operations_give_sound_xml_and_stable_bytes(rows):
    picture = schedule(**columns(rows), title="<&>")
    ET.fromstring(picture.svg)
    assert schedule(**columns(rows), title="<&>").svg == picture.svg


@given(ROWS)
def test_calls_and_returns_stand_in_the_order_of_time_and_bars_have_room_for_labels(rows):
    given_ = columns(rows)
    lanes = [str(k) for k in range(len(rows))]
    layout = lay_out(lanes, given_["start"], given_["end"], given_["label"], (), ())
    for row in range(len(rows)):
        assert layout.ends[row] - layout.starts[row] >= 26
        for other in range(len(rows)):
            if given_["start"][row] < given_["start"][other]:
                assert layout.starts[row] < layout.starts[other]
            if given_["start"][row] <= given_["end"][other]:
                assert layout.starts[row] < layout.ends[other]
            if given_["end"][row] < given_["start"][other]:
                assert layout.ends[row] < layout.starts[other]


@given(ROWS, st.randoms(use_true_random=False))
def test_points_of_an_order_stand_in_their_bars_from_left_to_right(rows, rng):
    given_ = columns(rows)
    lanes = [str(k) for k in range(len(rows))]
    instant = {
        row: rng.uniform(given_["start"][row], min(given_["end"][row], 20)) for row in range(len(rows))
    }
    order = sorted(instant, key=instant.get)
    layout = lay_out(lanes, given_["start"], given_["end"], given_["label"], order, ["note"] * len(order))
    places = [layout.points[row] for row in order]
    assert places == sorted(places)
    assert len(set(places)) == len(places)
    for row, place in layout.points.items():
        assert layout.starts[row] < place < layout.ends[row]


def test_bars_of_one_lane_do_not_overlap_where_one_ends_as_the_next_starts():
    layout = lay_out(["A", "A", "A"], [0, 1, 1], [1, 1, 2], ["x"] * 3, (), ())
    assert layout.ends[0] < layout.starts[1] < layout.ends[1] < layout.starts[2]


def test_what_stays_the_same_is_noted_once():
    picture = schedule(
        lane=["A"] * 3,
        start=[0, 2, 4],
        end=[1, 3, 5],
        label=["x"] * 3,
        order=[0, 1, 2],
        notes=["s", "s", "t"],
    )
    assert re.findall(r'class="t"[^>]*>(\w)<', picture.svg) == ["s", "t"]


def test_what_has_no_place_is_marked_and_what_has_no_end_is_dashed():
    picture = schedule(
        lane=["A", "B", "C"],
        start=[0, 0, 5],
        end=[1, math.nan, 6],
        label=["x", "y", "z"],
        order=[0],
        blocked=2,
    )
    assert repr(picture) == "schedule of 3 operations in 3 lanes, 1 of them in order, no place for z"
    for words in ("takes effect, in this order", "cannot be placed", "not placed", "never returned"):
        assert words in picture.svg


def test_nothing_is_drawn_as_nothing():
    assert repr(schedule(lane=[], start=[], end=[], label=[])) == "schedule of 0 operations in 0 lanes"


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"lane": ["A"]}, "columns of different lengths"),
        ({"tip": ["x"]}, "columns of different lengths"),
        ({"end": [-1, 3]}, "bar 0 lies from 0.0 to -1.0"),
        ({"start": [0, math.nan]}, "bar 1 lies from nan"),
        ({"start": [-math.inf, 0]}, "bar 0 lies from -inf"),
        ({"order": [0, 0]}, "must name different rows of 2"),
        ({"order": [2]}, "must name different rows of 2"),
        ({"order": [0], "blocked": 0}, "must name different rows of 2"),
        ({"order": [0], "notes": ["a", "b"]}, "2 notes for an order of 1"),
    ],
)
def test_what_cannot_be_drawn_is_refused(change, message):
    with pytest.raises(DisplayError, match=message):
        schedule(**{"lane": ["A", "B"], "start": [0, 1], "end": [2, 3], "label": ["x", "y"], **change})
