"""Traces built by hand, in which everything is known."""

from opentelemetry.proto.common.v1.common_pb2 import AnyValue, ArrayValue, KeyValue
from opentelemetry.proto.trace.v1.trace_pb2 import TracesData

from workbench import otlp

START = 1_700_000_000_000_000_000  # 2023-11-14T22:13:20Z
MS = 1_000_000
SERVER, CLIENT, ERROR = 2, 3, 2


def attribute(key, value):
    kinds = {str: "string_value", bool: "bool_value", int: "int_value", float: "double_value"}
    if isinstance(value, list):
        array = ArrayValue(values=[AnyValue(**{kinds[type(item)]: item}) for item in value])
        return KeyValue(key=key, value=AnyValue(array_value=array))
    return KeyValue(key=key, value=AnyValue(**{kinds[type(value)]: value}))


class System:
    """Builds spans by service; ids are small numbers."""

    def __init__(self):
        self.message = TracesData()
        self.scopes = {}

    def span(
        self, service, trace, span, *, parent=0, at_ms=0, ms=10, name="", kind=SERVER, error=False, **attrs
    ):
        if service not in self.scopes:
            envelope = self.message.resource_spans.add(schema_url="https://example.com/schema")
            envelope.resource.attributes.append(attribute("service.name", service))
            self.scopes[service] = envelope.scope_spans.add()
            self.scopes[service].scope.name = "made by hand"
        found = self.scopes[service].spans.add(
            trace_id=trace.to_bytes(16, "big"),
            span_id=span.to_bytes(8, "big"),
            parent_span_id=parent.to_bytes(8, "big") if parent else b"",
            name=name or f"{service} work",
            kind=kind,
            start_time_unix_nano=START + at_ms * MS,
            end_time_unix_nano=START + (at_ms + ms) * MS,
            attributes=[attribute(key.replace("__", "."), value) for key, value in attrs.items()],
        )
        if error:
            found.status.code = ERROR
        return found

    def traces(self, folder):
        path = folder / "traces.binpb"
        path.write_bytes(self.message.SerializeToString())
        return otlp.read(path)
