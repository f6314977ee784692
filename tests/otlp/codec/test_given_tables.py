"""Tables that somebody made: taken in whatever form Arrow has them, or refused by table, column and row."""

import numpy as np
import pyarrow as pa
import pytest
from opentelemetry.proto.trace.v1.trace_pb2 import TracesData

from workbench import otlp
from workbench.otlp.codec._unarrow import star_of_tables


def message():
    built = TracesData()
    for number in range(2):
        envelope = built.resource_spans.add()
        envelope.resource.attributes.add(key="r").value.int_value = number
        scope = envelope.scope_spans.add()
        for _ in range(3):
            span = scope.spans.add(name="n", trace_id=b"t" * 16, span_id=b"s" * 8)
            span.attributes.add(key="k").value.string_value = "v"
            span.attributes.add(key="nested").value.array_value.values.add().int_value = 3
            span.events.add(name="e").attributes.add(key="on").value.bool_value = True
    return built.SerializeToString()


DATA = message()
TABLES = dict(otlp.Traces.from_otlp(DATA).tables)
SPANS, ATTRIBUTES = 6, 12


def with_column(table, name, values):
    """Return the tables with another column; values that are no array get the schema's type."""
    found = TABLES[table]
    field = found.schema.field(name)
    if not isinstance(values, pa.Array):
        values = pa.array(values, field.type)
    return {**TABLES, table: found.set_column(found.schema.get_field_index(name), field, values)}


def with_unknown(table, row, field, value=b"\x98\x06\x01"):
    schema = TABLES["unknown_fields"].schema
    entry = {"table": table, "row": row, "field": field, "value": value}
    return {**TABLES, "unknown_fields": pa.Table.from_pylist([entry], schema=schema)}


def text_column(content):
    offsets = np.arange(SPANS + 1, dtype=np.int32)
    return pa.Array.from_buffers(pa.string(), SPANS, [None, pa.py_buffer(offsets), pa.py_buffer(content)])


HALVES = {
    name: pa.concat_tables([table.slice(0, len(table) // 2), table.slice(len(table) // 2)])
    for name, table in TABLES.items()
}
SLICES = {
    name: pa.concat_tables([table, table]).combine_chunks().slice(len(table))
    for name, table in TABLES.items()
}
BATCHES = {
    name: table.combine_chunks().to_batches()[0] if len(table) else table for name, table in TABLES.items()
}


def with_plain_texts():
    table = TABLES["span_attrs"]
    for name in ("key", "str"):
        plain = pa.array(table[name].to_pylist(), pa.large_string())
        table = table.set_column(table.schema.get_field_index(name), name, plain)
    return {**TABLES, "span_attrs": table}


@pytest.mark.parametrize(
    "tables", [HALVES, SLICES, BATCHES, with_plain_texts()], ids=["chunks", "slices", "batches", "plain"]
)
def test_any_layout_of_arrow_is_the_same_telemetry(tables):
    assert otlp.Traces(tables).to_otlp() == DATA


@pytest.mark.parametrize(
    ("tables", "match"),
    [
        (
            with_column("span_attrs", "parent_id", [99] * ATTRIBUTES),
            "'span_attrs', column 'parent_id', row 0",
        ),
        (with_column("span_attrs", "parent_id", [None] * ATTRIBUTES), "expected a value, got null"),
        (with_column("span_events", "parent_id", [0, 1, 2, 3, 4, 4_000_000_000]), "row 5: .*6 rows"),
        (with_column("scopes", "parent_id", [0, 7]), "one of the 2 rows"),
        (with_column("resource_attrs", "parent_id", [0, 77]), "'resource_attrs'"),
        (with_column("resources", "is_set", [True, None]), "'is_set', row 1"),
        (with_column("spans", "id", [1, 0, 2, 3, 4, 5]), "the row's own number"),
        (with_column("spans", "scope", [None] * SPANS), r"'scope\.id', row 0"),
        (with_column("span_attrs", "type", [17] * ATTRIBUTES), "a type from 0 to 8"),
        (with_column("span_attrs", "ser", [b"\xff"] * ATTRIBUTES), "row 1: expected a serialized AnyValue"),
        (with_column("span_attrs", "ser", [None] * ATTRIBUTES), "its array_value"),
        (with_column("spans", "name", text_column(b"\xff" * SPANS)), "'spans' is broken.*UTF8"),
        ({**TABLES, "scopes": TABLES["scopes"].slice(0, 0)}, "0 rows"),
        ({name: table for name, table in TABLES.items() if name != "span_events"}, "'span_event_attrs'"),
        (with_unknown("nothing", 0, "Span"), "column 'field'"),
        (with_unknown("spans", 0, "Nothing"), "column 'field'"),
        (with_unknown("spans", 6, "Span"), "one of the 6 rows"),
        (with_unknown("spans", None, "Span"), "column 'row'"),
        (with_unknown("span_attrs", 99, "KeyValue"), "one of the 12 rows"),
        (with_unknown("spans", 0, "Span", b"\xff"), "whole fields"),
        ({"spans": [1, 2]}, "expected a pyarrow Table for 'spans', got list"),
        (None, "expected tables by name, got NoneType"),
    ],
)
def test_what_a_kernel_would_follow_blindly_is_refused(tables, match):
    with pytest.raises(otlp.TableError, match=match):
        otlp.Traces(tables)


@pytest.mark.parametrize("place", [("spans", "Nothing"), ("span_attrs", "Span"), ("nothing", "Span")])
def test_the_codec_itself_refuses_unknown_fields_of_no_message(place):
    table, field = place
    with pytest.raises(otlp.TableError, match=f"names the field '{field}' of '{table}'"):
        star_of_tables("traces", with_unknown(table, 0, field))


def test_a_record_belongs_to_the_resource_of_its_scope():
    spans = TABLES["spans"]
    structs = spans["resource"].to_pylist()
    structs[2]["id"] = 1
    with pytest.raises(otlp.TableError, match=r"'resource\.id', row 2: expected the resource that its scope"):
        otlp.Traces(with_column("spans", "resource", structs))


def test_a_wrong_id_does_not_fill_the_memory():
    structs = TABLES["spans"]["resource"].to_pylist()
    structs[0]["id"] = 4_294_967_295
    with pytest.raises(otlp.TableError, match="got 4,294,967,295"):
        otlp.Traces({"spans": with_column("spans", "resource", structs)["spans"]})


def test_ids_of_an_unusual_length_and_unknown_fields_come_back():
    odd = with_column("spans", "trace_id", [None] + [b"t" * 16] * (SPANS - 1)) | {
        "unknown_fields": with_unknown("spans", 0, "trace_id", b"abc")["unknown_fields"]
    }
    expected = TracesData.FromString(DATA)
    expected.resource_spans[0].scope_spans[0].spans[0].trace_id = b"abc"
    assert otlp.Traces(odd).to_otlp() == expected.SerializeToString()
    assert otlp.Traces(with_unknown("spans", 0, "Span")).to_otlp() != DATA


@pytest.mark.parametrize(
    "column", ["start_time_unix_nano", "duration_time_unix_nano", "name", "kind", "flags"]
)
def test_null_is_what_the_protocol_has_for_unset(column):
    traces = otlp.Traces(with_column("spans", column, [None] * SPANS))
    cleared = TracesData.FromString(DATA)
    for span in (s for r in cleared.resource_spans for s in r.scope_spans[0].spans):
        span.ClearField(column if column in ("name", "kind", "flags") else "start_time_unix_nano")
    assert traces.to_otlp() == cleared.SerializeToString()
    assert traces[column].null_count == 0
    assert repr(traces).startswith("Traces: 6 spans")
