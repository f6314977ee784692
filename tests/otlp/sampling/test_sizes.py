"""Sizes computed from columns are those that the official protobuf library counts."""

import numpy as np
from hypothesis import given, settings
from otlp.sampling.forests import forests, message, read
from strategies import TRACES_DATA

from workbench.otlp.sampling._sizes import arrival_bytes, span_bytes


def framed(size):
    """Return the size of a message with a tag and its length."""
    return 1 + len(f"{size:b}") // 7 + (len(f"{size:b}") % 7 > 0) + size


@settings(max_examples=30)
@given(TRACES_DATA)
def test_spans_of_every_kind_have_the_size_of_their_message(data):
    """But for attributes whose value is missing, which are counted as empty ones: two bytes more."""
    spans = [span for rs in data.resource_spans for ss in rs.scope_spans for span in ss.spans]
    if not spans:
        return
    found = span_bytes(read(data)).tolist()
    for span, size in zip(spans, found, strict=True):
        lists = [
            span.attributes,
            *(event.attributes for event in span.events),
            *(one.attributes for one in span.links),
        ]
        missing = sum(not pair.HasField("value") for pairs in lists for pair in pairs)
        exact = framed(span.ByteSize())
        assert exact <= size <= exact + 6 * missing


@settings(max_examples=30)
@given(forests())
def test_whole_traces_have_the_size_of_their_messages_up_to_two_bytes_an_envelope(spans):
    data = message(spans)
    traces = read(data)
    trace = traces.structure.trace
    found = np.bincount(trace, arrival_bytes(traces, np.array(trace), np.arange(len(traces))))
    ids = traces["trace_id"].to_pylist()
    for number in range(int(trace.max()) + 1):
        wanted = ids[int(np.flatnonzero(trace == number)[0])]
        alone = message([span for span in spans if span["trace_id"] == wanted])
        for envelope in alone.resource_spans:
            kept = [span for span in envelope.scope_spans[0].spans if span.trace_id == wanted]
            assert len(kept) == len(envelope.scope_spans[0].spans)
        assert abs(found[number] - alone.ByteSize()) <= 4 * len(alone.resource_spans)
