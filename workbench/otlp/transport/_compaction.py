"""Segments become Parquet: once each, whatever moment the process is killed at.

A part's name is its segment's number. It is written beside its place, synced, and renamed; then the segment
is removed. Whoever finds a segment whose part exists only has to remove the segment; whoever finds no part
starts again. Torn tails are cut, and kept in ``journal/torn`` for somebody to look at.
"""

import os
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from workbench.otlp.transport._journal import sync_folder
from workbench.otlp.transport._payload import to_telemetry
from workbench.otlp.transport._segments import Segment, read_frames
from workbench.otlp.transport._services import SERVICES, ServiceName

__all__ = ["Compacted", "compact", "next_number", "remove_unfinished"]

UNFINISHED = ".unfinished"


@dataclass(frozen=True, slots=True)
class Compacted:
    """What became of a segment."""

    segment: Segment
    records: int
    torn_bytes: int


def compact(segment: Segment, folder: Path) -> Compacted:
    """Write a closed segment as a Parquet part of `folder`, and remove the segment."""
    target = part_path(folder, segment.signal, segment.number)
    records = torn = 0
    if not target.exists():
        bodies, torn = read_frames(segment.path.read_bytes())
        if torn:
            _keep_torn(segment, torn)
        table = _flat_table(segment.signal, bodies)
        records = len(table)
        if records:
            _write_part(table, target)
    segment.path.unlink()
    sync_folder(segment.path.parent)
    return Compacted(segment, records, torn)


def part_path(folder: Path, signal: ServiceName, number: int) -> Path:
    """Return where the part of a segment is."""
    return folder / signal / f"part-{number:08d}.parquet"


def next_number(folder: Path) -> int:
    """Return a number above those of all parts."""
    numbers = [int(path.stem.removeprefix("part-")) for path in folder.glob("*/part-*.parquet")]
    return max(numbers, default=0) + 1


def remove_unfinished(folder: Path) -> None:
    """Remove what a killed compaction left half written."""
    for signal in SERVICES:
        for path in (folder / signal).glob(f"*{UNFINISHED}"):
            path.unlink()


def _flat_table(signal: ServiceName, bodies: list[bytes]) -> pa.Table:
    """Return requests as one table, a row a record."""
    return to_telemetry(signal, bodies).to_arrow()


def _write_part(table: pa.Table, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    unfinished = target.with_name(target.name + UNFINISHED)
    with unfinished.open("wb") as file:
        pq.write_table(table, file, compression="zstd")
        file.flush()
        os.fsync(file.fileno())
    unfinished.rename(target)
    sync_folder(target.parent)
    sync_folder(target.parent.parent)


def _keep_torn(segment: Segment, torn_bytes: int) -> None:
    torn = segment.path.parent / "torn" / segment.path.name
    torn.parent.mkdir(exist_ok=True)
    torn.write_bytes(segment.path.read_bytes()[-torn_bytes:])
