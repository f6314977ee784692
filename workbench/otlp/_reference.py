"""Official messages to tables, an object a record: the slow and certain way, the tests' oracle."""

from collections.abc import Callable, Iterator
from typing import Any

import pyarrow as pa
from google.protobuf.message import Message
from opentelemetry.proto.logs.v1.logs_pb2 import LogsData
from opentelemetry.proto.metrics.v1.metrics_pb2 import MetricsData
from opentelemetry.proto.trace.v1.trace_pb2 import TracesData

from workbench.otlp._rows import Row, StarRows, signed, value_columns
from workbench.otlp._schema import Signal
from workbench.otlp._tally import Tally
from workbench.otlp.errors import MalformedError

__all__ = ["MESSAGES", "ReferenceDecoder"]

MESSAGES: dict[Signal, type[Message]] = {"traces": TracesData, "metrics": MetricsData, "logs": LogsData}

TRACE_ID_BYTES, SPAN_ID_BYTES = 16, 8
POINT_KINDS = {  # field of oneof data -> METRIC_DATA_TYPE number, stem of its tables
    "gauge": (1, "number"),
    "sum": (2, "number"),
    "histogram": (3, "histogram"),
    "exponential_histogram": (4, "exp_histogram"),
    "summary": (5, "summary"),
}
Locate = Callable[[str], int]


class ReferenceDecoder:
    """Collects official messages of one signal into the tables of `_schema`.

    Records whose ids are neither absent nor 16 and 8 bytes long are refused through the tally.
    """

    def __init__(self, signal: Signal, tally: Tally) -> None:
        self.rows = StarRows(signal)
        self.tally = tally
        self.locate: Locate = lambda _path: 0
        self.add_all = {"traces": self._traces, "metrics": self._metrics, "logs": self._logs}[signal]

    def add(self, message: Message, locate: Locate) -> None:
        """Append a message's records; `locate` turns a field's path into its byte offset in the input."""
        self.locate = locate
        self.add_all(message)

    def tables(self) -> dict[str, pa.Table]:
        """Return the finished tables."""
        return self.rows.tables()

    def _traces(self, message: Any) -> None:
        for envelope, span, path in self._records(message, "resource_spans", "scope_spans", "spans"):
            if self._ids_are_sound(span, path) and self._links_are_sound(span, path):
                self._span(envelope, span)

    def _logs(self, message: Any) -> None:
        for envelope, record, path in self._records(message, "resource_logs", "scope_logs", "log_records"):
            if self._ids_are_sound(record, path):
                self._log(envelope, record)

    def _metrics(self, message: Any) -> None:
        for envelope, metric, path in self._records(message, "resource_metrics", "scope_metrics", "metrics"):
            if self._exemplars_are_sound(metric, path):
                self._metric(envelope, metric)

    def _records(
        self, message: Any, resources: str, scopes: str, records: str
    ) -> Iterator[tuple[Row, Any, str]]:
        for i, in_resource in enumerate(getattr(message, resources)):
            resource = self.rows.resource(in_resource)
            for j, in_scope in enumerate(getattr(in_resource, scopes)):
                scope = self.rows.scope(in_scope)
                envelope = {"resource": resource, "scope": scope, "schema_url": in_scope.schema_url}
                for k, record in enumerate(getattr(in_scope, records)):
                    yield envelope, record, f"{resources}[{i}].{scopes}[{j}].{records}[{k}]"

    def _ids_are_sound(self, record: Any, path: str) -> bool:
        fields = [("trace_id", TRACE_ID_BYTES), ("span_id", SPAN_ID_BYTES)]
        if hasattr(record, "parent_span_id"):
            fields.append(("parent_span_id", SPAN_ID_BYTES))
        return all(self._id_is_sound(record, name, size, path) for name, size in fields)

    def _id_is_sound(self, record: Any, name: str, size: int, path: str) -> bool:
        length = len(getattr(record, name))
        if length in (0, size):
            return True
        where = f"{path}.{name}"
        msg = f"an id of {size} bytes was expected, got {length}: not OTLP, or another signal's"
        offset = (
            self.locate(where) if self.tally.strict else 0
        )  # it is slow, and nobody sees it when counting
        self.tally.refuse(MalformedError(msg, offset=offset, path=where))
        return False

    def _links_are_sound(self, span: Any, path: str) -> bool:
        return all(self._ids_are_sound(link, f"{path}.links[{i}]") for i, link in enumerate(span.links))

    def _exemplars_are_sound(self, metric: Any, path: str) -> bool:
        kind = metric.WhichOneof("data")
        points = getattr(metric, kind).data_points if kind else ()
        return all(
            self._ids_are_sound(exemplar, f"{path}.{kind}.data_points[{i}].exemplars[{j}]")
            for i, point in enumerate(points)
            for j, exemplar in enumerate(getattr(point, "exemplars", ()))
        )

    def _span(self, envelope: Row, span: Any) -> None:
        rows = self.rows
        number = rows.add(
            "spans",
            **envelope,
            start_time_unix_nano=signed(span.start_time_unix_nano),
            duration_time_unix_nano=signed(span.end_time_unix_nano - span.start_time_unix_nano),
            trace_id=span.trace_id or None,
            span_id=span.span_id or None,
            trace_state=span.trace_state,
            parent_span_id=span.parent_span_id or None,
            name=span.name,
            kind=span.kind,
            flags=span.flags,
            dropped_attributes_count=span.dropped_attributes_count,
            dropped_events_count=span.dropped_events_count,
            dropped_links_count=span.dropped_links_count,
            status={"code": span.status.code, "status_message": span.status.message}
            if span.HasField("status")
            else None,
        )
        rows.add_attributes("span_attrs", number, span.attributes)
        for event in span.events:
            self._event(number, event)
        for link in span.links:
            self._link(number, link)

    def _event(self, span: int, event: Any) -> None:
        number = self.rows.add(
            "span_events",
            parent_id=span,
            time_unix_nano=signed(event.time_unix_nano),
            name=event.name,
            dropped_attributes_count=event.dropped_attributes_count,
        )
        self.rows.add_attributes("span_event_attrs", number, event.attributes)

    def _link(self, span: int, link: Any) -> None:
        number = self.rows.add(
            "span_links",
            parent_id=span,
            trace_id=link.trace_id or None,
            span_id=link.span_id or None,
            trace_state=link.trace_state,
            dropped_attributes_count=link.dropped_attributes_count,
            flags=link.flags,
        )
        self.rows.add_attributes("span_link_attrs", number, link.attributes)

    def _log(self, envelope: Row, record: Any) -> None:
        number = self.rows.add(
            "logs",
            **envelope,
            time_unix_nano=signed(record.time_unix_nano),
            observed_time_unix_nano=signed(record.observed_time_unix_nano),
            trace_id=record.trace_id or None,
            span_id=record.span_id or None,
            severity_number=record.severity_number,
            severity_text=record.severity_text,
            body=value_columns(record.body) if record.HasField("body") else None,
            dropped_attributes_count=record.dropped_attributes_count,
            flags=record.flags,
            event_name=record.event_name,
        )
        self.rows.add_attributes("log_attrs", number, record.attributes)

    def _metric(self, envelope: Row, metric: Any) -> None:
        kind = metric.WhichOneof("data")
        data_type, stem = POINT_KINDS.get(kind, (0, ""))
        data = getattr(metric, kind) if kind else None
        number = self.rows.add(
            "metrics",
            **envelope,
            metric_type=data_type,
            name=metric.name,
            description=metric.description,
            unit=metric.unit,
            aggregation_temporality=getattr(data, "aggregation_temporality", None),
            is_monotonic=getattr(data, "is_monotonic", None),
        )
        self.rows.add_attributes("metric_attrs", number, metric.metadata)
        for point in data.data_points if data else ():
            self._point(number, stem, point)

    def _point(self, metric: int, stem: str, point: Any) -> None:
        number = self.rows.add(
            f"{stem}_data_points",
            parent_id=metric,
            start_time_unix_nano=signed(point.start_time_unix_nano),
            time_unix_nano=signed(point.time_unix_nano),
            flags=point.flags,
            **POINT_COLUMNS[stem](point),
        )
        self.rows.add_attributes(f"{stem}_dp_attrs", number, point.attributes)
        for exemplar in getattr(point, "exemplars", ()):
            self._exemplar(number, stem, exemplar)

    def _exemplar(self, point: int, stem: str, exemplar: Any) -> None:
        number = self.rows.add(
            f"{stem}_dp_exemplars",
            parent_id=point,
            time_unix_nano=signed(exemplar.time_unix_nano),
            **_number(exemplar),
            span_id=exemplar.span_id or None,
            trace_id=exemplar.trace_id or None,
        )
        self.rows.add_attributes(f"{stem}_dp_exemplar_attrs", number, exemplar.filtered_attributes)


def _number(point: Any) -> dict[str, Any]:
    kind = point.WhichOneof("value")
    return {
        "int_value": point.as_int if kind == "as_int" else None,
        "double_value": point.as_double if kind == "as_double" else None,
    }


def _optional(point: Any, *names: str) -> dict[str, Any]:
    return {name: getattr(point, name) if point.HasField(name) else None for name in names}


def _histogram(point: Any) -> dict[str, Any]:
    return {
        "count": point.count,
        **_optional(point, "sum", "min", "max"),
        "bucket_counts": list(point.bucket_counts),
        "explicit_bounds": list(point.explicit_bounds),
    }


def _exp_histogram(point: Any) -> dict[str, Any]:
    return {
        "count": point.count,
        **_optional(point, "sum", "min", "max"),
        "scale": point.scale,
        "zero_count": point.zero_count,
        "zero_threshold": point.zero_threshold,
        "positive": _buckets(point, "positive"),
        "negative": _buckets(point, "negative"),
    }


def _buckets(point: Any, sign: str) -> dict[str, Any] | None:
    buckets = getattr(point, sign)
    if not point.HasField(sign):
        return None
    return {"offset": buckets.offset, "bucket_counts": list(buckets.bucket_counts)}


def _summary(point: Any) -> dict[str, Any]:
    quantiles = [{"quantile": value.quantile, "value": value.value} for value in point.quantile_values]
    return {"count": point.count, "sum": point.sum, "quantile": quantiles}


POINT_COLUMNS: dict[str, Callable[[Any], dict[str, Any]]] = {
    "number": _number,
    "histogram": _histogram,
    "exp_histogram": _exp_histogram,
    "summary": _summary,
}
