"""Random recordings: traces of a few spans in a few services, with what samplers look at."""

import struct
import tempfile
from pathlib import Path

from hypothesis import strategies as st
from opentelemetry.proto.trace.v1.trace_pb2 import TracesData
from systems import attribute

from workbench import otlp

START = 1_700_000_000_000_000_000
SERVICES = ("front", "stock", "pay")


def read(message: TracesData):
    """Read a message as a recording."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "traces.binpb"
        path.write_bytes(message.SerializeToString())
        return otlp.read(path)


@st.composite
def forests(draw, *, max_traces=5, max_spans=6, seconds=8):
    """Return spans as dictionaries, in order of rows; parents by position in the trace, None for roots."""
    spans = []
    for number in range(draw(st.integers(1, max_traces))):
        trace_id = draw(st.binary(min_size=16, max_size=16).filter(any))
        count = draw(st.integers(1, max_spans))
        for at in range(count):
            start = draw(st.integers(0, seconds * 1000))
            spans.append(
                {
                    "trace": number,
                    "trace_id": trace_id[:15] + bytes([number + 1]),
                    "span_id": struct.pack(">Q", number * 100 + at + 1),
                    "parent": draw(st.one_of(st.none(), st.integers(0, at - 1))) if at else None,
                    "orphan": draw(st.integers(0, 9)) == 0,
                    "service": draw(st.sampled_from(SERVICES)),
                    "start_ms": start,
                    "ms": draw(st.integers(0, 3000)),
                    "status": draw(st.sampled_from([0, 0, 0, 1, 2])),
                    "flags": draw(st.sampled_from([0, 0, 1, 0x101, 0x300])),
                    "attributes": draw(ATTRIBUTES),
                    "state": draw(st.sampled_from(["", "", "k=v", "k=w,ot=th:8", "broken"])),
                }
            )
    return draw(st.permutations(spans))


ATTRIBUTES = st.dictionaries(
    st.sampled_from(["a", "b"]),
    st.one_of(st.integers(-3, 3), st.sampled_from(["x", "xy", ""]), st.booleans(), st.sampled_from([0.5])),
    max_size=2,
)


def message(spans) -> TracesData:
    """Return the spans as an OTLP message, one resource a service; rows keep this order within a service."""
    made = TracesData()
    for service in SERVICES:
        mine = [span for span in spans if span["service"] == service]
        if not mine:
            continue
        envelope = made.resource_spans.add()
        envelope.resource.attributes.append(attribute("service.name", service))
        envelope.resource.attributes.append(attribute("b", service == "pay"))
        scope = envelope.scope_spans.add()
        for span in mine:
            found = scope.spans.add(
                trace_id=span["trace_id"],
                span_id=span["span_id"],
                parent_span_id=parent_id(spans, span),
                name=f"span {span['span_id'].hex()}",
                start_time_unix_nano=START + span["start_ms"] * 1_000_000,
                end_time_unix_nano=START + (span["start_ms"] + span["ms"]) * 1_000_000,
                flags=span["flags"],
                trace_state=span["state"],
                attributes=[attribute(key, value) for key, value in span["attributes"].items()],
            )
            found.status.code = span["status"]
    return made


def parent_id(spans, span) -> bytes:
    """Return the id that a span names as its parent; an orphan's is recorded nowhere."""
    if span["parent"] is None:
        return b""
    if span["orphan"]:
        return b"\xff" * 8
    return struct.pack(">Q", span["trace"] * 100 + span["parent"] + 1)


def in_row_order(spans):
    """Return the spans as the recording has them."""
    return [span for service in SERVICES for span in spans if span["service"] == service]
