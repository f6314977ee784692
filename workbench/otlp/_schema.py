"""The tables that telemetry is held in: the star schema of OpenTelemetry Arrow (OTAP), by its names.

Each signal has one table of records (``spans``, ``logs``, ``metrics``, ``profiles``) and child tables that
refer to a row by ``parent_id``. Every ``id`` is the row's own number. Attribute values lie in the column of
their type, named by ``type``: 0 empty, 1 ``str``, 2 ``int``, 3 ``double``, 4 ``bool``, 5 map and 6 slice in
``ser`` (a serialized ``AnyValue``), 7 ``bytes``; keys and texts are dictionary-encoded.

OTAP loses distinctions that the protocol makes. So that nothing is lost here:

- ids are uint32 instead of uint16;
- ``resources`` and ``scopes`` have a row for each ``ResourceSpans`` and ``ScopeSpans`` (and their like),
  those without records included, so that boundaries between equal ones survive; ``is_set`` tells an empty
  resource or scope from none;
- a null ``type`` is an attribute without a value, 0 one with an empty value; a null struct or id is absent,
  one of zeros is not; ``sum``, ``min`` and ``max`` of histograms are null when absent;
- ``resource_entity_refs`` holds the resources' entity references;
- ``key_strindex`` and type 8 (in ``int``) are references into the string table of profiles;
- ``unknown_fields`` keeps the bytes that no column holds: fields of a newer protocol (``field`` names the
  message they stood in), and ids of an unusual length (``field`` names the id).

OTAP has no profiles yet; their tables are named after the protocol's.

Source: OpenTelemetry Arrow, ``docs/data_model.md``; opentelemetry-proto 1.11.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import IntEnum
from typing import Literal

import pyarrow as pa

__all__ = ["LAYOUTS", "SIGNALS", "Layout", "Signal", "ValueType"]

Signal = Literal["traces", "metrics", "logs", "profiles"]
SIGNALS: tuple[Signal, ...] = ("traces", "metrics", "logs", "profiles")

U8, U32, I32, U64, I64, F64 = pa.uint8(), pa.uint32(), pa.int32(), pa.uint64(), pa.int64(), pa.float64()
STR, BYTES, BOOL = pa.string(), pa.binary(), pa.bool_()
DICTIONARY = pa.dictionary(pa.int32(), STR)
TRACE_ID, SPAN_ID = pa.binary(16), pa.binary(8)
TIME, DURATION = pa.timestamp("ns", tz="UTC"), pa.duration("ns")


class ValueType(IntEnum):
    """The type of an attribute value, as OTAP numbers them."""

    EMPTY = 0
    STR = 1
    INT = 2
    DOUBLE = 3
    BOOL = 4
    MAP = 5
    SLICE = 6
    BYTES = 7
    STRINDEX = 8


@dataclass(frozen=True, slots=True)
class Layout:
    """The tables of one signal: which holds the records, all schemas, and each child's parent."""

    records: str
    attributes: str | None
    schemas: Mapping[str, pa.Schema]
    parents: Mapping[str, str]  # child table -> parent table, or "resource" or "scope" for those two structs


_VALUE = {"type": U8, "str": STR, "int": I64, "double": F64, "bool": BOOL, "bytes": BYTES, "ser": BYTES}
_ATTRS = pa.schema({"parent_id": U32, "key": DICTIONARY, **_VALUE, "str": DICTIONARY, "key_strindex": I32})
_RESOURCE = pa.struct({"id": U32, "schema_url": STR, "dropped_attributes_count": U32})
_SCOPE = pa.struct({"id": U32, "name": STR, "version": STR, "dropped_attributes_count": U32})
_ENTITY_REFS = pa.schema(
    {
        "parent_id": U32,
        "schema_url": STR,
        "type": STR,
        "id_keys": pa.list_(STR),
        "description_keys": pa.list_(STR),
    }
)
_ENVELOPE = {"id": U32, "resource": _RESOURCE, "scope": _SCOPE, "schema_url": STR}
_RESOURCES = pa.schema({**{field.name: field.type for field in _RESOURCE}, "is_set": BOOL})
_SCOPES = pa.schema(
    {
        "id": U32,
        "parent_id": U32,
        **{field.name: field.type for field in _SCOPE},
        "schema_url": STR,
        "is_set": BOOL,
    }
)
_UNKNOWN_FIELDS = pa.schema({"table": STR, "row": U32, "field": STR, "value": BYTES})
_ENVELOPE_TABLES = {
    "resources": _RESOURCES,
    "scopes": _SCOPES,
    "resource_attrs": _ATTRS,
    "scope_attrs": _ATTRS,
    "resource_entity_refs": _ENTITY_REFS,
    "unknown_fields": _UNKNOWN_FIELDS,
}
_ENVELOPE_PARENTS = {"resource_attrs": "resource", "scope_attrs": "scope", "resource_entity_refs": "resource"}
_CHILD = {"id": U32, "parent_id": U32}

_SPANS = pa.schema(
    {
        **_ENVELOPE,
        "start_time_unix_nano": TIME,
        "duration_time_unix_nano": DURATION,
        "trace_id": TRACE_ID,
        "span_id": SPAN_ID,
        "trace_state": STR,
        "parent_span_id": SPAN_ID,
        "name": STR,
        "kind": I32,
        "flags": U32,
        "dropped_attributes_count": U32,
        "dropped_events_count": U32,
        "dropped_links_count": U32,
        "status": pa.struct({"code": I32, "status_message": STR}),
    }
)
_SPAN_EVENTS = pa.schema({**_CHILD, "time_unix_nano": TIME, "name": STR, "dropped_attributes_count": U32})
_SPAN_LINKS = pa.schema(
    {
        **_CHILD,
        "trace_id": TRACE_ID,
        "span_id": SPAN_ID,
        "trace_state": STR,
        "dropped_attributes_count": U32,
        "flags": U32,
    }
)
_LOGS = pa.schema(
    {
        **_ENVELOPE,
        "time_unix_nano": TIME,
        "observed_time_unix_nano": TIME,
        "trace_id": TRACE_ID,
        "span_id": SPAN_ID,
        "severity_number": I32,
        "severity_text": STR,
        "body": pa.struct(_VALUE),
        "dropped_attributes_count": U32,
        "flags": U32,
        "event_name": STR,
    }
)
_METRICS = pa.schema(
    {
        **_ENVELOPE,
        "metric_type": U8,  # 0 none, 1 gauge, 2 sum, 3 histogram, 4 exponential, 5 summary
        "name": STR,
        "description": STR,
        "unit": STR,
        "aggregation_temporality": I32,
        "is_monotonic": BOOL,
    }
)
_POINT = {**_CHILD, "start_time_unix_nano": TIME, "time_unix_nano": TIME, "flags": U32}
_BUCKETS = pa.struct({"offset": I32, "bucket_counts": pa.list_(U64)})
_DISTRIBUTION = {"count": U64, "sum": F64, "min": F64, "max": F64}
_EXEMPLARS = pa.schema(
    {
        **_CHILD,
        "time_unix_nano": TIME,
        "int_value": I64,
        "double_value": F64,
        "span_id": SPAN_ID,
        "trace_id": TRACE_ID,
    }
)
_POINT_SCHEMAS = {
    "number": pa.schema({**_POINT, "int_value": I64, "double_value": F64}),
    "histogram": pa.schema(
        {**_POINT, **_DISTRIBUTION, "bucket_counts": pa.list_(U64), "explicit_bounds": pa.list_(F64)}
    ),
    "exp_histogram": pa.schema(
        {
            **_POINT,
            **_DISTRIBUTION,
            "scale": I32,
            "zero_count": U64,
            "zero_threshold": F64,
            "positive": _BUCKETS,
            "negative": _BUCKETS,
        }
    ),
    "summary": pa.schema(
        {**_POINT, "count": U64, "sum": F64, "quantile": pa.list_(pa.struct({"quantile": F64, "value": F64}))}
    ),
}


def _metric_tables() -> tuple[dict[str, pa.Schema], dict[str, str]]:
    schemas = {"metrics": _METRICS, "metric_attrs": _ATTRS}
    parents = {"metric_attrs": "metrics"}
    for kind, schema in _POINT_SCHEMAS.items():
        points, attributes = f"{kind}_data_points", f"{kind}_dp_attrs"
        schemas |= {points: schema, attributes: _ATTRS}
        parents |= {points: "metrics", attributes: points}
        if kind != "summary":
            exemplars, exemplar_attrs = f"{kind}_dp_exemplars", f"{kind}_dp_exemplar_attrs"
            schemas |= {exemplars: _EXEMPLARS, exemplar_attrs: _ATTRS}
            parents |= {exemplars: points, exemplar_attrs: exemplars}
    return schemas, parents


_METRIC_SCHEMAS, _METRIC_PARENTS = _metric_tables()

_LIST_I32 = pa.list_(I32)
_VALUE_TYPE = pa.struct({"type_strindex": I32, "unit_strindex": I32})
_PROFILE_TABLES = {
    "profiles": pa.schema(
        {
            **_ENVELOPE,
            "sample_type": _VALUE_TYPE,
            "time_unix_nano": TIME,
            "duration_nano": U64,
            "period_type": _VALUE_TYPE,
            "period": I64,
            "profile_id": TRACE_ID,
            "dropped_attributes_count": U32,
            "original_payload_format": STR,
            "original_payload": BYTES,
            "attribute_indices": _LIST_I32,
        }
    ),
    "samples": pa.schema(
        {
            **_CHILD,
            "stack_index": I32,
            "attribute_indices": _LIST_I32,
            "link_index": I32,
            "values": pa.list_(I64),
            "timestamps_unix_nano": pa.list_(U64),
        }
    ),
    "mappings": pa.schema(
        {
            "id": U32,
            "memory_start": U64,
            "memory_limit": U64,
            "file_offset": U64,
            "filename_strindex": I32,
            "attribute_indices": _LIST_I32,
        }
    ),
    "locations": pa.schema({"id": U32, "mapping_index": I32, "address": U64, "attribute_indices": _LIST_I32}),
    "location_lines": pa.schema({**_CHILD, "function_index": I32, "line": I64, "column": I64}),
    "functions": pa.schema(
        {
            "id": U32,
            "name_strindex": I32,
            "system_name_strindex": I32,
            "filename_strindex": I32,
            "start_line": I64,
        }
    ),
    "profile_links": pa.schema({"id": U32, "trace_id": TRACE_ID, "span_id": SPAN_ID}),
    "strings": pa.schema({"id": U32, "text": STR}),
    "attributes": pa.schema(
        {"id": U32, "key_strindex": I32, "value": pa.struct(_VALUE), "unit_strindex": I32}
    ),
    "stacks": pa.schema({"id": U32, "location_indices": _LIST_I32}),
}

LAYOUTS: Mapping[Signal, Layout] = {
    "traces": Layout(
        "spans",
        "span_attrs",
        {
            "spans": _SPANS,
            "span_attrs": _ATTRS,
            "span_events": _SPAN_EVENTS,
            "span_event_attrs": _ATTRS,
            "span_links": _SPAN_LINKS,
            "span_link_attrs": _ATTRS,
            **_ENVELOPE_TABLES,
        },
        {
            "span_attrs": "spans",
            "span_events": "spans",
            "span_event_attrs": "span_events",
            "span_links": "spans",
            "span_link_attrs": "span_links",
            **_ENVELOPE_PARENTS,
        },
    ),
    "metrics": Layout(
        "metrics",
        "metric_attrs",
        {**_METRIC_SCHEMAS, **_ENVELOPE_TABLES},
        {**_METRIC_PARENTS, **_ENVELOPE_PARENTS},
    ),
    "logs": Layout(
        "logs",
        "log_attrs",
        {"logs": _LOGS, "log_attrs": _ATTRS, **_ENVELOPE_TABLES},
        {"log_attrs": "logs", **_ENVELOPE_PARENTS},
    ),
    "profiles": Layout(
        "profiles",
        None,
        {**_PROFILE_TABLES, **_ENVELOPE_TABLES},
        {"samples": "profiles", "location_lines": "locations", **_ENVELOPE_PARENTS},
    ),
}
