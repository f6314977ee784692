"""Hashes of texts: the same however much may be read, different for different texts."""

import random

import numba
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from workbench.otlp.codec._kernel_hash import KEYS, SEED_0, SEED_1, SEED_2, hash_text
from workbench.otlp.codec._kernel_wire import same, short_varint

LINE = 64
NOWHERE, ANYWHERE = -(2**62), 2**62


@numba.njit
def hashed(at, size, limit):
    return hash_text(at, size, limit)


@numba.njit
def equal(left, right, size, limit):
    return same(left, right, size, limit)


@numba.njit
def number(at, size):
    return short_varint(at, size)


def lay(text, behind=0):
    """Return memory that holds a text and then other bytes."""
    return np.frombuffer(text + bytes([behind]) * LINE, np.uint8)


def code_of(text, *, limit=ANYWHERE, behind=0):
    memory = lay(text, behind)
    return hashed(memory.ctypes.data, len(text), limit)


def product_sum(text):
    """Return NH of at most 64 bytes, as RFC 4418 defines it."""
    words = np.frombuffer(text.ljust(LINE, b"\0"), "<u4").tolist()
    keyed = [(word + key) % 2**32 for word, key in zip(words, KEYS, strict=True)]
    return sum(a * b for a, b in zip(keyed[::2], keyed[1::2], strict=True)) % 2**64


def folded(a, b):
    product = (a % 2**64) * (b % 2**64)
    return (product ^ product >> 64) % 2**64


def plain_hash(text):
    code = len(text) * SEED_0 ^ SEED_2
    for at in range(0, len(text), LINE):
        code = folded(product_sum(text[at : at + LINE]) ^ SEED_1, code)
    return code


@given(st.binary(min_size=1, max_size=200), st.integers(0, 255))
def test_a_hash_is_that_of_the_text_alone_and_its_plain_twins(text, behind):
    code, not_ascii = code_of(text, behind=behind)
    assert code % 2**64 == plain_hash(text)
    assert (not_ascii != 0) == (not text.isascii())
    slow, slow_not_ascii = code_of(text, limit=NOWHERE)
    assert (slow, slow_not_ascii != 0) == (code, not_ascii != 0)


@pytest.mark.parametrize("size", [8, 64, 65, 130])
def test_texts_that_differ_in_a_bit_have_different_hashes(size):
    text = random.Random(size).randbytes(size)
    word = int.from_bytes(text, "little")
    others = {(word ^ 1 << bit).to_bytes(size, "little") for bit in range(8 * size)} | {text, text + b"\0"}
    slots = [code_of(other)[0] for other in others]
    assert len(set(slots)) == len(others)


def test_slots_of_numbered_texts_spread_as_if_by_chance():
    count, slots = 20_000, 65_536
    codes = [code_of(b"user-%d" % n)[0] for n in range(count)]
    for shift in (0, 48):
        used = len({code >> shift & slots - 1 for code in codes})
        expected = slots * (1 - (1 - 1 / slots) ** count)
        assert abs(used - expected) < 6 * expected**0.5


@given(st.binary(max_size=200), st.data())
def test_two_texts_are_the_same_where_all_bytes_are(text, data):
    other = bytearray(text)
    if text and data.draw(st.booleans()):
        other[data.draw(st.integers(0, len(text) - 1))] ^= 1 << data.draw(st.integers(0, 7))
    left, right = lay(text, 1), lay(bytes(other), 2)
    for limit in (ANYWHERE, NOWHERE):
        assert equal(left.ctypes.data, right.ctypes.data, len(text), limit) == (text == other)


def encoded(value):
    found = bytearray()
    while value > 127:
        found.append(value & 127 | 128)
        value >>= 7
    return bytes([*found, value])


@given(st.integers(0, 55).flatmap(lambda bits: st.integers(0, 2 ** (bits + 1) - 1)))
def test_a_short_number_is_read_if_it_has_exactly_that_many_bytes(value):
    data = encoded(value)
    memory = np.frombuffer(data.ljust(24, b"\x81"), np.uint8)
    found = [number(memory.ctypes.data, size) for size in range(1, 9)]
    assert found == [value if size == len(data) else -1 for size in range(1, 9)]


def test_a_number_may_have_more_bytes_than_it_needs():
    memory = np.frombuffer(b"\x85\x80\x80\x00" + bytes(8), np.uint8)
    assert number(memory.ctypes.data, 4) == 5
