"""``workbench otlp``: look into files of telemetry, write them in another form, and receive it."""

import json
import math
from collections.abc import Iterator
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    import pyarrow as pa
    from rich.console import Console

    from workbench.otlp import DurableReceiver, OnError, Telemetry

__all__ = ["app"]

app = typer.Typer(no_args_is_help=True)


class SignalName(StrEnum):
    """The signals that a file may hold."""

    traces = "traces"
    metrics = "metrics"
    logs = "logs"
    profiles = "profiles"


File = Annotated[
    Path,
    typer.Argument(
        help="OTLP protobuf or JSON, plain, gzip or zstd; a folder of tables; a pattern in quotes."
    ),
]
SignalOption = Annotated[
    SignalName | None, typer.Option(help="What the file holds, if its name does not say.")
]
SkipOption = Annotated[
    bool, typer.Option("--skip-errors", help="Leave out what cannot be read, and count it.")
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")]
ProgressOption = Annotated[bool, typer.Option("--progress", help="Show on stderr how far reading came.")]

HEAD_COLUMNS = {
    "traces": [
        "start_time_unix_nano",
        "service.name",
        "name",
        "duration_time_unix_nano",
        "status.code",
        "trace_id",
    ],
    "metrics": ["service.name", "name", "unit", "description"],
    "logs": ["time_unix_nano", "severity_text", "service.name", "body", "trace_id"],
    "profiles": ["time_unix_nano", "service.name", "duration_nano", "period", "profile_id"],
}


def _read(file: Path, signal: SignalName | None, *, skip: bool, progress: bool) -> "Telemetry":
    from workbench import otlp

    found: Telemetry = otlp.read(
        file,
        signal=signal.value if signal else None,
        on_error=_on_error(skip=skip),
        progress=True if progress else None,
    )
    return found


def _on_error(*, skip: bool) -> "OnError":
    return "skip" if skip else "raise"


@app.command()
def inspect(
    file: File,
    signal: SignalOption = None,
    skip_errors: SkipOption = False,
    as_json: JsonOption = False,
    progress: ProgressOption = False,
) -> None:
    """Say what a file holds: signal, records, time range, services, attributes."""
    facts = _facts(file, _read(file, signal, skip=skip_errors, progress=progress))
    if as_json:
        typer.echo(json.dumps(facts, ensure_ascii=False))
    else:
        _print_facts(facts)


def _facts(file: Path, telemetry: "Telemetry") -> dict[str, Any]:
    times = telemetry.time_range()
    return {
        "file": str(file),
        "bytes": _size(file),
        "signal": telemetry.signal,
        "records": len(telemetry),
        "skipped": telemetry.skipped,
        "first": times[0].isoformat() if times else None,
        "last": times[1].isoformat() if times else None,
        "services": _services(telemetry),
        "keys": telemetry.keys(),
        "tables": {name: len(table) for name, table in telemetry.tables.items()},
    }


def _size(file: Path) -> int:
    """Return the bytes of a file, of all in a folder, or of all that a pattern matches."""
    from glob import glob

    found = [file] if file.exists() else [Path(name) for name in glob(str(file), recursive=True)]  # noqa: PTH207
    files = [inner for path in found for inner in (path.rglob("*") if path.is_dir() else [path])]
    return sum(path.stat().st_size for path in files if path.is_file())


def _services(telemetry: "Telemetry") -> dict[str, int]:
    if "service.name" not in telemetry:
        return {}
    counts = telemetry["service.name"].drop_null().value_counts().to_pylist()
    return {
        row["values"]: row["counts"]
        for row in sorted(counts, key=lambda row: (-row["counts"], row["values"]))
    }


def _print_facts(facts: dict[str, Any]) -> None:
    from rich.console import Console
    from rich.table import Table

    shown = Table("", "", show_header=False, box=None)
    for name, value in facts.items():
        shown.add_row(name, _fact_text(value))
    Console().print(shown)


def _fact_text(value: object) -> str:
    from rich.markup import escape

    if isinstance(value, dict):
        return escape(", ".join(f"{name} {count:,}" for name, count in value.items()) or "-")
    if isinstance(value, list):
        return escape(", ".join(value))
    return f"{value:,}" if isinstance(value, int) else escape(str(value))


@app.command()
def head(
    file: File,
    count: Annotated[int, typer.Option("--number", "-n", min=0, help="How many records.")] = 10,
    columns: Annotated[str, typer.Option(help="Names of columns, separated by commas; * is all.")] = "",
    signal: SignalOption = None,
    skip_errors: SkipOption = False,
    as_json: JsonOption = False,
    progress: ProgressOption = False,
) -> None:
    """Print the first records; with --json one object a line."""
    telemetry = _read(file, signal, skip=skip_errors, progress=progress)
    table = _columns(telemetry, columns).slice(0, count)
    if as_json:
        for row in _plain_rows(table):
            typer.echo(json.dumps(row, ensure_ascii=False))
    else:
        _print_table(table)
        typer.echo(f"{min(count, len(telemetry)):,} of {len(telemetry):,}")


def _columns(telemetry: "Telemetry", asked: str) -> "pa.Table":
    import pyarrow as pa

    if asked == "*":
        return telemetry.to_arrow()
    names = [name.strip() for name in asked.split(",")] if asked else HEAD_COLUMNS[telemetry.signal]
    return pa.table({name: telemetry[name] for name in names if asked or name in telemetry})


def _plain_rows(table: "pa.Table") -> Iterator[dict[str, Any]]:
    """Yield rows for JSON: ids as hexadecimal digits, times and durations as nanoseconds."""
    import pyarrow as pa

    for at, field in enumerate(table.schema):
        if pa.types.is_timestamp(field.type) or pa.types.is_duration(field.type):
            table = table.set_column(at, field.name, table[field.name].cast(pa.int64()))
    for row in table.to_pylist():
        yield {name: _plain(value) for name, value in row.items()}


def _plain(value: Any) -> Any:
    """Return a value as JSON has it; NaN and the infinities by name, as OTLP has them."""
    if isinstance(value, dict):
        return {name: _plain(inner) for name, inner in value.items()}
    if isinstance(value, list):
        return [_plain(inner) for inner in value]
    if isinstance(value, bytes):
        return value.hex()
    if isinstance(value, float) and not math.isfinite(value):
        return {"inf": "Infinity", "-inf": "-Infinity"}.get(str(value), "NaN")
    return value


def _print_table(table: "pa.Table") -> None:
    from rich.console import Console
    from rich.markup import escape
    from rich.table import Table

    console = Console()
    if sum(len(name) + len(" | ") for name in table.column_names) > console.width:
        _print_records(console, table)
        return
    shown = Table()
    for name in table.column_names:
        shown.add_column(escape(name), overflow="fold")
    for row in table.to_pylist():
        shown.add_row(*(escape(_cell_text(value)) for value in row.values()))
    console.print(shown)


def _print_records(console: "Console", table: "pa.Table") -> None:
    """Print each row below the other, as a list of what is in it."""
    from rich.markup import escape
    from rich.table import Table

    for number, row in enumerate(table.to_pylist(), 1):
        shown = Table(title=f"row {number:,}", title_justify="left", show_header=False, box=None)
        for name, value in row.items():
            if value is not None:
                shown.add_row(escape(name), escape(_cell_text(value)))
        console.print(shown)
    if not len(table):
        console.print("no rows")


def _cell_text(value: Any) -> str:
    import pandas as pd

    from workbench.display import duration_text

    if isinstance(value, pd.Timestamp):
        return value.isoformat(sep=" ", timespec="milliseconds").removesuffix("+00:00")
    if isinstance(value, pd.Timedelta):
        return duration_text(value.value)
    if isinstance(value, bytes):
        return value.hex()
    return "" if value is None else str(value)


@app.command()
def sql(
    file: File,
    query: Annotated[
        str, typer.Argument(help='Such as: select "service.name", count(*) from spans group by all')
    ],
    signal: SignalOption = None,
    skip_errors: SkipOption = False,
    as_json: JsonOption = False,
    progress: ProgressOption = False,
) -> None:
    """Ask by SQL: tables by their names, and records with their attributes as columns."""
    table = _read(file, signal, skip=skip_errors, progress=progress).sql(query).table
    if as_json:
        for row in _plain_rows(table):
            typer.echo(json.dumps(row, ensure_ascii=False, default=str))
    else:
        _print_table(table)


@app.command()
def convert(
    file: File,
    target: Annotated[
        Path,
        typer.Argument(
            help="Its ending says the form: .otlp .pb .json .jsonl, then .gz .zst; .parquet .arrow"
        ),
    ],
    signal: SignalOption = None,
    skip_errors: SkipOption = False,
    flat: Annotated[
        bool, typer.Option("--flat", help="One Parquet file, a row a record and a column an attribute.")
    ] = False,
    as_json: JsonOption = False,
    progress: ProgressOption = False,
) -> None:
    """Write the same telemetry in another form; the target appears whole or not at all."""
    from dataclasses import asdict

    from workbench import otlp

    done = otlp.convert(
        file,
        target,
        signal=signal.value if signal else None,
        on_error=_on_error(skip=skip_errors),
        layout="flat" if flat else "star",
        progress=True if progress else None,
    )
    if as_json:
        typer.echo(json.dumps(asdict(done)))
    else:
        skipped = f", {done.skipped:,} skipped" if done.skipped else ""
        typer.echo(
            f"{done.signal}: {done.records:,} records, {done.messages:,} messages, "
            f"{done.written_bytes:,} bytes in {target}{skipped}"
        )


@app.command()
def receive(
    to: Annotated[Path, typer.Option("--to", file_okay=False, help="The folder that Parquet is written to.")],
    host: Annotated[str, typer.Option(help="Where to listen; 0.0.0.0 is every network.")] = "127.0.0.1",
    http_port: Annotated[int, typer.Option(min=0, max=65535, help="0 is any free port.")] = 4318,
    grpc_port: Annotated[int, typer.Option(min=0, max=65535, help="0 is any free port.")] = 4317,
    compact_every_s: Annotated[
        float, typer.Option("--compact-every-s", help="How often the log becomes Parquet, seconds.")
    ] = 60.0,
    part_bytes: Annotated[
        int,
        typer.Option("--part-bytes", min=0, help="What comes next is written into a part smaller than this."),
    ] = 4 << 20,
    max_request_bytes: Annotated[
        int, typer.Option("--max-request-bytes", min=1, help="Of a request, after decompression.")
    ] = 64 << 20,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON lines instead of text.")] = False,
) -> None:
    """Receive OTLP over HTTP and gRPC, and write it as Parquet, until SIGINT or SIGTERM.

    What was acknowledged is on disk: after a kill, the next start finishes the files.
    """
    import signal

    from workbench import otlp

    ends = {signal.SIGINT, signal.SIGTERM}
    before = signal.pthread_sigmask(signal.SIG_BLOCK, ends)  # threads that start now leave them to us
    try:
        with otlp.DurableReceiver(
            to,
            host=host,
            http_port=http_port,
            grpc_port=grpc_port,
            compact_every_s=compact_every_s,
            part_bytes=part_bytes,
            max_request_bytes=max_request_bytes,
        ) as receiver:
            _say_where(receiver, as_json=as_json)
            signal.sigwait(ends)
            signal.pthread_sigmask(signal.SIG_SETMASK, before)  # a second one ends it before all is Parquet
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
    _say_what_came(receiver, as_json=as_json)


def _say_where(receiver: "DurableReceiver", *, as_json: bool) -> None:
    where = {"http": receiver.http_endpoint, "grpc": receiver.grpc_endpoint, "to": str(receiver.folder)}
    if as_json:
        typer.echo(json.dumps(where))
    else:
        typer.echo("receiving OTLP at {http} and gRPC at {grpc}, into {to}; Ctrl-C ends".format(**where))


def _say_what_came(receiver: "DurableReceiver", *, as_json: bool) -> None:
    left = [str(segment.path) for segment in receiver.failed]
    if as_json:
        typer.echo(json.dumps({"received": receiver.records, "not_written": left}))
    else:
        counts = ", ".join(f"{count:,} {signal}" for signal, count in receiver.records.items() if count)
        typer.echo(f"received {counts or 'nothing'}")
    for path in left:
        typer.echo(f"error: {path} could not be written as Parquet and stays in the journal", err=True)
    if left:
        raise typer.Exit(1)
