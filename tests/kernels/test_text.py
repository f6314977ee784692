"""Substring, prefix, suffix and glob, against Python, fnmatch and Arrow's own kernels."""

import fnmatch
import re
import subprocess
import sys
from itertools import pairwise

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from workbench import kernels

ALPHABET = st.sampled_from(["a", "b", "A", "B", "-", " ", "\n", "é", "É", "€", "😀", "z", "Z", "[", "@", "`"])
SHORT = st.text(ALPHABET, max_size=6)
LONG = st.builds(lambda part, times, end: part * times + end, SHORT, st.integers(0, 60), SHORT)
ROWS = st.lists(SHORT | LONG, max_size=30)
NEEDLES = SHORT | st.builds(lambda part, times: part * times, SHORT, st.integers(1, 30))
PIECES = st.sampled_from(
    ["*", "?", "[ab]", "[!ab]", "[a-z]", "[!a-z]", "[é-€]", "[]a]", "[z-a]", "[!z-a]", "[", "]"]
)
PATTERNS = st.lists(PIECES | SHORT, max_size=6).map("".join)


def arrow_layout(rows, dtype=np.int64):
    raw = [row.encode() if isinstance(row, str) else row for row in rows]
    offsets = np.concatenate([[0], np.cumsum([len(row) for row in raw])]).astype(dtype)
    return np.frombuffer(b"".join(raw), np.uint8), offsets


def lower_ascii(text):
    return "".join(chr(ord(letter) | 0x20) if "A" <= letter <= "Z" else letter for letter in text)


@given(ROWS, NEEDLES, st.sampled_from([np.int32, np.int64]))
@example(["", ""], "", np.int32)
@example(["ab", "cd"], "bc", np.int64)
@example(["aaaa"] * 20, "aa", np.int32)
def test_contains_is_pythons_in(rows, needle, dtype):
    data, offsets = arrow_layout(rows, dtype)
    assert kernels.contains(data, offsets, needle).tolist() == [needle in row for row in rows]


@given(ROWS, NEEDLES)
def test_starts_with_and_ends_with_are_pythons(rows, affix):
    data, offsets = arrow_layout(rows)
    assert kernels.starts_with(data, offsets, affix).tolist() == [row.startswith(affix) for row in rows]
    assert kernels.ends_with(data, offsets, affix).tolist() == [row.endswith(affix) for row in rows]


@given(ROWS, NEEDLES)
def test_ignoring_case_folds_ascii_letters_and_nothing_else(rows, needle):
    data, offsets = arrow_layout(rows)
    folded, wanted = [lower_ascii(row) for row in rows], lower_ascii(needle)
    options = {"ignore_case": True}
    assert kernels.contains(data, offsets, needle, **options).tolist() == [wanted in row for row in folded]
    assert kernels.starts_with(data, offsets, needle, **options).tolist() == [
        row.startswith(wanted) for row in folded
    ]
    assert kernels.ends_with(data, offsets, needle, **options).tolist() == [
        row.endswith(wanted) for row in folded
    ]


@given(st.lists(st.binary(max_size=90), max_size=20), st.binary(max_size=70), st.integers(0, 9))
def test_any_bytes_are_data(rows, needle, number):
    rows = [*rows, *rows[:number], needle * 2]
    data, offsets = arrow_layout(rows)
    assert kernels.contains(data, offsets, needle).tolist() == [needle in row for row in rows]
    assert kernels.starts_with(data, offsets, needle).tolist() == [row.startswith(needle) for row in rows]


@given(ROWS, PATTERNS)
@example(["", "a"], "")
@example(["\n\n"], "?*")
@example(["ab" * 40 + "c"], "*b?[b]a*c")
def test_glob_is_fnmatch(rows, pattern):
    data, offsets = arrow_layout(rows)
    expected = [fnmatch.fnmatchcase(row, pattern) for row in rows]
    assert kernels.glob(data, offsets, pattern).tolist() == expected


@given(ROWS, PATTERNS)
def test_glob_ignoring_case_is_a_regular_expression_that_ignores_ascii_case(rows, pattern):
    """Outside of ASCII, bytes decide; é and É stay different, where `re` would fold them."""
    ascii_rows = [row.encode("ascii", "ignore").decode() for row in rows]
    pattern = pattern.encode("ascii", "ignore").decode()
    data, offsets = arrow_layout(ascii_rows)
    twin = re.compile(fnmatch.translate(pattern), re.IGNORECASE | re.ASCII)
    expected = [twin.match(row) is not None for row in ascii_rows]
    assert kernels.glob(data, offsets, pattern, ignore_case=True).tolist() == expected


WORDS = ["connection", "TIMEOUT", "upstream", "pool=3", "after", "12ms", "GET", "/api/v1", "404", "é€😀"]


def many_rows(seed, count):
    rng = np.random.default_rng(seed)
    lengths = rng.integers(0, 12, count)
    words = rng.choice(WORDS, lengths.sum())
    return [" ".join(part) for part in np.split(words, np.cumsum(lengths)[:-1])]


@pytest.mark.parametrize("needle", ["TIMEOUT", "m", "after 12ms", "é", "nothing", " ", "GET /api/v1 404 GET"])
def test_many_rows_agree_with_arrow(needle):
    array = pa.array(many_rows(3, 20_000))
    data = np.frombuffer(array.buffers()[2], np.uint8)
    offsets = np.frombuffer(array.buffers()[1], np.int32)[: len(array) + 1]
    found = kernels.contains(data, offsets, needle)
    assert found.tolist() == pc.match_substring(array, needle).to_pylist()
    assert kernels.starts_with(data, offsets, needle).tolist() == pc.starts_with(array, needle).to_pylist()
    assert kernels.ends_with(data, offsets, needle).tolist() == pc.ends_with(array, needle).to_pylist()
    like = pc.match_like(array, f"%{needle}%404%").to_pylist()
    assert kernels.glob(data, offsets, f"*{needle}*404*").tolist() == like


def test_rows_of_very_different_lengths_are_told_apart():
    """The cursor that finds a match's row guesses by the mean length, and walks from there."""
    rows = ["x"] * 3000 + ["-" * 5000 + "x", ""] * 20 + [""] * 3000 + ["yx", "y"] * 500
    data, offsets = arrow_layout(rows)
    assert kernels.contains(data, offsets, "x").tolist() == ["x" in row for row in rows]


@pytest.mark.parametrize("dtype", [np.int32, np.int64])
@pytest.mark.parametrize("share", [0.0, 0.001, 0.05, 0.3, 1.0])
def test_rows_of_matches_that_are_rare_here_and_dense_there(share, dtype):
    """Matches wait for their rows while the next block is scanned, unless there are many of them."""
    rng = np.random.default_rng(5)
    lengths = rng.integers(0, 40, 6000) * rng.choice([1, 30], 6000, p=[0.95, 0.05])
    dense = rng.random(60).repeat(100) < 0.2
    holds = rng.random(6000) < np.where(dense, 1.0, share)
    rows = [
        "." * length + "ababab" * held for length, held in zip(lengths.tolist(), holds.tolist(), strict=True)
    ]
    data, offsets = arrow_layout(rows)
    assert kernels.contains(data, offsets.astype(dtype), "abab").tolist() == holds.tolist()


SCANNED = 4096  # bytes that are scanned at once


@st.composite
def texts_around_borders(draw):
    """Draw data, ascending offsets and a needle: matches and rows' ends lie close to borders of blocks."""
    needle = draw(st.sampled_from([b"xy", b"xyz", b"xx", b"x" + b"." * 20 + b"y", b"xy" * 40]))
    dtype = draw(st.sampled_from([np.int32, np.int64]))
    blocks, start = draw(st.integers(0, 9)), draw(st.sampled_from([0, 1, 63, 64, 100, 256, 4095]))
    size = start + blocks * SCANNED + draw(st.integers(0, 300))
    data = np.full(size, ord("."), np.uint8)
    near = st.builds(
        lambda block, bytes_: min(max(start + block * SCANNED + bytes_, 0), size),
        st.integers(0, blocks + 1),
        st.integers(-130, 130) | st.integers(-SCANNED, SCANNED),
    )
    repeated = draw(st.sampled_from([0, 0, 11, 150, 300]))
    places = [*draw(st.lists(near, max_size=20)), *(range(0, size, repeated) if repeated else [])]
    for place in places:
        part = np.frombuffer(needle, np.uint8)[: size - place]
        data[place : place + len(part)] = part
    even = draw(st.sampled_from([0, 0, 3, 58, 700]))
    cuts = [*draw(st.lists(near, max_size=20)), *(range(start, size, even) if even else [])]
    cuts += draw(st.lists(st.sampled_from(cuts), max_size=9)) if cuts else []
    inside = [cut for cut in cuts if cut >= start]
    stop = draw(st.sampled_from([size, max([start, *inside])]))
    return data, np.array([start, *sorted(inside), stop], dtype), needle


@given(texts_around_borders(), st.booleans())
def test_what_lies_around_the_borders_of_blocks_is_found(texts, ignore_case):
    """Rows that are empty or few, matches across two rows or two blocks, rows that begin inside the data."""
    data, offsets, needle = texts
    raw, bounds = data.tobytes(), offsets.tolist()
    rows = [raw[start:stop] for start, stop in pairwise(bounds)]
    wanted = needle.upper() if ignore_case else needle
    found = kernels.contains(data, offsets, wanted, ignore_case=ignore_case)
    assert found.tolist() == [needle in row for row in rows]


@pytest.mark.parametrize("dtype", [np.int32, np.int64])
@pytest.mark.parametrize("share", [0.0001, 0.02, 0.2, 0.9])
def test_many_megabytes_agree_with_arrow(share, dtype):
    """Also from a slice: the first row does not begin where the data does."""
    rng = np.random.default_rng(7)
    words = np.where(rng.random(100_000) < share, "pool timed out", "pool is fine")
    lengths = rng.integers(0, 90, len(words)) * (rng.random(len(words)) < 0.9)
    rows = pa.array(
        ["-" * length + word[: length + 9] for length, word in zip(lengths.tolist(), words, strict=True)],
        pa.string() if dtype == np.int32 else pa.large_string(),
    )
    data, offsets = np.frombuffer(rows.buffers()[2], np.uint8), np.frombuffer(rows.buffers()[1], dtype)
    for first in (0, 1, 77, 50_001):
        found = kernels.contains(data, offsets[first : len(rows) + 1], "timed")
        assert found.tolist() == pc.match_substring(rows[first:], "timed").to_pylist()


@pytest.mark.parametrize("size", [1, 63, 64, 65, 127, 128, 129, 255, 256, 257, 320, 1000])
def test_a_needle_is_found_at_every_place(size):
    for place in range(size - 2):
        data = np.full(size, ord("a"), np.uint8)
        data[place : place + 3] = list(b"abc")
        assert kernels.contains(data, [0, size], "abc").tolist() == [True]
        inside = place + 1
        assert not kernels.contains(data, [0, inside, size], "abc").any(), "a match that straddles two rows"


def test_rows_may_begin_and_end_inside_the_data():
    data = np.frombuffer(b"abcabcabc", np.uint8)
    assert kernels.contains(data, np.array([3, 4, 6], np.int32), "abc").tolist() == [False, False]
    assert kernels.contains(data, [3, 6], "abc").tolist() == [True]


def test_read_only_memory_is_not_copied():
    data = np.frombuffer(bytes(4_000_000), np.uint8)
    assert not data.flags.writeable
    import tracemalloc

    kernels.contains(data, [0, len(data)], "abc")
    tracemalloc.start()
    kernels.contains(data, [0, len(data)], "abc")
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 1_000_000


OVER_READ = """
import ctypes, mmap
import numpy as np
from workbench import kernels
page = mmap.PAGESIZE
region = mmap.mmap(-1, 3 * page)
base = np.frombuffer(region, np.uint8)
libc = ctypes.CDLL(None, use_errno=True)
for guarded in (0, 2):
    assert libc.mprotect(ctypes.c_void_p(base.ctypes.data + guarded * page), page, 0) == 0
page_bytes = base[page : 2 * page]
page_bytes[:] = ord("a")
for size in [*range(1, 70), *range(126, 133), *range(190, 197), page]:
    data = page_bytes[-size:]
    data[-1] = ord("b")
    for needle in ("b", "ab", "a" * 62 + "b", "a" * 63 + "b", "a" * 64 + "b", "a" * 130 + "b"):
        fits = len(needle) <= size
        offsets = np.array([0, size], np.int32)
        assert kernels.contains(data, offsets, needle)[0] == fits, (size, needle)
        assert kernels.starts_with(data, offsets, needle)[0] == (len(needle) == size)
        assert kernels.ends_with(data, offsets, needle)[0] == fits
        assert kernels.glob(data, offsets, "*" + needle)[0] == fits
        assert kernels.glob(data, offsets, "*" + needle + "*")[0] == fits
        assert kernels.glob(data, offsets, "a*" + needle)[0] == (len(needle) < size)
front = page_bytes[:64]
assert not kernels.ends_with(front, [0, 1, 64], "a" * 70).any()
print("read nothing else")
"""


def test_nothing_is_read_beyond_the_data():
    """The data ends where an unreadable page begins: to read one byte more ends the process."""
    done = subprocess.run([sys.executable, "-c", OVER_READ], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, "read nothing else\n"), done.stderr


def test_offsets_that_do_not_ascend_read_nothing_outside():
    """The answer is of no use, but the process lives."""
    data = np.frombuffer(b"ab" * 200, np.uint8)
    wild = np.array([0, 10**15, -(10**15), 300, 5, 400], np.int64)
    for search in (kernels.contains, kernels.starts_with, kernels.ends_with, kernels.glob):
        assert len(search(data, wild, "ab")) == 5
        assert len(search(data, wild, "*b?b*")) == 5


@pytest.mark.parametrize(
    ("data", "offsets", "message"),
    [
        ([1, 2], [0, 2], r"data must be bytes, \(m,\) uint8, got \(2,\) int64"),
        (np.zeros((2, 2), np.uint8), [0, 2], r"data must be bytes, \(m,\) uint8, got \(2, 2\)"),
        (np.zeros(2, np.uint8), [], "offsets must be one more than the rows"),
        (np.zeros(2, np.uint8), [0.0, 1.0], r"offsets must be .* int32 or int64, got \(2,\) float64"),
        (np.zeros(2, np.uint8), [0, 3], "offsets must ascend within the data, 0 to 2, got 0 to 3"),
        (np.zeros(2, np.uint8), [-1, 2], "offsets must ascend within the data, 0 to 2, got -1 to 2"),
        (np.zeros(2, np.uint8), [2, 1], "offsets must ascend within the data, 0 to 2, got 2 to 1"),
    ],
)
def test_arrays_that_are_no_strings_are_refused(data, offsets, message):
    for search in (kernels.contains, kernels.starts_with, kernels.ends_with, kernels.glob):
        with pytest.raises(kernels.KernelError, match=message):
            search(data, offsets, "a")


def test_no_rows_have_no_answers():
    for search in (kernels.contains, kernels.starts_with, kernels.ends_with, kernels.glob):
        assert search(np.zeros(0, np.uint8), [0], "a").shape == (0,)
        assert search(np.zeros(0, np.uint8), [0, 0], "a").tolist() == [False]
        assert search(np.zeros(0, np.uint8), [0, 0], "").tolist() == [True]


def test_calls_use_the_signatures_that_are_compiled_ahead():
    ours = [
        known
        for known in kernels.registered_kernels()
        if known.name.split(".")[2] in ("_affix", "_glob", "_substring")
    ]
    assert len(ours) > 4
    for known in ours:
        known.compile()
    data, offsets = arrow_layout(["some text", "more"])
    for rows in (offsets, offsets.astype(np.int32)):
        for search in (kernels.contains, kernels.starts_with, kernels.ends_with, kernels.glob):
            search(data, rows, "*o[a-n]?", ignore_case=True)
    assert {len(known.dispatcher.signatures) for known in ours} == {1}


def test_offsets_of_64_bits_reach_beyond_four_gigabytes():
    """The pages in between are never written, and cost nothing but their reading."""
    size = (1 << 32) + 1000
    data = np.zeros(size, np.uint8)
    data[-500:-497] = list(b"abc")
    offsets = np.array([0, 1 << 31, size - 500, size - 400, size], np.int64)
    assert kernels.contains(data, offsets, "abc").tolist() == [False, False, True, False]
    assert kernels.starts_with(data, offsets, "abc").tolist() == [False, False, True, False]
    assert kernels.glob(data, offsets, "abc*").tolist() == [False, False, True, False]
