"""Numbers by name as bars."""

import re
import xml.etree.ElementTree as ET

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workbench.display import DisplayError, bars

BAR = re.compile(r'<rect class="([vx])" x="[\d.]+" y="[\d.]+" width="([\d.]+)"')


def widths(picture):
    return [float(width) for _, width in BAR.findall(picture.svg)]


@given(st.lists(st.integers(1, 100), min_size=1, max_size=20))
def test_bars_are_as_long_as_their_numbers(values):
    found = widths(bars([str(k) for k in range(len(values))], values))
    longest = max(values)
    for width, value in zip(found, values, strict=True):
        assert width == pytest.approx(240 * value / longest, abs=0.06)


def test_what_is_small_is_seen_and_what_is_zero_is_not():
    assert widths(bars(["a", "b", "c"], [1_000_000, 1, 0])) == [240.0, 1.5, 0.0]


def test_all_zero_draws_no_bar():
    assert widths(bars(["a", "b"], [0, 0])) == [0.0, 0.0]


def test_highlighted_bars_are_marked():
    picture = bars(["a", "b"], [1, 2], highlight=[False, True])
    assert [mark for mark, _ in BAR.findall(picture.svg)] == ["v", "x"]


@given(st.lists(st.text(), max_size=5))
def test_any_label_gives_sound_xml_and_stable_bytes(labels):
    picture = bars(labels, range(len(labels)), title="<&>")
    ET.fromstring(picture.svg)
    assert bars(labels, range(len(labels)), title="<&>").svg == picture.svg


def test_long_labels_are_cut_and_whole_in_the_tip():
    picture = bars(["x" * 500], [1])
    assert "…" in picture.svg
    assert f'title="{"x" * 500}: 1"' in picture._repr_mimebundle_()["text/html"]


def test_the_text_says_how_many():
    assert repr(bars([], [])) == "0 bars"
    assert repr(bars(["timeout"], [12])) == "1 bar, timeout first with 12"


@pytest.mark.parametrize("value", [-1, float("nan"), float("inf")])
def test_what_has_no_length_is_refused(value):
    with pytest.raises(DisplayError, match="value 1 is"):
        bars(["a", "b"], [1, value])


def test_columns_of_different_length_are_refused():
    with pytest.raises(DisplayError, match="2 labels, 1 value"):
        bars(["a", "b"], [1])
