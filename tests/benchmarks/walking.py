"""Parsing with the official package and walking its objects into tables: what one writes without a codec.

It makes the tables of traces that `otlp.Traces.tables` has, with every field but unknown ones; attributes are
typed columns. The columns are lists of Python objects, and resource and scope are ids instead of structs.
"""

from collections import defaultdict

import pyarrow as pa
from otlp_data import CLASSES

KINDS = {
    "string_value": ("str", 1),
    "int_value": ("int", 2),
    "double_value": ("double", 3),
    "bool_value": ("bool", 4),
    "kvlist_value": ("ser", 5),
    "array_value": ("ser", 6),
    "bytes_value": ("bytes", 7),
}
TYPES = {"str": pa.string(), "int": pa.int64(), "double": pa.float64(), "bool": pa.bool_()} | dict.fromkeys(
    ("ser", "bytes"), pa.binary()
)


class Attributes:
    def __init__(self):
        self.parents, self.keys, self.types = [], [], []
        self.values = {name: [] for name in TYPES}

    def add(self, parent, pairs):
        for pair in pairs:
            self.parents.append(parent)
            self.keys.append(pair.key)
            kind = pair.value.WhichOneof("value")
            column, number = KINDS.get(kind, ("", 0))
            self.types.append(number)
            for name, values in self.values.items():
                if name != column:
                    values.append(None)
                elif name == "ser":
                    values.append(getattr(pair.value, kind).SerializeToString())
                else:
                    values.append(getattr(pair.value, kind))

    def table(self):
        values = {name: pa.array(values, TYPES[name]) for name, values in self.values.items()}
        return pa.table({"parent_id": self.parents, "key": self.keys, "type": self.types} | values)


class Walk:
    def __init__(self):
        self.columns = defaultdict(lambda: defaultdict(list))
        self.counts = defaultdict(int)
        self.attributes = defaultdict(Attributes)

    def row(self, table, **fields):
        columns = self.columns[table]
        for name, value in fields.items():
            columns[name].append(value)
        self.counts[table] += 1
        return self.counts[table] - 1

    def message(self, data):
        for envelope in CLASSES["traces"].FromString(data).resource_spans:
            dropped = envelope.resource.dropped_attributes_count
            resource = self.row("resources", schema_url=envelope.schema_url, dropped=dropped)
            self.attributes["resource_attrs"].add(resource, envelope.resource.attributes)
            for group in envelope.scope_spans:
                scope = self.row(
                    "scopes",
                    resource=resource,
                    name=group.scope.name,
                    version=group.scope.version,
                    dropped=group.scope.dropped_attributes_count,
                    schema_url=group.schema_url,
                )
                self.attributes["scope_attrs"].add(scope, group.scope.attributes)
                for span in group.spans:
                    self.span(scope, span)

    def span(self, scope, span):
        row = self.row(
            "spans",
            scope=scope,
            start_time_unix_nano=span.start_time_unix_nano,
            end_time_unix_nano=span.end_time_unix_nano,
            trace_id=span.trace_id,
            span_id=span.span_id,
            trace_state=span.trace_state,
            parent_span_id=span.parent_span_id,
            name=span.name,
            kind=span.kind,
            flags=span.flags,
            dropped_attributes_count=span.dropped_attributes_count,
            dropped_events_count=span.dropped_events_count,
            dropped_links_count=span.dropped_links_count,
            status_code=span.status.code,
            status_message=span.status.message,
        )
        self.attributes["span_attrs"].add(row, span.attributes)
        for event in span.events:
            number = self.row(
                "span_events",
                parent=row,
                time_unix_nano=event.time_unix_nano,
                name=event.name,
                dropped=event.dropped_attributes_count,
            )
            self.attributes["span_event_attrs"].add(number, event.attributes)
        for link in span.links:
            number = self.row(
                "span_links",
                parent=row,
                trace_id=link.trace_id,
                span_id=link.span_id,
                trace_state=link.trace_state,
                dropped=link.dropped_attributes_count,
                flags=link.flags,
            )
            self.attributes["span_link_attrs"].add(number, link.attributes)

    def tables(self):
        rows = {name: pa.table(columns) for name, columns in self.columns.items()}
        return rows | {name: attributes.table() for name, attributes in self.attributes.items()}


def walk(messages):
    """Return the tables of all messages."""
    found = Walk()
    for data in messages:
        found.message(data)
    return found.tables()
