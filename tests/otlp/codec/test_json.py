"""OTLP/JSON: compiled transcoders against the official library's own mapping."""

import json
import random
import struct
import tracemalloc

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from json_fuzz import official, reference_json
from strategies import MESSAGES
from wire_fuzz import OFFICIAL, random_message

from workbench.otlp.codec._json_shapes import shapes_of
from workbench.otlp.codec._json_transcode import (
    json_to_protobuf,
    parse_json,
    print_json,
    protobuf_to_json,
)
from workbench.otlp.errors import MalformedError, OtlpError, TruncatedError

SIGNALS = list(OFFICIAL)
SPAN = '{{"resourceSpans":[{{}},{{"scopeSpans":[{{"spans":[{{}},{{{}}}]}}]}}]}}'
IN_SPAN = "resource_spans[1].scope_spans[0].spans[1]"
POINT = (
    '{{"resourceMetrics":[{{"scopeMetrics":[{{"metrics":[{{"histogram":{{"dataPoints":[{{{}}}]}}}}]}}]}}]}}'
)


def span(members):
    """Return the official span that these JSON members mean."""
    data = json_to_protobuf("traces", SPAN.format(members).encode())
    return OFFICIAL["traces"].FromString(data).resource_spans[1].scope_spans[0].spans[1]


def point(members):
    """Return the official histogram point that these JSON members mean."""
    data = json_to_protobuf("metrics", POINT.format(members).encode())
    metric = OFFICIAL["metrics"].FromString(data).resource_metrics[0].scope_metrics[0].metrics[0]
    return metric.histogram.data_points[0]


def attribute(value):
    """Return the official AnyValue that this JSON value means."""
    return span(f'"attributes":[{{"key":"k","value":{value}}}]').attributes[0].value


def refused(members, kind=MalformedError):
    """Return the error for JSON members of a span."""
    with pytest.raises(kind) as caught:
        span(members)
    return caught.value


def sound(rng, signal):
    return reference_json(random_message(rng, OFFICIAL[signal]))


def shuffled(rng, value):
    """Return a JSON value with the members of its objects in another order."""
    if isinstance(value, list):
        return [shuffled(rng, item) for item in value]
    if isinstance(value, dict):
        return {key: shuffled(rng, value[key]) for key in rng.sample(list(value), len(value))}
    return value


class TestBothWays:
    @pytest.mark.parametrize("signal", SIGNALS)
    def test_bytes_and_text_are_those_of_the_official_library(self, signal):
        for seed in range(150):
            message = random_message(random.Random(seed), OFFICIAL[signal])
            wire, text = message.SerializeToString(deterministic=True), reference_json(message)
            assert json_to_protobuf(signal, text) == wire
            assert protobuf_to_json(signal, wire) == text

    @pytest.mark.parametrize("signal", list(MESSAGES))
    @settings(max_examples=60, deadline=None)
    @given(data=st.data())
    def test_any_message_survives_the_round_trip(self, signal, data):
        message = data.draw(MESSAGES[signal])
        wire = message.SerializeToString(deterministic=True)
        text = protobuf_to_json(signal, wire)
        assert text == reference_json(message)
        assert json_to_protobuf(signal, text) == official(signal, text).SerializeToString(deterministic=True)

    @pytest.mark.parametrize("signal", SIGNALS)
    def test_every_field_of_the_official_descriptors_is_described(self, signal):
        shapes = {shape.key: shape for shape in shapes_of(signal)}
        shape_messages = [(shapes_of(signal)[0], OFFICIAL[signal].DESCRIPTOR)]
        seen = set()
        while shape_messages:
            shape, descriptor = shape_messages.pop()
            if shape.key in seen:
                continue
            seen.add(shape.key)
            names = {field.number: (field.name, field.json_name) for field in descriptor.fields}
            assert {field.number: (field.name, field.json_name) for field in shape.fields} == names
            for field in shape.fields:
                known = descriptor.fields_by_number[field.number]
                assert field.present == known.has_presence or field.repeated
                if field.target:
                    shape_messages.append((shapes[field.target], known.message_type))
        assert seen == set(shapes)

    @pytest.mark.parametrize("signal", SIGNALS)
    def test_blanks_order_and_escapes_of_the_text_mean_nothing(self, signal):
        for seed in range(30):
            rng = random.Random(seed)
            text = sound(rng, signal)
            wire = json_to_protobuf(signal, text)
            other = json.dumps(shuffled(rng, json.loads(text)), indent=rng.choice([1, 9]))
            assert json_to_protobuf(signal, other.encode()) == wire

    def test_protobuf_in_another_form_is_put_in_order_first(self):
        message = OFFICIAL["traces"]()
        message.resource_spans.add().schema_url = "b"
        message.resource_spans.add().schema_url = "a"
        one = b"\x1a\x01b"
        twice = b"\x0a\x06" + b"\x1a\x01x" + one
        apart = twice + b"\x7a\x00" + b"\x0a\x03\x1a\x01a"
        assert protobuf_to_json("traces", apart) == protobuf_to_json("traces", message.SerializeToString())

    def test_unknown_protobuf_fields_are_counted(self):
        assert print_json("logs", b"\x0a\x00\xf8\x01\x05\x80\x02\x01").unknown == 2


class TestNumbers:
    @pytest.mark.parametrize("written", ["7", '"7"', "7.0", "0.7e1", "700e-2", '"7e0"', "7E+0", '"\\u0037"'])
    def test_an_integer_may_be_written_in_many_ways(self, written):
        assert span(f'"startTimeUnixNano":{written}').start_time_unix_nano == 7

    @pytest.mark.parametrize("value", [2**63 - 1, 2**63, 2**64 - 1, 10**19, 2**53 + 1])
    @pytest.mark.parametrize("form", ["{}", '"{}"', "{}.0", "{}000e-3"])
    def test_integers_are_exact(self, value, form):
        assert span(f'"startTimeUnixNano":{form.format(value)}').start_time_unix_nano == value

    @pytest.mark.parametrize(
        "member",
        [
            '"startTimeUnixNano":18446744073709551616', '"startTimeUnixNano":-1', '"flags":4294967296',
            '"kind":2147483648',
            '"kind":-2147483649', '"startTimeUnixNano":1e20', '"startTimeUnixNano":"184467440737095516150"',
            '"attributes":[{"value":{"intValue":"9223372036854775808"}}]',
        ],
    )  # fmt: skip
    def test_an_integer_that_does_not_fit_is_refused(self, member):
        assert "does not fit" in str(refused(member))

    @pytest.mark.parametrize("written", ["1.5", "1e-1", '"0.1"', "1e-400", "18446744073709551616e-1"])
    def test_a_fraction_is_no_integer(self, written):
        assert "fraction" in str(refused(f'"startTimeUnixNano":{written}'))

    @pytest.mark.parametrize(
        ("written", "value"),
        [
            ('"NaN"', float("nan")), ('"Infinity"', float("inf")), ('"-Infinity"', float("-inf")),
            ("-0", -0.0),
            ("1e-400", 0.0), ('"1.5"', 1.5), ('"\\u0031.5"', 1.5), ("9007199254740993", 9007199254740992.0),
            ("2.2250738585072011e-308", 2.2250738585072011e-308), ("1" + "0" * 400 + "e-400", 1.0),
            ("0." + "0" * 400 + "1e401", 1.0), ("17976931348623157" + "0" * 292, 1.7976931348623157e308),
        ],
    )  # fmt: skip
    def test_doubles_are_the_nearest(self, written, value):
        assert struct.pack("<d", point(f'"sum":{written}').sum) == struct.pack("<d", value)

    @pytest.mark.parametrize("written", ["1e309", "-1e309", "1" + "0" * 400, "17976931348623159e292"])
    def test_a_double_out_of_range_is_refused(self, written):
        with pytest.raises(MalformedError, match='"Infinity"'):
            point(f'"sum":{written}')

    @settings(max_examples=50, deadline=None)
    @given(st.lists(st.floats(allow_nan=False, allow_infinity=False), max_size=200))
    def test_doubles_print_as_python_prints_them(self, values):
        message = OFFICIAL["metrics"]()
        metric = message.resource_metrics.add().scope_metrics.add().metrics.add()
        metric.histogram.data_points.add().explicit_bounds.extend(values)
        wire = message.SerializeToString()
        text = protobuf_to_json("metrics", wire)
        assert text == reference_json(message)
        assert json_to_protobuf("metrics", text) == wire

    def test_random_bits_print_and_read_as_in_python(self):
        rng = random.Random(5)
        words = (struct.unpack("<d", rng.randbytes(8))[0] for _ in range(20_000))
        values = [value for value in words if abs(value) < float("inf")]
        message = OFFICIAL["metrics"]()
        metric = message.resource_metrics.add().scope_metrics.add().metrics.add()
        metric.histogram.data_points.add().explicit_bounds.extend(values)
        text = protobuf_to_json("metrics", message.SerializeToString())
        assert text.decode().partition('Bounds":[')[2].partition("]")[0] == ",".join(map(repr, values))
        assert json_to_protobuf("metrics", text) == message.SerializeToString()

    def test_numbers_between_two_doubles_are_rounded_exactly(self):
        """Halfway between neighbours, and just above: the places that 128 bits do not decide."""
        rng = random.Random(6)
        texts = []
        for _ in range(300):
            half, power = rng.randrange(2**52, 2**53) * 2 + 1, rng.randrange(1, 60)
            digits = str(half * 5**power)
            texts += [f"{digits}e-{power}", f"{digits}{'0' * 30}1e-{power + 31}"]
        found = point(f'"explicitBounds":[{",".join(texts)}]').explicit_bounds
        assert list(found) == [float(text) for text in texts]

    def test_more_hard_numbers_than_there_was_room_for_are_solved(self):
        hard = f"{2**53 + 1}.{'0' * 30}1"
        members = ",".join([hard, f'"{hard}"', f'"\\u0039{hard[1:]}"'] * 50)
        assert set(point(f'"explicitBounds":[{members}]').explicit_bounds) == {2.0**53 + 2}


class TestSpecification:
    def test_ids_are_hexadecimal_in_any_case_and_of_any_length(self):
        assert (
            span('"traceId":"0aF7651916CD43DD8448eb211c80319C"').trace_id.hex()
            == "0af7651916cd43dd8448eb211c80319c"
        )
        assert span('"spanId":"aB"').span_id == b"\xab"
        assert span('"spanId":""').span_id == b""

    @pytest.mark.parametrize(("written", "at"), [("abc", 13), ("0x", 11), ("zz", 10), ("00 1", 12)])
    def test_an_id_that_is_not_hexadecimal_is_named(self, written, at):
        error = refused(f'"spanId":"{written}"')
        assert error.path == f"{IN_SPAN}.span_id"
        assert error.offset == SPAN.format("#").index("#") + at

    def test_ids_of_profiles_are_hexadecimal_too(self):
        text = b'{"resourceProfiles":[{"scopeProfiles":[{"profiles":[{"profileId":"00ff"}]}]}]}'
        assert b"\x00\xff" in json_to_protobuf("profiles", text)
        assert protobuf_to_json("profiles", json_to_protobuf("profiles", text)) == text

    @pytest.mark.parametrize("written", ["YWJjZA==", "YWJjZA", "\\u0059WJjZA"])
    def test_base64_may_have_padding_or_not(self, written):
        assert attribute(f'{{"bytesValue":"{written}"}}').bytes_value == b"abcd"

    @pytest.mark.parametrize("written", ["-_-_", "+/+/", "+_-/", "+\\/+\\/"])
    def test_base64_may_be_in_either_alphabet(self, written):
        assert attribute(f'{{"bytesValue":"{written}"}}').bytes_value == b"\xfb\xff\xbf"

    @pytest.mark.parametrize("written", ["Y", "YQ=", "YQ===", "Y Q=", "é"])
    def test_what_is_not_base64_is_refused(self, written):
        assert "base64" in str(refused(f'"attributes":[{{"value":{{"bytesValue":"{written}"}}}}]'))

    def test_enums_are_integers_only(self):
        assert span('"kind":2').kind == 2
        for name in ('"SPAN_KIND_SERVER"', '"2"'):
            assert "enums as integers" in str(refused(f'"kind":{name}'))

    def test_names_of_the_protobuf_files_are_unknown(self):
        text = SPAN.format('"trace_id":"zz","name":"n","start_time_unix_nano":{}').encode()
        assert parse_json("traces", text).unknown == 2

    def test_unknown_fields_are_ignored_and_counted_once_each(self):
        text = SPAN.format('"x":{"y":[1,{"z":null}],"w":"\\u00e9"},"name":"n","":-1.5e3,"q":[]').encode()
        parsed = parse_json("traces", text)
        assert parsed.unknown == 3
        assert parsed.data == json_to_protobuf("traces", SPAN.format('"name":"n"').encode())

    def test_a_key_may_be_written_with_escapes(self):
        assert span('"n\\u0061me":"x","\\u0066lags":1').name == "x"

    def test_null_means_absent(self):
        assert span('"name":null,"attributes":null,"status":null,"kind":null').ByteSize() == 0

    @pytest.mark.parametrize("member", ['"attributes":[null]', '"links":[{},null]'])
    def test_null_is_no_element(self, member):
        error = refused(member)
        assert "null" in str(error)
        assert error.path.endswith(("attributes[0]", "links[1]"))

    @pytest.mark.parametrize(
        "members", ['"name":"a","name":"a"', '"name":null,"name":"b"', '"events":[],"events":[]']
    )
    def test_a_field_twice_is_refused(self, members):
        assert "there before" in str(refused(members))

    def test_two_members_of_a_oneof_are_refused(self):
        error = refused('"attributes":[{"value":{"intValue":1,"stringValue":"a"}}]')
        assert "excludes" in str(error)
        assert error.path == f"{IN_SPAN}.attributes[0].value.string_value"
        assert attribute('{"intValue":null,"stringValue":"a"}').string_value == "a"

    @pytest.mark.parametrize(
        "value", ['{"intValue":"0"}', '{"stringValue":""}', '{"boolValue":false}', '{"arrayValue":{}}']
    )
    def test_zero_in_a_oneof_is_present(self, value):
        assert attribute(value).WhichOneof("value") is not None


class TestText:
    def test_escapes_and_characters_beyond_ascii(self):
        assert (
            span('"name":"\\"\\\\\\/\\b\\f\\n\\r\\t\\u00e9\\uD83D\\uDE00é😀\x7f"').name
            == '"\\/\b\f\n\r\té😀é😀\x7f'
        )

    @pytest.mark.parametrize("size", [*range(70), 127, 128, 200, 16383, 16384])
    def test_texts_of_every_size(self, size):
        for text in ("a" * size, "a" * size + "é", "a" * size + '"'):
            assert span(f'"name":{json.dumps(text)}').name == text

    @pytest.mark.parametrize(
        "written", ["\\ud800", "\\udc00", "\\ud800\\u0041", "\\ud800x", "\\udc00\\ud800"]
    )
    def test_half_a_surrogate_is_refused(self, written):
        assert "surrogate" in str(refused(f'"name":"{written}"'))
        assert "surrogate" in str(refused(f'"unknown":"{written}"'))

    @pytest.mark.parametrize("written", ["\\x", "\\u12", "\\u12g4", "\\'"])
    def test_what_is_no_escape_is_refused(self, written):
        assert "escape" in str(refused(f'"name":"{written}      "'))

    @pytest.mark.parametrize("byte", [0, 1, 10, 31])
    def test_control_characters_must_be_escaped(self, byte):
        assert "control character" in str(refused(f'"name":"a{chr(byte)}b"'))
        assert span(f'"name":"\\u{byte:04x}"').name == chr(byte)

    @pytest.mark.parametrize(
        "bad", [b"\xff", b"\xc0\x80", b"\xed\xa0\x80", b"\xf4\x90\x80\x80", b"\xe2\x82", b"\x80"]
    )
    @pytest.mark.parametrize("key", ["name", "unknown"])
    def test_what_is_not_utf8_is_refused(self, bad, key):
        text = SPAN.format(f'"{key}":"#"').encode().replace(b"#", bad)
        with pytest.raises(MalformedError, match="UTF-8"):
            json_to_protobuf("traces", text)
        with pytest.raises(MalformedError, match="UTF-8"):
            protobuf_to_json("traces", b"\x0a" + bytes([len(bad) + 2]) + b"\x1a" + bytes([len(bad)]) + bad)


class TestErrors:
    @pytest.mark.parametrize("signal", SIGNALS)
    def test_a_text_cut_anywhere_is_truncated(self, signal):
        text = next(
            found for seed in range(99) if 400 < len(found := sound(random.Random(seed), signal)) < 4000
        )
        for size in range(len(text)):
            with pytest.raises(TruncatedError) as caught:
                json_to_protobuf(signal, text[:size])
            assert caught.value.offset <= size

    @pytest.mark.parametrize(
        ("text", "offset", "part"),
        [
            (b"[]", 0, "object"), (b'"a"', 0, "object"), (b"\xef\xbb\xbf{}", 0, "byte order mark"),
            (b"{}x", 2, "nothing after"),
            (b"{} {}", 3, "nothing after"), (b"{,}", 1, "key"), (b'{"a"}', 4, "colon"),
            (b'{"a":1,}', 7, "key"),
            (b'{"a":1 "b":2}', 7, "comma"), (b'{"a":[1 2]}', 8, "bracket"), (b'{"a":01}', 5, "number"),
            (b'{"a":.5}', 5, "value"),
            (b'{"a":1.}', 7, "number"), (b'{"a":1e}', 7, "number"), (b'{"a":tru}', 5, "value"),
            (b"{'a':1}", 1, "key"),
            (b'{"a":[1,]}', 8, "value"), (b'{"a":\x00}', 5, "value"), (b"{\x00}", 1, "key"),
            (b'{"resourceSpans":{}}', 17, "array"),
            (b'{"resourceSpans":[1]}', 18, "object"), (b'{"resourceSpans":[{}}', 20, "bracket"),
            (b'{"a":NaN}', 5, "value"),
            (b'{"resourceSpans":[{"schemaUrl":1}]}', 31, "string"), (b'{"a":1]', 6, "brace"),
            (b"{]", 1, "key"),
        ],
    )  # fmt: skip
    def test_errors_say_where_and_what_would_be_right(self, text, offset, part):
        with pytest.raises(MalformedError, match=part) as caught:
            json_to_protobuf("traces", text, offset=100)
        assert caught.value.offset == 100 + offset

    def test_errors_name_the_field(self):
        error = refused(
            '"events":[{},{"attributes":[{"value":{"arrayValue":{"values":[{},{"boolValue":1}]}}}]}]'
        )
        assert error.path == f"{IN_SPAN}.events[1].attributes[0].value.array_value.values[1].bool_value"
        with pytest.raises(MalformedError) as caught:
            point('"bucketCounts":[1,2,"x"]')
        assert caught.value.path.endswith("data_points[0].bucket_counts[2]")

    def test_messages_may_be_nested_as_deeply_as_the_official_library_takes(self):
        def nested(levels):
            value = '{"arrayValue":{"values":[' * levels + "{}" + "]}}" * levels
            return SPAN.format(f'"attributes":[{{"value":{value}}}]').encode()

        deepest = next(levels for levels in range(99) if not _accepted(nested(levels + 1)))
        assert 40 < deepest < 50
        assert OFFICIAL["traces"].FromString(json_to_protobuf("traces", nested(deepest)))
        assert official("traces", nested(deepest))
        with pytest.raises(MalformedError, match="nested too deeply"):
            json_to_protobuf("traces", nested(10_000))

    @pytest.mark.parametrize("opening", [b"[", b'{"a":'])
    def test_unknown_fields_may_be_nested_a_thousand_levels(self, opening):
        closing = {b"[": b"]", b'{"a":': b"}"}[opening]
        assert _accepted(b'{"x":' + opening * 1000 + b"1" + closing * 1000 + b"}")
        assert not _accepted(b'{"x":' + opening * 1001 + b"1" + closing * 1001 + b"}")
        assert not _accepted(b'{"x":' + opening * 1_000_000)

    def test_damaged_protobuf_has_an_offset_and_a_path(self):
        with pytest.raises(MalformedError) as caught:
            protobuf_to_json("traces", b"\x0a\x02\x1a\x09", offset=10)
        assert (caught.value.offset, caught.value.path) == (12, "resource_spans[0].schema_url")

    def test_memory_stays_in_proportion_to_the_text(self):
        text = POINT.format(f'"bucketCounts":[{",".join("0" * 200_000)}]').encode()
        tracemalloc.start()
        json_to_protobuf("metrics", text)
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        assert peak < 40 * len(text)


def _accepted(text):
    try:
        json_to_protobuf("traces", text)
    except OtlpError:
        return False
    return True
