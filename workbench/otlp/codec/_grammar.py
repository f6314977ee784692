"""The messages of OTLP 1.11, field by field, and the column that each field fills.

All four engines (protobuf and JSON, in and out) read this one description; a test holds it to the official
descriptors. A message either owns a table, and each occurrence is a new row (`Span` in ``spans``), or it is
written into the row of the message around it (`Status`). The table of a repeated message has a column
``parent``: the row of the message around it.

Kinds of fields, and what a column holds:

=============  =====================================================================================
DOUBLE         float64; FIXED64, SFIXED64, INT64, UINT64: 64-bit integers
FIXED32        32-bit integers, as UINT32, INT32, ENUM (signed) and SINT32
BOOL           uint8
STRING         number of a text in the strings (int32); text 0 is ""
ID16, ID8      16 or 8 bytes; the presence bit tells absent from zero
BYTES          number of a blob (int64); blob 0 is empty
VALUE          an AnyValue: a type (uint8) and a value (int64)
KEY_VALUES     repeated KeyValue: rows of an attribute table
INLINE         a message in the same row; the presence bit tells absent from empty
ROWS           a repeated message: rows of its own table
TEXTS          repeated string: rows of a table with the column ``text``
NUMBERS_...    repeated scalars: a flat array, and where each row's part starts
=============  =====================================================================================

Source: opentelemetry-proto v1.11.0, ``opentelemetry/proto/*/*.proto``.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import IntEnum, auto

__all__ = ["GRAMMARS", "Field", "Kind", "Message", "walk"]


class Kind(IntEnum):
    """What a field is, which decides its wire type and its column."""

    DOUBLE = auto()
    FIXED64 = auto()
    SFIXED64 = auto()
    INT64 = auto()
    UINT64 = auto()
    FIXED32 = auto()
    UINT32 = auto()
    INT32 = auto()
    ENUM = auto()
    SINT32 = auto()
    BOOL = auto()
    STRING = auto()
    ID16 = auto()
    ID8 = auto()
    BYTES = auto()
    VALUE = auto()
    KEY_VALUES = auto()
    INLINE = auto()
    ROWS = auto()
    TEXTS = auto()
    NUMBERS_DOUBLE = auto()
    NUMBERS_FIXED64 = auto()
    NUMBERS_INT64 = auto()
    NUMBERS_UINT64 = auto()
    NUMBERS_INT32 = auto()


@dataclass(frozen=True, slots=True, eq=False)
class Field:
    """A field of a message: its number and name on the wire, its kind, and where it goes.

    `into` is the message of an INLINE or ROWS field, or the table of KEY_VALUES and TEXTS. Fields of one
    `oneof` exclude each other; `optional` ones tell absent from zero.
    """

    number: int
    name: str
    kind: Kind
    into: "Message | str | None" = None
    oneof: str = ""
    optional: bool = False


@dataclass(frozen=True, slots=True, eq=False)
class Message:
    """A message: its fields, the table it owns ("" if written into another's row), its columns' prefix."""

    name: str
    fields: tuple[Field, ...]
    table: str = ""
    prefix: str = ""


def walk(message: Message) -> Iterator[Message]:
    """Yield a message and all messages within it, outermost first."""
    yield message
    for field in message.fields:
        if isinstance(field.into, Message):
            yield from walk(field.into)


K = Kind
Fields = tuple[Field, ...]


def _exemplars(stem: str) -> Message:
    return Message(
        "Exemplar",
        (
            Field(2, "time_unix_nano", K.FIXED64),
            Field(3, "as_double", K.DOUBLE, oneof="value"),
            Field(4, "span_id", K.ID8),
            Field(5, "trace_id", K.ID16),
            Field(6, "as_int", K.SFIXED64, oneof="value"),
            Field(7, "filtered_attributes", K.KEY_VALUES, f"{stem}_dp_exemplar_attrs"),
        ),
        table=f"{stem}_dp_exemplars",
    )


ENTITY_REF = Message(
    "EntityRef",
    (
        Field(1, "schema_url", K.STRING),
        Field(2, "type", K.STRING),
        Field(3, "id_keys", K.TEXTS, "resource_entity_ref_id_keys"),
        Field(4, "description_keys", K.TEXTS, "resource_entity_ref_description_keys"),
    ),
    table="resource_entity_refs",
)
RESOURCE = Message(
    "Resource",
    (
        Field(1, "attributes", K.KEY_VALUES, "resource_attrs"),
        Field(2, "dropped_attributes_count", K.UINT32),
        Field(3, "entity_refs", K.ROWS, ENTITY_REF),
    ),
)
SCOPE = Message(
    "InstrumentationScope",
    (
        Field(1, "name", K.STRING),
        Field(2, "version", K.STRING),
        Field(3, "attributes", K.KEY_VALUES, "scope_attrs"),
        Field(4, "dropped_attributes_count", K.UINT32),
    ),
)


def _data(stem: str, plural: str, records: str, record: Message, *more: Field) -> Message:
    """Return the outermost message of a signal, which differ only in names."""
    scope = Message(
        f"Scope{stem}",
        (
            Field(1, "scope", K.INLINE, SCOPE),
            Field(2, records, K.ROWS, record),
            Field(3, "schema_url", K.STRING),
        ),
        table="scopes",
    )
    resource = Message(
        f"Resource{stem}",
        (
            Field(1, "resource", K.INLINE, RESOURCE),
            Field(2, f"scope_{plural}", K.ROWS, scope),
            Field(3, "schema_url", K.STRING),
        ),
        table="resources",
    )
    name = {"Spans": "Traces"}.get(stem, stem)
    return Message(f"{name}Data", (Field(1, f"resource_{plural}", K.ROWS, resource), *more), table="root")


EVENT = Message(
    "Event",
    (
        Field(1, "time_unix_nano", K.FIXED64),
        Field(2, "name", K.STRING),
        Field(3, "attributes", K.KEY_VALUES, "span_event_attrs"),
        Field(4, "dropped_attributes_count", K.UINT32),
    ),
    table="span_events",
)
LINK = Message(
    "Link",
    (
        Field(1, "trace_id", K.ID16),
        Field(2, "span_id", K.ID8),
        Field(3, "trace_state", K.STRING),
        Field(4, "attributes", K.KEY_VALUES, "span_link_attrs"),
        Field(5, "dropped_attributes_count", K.UINT32),
        Field(6, "flags", K.FIXED32),
    ),
    table="span_links",
)
STATUS = Message("Status", (Field(2, "message", K.STRING), Field(3, "code", K.ENUM)), prefix="status.")
SPAN = Message(
    "Span",
    (
        Field(1, "trace_id", K.ID16),
        Field(2, "span_id", K.ID8),
        Field(3, "trace_state", K.STRING),
        Field(4, "parent_span_id", K.ID8),
        Field(5, "name", K.STRING),
        Field(6, "kind", K.ENUM),
        Field(7, "start_time_unix_nano", K.FIXED64),
        Field(8, "end_time_unix_nano", K.FIXED64),
        Field(9, "attributes", K.KEY_VALUES, "span_attrs"),
        Field(10, "dropped_attributes_count", K.UINT32),
        Field(11, "events", K.ROWS, EVENT),
        Field(12, "dropped_events_count", K.UINT32),
        Field(13, "links", K.ROWS, LINK),
        Field(14, "dropped_links_count", K.UINT32),
        Field(15, "status", K.INLINE, STATUS),
        Field(16, "flags", K.FIXED32),
    ),
    table="spans",
)

LOG_RECORD = Message(
    "LogRecord",
    (
        Field(1, "time_unix_nano", K.FIXED64),
        Field(2, "severity_number", K.ENUM),
        Field(3, "severity_text", K.STRING),
        Field(5, "body", K.VALUE),
        Field(6, "attributes", K.KEY_VALUES, "log_attrs"),
        Field(7, "dropped_attributes_count", K.UINT32),
        Field(8, "flags", K.FIXED32),
        Field(9, "trace_id", K.ID16),
        Field(10, "span_id", K.ID8),
        Field(11, "observed_time_unix_nano", K.FIXED64),
        Field(12, "event_name", K.STRING),
    ),
    table="logs",
)


def _point(stem: str, attributes: int, flags: int, fields: Fields, *, exemplars: int = 0) -> Message:
    """Return the message of a data point; what they share has other numbers in each."""
    shared: Fields = (
        Field(2, "start_time_unix_nano", K.FIXED64),
        Field(3, "time_unix_nano", K.FIXED64),
        Field(attributes, "attributes", K.KEY_VALUES, f"{stem}_dp_attrs"),
        Field(flags, "flags", K.UINT32),
    )
    if exemplars:
        shared += (Field(exemplars, "exemplars", K.ROWS, _exemplars(stem)),)
    names = {"number": "Number", "histogram": "Histogram", "exp_histogram": "ExponentialHistogram"}
    return Message(
        f"{names.get(stem, 'Summary')}DataPoint",
        tuple(sorted(shared + fields, key=lambda field: field.number)),
        table=f"{stem}_data_points",
    )


def _buckets(sign: str) -> Message:
    fields = (Field(1, "offset", K.SINT32), Field(2, "bucket_counts", K.NUMBERS_UINT64))
    return Message("Buckets", fields, prefix=f"{sign}.")


QUANTILE = Message(
    "ValueAtQuantile",
    (Field(1, "quantile", K.DOUBLE), Field(2, "value", K.DOUBLE)),
    table="summary_dp_quantiles",
)
NUMBER_POINT = _point(
    "number",
    7,
    8,
    (Field(4, "as_double", K.DOUBLE, oneof="value"), Field(6, "as_int", K.SFIXED64, oneof="value")),
    exemplars=5,
)
HISTOGRAM_POINT = _point(
    "histogram",
    9,
    10,
    (
        Field(4, "count", K.FIXED64),
        Field(5, "sum", K.DOUBLE, optional=True),
        Field(6, "bucket_counts", K.NUMBERS_FIXED64),
        Field(7, "explicit_bounds", K.NUMBERS_DOUBLE),
        Field(11, "min", K.DOUBLE, optional=True),
        Field(12, "max", K.DOUBLE, optional=True),
    ),
    exemplars=8,
)
EXP_HISTOGRAM_POINT = _point(
    "exp_histogram",
    1,
    10,
    (
        Field(4, "count", K.FIXED64),
        Field(5, "sum", K.DOUBLE, optional=True),
        Field(6, "scale", K.SINT32),
        Field(7, "zero_count", K.FIXED64),
        Field(8, "positive", K.INLINE, _buckets("positive")),
        Field(9, "negative", K.INLINE, _buckets("negative")),
        Field(12, "min", K.DOUBLE, optional=True),
        Field(13, "max", K.DOUBLE, optional=True),
        Field(14, "zero_threshold", K.DOUBLE),
    ),
    exemplars=11,
)
SUMMARY_POINT = _point(
    "summary",
    7,
    8,
    (
        Field(4, "count", K.FIXED64),
        Field(5, "sum", K.DOUBLE),
        Field(6, "quantile_values", K.ROWS, QUANTILE),
    ),
)
TEMPORALITY = Field(2, "aggregation_temporality", K.ENUM)
METRIC = Message(
    "Metric",
    (
        Field(1, "name", K.STRING),
        Field(2, "description", K.STRING),
        Field(3, "unit", K.STRING),
        Field(
            5, "gauge", K.INLINE, Message("Gauge", (Field(1, "data_points", K.ROWS, NUMBER_POINT),)), "data"
        ),
        Field(
            7,
            "sum",
            K.INLINE,
            Message(
                "Sum",
                (
                    Field(1, "data_points", K.ROWS, NUMBER_POINT),
                    TEMPORALITY,
                    Field(3, "is_monotonic", K.BOOL),
                ),
            ),
            "data",
        ),
        Field(
            9,
            "histogram",
            K.INLINE,
            Message("Histogram", (Field(1, "data_points", K.ROWS, HISTOGRAM_POINT), TEMPORALITY)),
            "data",
        ),
        Field(
            10,
            "exponential_histogram",
            K.INLINE,
            Message(
                "ExponentialHistogram", (Field(1, "data_points", K.ROWS, EXP_HISTOGRAM_POINT), TEMPORALITY)
            ),
            "data",
        ),
        Field(
            11,
            "summary",
            K.INLINE,
            Message("Summary", (Field(1, "data_points", K.ROWS, SUMMARY_POINT),)),
            "data",
        ),
        Field(12, "metadata", K.KEY_VALUES, "metric_attrs"),
    ),
    table="metrics",
)

SAMPLE = Message(
    "Sample",
    (
        Field(1, "stack_index", K.INT32),
        Field(2, "attribute_indices", K.NUMBERS_INT32),
        Field(3, "link_index", K.INT32),
        Field(4, "values", K.NUMBERS_INT64),
        Field(5, "timestamps_unix_nano", K.NUMBERS_FIXED64),
    ),
    table="samples",
)


def _value_type(prefix: str) -> Message:
    fields = (Field(1, "type_strindex", K.INT32), Field(2, "unit_strindex", K.INT32))
    return Message("ValueType", fields, prefix=f"{prefix}.")


PROFILE = Message(
    "Profile",
    (
        Field(1, "sample_type", K.INLINE, _value_type("sample_type")),
        Field(2, "samples", K.ROWS, SAMPLE),
        Field(3, "time_unix_nano", K.FIXED64),
        Field(4, "duration_nano", K.UINT64),
        Field(5, "period_type", K.INLINE, _value_type("period_type")),
        Field(6, "period", K.INT64),
        Field(7, "profile_id", K.ID16),
        Field(8, "dropped_attributes_count", K.UINT32),
        Field(9, "original_payload_format", K.STRING),
        Field(10, "original_payload", K.BYTES),
        Field(11, "attribute_indices", K.NUMBERS_INT32),
    ),
    table="profiles",
)
MAPPING = Message(
    "Mapping",
    (
        Field(1, "memory_start", K.UINT64),
        Field(2, "memory_limit", K.UINT64),
        Field(3, "file_offset", K.UINT64),
        Field(4, "filename_strindex", K.INT32),
        Field(5, "attribute_indices", K.NUMBERS_INT32),
    ),
    table="mappings",
)
LINE = Message(
    "Line",
    (
        Field(1, "function_index", K.INT32),
        Field(2, "line", K.INT64),
        Field(3, "column", K.INT64),
    ),
    table="location_lines",
)
LOCATION = Message(
    "Location",
    (
        Field(1, "mapping_index", K.INT32),
        Field(2, "address", K.UINT64),
        Field(3, "lines", K.ROWS, LINE),
        Field(4, "attribute_indices", K.NUMBERS_INT32),
    ),
    table="locations",
)
FUNCTION = Message(
    "Function",
    (
        Field(1, "name_strindex", K.INT32),
        Field(2, "system_name_strindex", K.INT32),
        Field(3, "filename_strindex", K.INT32),
        Field(4, "start_line", K.INT64),
    ),
    table="functions",
)
PROFILE_LINK = Message(
    "Link", (Field(1, "trace_id", K.ID16), Field(2, "span_id", K.ID8)), table="profile_links"
)
ATTRIBUTE = Message(
    "KeyValueAndUnit",
    (
        Field(1, "key_strindex", K.INT32),
        Field(2, "value", K.VALUE),
        Field(3, "unit_strindex", K.INT32),
    ),
    table="attributes",
)
STACK = Message("Stack", (Field(1, "location_indices", K.NUMBERS_INT32),), table="stacks")
DICTIONARY = Message(
    "ProfilesDictionary",
    (
        Field(1, "mapping_table", K.ROWS, MAPPING),
        Field(2, "location_table", K.ROWS, LOCATION),
        Field(3, "function_table", K.ROWS, FUNCTION),
        Field(4, "link_table", K.ROWS, PROFILE_LINK),
        Field(5, "string_table", K.TEXTS, "strings"),
        Field(6, "attribute_table", K.ROWS, ATTRIBUTE),
        Field(7, "stack_table", K.ROWS, STACK),
    ),
)

GRAMMARS: Mapping[str, Message] = {
    "traces": _data("Spans", "spans", "spans", SPAN),
    "metrics": _data("Metrics", "metrics", "metrics", METRIC),
    "logs": _data("Logs", "logs", "log_records", LOG_RECORD),
    "profiles": _data(
        "Profiles", "profiles", "profiles", PROFILE, Field(2, "dictionary", K.INLINE, DICTIONARY)
    ),
}
