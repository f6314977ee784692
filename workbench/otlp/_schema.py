"""The tables that telemetry is held in: the star schema of OpenTelemetry Arrow (OTAP), by its names.

Each signal has one table of records (``spans``, ``logs``, ``metrics``) and child tables that refer to a row
by ``parent_id``. Two things differ from OTAP, so that nothing is lost: ids are uint32 instead of uint16, and
``resource_entity_refs`` holds the resources' entity references. Every ``id`` is the row's own number; every
``ResourceSpans`` and ``ScopeSpans`` of the input has an id of its own, so that their boundaries survive.

Attribute values lie in the column of their type, named by ``type``: 0 empty, 1 ``str``, 2 ``int``, 3
``double``, 4 ``bool``, 5 map and 6 slice in ``ser`` (a serialized ``AnyValue``), 7 ``bytes``.

Source: OpenTelemetry Arrow, ``docs/data_model.md``.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import IntEnum
from typing import Literal

import pyarrow as pa

__all__ = ["LAYOUTS", "SIGNALS", "Layout", "Signal", "ValueType"]

Signal = Literal["traces", "metrics", "logs"]
SIGNALS: tuple[Signal, ...] = ("traces", "metrics", "logs")

U8, U32, I32, U64, I64, F64 = pa.uint8(), pa.uint32(), pa.int32(), pa.uint64(), pa.int64(), pa.float64()
STR, BYTES, BOOL = pa.string(), pa.binary(), pa.bool_()
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


@dataclass(frozen=True, slots=True)
class Layout:
    """The tables of one signal: which holds the records, all schemas, and each child's parent."""

    records: str
    attributes: str
    schemas: Mapping[str, pa.Schema]
    parents: Mapping[str, str]  # child table -> parent table, or "resource" or "scope" for those two structs


_VALUE = {"type": U8, "str": STR, "int": I64, "double": F64, "bool": BOOL, "bytes": BYTES, "ser": BYTES}
_ATTRS = pa.schema({"parent_id": U32, "key": STR, **_VALUE})
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
_ENVELOPE_TABLES = {"resource_attrs": _ATTRS, "scope_attrs": _ATTRS, "resource_entity_refs": _ENTITY_REFS}
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
}
