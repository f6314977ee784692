"""Reading files: ours against the official library's parser over the same frames, and the sizes of all forms.

python tests/benchmarks/storage.py
"""

import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from opentelemetry.proto.trace.v1.trace_pb2 import TracesData

from workbench import otlp

RUNS = 5
COPIES = 10
DATASET = Path(__file__).parents[2] / "datasets" / "checkout" / "traces.otlp.zst"
FORMS = ["otlp", "otlp.gz", "otlp.zst", "jsonl", "jsonl.zst", "arrow", "parquet"]


def cpu_seconds(run: Callable[[], object]) -> float:
    start = time.process_time()
    run()
    return time.process_time() - start


def parse_frames(path: Path) -> int:
    """Parse every frame by the official library: messages, and no tables yet."""
    data, at, count = path.read_bytes(), 0, 0
    while at < len(data):
        size = int.from_bytes(data[at : at + 4], "big")
        TracesData.FromString(data[at + 4 : at + 4 + size])
        at, count = at + 4 + size, count + 1
    return count


def main() -> None:
    traces = otlp.read(DATASET)
    with tempfile.TemporaryDirectory() as folder:
        sizes, times = {}, {}
        for form in FORMS:
            path = Path(folder) / f"traces.{form}"
            sizes[form] = otlp.write([traces] * COPIES, path).written_bytes
        framed = Path(folder) / "traces.otlp"
        readers = {form: lambda form=form: otlp.read(Path(folder) / f"traces.{form}") for form in FORMS}
        readers["official parser, no tables"] = lambda: parse_frames(framed)
        for reader in readers.values():
            reader()
        for _ in range(RUNS):
            for name, reader in readers.items():
                times.setdefault(name, []).append(cpu_seconds(reader))
    ours = statistics.median(times["otlp"])
    for name, seconds in times.items():
        size = f", {sizes[name] / sizes['otlp']:.3f} of the bytes" if name in sizes else ""
        print(f"{name}: {statistics.median(seconds) / ours:.2f} x the time of otlp{size}")


if __name__ == "__main__":
    main()
