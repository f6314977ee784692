"""Attributes one after the other, of any spelling: each is what the official library reads."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from wire_fuzz import OFFICIAL

from workbench import otlp

KEYS = (b"", b"a", b"ab", b"abc", b"b" * 61, b"b" * 62, b"b" * 63, b"b" * 127, b"b" * 128)
TEXTS = (b"", b"x", b"12345678", b"123456789", b"y" * 16, b"y" * 17, b"z" * 63, b"z" * 65, b"z" * 150)


def length(size, *, longer=False):
    """Return a length, in more bytes than it needs if so wished."""
    if longer:
        return bytes([size & 127 | 128, size >> 7 & 127 | 128, 0])
    return bytes([size]) if size < 128 else bytes([size & 127 | 128, size >> 7])


def field(tag, content, *, longer=False):
    return bytes([tag]) + length(len(content), longer=longer) + content


def text_value(text):
    return field(18, field(10, text))


NUMBERS = st.sampled_from([field(18, b"\x18\x05"), field(18, b"\x18\x80\x01"), field(18, b"\x10\x01")])
VALUES = st.one_of(st.sampled_from(TEXTS).map(text_value), NUMBERS, st.just(b""))


@st.composite
def key_values(draw):
    """Draw the bytes of a KeyValue: mostly a key and a value, now and then spelt as nobody does."""
    key = field(10, draw(st.sampled_from(KEYS)), longer=draw(st.integers(0, 9)) == 0)
    value = draw(VALUES)
    spelt = {
        0: value + key,
        1: key + key + value,
        2: field(10, b"first") + key + value,
        3: key + value + b"\x18\x07",
    }
    return spelt.get(draw(st.integers(0, 19)), key + value)


def message(spans):
    """Return a message of spans with these attributes."""
    content = b"".join(field(18, b"".join(field(74, pair) for pair in pairs)) for pairs in spans)
    return field(10, field(18, content))


def as_official(data):
    return OFFICIAL["traces"].FromString(data).SerializeToString()


@given(st.lists(st.lists(key_values(), max_size=24), max_size=6))
def test_any_spelling_is_what_the_official_library_reads(spans):
    data = message(spans)
    decoder = otlp.Decoder("traces")
    for _ in range(2):
        assert decoder.decode(data).to_otlp() == as_official(data)


@pytest.mark.parametrize("count", [15, 16, 17, 33])
def test_many_texts_of_a_row_are_all_found(count):
    pairs = [field(10, b"k%02d" % n) + text_value(b"value %d" % n) for n in range(count)]
    data = message([pairs] * 3 + [[pair[:-1] + b"!" for pair in pairs]])
    assert otlp.Traces.from_otlp(data).to_otlp() == data


def test_a_key_twice_in_a_row_has_both_its_texts():
    pairs = [field(10, b"key") + text_value(text) for text in (b"one", b"two", b"two", b"one")]
    data = message([pairs] * 3)
    assert otlp.Traces.from_otlp(data).to_otlp() == data


def test_a_key_whose_length_is_written_longer_is_not_taken_for_another():
    usual = field(10, b"\x00ab") + text_value(b"v")
    longer = field(10, b"\x00ab", longer=True) + text_value(b"v")
    for pairs in ([longer, longer, usual, longer], [usual, longer, longer, usual]):
        data = message([pairs] * 2)
        assert otlp.Traces.from_otlp(data).to_otlp() == as_official(data)


@pytest.mark.parametrize("at", [0, 1, 30, 59])
def test_one_key_told_by_reference_leaves_the_others_as_they_are(at):
    pairs = [field(10, b"key") + text_value(b"v")] * 60
    pairs[at] = text_value(b"v") + b"\x18\x07"
    data = message([pairs, pairs])
    decoder = otlp.Decoder("traces")
    for expected in (data, message([[pairs[at - 1]] * 60]), data):
        assert decoder.decode(expected).to_otlp() == as_official(expected)


@pytest.mark.parametrize("broken", [b"\xff", b"\xc3", b"a" * 20 + b"\xed\xa0\x80"])
@pytest.mark.parametrize("at", [0, 1, 17])
def test_a_text_that_is_not_utf8_is_refused_wherever_it_stands(broken, at):
    pairs = [field(10, b"k%d" % n) + text_value(b"v%d" % n) for n in range(18)]
    sound = message([pairs] * 2)
    pairs[at] = pairs[at][: pairs[at].index(b"\x12")] + text_value(broken)
    decoder = otlp.Decoder("traces")
    assert decoder.decode(sound).to_otlp() == sound
    with pytest.raises(otlp.MalformedError):
        decoder.decode(message([pairs]))
    assert decoder.decode(sound).to_otlp() == sound
