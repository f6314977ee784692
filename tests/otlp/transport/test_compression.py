"""Bodies are inflated up to their limit and no further."""

import gzip
import tracemalloc
import zlib

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from workbench import otlp
from workbench.otlp.transport._compression import CODINGS, OverLimitError, deflate, inflate

MIB = 1 << 20


def bomb(coding, size_bytes):
    zeros = bytes(size_bytes)
    return (
        gzip.compress(zeros, 9, mtime=0)
        if coding == "gzip"
        else pa.Codec("zstd").compress(zeros, asbytes=True)
    )


@given(st.binary(max_size=5000), st.sampled_from([None, *CODINGS]))
def test_what_was_deflated_is_inflated(body, coding):
    assert inflate(deflate(body, coding), coding, len(body)) == body


@given(st.binary(min_size=1, max_size=5000), st.sampled_from([None, *CODINGS]))
def test_one_byte_over_the_limit_is_too_much(body, coding):
    with pytest.raises(OverLimitError, match="larger than"):
        inflate(deflate(body, coding), coding, len(body) - 1)


@pytest.mark.parametrize("coding", CODINGS)
def test_a_bomb_costs_the_limit_and_not_what_it_promises(coding):
    packed = bomb(coding, 64 * MIB)
    tracemalloc.start()
    before = pa.total_allocated_bytes()
    try:
        with pytest.raises(OverLimitError):
            inflate(packed, coding, MIB)
        _, most = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert most < 4 * MIB
    assert pa.total_allocated_bytes() - before < 4 * MIB


def test_gzip_members_follow_one_another():
    assert inflate(gzip.compress(b"one") + gzip.compress(b"two"), "gzip", 100) == b"onetwo"


def test_many_short_members_cost_no_more_than_their_bytes():
    assert inflate(gzip.compress(b"a") * 100_000, "gzip", MIB) == b"a" * 100_000


@pytest.mark.parametrize("coding", CODINGS)
def test_a_damaged_stream_is_named(coding):
    whole = deflate(bytes(range(256)) * 100, coding)
    for damaged in (b"", b"plain", zlib.compress(b"x"), whole[: len(whole) // 2]):
        with pytest.raises(otlp.CompressionError, match=coding):
            inflate(damaged, coding, MIB)


def test_something_behind_a_gzip_stream_is_an_error():
    with pytest.raises(otlp.CompressionError):
        inflate(gzip.compress(b"one") + b"tail", "gzip", 100)


def test_deflating_is_repeatable():
    assert deflate(b"x" * 100, "gzip") == deflate(b"x" * 100, "gzip")
    assert zlib.decompress(deflate(b"x" * 100, "gzip"), 31) == b"x" * 100
