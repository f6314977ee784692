"""The codec against the official protobuf package (upb): parsing, serializing, both; and walking into tables.

Interleaved in one process, CPU time, decoders that have seen the data. Above 1: workbench is faster.
"""

import gc
import statistics
import time

import pyarrow as pa
from otlp_data import CLASSES, SIGNALS

from workbench import otlp

RUNS = 15


def walk(messages):
    """Parse and walk into flat Arrow tables, as people write it."""
    names, starts, ends, trace_ids, span_ids, parents, keys, values = ([] for _ in range(8))
    row = 0
    for data in messages:
        for envelope in CLASSES["traces"].FromString(data).resource_spans:
            for scope in envelope.scope_spans:
                for span in scope.spans:
                    names.append(span.name)
                    starts.append(span.start_time_unix_nano)
                    ends.append(span.end_time_unix_nano)
                    trace_ids.append(span.trace_id)
                    span_ids.append(span.span_id)
                    for pair in span.attributes:
                        parents.append(row)
                        keys.append(pair.key)
                        kind = pair.value.WhichOneof("value")
                        values.append(str(getattr(pair.value, kind)) if kind else None)
                    row += 1
    spans = pa.table(
        {"name": names, "start": starts, "end": ends, "trace_id": trace_ids, "span_id": span_ids}
    )
    return spans, pa.table({"parent_id": parents, "key": keys, "value": values})


def measure(functions, runs=RUNS):
    """Return median and minimum CPU seconds of each function, run in turn."""
    found = {name: [] for name in functions}
    for _ in range(runs):
        for name, function in functions.items():
            gc.collect()
            start = time.process_time()
            function()
            found[name].append(time.process_time() - start)
    return {name: (statistics.median(times), min(times)) for name, times in found.items()}


def compare(signal):
    messages, kind = SIGNALS[signal](), CLASSES[signal]
    decoder, buffer = otlp.Decoder(signal), bytearray(1 << 24)
    decoded = [decoder.decode(data) for data in messages]
    parsed = [kind.FromString(data) for data in messages]
    assert all(part.to_otlp() == data for part, data in zip(decoded, messages, strict=True))

    def encode_into():
        for part in decoded:
            part.to_otlp(into=buffer).release()

    def decode_encode():
        for data in messages:
            decoder.decode(data).to_otlp(into=buffer).release()

    times = measure(
        {
            "decode": lambda: [decoder.decode(data) for data in messages],
            "parse": lambda: [kind.FromString(data) for data in messages],
            "encode into": encode_into,
            "encode": lambda: [part.to_otlp() for part in decoded],
            "serialize": lambda: [message.SerializeToString() for message in parsed],
            "decode, encode": decode_encode,
            "parse, serialize": lambda: [kind.FromString(data).SerializeToString() for data in messages],
        }
    )
    size = sum(map(len, messages))
    print(f"{signal}: {len(messages)} messages, {size / 1e6:.1f} MB; median (minimum)")
    for name, peer in (
        ("decode", "parse"),
        ("encode into", "serialize"),
        ("encode", "serialize"),
        ("decode, encode", "parse, serialize"),
    ):
        (median, least), (peer_median, peer_least) = times[name], times[peer]
        ratio = f"{peer_median / median:.2f}x ({peer_least / least:.2f}x)"
        print(f"  {name:16s} {ratio:18s} {peer:18s} {size / least / 1e9:.2f} GB/s")


def compare_walking():
    messages = SIGNALS["traces"]()
    decoder = otlp.Decoder("traces")

    def tables():
        found = [decoder.decode(data).tables for data in messages]
        return [(table["spans"], table["span_attrs"]) for table in found]

    times = measure(
        {
            "columns": lambda: [decoder.decode(data) for data in messages],
            "tables": tables,
            "walk": lambda: walk(messages),
        },
        runs=3,
    )
    for name in ("columns", "tables"):
        print(f"traces to {name}: {times['walk'][0] / times[name][0]:.1f}x parsing plus walking into tables")


if __name__ == "__main__":
    for signal in SIGNALS:
        compare(signal)
    compare_walking()
