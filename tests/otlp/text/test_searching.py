"""Search over columns: every kind of column, every way to look, nulls, and patterns that cannot be read."""

import fnmatch
import re

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest
from hypothesis import given
from hypothesis import strategies as st

from workbench import otlp
from workbench.errors import WorkbenchError

LETTERS = st.sampled_from([*"abAB .1\n*?[", "é", "É", "😀"])
TEXTS = st.lists(st.none() | st.text(LETTERS, max_size=12), max_size=15)
NEEDLES = st.text(LETTERS, max_size=4)
TYPES = st.sampled_from(
    [pa.string(), pa.large_string(), pa.string_view(), pa.dictionary(pa.int8(), pa.string()), pa.binary()]
)

NAIVE = {
    "substring": lambda row, text: text in row,
    "prefix": lambda row, text: row.startswith(text),
    "suffix": lambda row, text: row.endswith(text),
    "glob": fnmatch.fnmatchcase,
    "regex": lambda row, text: re.search(text, row) is not None,
}


def column_of(rows, kind):
    if pa.types.is_binary(kind):
        return pa.array([None if row is None else row.encode() for row in rows], kind)
    if pa.types.is_dictionary(kind):
        return pa.array(rows, pa.string()).dictionary_encode().cast(kind)
    return pa.array(rows, kind)


@given(TEXTS, TEXTS, NEEDLES, TYPES, st.sampled_from(list(NAIVE)), st.integers(0, 4))
def test_search_is_what_python_finds_in_every_row_that_has_a_text(first, second, text, kind, how, cut):
    """In several chunks, slices of longer arrays, of every type of text."""
    wanted = re.escape(text) if how == "regex" else text
    rows = [*first[cut:], *second]
    column = pa.chunked_array([column_of(first, kind).slice(cut), column_of(second, kind)], kind)
    found = otlp.search(column, wanted, how=how)
    assert found.dtype == bool
    assert found.tolist() == [row is not None and NAIVE[how](row, wanted) for row in rows]


@given(TEXTS, NEEDLES, st.sampled_from(["substring", "prefix", "suffix"]))
def test_ignoring_case_folds_letters_of_ascii_and_where_looked_for_all(rows, text, how):
    found = otlp.search(pa.array(rows, pa.string()), text, how=how, ignore_case=True)
    fold = str.lower if not text.isascii() else lambda row: re.sub("[A-Z]", lambda hit: hit[0].lower(), row)
    assert found.tolist() == [row is not None and NAIVE[how](fold(row), fold(text)) for row in rows]


def test_ignoring_case_in_globs_and_regular_expressions():
    rows = pa.array(["GET /CART 404", "get /cart 500", "ÉTAT", "état"])
    assert otlp.search(rows, "get * 4??", how="glob", ignore_case=True).tolist() == [
        True,
        False,
        False,
        False,
    ]
    assert otlp.search(rows, "É*", how="glob", ignore_case=True).tolist() == [False, False, True, True]
    assert otlp.search(rows, "get|é", how="regex", ignore_case=True).tolist() == [True] * 4


def test_a_search_filters_the_records_it_is_aligned_with(checkout):
    late = checkout.filter(otlp.search(checkout["body"], "timed out"))
    assert set(late["body"].to_pylist()) == {"payment timed out", "order timed out"}


@pytest.mark.parametrize(
    ("key", "text", "how"),
    [
        ("body", "order", "substring"),
        ("body", "order", "prefix"),
        ("body", "*stock*", "glob"),
        ("body", r"\d+ (ms|movements)", "regex"),
        ("service.name", "pay", "prefix"),
        ("peer.service", "?a*", "glob"),
        ("item.sku", "clock", "suffix"),
    ],
)
def test_recorded_bodies_and_attributes_are_searched_as_by_a_loop(checkout, key, text, how):
    rows = checkout[key].to_pylist()
    expected = [row is not None and bool(NAIVE[how](row, text)) for row in rows]
    assert otlp.search(checkout[key], text, how=how).tolist() == expected
    assert any(expected)


def test_no_records_and_no_texts_have_no_matches():
    assert otlp.search(pa.chunked_array([], pa.string()), "a").tolist() == []
    assert otlp.search(pa.nulls(3), "").tolist() == [False] * 3
    assert otlp.search(pa.array([], pa.string()), "a", how="regex").tolist() == []
    assert otlp.search(pa.array([None, ""], pa.string()), "").tolist() == [False, True]


def test_lists_and_numpy_texts_are_columns_too():
    assert otlp.search(["ab", None, "c"], "b").tolist() == [True, False, False]
    assert otlp.search(np.array(["ab", "c"], dtype=object), "b").tolist() == [True, False]


@pytest.mark.parametrize(
    ("pattern", "position", "reason"),
    [
        ("pool (\\d+", 5, "missing \\)"),
        ("a)b", 1, "unexpected \\)"),
        ("id=[abc", 3, "missing \\]"),
        ("a**", 1, "bad repetition operator"),
        ("*a", 0, "no argument for repetition operator"),
        ("ab{2000}", 2, "invalid repetition size"),
        ("x(?=a)", 1, "invalid perl operator"),
        (r"(a)\1", 3, "invalid escape sequence"),
        ("[z-a]", 1, "invalid character class range"),
        ("ab\\", 2, "trailing"),
    ],
)
def test_a_pattern_that_cannot_be_read_is_refused_with_the_place(pattern, position, reason):
    with pytest.raises(otlp.PatternError, match=reason) as caught:
        otlp.search(pa.array([], pa.string()), pattern, how="regex")
    assert (caught.value.position, caught.value.pattern) == (position, pattern)
    assert f"at character {position} of" in str(caught.value)
    assert isinstance(caught.value, WorkbenchError)


def test_a_pattern_error_survives_pickling():
    import pickle

    error = otlp.PatternError("missing )", "a(", 1)
    assert str(pickle.loads(pickle.dumps(error))) == str(error)


@pytest.mark.parametrize("column", [pa.array([1, 2]), pa.array([[b"a"]]), pa.array([True]), 7, object()])
def test_what_is_no_text_is_refused(column):
    with pytest.raises(otlp.TextColumnError, match="expected a column of texts"):
        otlp.search(column, "a")


def test_wrong_ways_and_wrong_texts_are_refused():
    with pytest.raises(
        ValueError, match="how must be one of substring, prefix, suffix, glob, regex, got 'like'"
    ):
        otlp.search(pa.array(["a"]), "a", how="like")
    with pytest.raises(TypeError, match="expected the text to look for as a str, got 7"):
        otlp.search(pa.array(["a"]), 7)
    with pytest.raises(otlp.TextColumnError, match="expected UTF-8"):
        otlp.search(pa.array([b"\xff"]), "é", ignore_case=True)


def test_a_dictionary_with_null_values_has_no_match_there():
    values = pa.DictionaryArray.from_arrays(pa.array([0, 1, None, 2]), pa.array(["ab", None, "b"]))
    assert otlp.search(values, "b").tolist() == [True, False, False, True]


def test_more_than_two_gigabytes_are_offsets_of_64_bits():
    """What matters is that offsets keep their width; the rows themselves may overlap nothing."""
    rows = pa.array(["pool 3 timed out", "ok"] * 1000, pa.large_string())
    assert (
        otlp.search(rows, "timed") == pc.match_substring(rows, "timed").to_numpy(zero_copy_only=False)
    ).all()


@pytest.mark.parametrize("how", list(NAIVE))
def test_half_a_character_is_in_no_text_and_refused(how):
    with pytest.raises(otlp.PatternError, match=r"half of a character, .*, at character 1 of"):
        otlp.search(["a"], "a\ud800", how=how)


def test_one_text_is_no_column_of_its_letters():
    for one in ("abc", b"abc"):
        with pytest.raises(otlp.TextColumnError, match=r"such as \[b?'abc'\]"):
            otlp.search(one, "a")
        with pytest.raises(otlp.TextColumnError, match="expected a column of texts"):
            otlp.mine_templates(one)
