"""What `on_error="skip"` leaves out, how it is counted and explained: alike in protobuf and JSON."""

import pickle
import random

import pytest
from json_fuzz import random_text
from wire_fuzz import OFFICIAL, mutate, random_message, varint

from workbench import otlp
from workbench.otlp._tally import MOST_ERRORS, Skipped, Tally

CLASSES = {"traces": otlp.Traces, "metrics": otlp.Metrics, "logs": otlp.Logs, "profiles": otlp.Profiles}
RECORD = "resource_spans[{}].scope_spans[{}].spans[{}]"


def field(tag, content):
    return bytes([tag]) + varint(len(content)) + content


def span(name):
    return field(0x12, field(0x2A, name))


def wire(*scopes):
    """Return a message with one resource; a scope is the names of its spans."""
    return field(0x0A, b"".join(field(0x12, b"".join(map(span, names))) for names in scopes))


def text(*spans, scope="{}"):
    inside = ",".join(spans)
    return (
        f'{{"resourceSpans":[{{"resource":{{}},"scopeSpans":[{{"scope":{scope},"spans":[{inside}]}}]}}]}}'
    ).encode()


def read_json(data):
    return otlp.Traces.from_otlp(data, encoding="json", on_error="skip")


def read_wire(data):
    return otlp.Traces.from_otlp(data, on_error="skip")


def told(found):
    return [(error.offset, error.path) for error in found.skipped_errors]


def damaged(rng, signal, encoding):
    data = random_text(rng, signal)
    if encoding == "protobuf":
        kind = OFFICIAL[signal]
        data = mutate(rng, random_message(rng, kind).SerializeToString(), kind.DESCRIPTOR)
    data = bytearray(data)
    for _ in range(rng.choice([0, 1, 2])):
        at = rng.randrange(len(data) + 1)
        data[at : at + rng.randrange(3)] = rng.randbytes(rng.randrange(3))
    return bytes(data)


class TestBothEncodings:
    @pytest.mark.parametrize("encoding", ["protobuf", "json"])
    @pytest.mark.parametrize("signal", CLASSES)
    def test_all_that_is_lost_is_counted_and_explained_and_the_rest_is_sound(self, signal, encoding):
        kind, broken = CLASSES[signal], 0
        for seed in range(120):
            data = damaged(random.Random(seed), signal, encoding)
            lenient = kind.from_otlp(data, encoding=encoding, on_error="skip")
            try:
                strict = kind.from_otlp(data, encoding=encoding)
            except otlp.OtlpError:
                broken += 1
                assert lenient.skipped >= len(lenient.skipped_errors) >= 1
                assert all(0 <= each.offset <= len(data) for each in lenient.skipped_errors)
                assert kind.from_otlp(lenient.to_otlp()) == lenient
            else:
                assert lenient == strict
                assert (lenient.skipped, lenient.skipped_errors) == (0, ())
        assert broken > 20

    def test_each_lost_record_is_named_where_it_stands(self):
        data = wire([b"a", b"\xff"], [b"b", b"\xff", b"c"])
        found = read_wire(data)
        first, second = data.index(b"\xff"), data.rindex(b"\xff")
        assert found["name"].to_pylist() == ["a", "b", "c"]
        assert told(found) == [
            (first, RECORD.format(0, 0, 1) + ".name"),
            (second, RECORD.format(0, 1, 1) + ".name"),
        ]
        data = text('{"name":"a"}', '{"name":1}', '{"name":"b"}', '{"kind":"x"}', '{"name":"c"}')
        found = read_json(data)
        assert (found["name"].to_pylist(), found.skipped) == (["a", "b", "c"], 2)
        assert told(found) == [
            (data.index(b"1"), RECORD.format(0, 0, 1) + ".name"),
            (data.index(b'"x"'), RECORD.format(0, 0, 3) + ".kind"),
        ]

    def test_the_first_error_is_that_of_strict_reading(self):
        for data, encoding in ((wire([b"a", b"\xff"]), "protobuf"), (text("{}", '{"flags":-1}'), "json")):
            with pytest.raises(otlp.MalformedError) as caught:
                otlp.Traces.from_otlp(data, encoding=encoding)
            (error,) = otlp.Traces.from_otlp(data, encoding=encoding, on_error="skip").skipped_errors
            assert (error.args, error.offset, error.path) == (
                caught.value.args,
                caught.value.offset,
                caught.value.path,
            )

    def test_records_lost_with_their_scope_are_all_counted_by_one_error(self):
        data = wire([b"d"]) + field(0x0A, field(0x12, field(0x0A, b"\x0a\x01\xff") + span(b"a") * 3))
        assert (read_wire(data).skipped, len(read_wire(data).skipped_errors)) == (3, 1)
        found = read_json(text("{}", "{}", "{}", scope='{"name":3}'))
        assert (len(found), found.skipped, len(found.skipped_errors)) == (0, 3, 1)

    def test_what_was_whole_before_a_break_is_kept(self):
        found = read_wire(wire([b"a", b"b", b"c"])[:-2])
        assert (found["name"].to_pylist(), found.skipped) == (["a", "b"], 1)
        whole = text('{"name":"a"}', '{"name":"b"}', '{"name":"c"}')
        found = read_json(whole[: whole.index(b'"c"')])
        assert (found["name"].to_pylist(), found.skipped) == (["a", "b"], 1)
        assert isinstance(found.skipped_errors[0], otlp.TruncatedError)

    def test_a_record_cut_short_between_its_fields_is_no_record(self):
        cut = field(0x0A, field(0x12, field(0x12, field(0x2A, b"a") + b"\x30\x01")))[:-2]
        found = read_wire(cut)
        assert (len(found), found.skipped) == (0, 1)
        assert isinstance(found.skipped_errors[0], otlp.TruncatedError)
        assert found.skipped_errors[0].path == RECORD.format(0, 0, 0)

    @pytest.mark.parametrize(("data", "encoding"), [(b"hello", "json"), (b"[]", "json"), (b"", "json")])
    def test_what_holds_no_record_at_all_counts_as_one(self, data, encoding):
        found = otlp.Traces.from_otlp(data, encoding=encoding, on_error="skip")
        assert (len(found), found.skipped, told(found)) == (0, 1, [(0, "")])

    def test_messages_are_named_by_their_number(self):
        found = otlp.Traces.from_otlp([wire([b"a"]), wire([b"\xff"]), b"\x0e", wire([b"b"])], on_error="skip")
        assert (found["name"].to_pylist(), found.skipped) == (["a", "b"], 2)
        assert [error.args[0].partition(":")[0] for error in found.skipped_errors] == [
            "message 1",
            "message 2",
        ]

    def test_the_first_of_many_is_named_too_and_a_single_one_is_not(self):
        decoder = otlp.Decoder("traces", on_error="skip")
        many = decoder.decode([b"{", b"{}", b"x"], encoding="json").skipped_errors
        assert [error.args[0][:10] for error in many] == ["message 0:", "message 2:"]
        (one,) = decoder.decode(b"{", encoding="json").skipped_errors
        assert "message" not in one.args[0]


class TestJson:
    def test_text_that_only_a_lax_reader_takes_is_left_out(self):
        """A key twice, UTF-16 and 5,000 digits matter to the parser and to `json.loads` in other ways."""
        found = read_json(text('{"name":"a","name":"b"}', '{"name":"c"}'))
        assert (found["name"].to_pylist(), found.skipped) == (["c"], 1)
        assert len(read_json(text("{}").decode().encode("utf-16"))) == 0
        found = read_json(text('{"x":' + "1" * 5000 + "}", '{"kind":"x"}'))
        assert (len(found), found.skipped) == (1, 1)

    @pytest.mark.parametrize("share", [0.0, 0.02, 0.5, 0.98, 1.0])
    def test_however_bad_records_lie_just_they_are_left_out(self, share):
        """Some good ones hold a number of 30 digits at the edge between two doubles, to be read exactly."""
        rng = random.Random(4)
        edge = '"attributes":[{"value":{"doubleValue":9007199254740993.00000000000000001}}],'
        bad = ['{"kind":"x"}', '{"name":1}', "12", '"]}"', '{"name":"a","name":"b"}', "null"]
        is_bad = [rng.random() < share for _ in range(700)]
        records = [
            rng.choice(bad) if each else f'{{{rng.choice([edge, ""])}"name":"{number}"}}'
            for number, each in enumerate(is_bad)
        ]
        found = read_json(text(*records))
        assert found["name"].to_pylist() == [str(at) for at, each in enumerate(is_bad) if not each]
        assert found.skipped == sum(is_bad)
        places = [at for at, each in enumerate(is_bad) if each][:MOST_ERRORS]
        assert [
            int(error.path.split("spans[")[3].partition("]")[0]) for error in found.skipped_errors
        ] == places

    def test_nesting_beyond_all_bounds_costs_its_record_only(self):
        found = read_json(text('{"x":' + "[" * 100_000 + "]" * 100_000 + "}", '{"name":"a"}'))
        assert (found["name"].to_pylist(), found.skipped) == (["a"], 1)
        assert read_json(b"[" * 100_000).skipped == 1

    def test_a_byte_order_mark_and_what_follows_the_document_cost_no_record(self):
        found = read_json(b"\xef\xbb\xbf" + text('{"name":"a"}') + b" oops")
        assert (found["name"].to_pylist(), found.skipped) == (["a"], 2)
        assert found.skipped_errors[1].offset == 3 + len(text('{"name":"a"}')) + 1


class TestProtobuf:
    def test_a_record_is_judged_where_it_stands(self):
        """Alone it would be three messages less deep, and within the parser's limit."""
        value = b""
        for _ in range(48):
            value = field(0x2A, field(0x0A, value))
        deep = field(0x12, field(0x4A, field(0x0A, b"k") + field(0x12, value)))
        found = read_wire(field(0x0A, field(0x12, deep + span(b"a"))))
        assert (found["name"].to_pylist(), found.skipped) == (["a"], 1)

    def test_an_unknown_field_cut_short_costs_no_record(self):
        found = read_wire(wire([b"a"]) + b"\x7a\x05x")
        assert (found["name"].to_pylist(), found.skipped) == (["a"], 1)
        assert isinstance(found.skipped_errors[0], otlp.TruncatedError)

    def test_an_unknown_group_breaks_nothing(self):
        group = b"\xf3\x05\x08\x01\x13\x14\xf4\x05"
        found = read_wire(field(0x0A, field(0x12, group + span(b"a") + span(b"\xff"))))
        assert (found["name"].to_pylist(), found.skipped, found.unknown) == (["a"], 1, 1)


class TestCount:
    def test_errors_are_bounded_and_the_count_is_not(self):
        found = read_wire(wire([b"\xff"] * (MOST_ERRORS + 20)))
        assert (found.skipped, len(found.skipped_errors)) == (MOST_ERRORS + 20, MOST_ERRORS)

    def test_errors_travel_with_selections_sums_and_pickles(self):
        found = read_wire(wire([b"a", b"\xff"]))
        for same in (
            found.filter([True]),
            pickle.loads(pickle.dumps(found)),
            otlp.Traces(found.tables, found.skipped),
        ):
            assert (same.skipped, told(same)) == (1, told(found))
        both = otlp.concat([found, found])
        assert (both.skipped, told(both)) == (2, told(found) * 2)

    def test_a_decoder_adds_them_up(self):
        decoder = otlp.Decoder("traces", on_error="skip")
        for _ in range(3):
            decoder.decode(wire([b"\xff"]))
        assert (decoder.skipped, len(decoder.skipped_errors)) == (3, 3)

    def test_the_input_is_not_kept_by_what_is_said_of_it(self):
        (error,) = read_wire(wire([b"\xff"])).skipped_errors
        assert error.__traceback__ is None
        assert error.__context__ is None

    def test_a_count_is_a_number(self):
        error = otlp.MalformedError("wrong", offset=3)
        count = Skipped(2, [error]) + 3
        assert (count, f"{count:,}", count.errors) == (5, "5", (error,))
        assert (1 + count).errors == (error,)
        assert ((count + Skipped(1, [error])) - count).errors == (error,)
        tally = Tally("skip")
        tally.refuse(error, records=4)
        assert (tally.skipped, tally.skipped.errors) == (4, (error,))
