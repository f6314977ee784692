"""Naive twins: what our fast or clever code must agree with, written as plainly as possible."""

from opentelemetry.proto.common.v1.common_pb2 import AnyValue, KeyValue
from opentelemetry.proto.logs.v1.logs_pb2 import LogsData
from opentelemetry.proto.metrics.v1.metrics_pb2 import MetricsData
from opentelemetry.proto.trace.v1.trace_pb2 import TracesData

UINT64 = 2**64
VALUE_FIELDS = {
    1: ("string_value", "str"),
    2: ("int_value", "int"),
    3: ("double_value", "double"),
    4: ("bool_value", "bool"),
    7: ("bytes_value", "bytes"),
}
ENVELOPES = {
    "traces": (TracesData, "resource_spans", "scope_spans", "spans"),
    "metrics": (MetricsData, "resource_metrics", "scope_metrics", "metrics"),
    "logs": (LogsData, "resource_logs", "scope_logs", "log_records"),
}
POINTS = {
    1: ("gauge", "number"),
    2: ("sum", "number"),
    3: ("histogram", "histogram"),
    4: ("exponential_histogram", "exp_histogram"),
    5: ("summary", "summary"),
}


def rebuild(telemetry):
    """Return the official message that the tables hold: the inverse of reading, a Python object a record."""
    return _Rebuild(telemetry).message()


class _Rebuild:
    def __init__(self, telemetry):
        self.signal = telemetry.signal
        self.records = _integers(telemetry.records).to_pylist()
        self.children = {}
        for name, table in telemetry.tables.items():
            if "parent_id" in table.schema.names:
                for row in _integers(table).to_pylist():
                    self.children.setdefault((name, row["parent_id"]), []).append(row)

    def of(self, table, parent):
        return self.children.get((table, parent), [])

    def message(self):
        kind, resources, scopes, records = ENVELOPES[self.signal]
        message, last = kind(), (None, None)
        for row in self.records:
            if row["resource"]["id"] != last[0]:
                in_resource = getattr(message, resources).add(schema_url=row["resource"]["schema_url"])
                self.resource(in_resource.resource, row["resource"])
            if (row["resource"]["id"], row["scope"]["id"]) != last:
                in_scope = getattr(in_resource, scopes).add(schema_url=row["schema_url"])
                self.scope(in_scope.scope, row["scope"])
            last = (row["resource"]["id"], row["scope"]["id"])
            {"traces": self.span, "metrics": self.metric, "logs": self.log}[self.signal](
                getattr(in_scope, records).add(), row
            )
        return message

    def resource(self, resource, row):
        resource.SetInParent()
        resource.dropped_attributes_count = row["dropped_attributes_count"]
        self.attributes(resource.attributes, "resource_attrs", row["id"])
        for reference in self.of("resource_entity_refs", row["id"]):
            reference.pop("parent_id")
            resource.entity_refs.add(**reference)

    def scope(self, scope, row):
        scope.SetInParent()
        for name in ("name", "version", "dropped_attributes_count"):
            setattr(scope, name, row[name])
        self.attributes(scope.attributes, "scope_attrs", row["id"])

    def attributes(self, attributes, table, parent):
        for row in self.of(table, parent):
            attributes.append(KeyValue(key=row["key"], value=value(row)))

    def span(self, span, row):
        copy(span, row, ["trace_state", "name", "kind", "flags", "trace_id", "span_id", "parent_span_id"])
        copy(span, row, [f"dropped_{what}_count" for what in ("attributes", "events", "links")])
        span.start_time_unix_nano = row["start_time_unix_nano"] % UINT64
        span.end_time_unix_nano = (row["start_time_unix_nano"] + row["duration_time_unix_nano"]) % UINT64
        self.attributes(span.attributes, "span_attrs", row["id"])
        if row["status"] is not None:
            span.status.SetInParent()
            span.status.code, span.status.message = row["status"]["code"], row["status"]["status_message"]
        for child in self.of("span_events", row["id"]):
            event = span.events.add(time_unix_nano=child["time_unix_nano"] % UINT64)
            copy(event, child, ["name", "dropped_attributes_count"])
            self.attributes(event.attributes, "span_event_attrs", child["id"])
        for child in self.of("span_links", row["id"]):
            link = span.links.add()
            copy(link, child, ["trace_id", "span_id", "trace_state", "flags", "dropped_attributes_count"])
            self.attributes(link.attributes, "span_link_attrs", child["id"])

    def log(self, record, row):
        copy(record, row, ["trace_id", "span_id", "severity_number", "severity_text", "flags", "event_name"])
        record.dropped_attributes_count = row["dropped_attributes_count"]
        record.time_unix_nano = row["time_unix_nano"] % UINT64
        record.observed_time_unix_nano = row["observed_time_unix_nano"] % UINT64
        self.attributes(record.attributes, "log_attrs", row["id"])
        if row["body"] is not None:
            record.body.CopyFrom(value(row["body"]))
            record.body.SetInParent()

    def metric(self, metric, row):
        copy(metric, row, ["name", "description", "unit"])
        self.attributes(metric.metadata, "metric_attrs", row["id"])
        if row["metric_type"]:
            field, stem = POINTS[row["metric_type"]]
            data = getattr(metric, field)
            data.SetInParent()
            copy(data, row, ["aggregation_temporality", "is_monotonic"])
            for child in self.of(f"{stem}_data_points", row["id"]):
                self.point(data.data_points.add(), stem, child)

    def point(self, point, stem, row):
        point.start_time_unix_nano = row["start_time_unix_nano"] % UINT64
        point.time_unix_nano = row["time_unix_nano"] % UINT64
        copy(point, row, ["flags", "count", "sum", "min", "max", "scale", "zero_count", "zero_threshold"])
        number(point, row)
        for name in ("bucket_counts", "explicit_bounds"):
            if name in row:
                getattr(point, name).extend(row[name])
        for sign in ("positive", "negative"):
            if row.get(sign) is not None:
                getattr(point, sign).SetInParent()
                getattr(point, sign).offset = row[sign]["offset"]
                getattr(point, sign).bucket_counts.extend(row[sign]["bucket_counts"])
        for quantile in row.get("quantile", ()):
            point.quantile_values.add(**quantile)
        self.attributes(point.attributes, f"{stem}_dp_attrs", row["id"])
        for child in self.of(f"{stem}_dp_exemplars", row["id"]):
            exemplar = point.exemplars.add(time_unix_nano=child["time_unix_nano"] % UINT64)
            copy(exemplar, child, ["trace_id", "span_id"])
            number(exemplar, child)
            self.attributes(exemplar.filtered_attributes, f"{stem}_dp_exemplar_attrs", child["id"])


def _integers(table):
    """Return a table with times and durations as integers."""
    for at, field in enumerate(table.schema):
        if "timestamp" in str(field.type) or "duration" in str(field.type):
            table = table.set_column(at, field.name, table[field.name].cast("int64"))
    return table


def copy(message, row, names):
    for name in names:
        if row.get(name) is not None:
            setattr(message, name, row[name])


def number(point, row):
    if row.get("int_value") is not None:
        point.as_int = row["int_value"]
    if row.get("double_value") is not None:
        point.as_double = row["double_value"]


def value(row):
    if row["type"] in VALUE_FIELDS:
        field, column = VALUE_FIELDS[row["type"]]
        return AnyValue(**{field: row[column]})
    return AnyValue.FromString(row["ser"]) if row["type"] else AnyValue()


def union_length(intervals):
    """Return the length that integer intervals [start, stop) cover together."""
    return len({point for start, stop in intervals for point in range(start, stop)})
