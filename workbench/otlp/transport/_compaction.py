"""Segments become folders of tables: once each, whatever moment the process is killed at.

A part's name is the number of its first segment. It is written within ``journal/unfinished``, synced, and
renamed as a whole; then the segment is removed. So that a long run leaves few files, the next segment is
written behind what a small part holds already: the two are a new folder, which takes the part's place in one
step (``RENAME_EXCHANGE``), so that a reader sees either. Its tables say which segment is their last. Whoever
finds a segment that a part has already, from its name's number to its last, only has to remove the segment;
whoever finds none starts again. What no checksum vouches for is kept in ``journal/torn`` for somebody to look
at.
"""

import os
import shutil
from dataclasses import dataclass
from pathlib import Path

from workbench.otlp.decoder import concat
from workbench.otlp.errors import MalformedError, OtlpError
from workbench.otlp.storage._places import exchange_names
from workbench.otlp.storage._table_files import open_table
from workbench.otlp.storage._table_folder import table_paths
from workbench.otlp.storage._table_writer import write_tables
from workbench.otlp.storage.reading import read
from workbench.otlp.telemetry import Telemetry
from workbench.otlp.transport._journal import sync_folder
from workbench.otlp.transport._payload import to_telemetry
from workbench.otlp.transport._segments import Segment, read_frames, segments_in
from workbench.otlp.transport._services import ServiceName

__all__ = ["PART_BYTES", "Compacted", "compact", "next_number", "remove_unfinished"]

PART = "part="  # as Hive names partitions: DuckDB, polars and pandas make a column of it
PART_BYTES = 4 << 20  # of files: some 150,000 spans, and less than a second's work to write them again
LAST_KEY = b"otlp.last_segment"


@dataclass(frozen=True, slots=True)
class Compacted:
    """What became of a segment."""

    segment: Segment
    records: int
    torn_bytes: int


@dataclass(frozen=True, slots=True, order=True)
class _Part:
    number: int
    path: Path

    def last_segment(self) -> int:
        """Return the number of the last segment that was written into it."""
        table = next(iter(table_paths(self.path).values()), None)
        try:
            return self.number if table is None else max(self.number, _said_last(table))
        except MalformedError:  # it is left as it is, and nothing is written into it
            return self.number

    def size_bytes(self) -> int:
        return sum(path.stat().st_size for path in table_paths(self.path).values())


def compact(segment: Segment, folder: Path, part_bytes: int = 0) -> Compacted:
    """Write a closed segment as a part of `folder`, or into its last one, and remove the segment.

    A part is written into as long as its files take less than `part_bytes`.
    """
    records = torn_bytes = 0
    parts = _parts(folder, segment.signal)
    if not _holds(parts, segment):
        bodies, torn = read_frames(segment.path.read_bytes())
        torn_bytes = len(torn)
        if torn:
            _keep_torn(segment, torn)
        telemetry = to_telemetry(segment.signal, bodies)
        records = len(telemetry)
        if any(len(table) for table in telemetry.tables.values()):
            growing = _growing(parts, segment, part_bytes)
            if growing is None or not _grow(growing, telemetry, segment, folder):
                _begin(telemetry, segment, folder)
    segment.path.unlink()
    sync_folder(segment.path.parent)
    return Compacted(segment, records, torn_bytes)


def next_number(folder: Path) -> int:
    """Return a number above those of all segments that are in parts."""
    found = (part.last_segment() for path in folder.glob(f"*/{PART}*") for part in _part_at(path))
    return max(found, default=0) + 1


def remove_unfinished(folder: Path) -> None:
    """Remove what a killed compaction left half written."""
    shutil.rmtree(_unfinished(folder), ignore_errors=True)


def _unfinished(folder: Path) -> Path:
    return folder / "journal" / "unfinished"


def _parts(folder: Path, signal: ServiceName) -> list[_Part]:
    """Return the parts of a signal, oldest first."""
    return sorted(part for path in (folder / signal).glob(f"{PART}*") for part in _part_at(path))


def _part_at(path: Path) -> list[_Part]:
    digits = path.name.removeprefix(PART)
    return [_Part(int(digits), path)] if digits.isdigit() and path.is_dir() else []


def _said_last(path: Path) -> int:
    file = open_table(path)
    try:
        return int((file.schema.metadata or {}).get(LAST_KEY, b"0"))
    finally:
        file.close()


def _holds(parts: list[_Part], segment: Segment) -> bool:
    """Tell whether a segment has been written: into the last part that begins before it, or with it."""
    before = [part for part in parts if part.number <= segment.number]
    return bool(before) and segment.number <= before[-1].last_segment()


def _growing(parts: list[_Part], segment: Segment, part_bytes: int) -> _Part | None:
    """Return the part that a segment may be written into.

    It is the last one, unless a segment between them is still to come, which then would seem to be in it.
    """
    last = parts[-1] if parts else None
    if last is None or last.number > segment.number or last.size_bytes() >= part_bytes:
        return None
    waiting = (other.number for other in segments_in(segment.path.parent) if other.signal == segment.signal)
    return None if any(last.number < number < segment.number for number in waiting) else last


def _begin(telemetry: Telemetry, segment: Segment, folder: Path) -> None:
    """Make a part of its own."""
    place = _write(telemetry, segment, folder)
    target = folder / segment.signal / f"{PART}{segment.number:08d}"
    target.parent.mkdir(exist_ok=True)
    place.rename(target)
    sync_folder(target.parent)
    sync_folder(folder)


def _grow(part: _Part, telemetry: Telemetry, segment: Segment, folder: Path) -> bool:
    """Write a part again with more in it; False where it cannot be read, or not be replaced in one step."""
    try:
        before = read(part.path, signal=segment.signal)
    except OtlpError:
        return False
    place = _write(concat([before, telemetry]), segment, folder)
    grown = exchange_names(place, part.path)
    if grown:
        sync_folder(part.path.parent)
        sync_folder(place.parent)
    shutil.rmtree(place, ignore_errors=True)  # what the part was before
    return grown


def _write(telemetry: Telemetry, segment: Segment, folder: Path) -> Path:
    """Write tables where nobody looks for them, and see them on the disk."""
    place = _unfinished(folder) / segment.path.stem
    shutil.rmtree(place, ignore_errors=True)  # of an attempt that failed
    place.mkdir(parents=True)
    try:
        said = {LAST_KEY: str(segment.number).encode()}
        write_tables([telemetry], segment.signal, place, "parquet", said)
        for path in place.iterdir():
            _sync_file(path)
        sync_folder(place)
    except Exception:
        shutil.rmtree(place, ignore_errors=True)  # the disk may be full of it
        raise
    return place


def _sync_file(path: Path) -> None:
    with path.open("rb") as file:
        os.fsync(file.fileno())


def _keep_torn(segment: Segment, torn: bytes) -> None:
    place = segment.path.parent / "torn" / segment.path.name
    place.parent.mkdir(exist_ok=True)
    place.write_bytes(torn)
    _sync_file(place)
