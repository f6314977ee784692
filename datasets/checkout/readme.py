"""Writes the README of a recording from `README.template.md` and from what was recorded."""

from __future__ import annotations

import importlib.metadata
import platform
import shlex
import sqlite3
import statistics
from collections import Counter, defaultdict
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from string import Template
from typing import TYPE_CHECKING, Any

import calls
import capture
import catalogue
import fault
import gateway
import inventory
import load
import payment
import telemetry
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

NO_FAULT = "No fault was injected."
PACKAGES = (
    "httpx",
    "opentelemetry-exporter-otlp-proto-http",
    "opentelemetry-instrumentation-asgi",
    "opentelemetry-instrumentation-httpx",
    "opentelemetry-instrumentation-logging",
    "opentelemetry-instrumentation-sqlite3",
    "opentelemetry-instrumentation-starlette",
    "opentelemetry-proto",
    "opentelemetry-sdk",
    "protobuf",
    "starlette",
    "uvicorn",
)
STATUSES = (*sorted(set(gateway.STATUS_OF.values())), load.NO_ANSWER)

_TEMPLATE = Path(__file__).with_name("README.template.md")


@dataclass(frozen=True, slots=True)
class Story:
    """What happened in a recording; times in seconds since 1970, `contents` the frames of each signal."""

    argv: Sequence[str]
    machine: str  # what of it matters to the durations
    culprit: str
    t0_s: float
    seconds: float
    rate_hz: float
    windows: Sequence[tuple[str, float, float]]  # (kind, from, to)
    seen: Sequence[load.Seen]
    contents: dict[str, bytes]


def write(story: Story, sizes: dict[str, int]) -> str:
    """Return the text of the README; `sizes` maps each file to its bytes."""
    return Template(_TEMPLATE.read_text()).substitute(
        _settings(),
        date=_utc(story.t0_s)[:10],
        command=_command(story.argv),
        machine=story.machine,
        t0=_utc(story.t0_s),
        seconds=f"{story.seconds:g}",
        rate=f"{story.rate_hz:g}",
        browse_rate=f"{story.rate_hz * load.BROWSING:g}",
        faults=_faults(story),
        answers=_answers(story),
        late_ms=f"{1e3 * max((seen.late_s for seen in story.seen), default=0.0):.0f}",
        files=_files(story.contents, sizes),
        traces=_traces(story.contents["traces"]),
        versions=_versions(),
    )


def _settings() -> dict[str, str]:
    return {
        "timeout_ms": f"{1e3 * calls.TIMEOUT_S:.0f}",
        "retries": f"{calls.RETRIES}",
        "backoff_ms": f"{1e3 * calls.BACKOFF_S:.0f}",
        "slow_ms": f"{1e3 * fault.SLOW_MEDIAN_S:.0f}",
        "slow_sigma": f"{fault.SLOW_SIGMA:g}",
        "failing_percent": f"{100 * fault.FAILING_SHARE:.0f}",
        "declined_percent": f"{100 * load.DECLINED_SHARE:.0f}",
        "rounds": f"{payment.PBKDF2_ROUNDS}",
        "ledger_rows": f"{inventory.LEDGER_ROWS}",
        "stocktake_s": f"{inventory.STOCKTAKE_INTERVAL_S:g}",
        "long_wait_ms": f"{1e3 * inventory.LONG_WAIT_S:.0f}",
        "carts": f"{catalogue.CARTS}",
        "batch_s": f"{telemetry.BATCH_DELAY_MS / 1e3:g}",
        "metric_s": f"{telemetry.METRIC_INTERVAL_MS / 1e3:g}",
        "zstd_level": f"{capture.ZSTD_LEVEL}",
    }


def _command(argv: Sequence[str]) -> str:
    """Return the command line without the folder it wrote to, which names a disk."""
    words = iter(argv)
    kept = []
    for word in words:
        if word == "--out":
            next(words)
        elif not word.startswith("--out="):
            kept.append(word)
    return shlex.join(["python", "datasets/checkout/record.py", *kept])


def _utc(time_s: float) -> str:
    return datetime.fromtimestamp(time_s, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _faults(story: Story) -> str:
    if not story.windows:
        sentence = NO_FAULT
    else:
        sentence = (
            f"The culprit is `{story.culprit}`. The times are those at which it switched, by its own clock."
        )
    rows = [
        (kind, story.culprit, f"{start - story.t0_s:.3f}", f"{end - story.t0_s:.3f}", _utc(start), _utc(end))
        for kind, start, end in story.windows
    ]
    return (
        f"{sentence}\n\n{_table(('kind', 'service', 'from (s)', 'to (s)', 'from (UTC)', 'to (UTC)'), rows)}"
    )


def _answers(story: Story) -> str:
    phases: dict[str, list[load.Seen]] = {
        kind: [] for kind in ("healthy", *(kind for kind, _, _ in story.windows))
    }
    for seen in story.seen:
        if seen.arrival.path == "/checkout":
            phases[_phase(story, seen)].append(seen)
    answers = ("no answer" if status == load.NO_ANSWER else status for status in STATUSES)
    header = ("checkouts sent while", "number", *answers, "median (ms)", "p95 (ms)")
    return _table(header, [(name, *_summary(seen)) for name, seen in phases.items()])


def _phase(story: Story, seen: load.Seen) -> str:
    sent_s = story.t0_s + seen.arrival.at_s
    return next((kind for kind, start, end in story.windows if start <= sent_s < end), "healthy")


def _summary(seen: list[load.Seen]) -> tuple[Any, ...]:
    counts = Counter(one.status for one in seen)
    durations_ms = sorted(1e3 * one.duration_s for one in seen)
    quantiles = (f"{durations_ms[int(share * len(seen))]:.0f}" if seen else "" for share in (0.5, 0.95))
    return (len(seen), *(counts[status] for status in STATUSES), *quantiles)


def _files(contents: dict[str, bytes], sizes: dict[str, int]) -> str:
    holdings = {
        "traces": f"{sum(1 for _ in spans(contents['traces']))} spans",
        "metrics": f"{_number_of_points(contents['metrics'])} points",
        "logs": f"{_number_of_records(contents['logs'])} records",
    }
    rows = [
        (
            f"`{signal}.otlp.zst`",
            f"{sum(1 for _ in capture.messages(contents[signal]))} messages",
            holding,
            len(contents[signal]),
            sizes[f"{signal}.otlp.zst"],
        )
        for signal, holding in holdings.items()
    ]
    return _table(("file", "is", "holds", "bytes", "bytes compressed"), rows)


def _traces(frames: bytes) -> str:
    roots: dict[bytes, str] = {}
    sizes: Counter[bytes] = Counter()
    for span in spans(frames):
        sizes[span.trace_id] += 1
        if not span.parent_span_id:
            roots[span.trace_id] = span.name
    by_root: dict[str, list[int]] = defaultdict(list)
    for trace_id, name in roots.items():
        by_root[name].append(sizes[trace_id])
    rows = [
        (f"`{name}`", len(numbers), min(numbers), f"{statistics.median(numbers):g}", max(numbers))
        for name, numbers in sorted(by_root.items())
    ]
    return _table(("root span", "traces", "spans in one: least", "median", "most"), rows)


def spans(frames: bytes) -> Iterable[Any]:
    """Iterate over all spans of the traces' frames."""
    for body in capture.messages(frames):
        for resource in ExportTraceServiceRequest.FromString(body).resource_spans:
            for scope in resource.scope_spans:
                yield from scope.spans


def _number_of_points(frames: bytes) -> int:
    return sum(
        len(getattr(metric, metric.WhichOneof("data")).data_points)
        for body in capture.messages(frames)
        for resource in ExportMetricsServiceRequest.FromString(body).resource_metrics
        for scope in resource.scope_metrics
        for metric in scope.metrics
    )


def _number_of_records(frames: bytes) -> int:
    return sum(
        len(scope.log_records)
        for body in capture.messages(frames)
        for resource in ExportLogsServiceRequest.FromString(body).resource_logs
        for scope in resource.scope_logs
    )


def _versions() -> str:
    rows = [("Python", platform.python_version()), ("SQLite", sqlite3.sqlite_version)]
    rows += [(name, importlib.metadata.version(name)) for name in PACKAGES]
    return _table(("package", "version"), rows)


def _table(header: Sequence[Any], rows: Iterable[Sequence[Any]]) -> str:
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join("| " + " | ".join(map(str, line)) + " |" for line in lines)
