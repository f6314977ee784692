"""`write`: telemetry to a file of OTLP or a folder of tables, in the form that the target's name says."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq

from workbench.otlp._schema import Signal
from workbench.otlp.decoder import concat
from workbench.otlp.errors import UnknownFormatError
from workbench.otlp.storage._message_writer import MESSAGE_BYTES, write_messages
from workbench.otlp.storage._names import FileName, TableLayout, parse_name
from workbench.otlp.storage._places import replacing_file, replacing_folder
from workbench.otlp.storage._recordings import AnyPath
from workbench.otlp.storage._table_folder import SIGNAL_KEY
from workbench.otlp.storage._table_writer import write_tables
from workbench.otlp.telemetry import Telemetry

__all__ = ["Written", "write"]

LAYOUTS = ("star", "flat")


@dataclass(frozen=True, slots=True)
class Written:
    """What was written.

    Attributes
    ----------
    signal : {"traces", "metrics", "logs", "profiles"}
    records : int
        Spans, metrics, log records or profiles.
    messages : int
        How many OTLP messages they became; for tables, one.
    skipped : int
        Records and messages that reading had left out.
    written_bytes : int
        On the disk.
    """

    signal: Signal
    records: int
    messages: int
    skipped: int
    written_bytes: int


def write(
    telemetry: Telemetry | Iterable[Telemetry],
    path: AnyPath,
    *,
    layout: TableLayout = "star",
    message_bytes: int = MESSAGE_BYTES,
) -> Written:
    """Write telemetry in the form that the target's name says; it appears whole or not at all.

    =========================================  ==========================================================
    ``.otlp``                                  length-prefixed protobuf, as the Collector's file exporter
    ``.pb .binpb .protobuf .proto .bin``       one protobuf message
    ``.jsonl .ndjson``                         OTLP/JSON, a message a line
    ``.json``                                  one OTLP/JSON document
    ``.parquet``                               a folder with a Parquet file for each table
    ``.arrow .ipc``                            a folder with an Arrow IPC file for each table
    =========================================  ==========================================================

    The first four may end in ``.gz``, ``.zst`` or ``.zstd``. All come back as they were, except that JSON
    has no room for unknown fields.

    Parameters
    ----------
    telemetry : Telemetry, or an iterable of such
        Batches of one signal, such as `read_batches` yields; they are written as they come, except that
        profiles, which share a dictionary, are collected first.
    layout : {"star", "flat"}
        Whether ``.parquet`` is a folder of all tables, which `read` reads again; or a single file with a row
        a record and a column an attribute (`Telemetry.to_arrow`), for others to read. A flat file is made in
        memory.
    message_bytes : int
        About how large a message of ``.otlp`` and ``.jsonl`` may become; it is cut between resources.

    Raises
    ------
    UnknownFormatError
        When the target's name says nothing, or the layout does not fit it.
    EmptyMessageError
        When there is nothing in a bare message (the second row): it would be no bytes, as an interrupted
        recording is.
    FileExistsError
        When the target is a folder with other things than telemetry tables.
    ValueError, TypeError
        When there is no telemetry, several signals, or something else.

    Examples
    --------
    >>> import tempfile
    >>> from workbench import otlp
    >>> message = b'{"resourceSpans": [{"scopeSpans": [{"spans": [{}]}]}]}'
    >>> traces = otlp.Traces.from_otlp(message, encoding="json")
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     written = otlp.write(traces, f"{folder}/traces.parquet")
    ...     print(written.records, otlp.read(f"{folder}/traces.parquet") == traces)
    1 True
    """
    target = Path(path)
    name = _checked_name(target, layout, message_bytes)
    signal, batches = _peeked(telemetry)
    counted = _Counted(batches, signal)
    with _place(target, name, layout) as place:
        messages = _write(counted, place, name, layout, message_bytes)
        size = _size(place)
    return Written(signal, counted.records, messages, counted.skipped, size)


def _checked_name(target: Path, layout: TableLayout, message_bytes: int) -> FileName:
    name = parse_name(target)
    if layout not in LAYOUTS:
        msg = f"layout must be 'star' or 'flat', got {layout!r}"
        raise ValueError(msg)
    if message_bytes < 1:
        msg = f"message_bytes must be at least 1, got {message_bytes}"
        raise ValueError(msg)
    if layout == "flat" and name.format != "parquet":
        msg = f"a flat table is written as .parquet, not as {name.suffix}"
        raise UnknownFormatError(msg)
    return name


def _peeked(telemetry: Telemetry | Iterable[Telemetry]) -> tuple[Signal, Iterator[Telemetry]]:
    """Return the signal, and the batches."""
    is_one = isinstance(telemetry, Telemetry) or not isinstance(telemetry, Iterable)
    batches: Iterator[Any] = iter([telemetry] if is_one else telemetry)
    for first in batches:
        return _checked(first).signal, chain([first], batches)
    msg = "there is nothing to write: expected telemetry, got an empty iterable"
    raise ValueError(msg)


def _checked(batch: object) -> Telemetry:
    if not isinstance(batch, Telemetry):  # whatever the types promise
        msg = f"expected Traces, Metrics, Logs or Profiles, got a {type(batch).__name__}"
        raise TypeError(msg)
    return batch


class _Counted:
    """Batches of one signal, counted as they pass by."""

    def __init__(self, batches: Iterator[Telemetry], signal: Signal) -> None:
        self._batches, self.signal = batches, signal
        self.records = self.skipped = 0

    def __iter__(self) -> Iterator[Telemetry]:
        for batch in self._batches:
            if _checked(batch).signal != self.signal:
                msg = f"expected {self.signal} as before, got {batch.signal}: a file holds one signal"
                raise ValueError(msg)
            self.records += len(batch)
            self.skipped += batch.skipped
            yield batch


@contextmanager
def _place(target: Path, name: FileName, layout: TableLayout) -> Iterator[Path]:
    is_folder = name.format in ("parquet", "arrow") and layout == "star"
    with (replacing_folder if is_folder else replacing_file)(target) as place:
        yield place


def _write(batches: _Counted, place: Path, name: FileName, layout: TableLayout, message_bytes: int) -> int:
    signal, found = batches.signal, iter(batches)
    if layout == "flat":
        flat = concat(found).to_arrow().replace_schema_metadata({SIGNAL_KEY: signal})
        pq.write_table(flat, place, compression="zstd")
        return 1
    if signal == "profiles":
        found = iter([concat(found)])
    if name.format in ("parquet", "arrow"):
        write_tables(found, signal, place, name.format)
        return 1
    return write_messages(found, signal, place, name, message_bytes)


def _size(place: Path) -> int:
    files = place.iterdir() if place.is_dir() else [place]
    return sum(path.stat().st_size for path in files)
