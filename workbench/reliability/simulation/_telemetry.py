"""A simulation's calls as spans, so that everything that reads telemetry reads them."""

from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

from workbench.otlp import Traces
from workbench.reliability.simulation import _codes as codes
from workbench.reliability.simulation._outcomes import NAMES

if TYPE_CHECKING:
    from workbench.reliability.simulation.result import Result

__all__ = ["traces_of"]

CLIENT, OK_STATUS, ERROR_STATUS = 3, 1, 2  # SpanKind, Status.code
STR, INT, DOUBLE = 1, 2, 3  # types of attributes
NOT_NULL: dict[str, Any] = {
    "schema_url": "",
    "trace_state": "",
    "flags": 0,
    "dropped_attributes_count": 0,
    "dropped_events_count": 0,
    "dropped_links_count": 0,
}


def traces_of(result: "Result") -> Traces:
    """Return one client span a call; simulated second 0 is the Unix epoch's."""
    log = result.log
    size = len(log)
    starts = np.rint(log["arrived_s"] * 1e9).astype(np.int64)
    ends = np.rint(log["finished_s"] * 1e9).astype(np.int64)
    failed = log["outcome"] != codes.OK
    numbers = log["serial"].astype(">u8") + 1  # ids of zeros are invalid
    tables = Traces.from_otlp(b"").tables
    zeros = pa.array(np.zeros(size, np.uint32))
    empty = pa.DictionaryArray.from_arrays(np.zeros(size, np.int32), [""]).cast(pa.string())
    resource = [zeros, empty, zeros]
    spans = {
        "id": pa.array(np.arange(size, dtype=np.uint32)),
        "resource": pa.StructArray.from_arrays(
            resource, fields=list(tables["spans"].schema.field("resource").type)
        ),
        "scope": pa.StructArray.from_arrays(
            [zeros, empty, empty, zeros], fields=list(tables["spans"].schema.field("scope").type)
        ),
        "start_time_unix_nano": pa.array(starts),
        "duration_time_unix_nano": pa.array(ends - starts),
        "trace_id": _identifiers(numbers, 16),
        "span_id": _identifiers(numbers, 8),
        "name": pa.DictionaryArray.from_arrays(np.zeros(size, np.int32), ["call"]).cast(pa.string()),
        "kind": pa.array(np.full(size, CLIENT, np.int32)),
        "status": pa.StructArray.from_arrays(
            [pa.array(np.where(failed, ERROR_STATUS, OK_STATUS).astype(np.int32)), empty],
            ["code", "status_message"],
        ),
    }
    service = {"parent_id": [0], "key": ["service.name"], "type": [STR], "str": ["client"]}
    return Traces(
        {
            "spans": _completed(spans, tables["spans"].schema, size),
            "span_attrs": _completed(*_attributes(result, tables["span_attrs"].schema)),
            "resource_attrs": _completed(service, tables["resource_attrs"].schema, 1),
        }
    )


def _completed(columns: dict[str, Any], schema: pa.Schema, size: int) -> pa.Table:
    """Return a table with all columns of a schema: those not given are empty, zero or null."""
    arrays = []
    for field in schema:
        if field.name in columns:
            found = columns[field.name]
            arrays.append((found if isinstance(found, pa.Array) else pa.array(found)).cast(field.type))
        elif field.name in NOT_NULL:
            arrays.append(pa.array([NOT_NULL[field.name]] * size, field.type))
        else:
            arrays.append(pa.nulls(size, field.type))
    return pa.Table.from_arrays(arrays, schema=schema)


def _identifiers(numbers: np.ndarray, width: int) -> pa.Array:
    padded = np.zeros((len(numbers), width), np.uint8)
    padded[:, -8:] = numbers.view(np.uint8).reshape(-1, 8)
    return pa.FixedSizeBinaryArray.from_buffers(pa.binary(width), len(numbers), [None, pa.py_buffer(padded)])


def _attributes(result: "Result", schema: pa.Schema) -> tuple[dict[str, Any], pa.Schema, int]:
    """Return attempts, seconds in the queue and the error's type of each call; none for what succeeded."""
    log = result.log
    rows = np.arange(len(log), dtype=np.uint32)
    failed = rows[log["outcome"] != codes.OK]
    parents = np.concatenate([rows, rows, failed])
    names = np.repeat(["call.attempts", "call.waited_s", "error.type"], [len(rows), len(rows), len(failed)])
    kinds = np.repeat(np.array([INT, DOUBLE, STR], np.uint8), [len(rows), len(rows), len(failed)])
    order = np.argsort(parents, kind="stable")
    whole = np.concatenate([log["attempts"], np.zeros(len(rows) + len(failed), np.int64)])
    part = np.concatenate([np.zeros(len(rows)), log["waited_s"], np.zeros(len(failed))])
    text = np.concatenate([np.repeat("", 2 * len(rows)), np.asarray(NAMES)[log["outcome"][failed]]])
    columns = {
        "parent_id": parents[order],
        "key": names[order],
        "type": kinds[order],
        "int": pa.array(whole[order], mask=kinds[order] != INT),
        "double": pa.array(part[order], mask=kinds[order] != DOUBLE),
        "str": pa.array(text[order], mask=kinds[order] != STR),
    }
    return columns, schema, len(order)
