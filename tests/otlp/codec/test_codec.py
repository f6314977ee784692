"""Messages in and out: byte for byte what the official library writes, whatever is said, and however."""

import random
import subprocess
import sys
import threading

import naive
import pytest
import strategies
from google.protobuf.message import DecodeError
from hypothesis import given
from hypothesis import strategies as st
from wire_fuzz import OFFICIAL, Node, encode, random_message

from workbench import otlp

CLASSES = {"traces": otlp.Traces, "metrics": otlp.Metrics, "logs": otlp.Logs, "profiles": otlp.Profiles}
SIGNALS = list(OFFICIAL)


def messages(signal, count, seed=0):
    return [random_message(random.Random(f"{seed}-{n}"), OFFICIAL[signal]) for n in range(count)]


@pytest.mark.parametrize("signal", SIGNALS)
def test_what_is_decoded_is_encoded_byte_for_byte(signal):
    for message in messages(signal, 150):
        data = message.SerializeToString()
        assert CLASSES[signal].from_otlp(data).to_otlp() == data


@given(
    st.sampled_from(list(strategies.MESSAGES)).flatmap(
        lambda s: st.tuples(st.just(s), strategies.MESSAGES[s])
    )
)
def test_the_tables_hold_the_message(case):
    signal, message = case
    telemetry = CLASSES[signal].from_otlp(message.SerializeToString())
    assert naive.rebuild(telemetry) == message
    for table in telemetry.tables.values():
        table.validate(full=True)


@pytest.mark.parametrize("signal", SIGNALS)
def test_tables_alone_are_the_telemetry(signal):
    for message in messages(signal, 60):
        data = message.SerializeToString()
        telemetry = CLASSES[signal].from_otlp(data)
        assert CLASSES[signal](dict(telemetry.tables)).to_otlp() == data


@pytest.mark.parametrize("signal", SIGNALS)
def test_a_stream_of_messages_is_their_concatenation(signal):
    found = messages(signal, 5)
    data = [message.SerializeToString() for message in found]
    joined = CLASSES[signal].from_otlp(data)
    one_by_one = otlp.concat([CLASSES[signal].from_otlp(part) for part in data])
    assert joined == one_by_one
    if signal != "profiles":  # whose dictionaries do not simply follow each other
        whole = OFFICIAL[signal].FromString(b"".join(data)).SerializeToString()
        assert joined.to_otlp() == whole


@pytest.mark.parametrize("signal", SIGNALS)
def test_a_decoder_learns_without_changing_what_it_says(signal):
    decoder = otlp.Decoder(signal)
    for message in messages(signal, 40) * 2:
        data = message.SerializeToString()
        assert decoder.decode(data).to_otlp() == data


def test_one_bytearray_serves_many_encodings():
    buffer = bytearray()
    for message in messages("traces", 20):
        data = message.SerializeToString()
        view = otlp.Traces.from_otlp(data).to_otlp(into=buffer)
        assert isinstance(view, memoryview)
        assert view.obj is buffer
        assert view == data
        view.release()


def test_any_bytes_will_do_but_nothing_else():
    data = messages("logs", 1)[0].SerializeToString()
    expected = otlp.Logs.from_otlp(data)
    assert otlp.Logs.from_otlp(bytearray(data)) == expected
    assert otlp.Logs.from_otlp(memoryview(data)) == expected
    with pytest.raises(TypeError, match="expected OTLP as bytes, got str"):
        otlp.Logs.from_otlp(["text"])
    with pytest.raises(TypeError):
        otlp.Logs.from_otlp(None)


def test_unknown_fields_are_kept_in_place_or_counted():
    span = otlp_span(Node(5, 2, b"name"), Node(99, 0, b"\x05"), Node(98, 2, b"new"))
    kept = otlp.Traces.from_otlp(span)
    assert (kept.unknown, kept.to_otlp()) == (2, span)
    assert (
        kept.tables["unknown_fields"].select(["table", "row", "field"]).to_pylist()
        == [{"table": "spans", "row": 0, "field": "Span"}] * 2
    )
    counted = otlp.Traces.from_otlp(span, unknown="count")
    assert (counted.unknown, counted.to_otlp()) == (2, otlp_span(Node(5, 2, b"name")))


def test_unknown_fields_within_nested_values_are_counted_and_left_out_too():
    nested = Node(2, 2, [Node(5, 2, [Node(1, 2, [Node(3, 0, b"\x01"), Node(77, 0, b"\x01")])])])
    span = otlp_span(Node(9, 2, [Node(1, 2, b"k"), nested]))
    assert otlp.Traces.from_otlp(span).to_otlp() == span
    counted = otlp.Traces.from_otlp(span, unknown="count")
    official = OFFICIAL["traces"].FromString(span)
    official.DiscardUnknownFields()
    assert (counted.unknown, counted.to_otlp()) == (1, official.SerializeToString())


def test_an_unknown_field_within_a_nested_value_keeps_its_own_spelling():
    unknown = Node(77, 0, b"\x01")
    unknown.tag_more = 2
    span = otlp_span(Node(9, 2, [Node(1, 2, b"k"), Node(2, 2, [Node(6, 2, [unknown])])]))
    assert otlp.Traces.from_otlp(span).to_otlp() == span


def otlp_span(*fields):
    return encode([Node(1, 2, [Node(2, 2, [Node(2, 2, list(fields))])])])


def spans(*names):
    return encode([Node(1, 2, [Node(2, 2, [Node(2, 2, [Node(5, 2, name)]) for name in names])])])


def test_a_broken_record_is_named_with_its_byte_and_its_field():
    data = spans(b"a", b"\xff", b"c")
    with pytest.raises(otlp.MalformedError, match="UTF-8") as caught:
        otlp.Traces.from_otlp(data)
    assert caught.value.path == "resource_spans[0].scope_spans[0].spans[1].name"
    assert caught.value.offset == data.index(b"\xff")


def test_a_broken_record_costs_no_other():
    found = otlp.Traces.from_otlp(spans(b"a", b"\xff", b"c"), on_error="skip")
    assert (found["name"].to_pylist(), found.skipped) == (["a", "c"], 1)
    assert "1 skipped" in repr(found)


def test_a_message_cut_short_keeps_what_came_before():
    data = spans(b"a") + spans(b"b")[:-1]
    with pytest.raises(otlp.TruncatedError):
        otlp.Traces.from_otlp(data)
    found = otlp.Traces.from_otlp(data, on_error="skip")
    assert (found["name"].to_pylist(), found.skipped) == (["a"], 1)


def test_records_lost_with_their_scope_are_all_counted():
    scope = Node(1, 2, [Node(1, 2, b"\xff")])
    records = [Node(2, 2, [Node(5, 2, name)]) for name in (b"a", b"b", b"c")]
    data = encode([Node(1, 2, [Node(2, 2, [scope, *records])])]) + spans(b"d")
    found = otlp.Traces.from_otlp(data, on_error="skip")
    assert (found["name"].to_pylist(), found.skipped) == (["d"], 3)


def test_what_is_whole_of_a_scope_cut_short_is_kept():
    found = otlp.Traces.from_otlp(spans(b"a", b"b", b"c")[:-2], on_error="skip")
    assert (found["name"].to_pylist(), found.skipped) == (["a", "b"], 1)


def test_the_broken_message_of_many_is_named():
    with pytest.raises(otlp.MalformedError, match=r"^message 2: .*at byte 8, resource_spans\[0\]"):
        otlp.Traces.from_otlp([spans(b"a"), spans(b"b"), spans(b"\xff")])


def test_the_bad_message_of_many_is_found_and_the_decoder_stays_usable():
    decoder = otlp.Decoder("traces", on_error="skip")
    found = decoder.decode([spans(b"a"), b"\xff", spans(b"b")])
    assert (found["name"].to_pylist(), decoder.skipped) == (["a", "b"], 1)
    assert decoder.decode(spans(b"c"))["name"].to_pylist() == ["c"]


@given(st.binary(max_size=200))
def test_random_bytes_are_refused_or_taken_as_the_official_parser_does(data):
    for signal, kind in OFFICIAL.items():
        try:
            expected = kind.FromString(data).SerializeToString()
        except DecodeError:
            with pytest.raises(otlp.OtlpError):
                CLASSES[signal].from_otlp(data)
        else:
            assert CLASSES[signal].from_otlp(data).to_otlp() == expected


def test_a_length_that_promises_gigabytes_is_refused_at_once():
    for length in (b"\xff\xff\xff\xff\x07", b"\xff\xff\xff\xff\x0f", b"\x80\x80\x80\x80\x08"):
        with pytest.raises(otlp.TruncatedError):
            otlp.Traces.from_otlp(b"\x0a" + length)


def test_options_that_do_not_exist_are_named():
    with pytest.raises(ValueError, match="on_error"):
        otlp.Traces.from_otlp(b"", on_error="ignore")
    with pytest.raises(ValueError, match="signal"):
        otlp.Decoder("spans")
    with pytest.raises(ValueError, match="encoding"):
        otlp.Traces.from_otlp(b"", encoding="xml")
    with pytest.raises(ValueError, match="unknown"):
        otlp.Traces.from_otlp(b"", unknown="drop")
    with pytest.raises(ValueError, match="unknown must be one of keep, count, got 'drop'"):
        otlp.Decoder("traces", unknown="drop")
    with pytest.raises(ValueError, match="one signal, got str"):
        otlp.concat(["text"])
    with pytest.raises(ValueError, match="one signal"):
        otlp.concat([otlp.Traces.from_otlp(b""), otlp.Logs.from_otlp(b"")])


ROUND_TRIP = """
from workbench import otlp
data = bytes.fromhex("0a0c120a12082a06616263646566")
assert otlp.Traces.from_otlp(data).to_otlp() == data
"""


@pytest.mark.slow
def test_kernels_from_the_cache_do_what_compiled_ones_do():
    """Numba's cache has its own bugs (recursion across files); so another process runs from it."""
    for _ in range(2):
        subprocess.run([sys.executable, "-c", ROUND_TRIP], check=True, timeout=300)


def test_threads_that_share_a_decoder_take_turns():
    decoder, found = otlp.Decoder("traces", on_error="skip"), []
    data = [message.SerializeToString() for message in messages("traces", 20)]

    def work():
        for message in data * 5:
            found.append(decoder.decode(message).to_otlp() == message)
            decoder.decode(b"\x0e")

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == decoder.skipped == 400
    assert all(found)


def test_times_further_apart_than_64_bits_can_be_shown():
    """Times are unsigned on the wire, and signed in Arrow: one span is before 1970, another long after."""
    early, late = (
        otlp_span(Node(7, 1, bytes(7) + last), Node(8, 1, bytes(7) + last)) for last in (b"\x80", b"\x7f")
    )
    assert repr(otlp.Traces.from_otlp(early + late)).startswith("Traces: 2 spans")
