"""Tables: aligned text to compare, HTML that survives sanitizers, and errors that name the row."""

import xml.etree.ElementTree as ET

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from workbench.display import DisplayError, table
from workbench.display._lines import columns_wide

EXPECTED = """\
Routes
route  requests  p99_ms
-----  --------  ------
/cart       120   35.25
/pay          7     410
... 1 more row, 3 in all"""


def test_text_is_aligned_with_numbers_on_the_right():
    rows = [["/cart", 120, 35.25], ["/pay", np.int64(7), np.float32(410)], ["/x", 1, 2.0]]
    assert repr(table(["route", "requests", "p99_ms"], rows, title="Routes", max_rows=2)) == EXPECTED


def test_html_shows_the_same_and_says_what_is_hidden():
    html = table(["a", "b"], [["x", 1], ["y", 2]], max_rows=1)._repr_html_()
    root = ET.fromstring(f"<div>{html}</div>")
    assert [cell.text for cell in root.iter("td")] == ["x", "1"]
    assert [cell.get("style") for cell in root.iter("td")] == ["text-align:left", "text-align:right"]
    assert "1 more row, 2 in all" in html


def test_numbers_may_be_written_as_text():
    assert table(["n"], [["1,200"], ["35 %".replace(" ", "")], [None]]).numeric == (True,)
    assert table(["n"], [["1,200"], ["x"]]).numeric == (False,)
    assert table(["n"], [[True]]).numeric == (False,)
    assert table(["n"], [[None]]).numeric == (False,)


def test_a_table_without_rows_shows_its_columns():
    assert repr(table(["a", "bc"], [])) == "a  bc\n-  --"


@given(st.lists(st.lists(st.text(max_size=9), min_size=2, max_size=2), max_size=5))
def test_every_row_is_one_line_and_columns_align(rows):
    made = table(["first", "second"], rows)
    lines = repr(made).split("\n")
    assert len(lines) == 2 + len(rows)
    width = len(lines[1].split("  ")[0])
    assert all(columns_wide(row[0]) <= width for row in made.rows)
    ET.fromstring(f"<div>{made._repr_html_()}</div>".encode())


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (([], []), "at least one column"),
        (("ab", []), "at least one column"),
        ((["a", "b"], [[1, 2], [1]]), "row 1 has 1 cell, expected 2"),
        ((["a", "b"], ["xy"]), "row 0 is the string 'xy'"),
    ],
)
def test_wrong_tables_are_named(arguments, message):
    with pytest.raises(DisplayError, match=message):
        table(*arguments)


def test_max_rows_must_be_positive():
    with pytest.raises(DisplayError, match="max_rows is 0"):
        table(["a"], [], max_rows=0)
