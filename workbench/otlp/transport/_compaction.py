"""Segments become folders of tables: once each, whatever moment the process is killed at.

A part's name is its segment's number. It is written within ``journal/unfinished``, synced, and renamed as a
whole; then the segment is removed. Whoever finds a segment whose part exists only has to remove the segment;
whoever finds no part starts again. What no checksum vouches for is kept in ``journal/torn`` for somebody to
look at.
"""

import os
import shutil
from dataclasses import dataclass
from pathlib import Path

from workbench.otlp.storage._table_writer import write_tables
from workbench.otlp.telemetry import Telemetry
from workbench.otlp.transport._journal import sync_folder
from workbench.otlp.transport._payload import to_telemetry
from workbench.otlp.transport._segments import Segment, read_frames
from workbench.otlp.transport._services import ServiceName

__all__ = ["Compacted", "compact", "next_number", "remove_unfinished"]

PART = "part="  # as Hive names partitions: DuckDB, polars and pandas make a column of it


@dataclass(frozen=True, slots=True)
class Compacted:
    """What became of a segment."""

    segment: Segment
    records: int
    torn_bytes: int


def compact(segment: Segment, folder: Path) -> Compacted:
    """Write a closed segment as a part of `folder`, and remove the segment."""
    target = part_path(folder, segment.signal, segment.number)
    records = torn_bytes = 0
    if not target.exists():
        bodies, torn = read_frames(segment.path.read_bytes())
        torn_bytes = len(torn)
        if torn:
            _keep_torn(segment, torn)
        telemetry = to_telemetry(segment.signal, bodies)
        records = len(telemetry)
        if any(len(table) for table in telemetry.tables.values()):
            _write_part(telemetry, _unfinished(folder) / segment.path.stem, target)
    segment.path.unlink()
    sync_folder(segment.path.parent)
    return Compacted(segment, records, torn_bytes)


def part_path(folder: Path, signal: ServiceName, number: int) -> Path:
    """Return where the part of a segment is."""
    return folder / signal / f"{PART}{number:08d}"


def next_number(folder: Path) -> int:
    """Return a number above those of all parts."""
    names = (path.name.removeprefix(PART) for path in folder.glob(f"*/{PART}*"))
    return max((int(name) for name in names if name.isdigit()), default=0) + 1


def remove_unfinished(folder: Path) -> None:
    """Remove what a killed compaction left half written."""
    shutil.rmtree(_unfinished(folder), ignore_errors=True)


def _unfinished(folder: Path) -> Path:
    return folder / "journal" / "unfinished"


def _write_part(telemetry: Telemetry, place: Path, target: Path) -> None:
    place.mkdir(parents=True)
    try:
        write_tables([telemetry], telemetry.signal, place, "parquet")
        for path in place.iterdir():
            _sync_file(path)
        sync_folder(place)
    except Exception:
        shutil.rmtree(place, ignore_errors=True)  # the disk may be full of it
        raise
    target.parent.mkdir(exist_ok=True)
    place.rename(target)
    sync_folder(target.parent)
    sync_folder(target.parent.parent)


def _sync_file(path: Path) -> None:
    with path.open("rb") as file:
        os.fsync(file.fileno())


def _keep_torn(segment: Segment, torn: bytes) -> None:
    place = segment.path.parent / "torn" / segment.path.name
    place.parent.mkdir(exist_ok=True)
    place.write_bytes(torn)
    _sync_file(place)
