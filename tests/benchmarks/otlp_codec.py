"""The codec against the official protobuf package (upb): parsing, serializing, both; and walking into tables.

Interleaved in one process, CPU time, decoders that have seen the data. Above 1: workbench is faster.
"""

import gc
import statistics
import time

from otlp_data import CLASSES, SIGNALS
from walking import walk

from workbench import otlp

RUNS = 15


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

    def decode():
        for data in messages:
            decoder.decode(data)

    def parse():
        for data in messages:
            kind.FromString(data)

    times = measure(
        {
            "decode": decode,
            "parse": parse,
            "decode, all kept": lambda: [decoder.decode(data) for data in messages],
            "parse, all kept": lambda: [kind.FromString(data) for data in messages],
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
        ("decode, all kept", "parse, all kept"),
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

    ours, theirs = otlp.concat(decoder.decode(data) for data in messages).tables, walk(messages)
    assert all(ours[name].num_rows == table.num_rows for name, table in theirs.items())
    for name in ("key", "str", "int"):
        assert ours["span_attrs"][name].to_pylist() == theirs["span_attrs"][name].to_pylist()

    times = measure(
        {
            "columns": lambda: [decoder.decode(data) for data in messages],
            "tables of each message": lambda: [dict(decoder.decode(data).tables) for data in messages],
            "tables of all": lambda: dict(decoder.decode(messages).tables),
            "walk": lambda: walk(messages),
        },
        runs=5,
    )
    for name in list(times)[:-1]:
        print(f"traces to {name}: {times['walk'][0] / times[name][0]:.1f}x parsing plus walking into tables")


if __name__ == "__main__":
    for signal in SIGNALS:
        compare(signal)
    compare_walking()
