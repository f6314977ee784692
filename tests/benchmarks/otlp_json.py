"""OTLP/JSON against Python's own JSON: interleaved in one process, medians of CPU time, as ratios.

The peers of decoding are `json.loads` and a walk over what it returns, to rows; and the official library's
mapping. Those of encoding are the official mapping and `json.dumps`.

python tests/benchmarks/otlp_json.py
"""

import base64
import json
import statistics
import struct
import time
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
from google.protobuf import json_format
from opentelemetry.proto.logs.v1.logs_pb2 import LogsData
from opentelemetry.proto.metrics.v1.metrics_pb2 import MetricsData
from opentelemetry.proto.trace.v1.trace_pb2 import TracesData

from workbench.otlp.codec._json_transcode import json_to_protobuf, protobuf_to_json
from workbench.otlp.codec._star_decoder import StarDecoder

RUNS = 15
DATASET = Path(__file__).parents[2] / "datasets" / "checkout"
KINDS = {"traces": TracesData, "metrics": MetricsData, "logs": LogsData}
IDS = {"traceId", "spanId", "parentSpanId"}
MOST_MESSAGES = 120  # of a recording: enough to measure


def cpu_seconds(run: Callable[[], object]) -> float:
    start = time.process_time()
    run()
    return time.process_time() - start


def compare(name: str, size: int, ours: Callable[[], object], peers: dict[str, Callable[[], object]]) -> None:
    """Print how fast ours is, and how many times longer each peer takes; all run once before."""
    everyone = {"ours": ours, **peers}
    times: dict[str, list[float]] = {who: [] for who in everyone}
    for run in everyone.values():
        run()
    for _ in range(RUNS):
        for who, run in everyone.items():
            times[who].append(cpu_seconds(run))
    medians = {who: statistics.median(seconds) for who, seconds in times.items()}
    ratios = ", ".join(f"{who} {medians[who] / medians['ours']:.1f}x" for who in peers)
    print(f"{name}: {size / medians['ours'] / 1e6:.0f} MB/s of JSON; {ratios}")


def walk(value: object, path: str, rows: list[tuple[str, object]]) -> None:
    """Append every leaf with its path: the least that a reader of the dictionaries does."""
    if isinstance(value, dict):
        for key, item in value.items():
            walk(item, key, rows)
    elif isinstance(value, list):
        for item in value:
            walk(item, path, rows)
    else:
        rows.append((path, value))


def spans_of(text: bytes) -> list[tuple[object, ...]]:
    """Return rows of spans, as a reader who knows the format writes it."""
    return [
        (
            bytes.fromhex(span["traceId"]),
            bytes.fromhex(span["spanId"]),
            span.get("parentSpanId"),
            span["name"],
            int(span["startTimeUnixNano"]),
            int(span["endTimeUnixNano"]),
            {pair["key"]: next(iter(pair["value"].values()), None) for pair in span.get("attributes", ())},
        )
        for resource in json.loads(text)["resourceSpans"]
        for scope in resource["scopeSpans"]
        for span in scope["spans"]
    ]


def leaves_of(text: bytes) -> list[tuple[str, object]]:
    rows: list[tuple[str, object]] = []
    walk(json.loads(text), "", rows)
    return rows


def ids_to_base64(value: object, encode: Callable[[str], str]) -> object:
    if isinstance(value, list):
        return [ids_to_base64(item, encode) for item in value]
    if isinstance(value, dict):
        return {k: encode(item) if k in IDS else ids_to_base64(item, encode) for k, item in value.items()}
    return value


def recording(signal: str) -> tuple[type, bytes]:
    """Return the class of the checkout recording's messages, and one message of its first records."""
    packed = pa.OSFile(str(DATASET / f"{signal}.otlp.zst"))
    data = pa.CompressedInputStream(packed, "zstd").read()
    merged, at = KINDS[signal](), 0
    for _ in range(MOST_MESSAGES):
        (size,) = struct.unpack_from(">I", data, at)
        merged.MergeFromString(data[at + 4 : at + 4 + size])
        at += 4 + size
        if at == len(data):
            break
    return type(merged), merged.SerializeToString(deterministic=True)


def main() -> None:
    for signal in ("traces", "metrics", "logs"):
        kind, wire = recording(signal)
        text = protobuf_to_json(signal, wire)
        assert json_to_protobuf(signal, text) == wire
        message = kind.FromString(wire)
        mapped = json.dumps(
            ids_to_base64(json.loads(text), lambda text: base64.b64encode(bytes.fromhex(text)).decode())
        )
        decoders = {
            "json.loads": lambda text=text: json.loads(text),
            "loads and walk to leaves": lambda text=text: leaves_of(text),
            "official": lambda mapped=mapped, kind=kind: json_format.Parse(mapped, kind()),
        }
        if signal == "traces":
            decoders["loads and walk to spans"] = lambda text=text: spans_of(text)
        compare(
            f"{signal}, {len(text):,} bytes, decode to protobuf",
            len(text),
            lambda signal=signal, text=text: json_to_protobuf(signal, text),
            decoders,
        )
        decoder = StarDecoder(signal)
        compare(
            f"{signal}, decode to columns",
            len(text),
            lambda decoder=decoder, text=text: decoder.decode(text, encoding="json", unknown="count"),
            decoders,
        )
        compare(
            f"{signal}, encode",
            len(text),
            lambda signal=signal, wire=wire: protobuf_to_json(signal, wire),
            {"official": lambda message=message: json_format.MessageToJson(message, indent=None)},
        )


if __name__ == "__main__":
    main()
