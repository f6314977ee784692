"""A folder of tables, as `write` makes it: the star of one signal, a Parquet or Arrow file a table.

It is read a run of resources at a time, with exactly the rows that are theirs: those of a child table are
looked for in the groups whose statistics may hold them, so that rows need not lie in their parents' order.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from workbench.otlp._schema import LAYOUTS, SIGNALS, Signal
from workbench.otlp._tally import Tally
from workbench.otlp.codec._given_tables import checked_tables
from workbench.otlp.codec._star import Star
from workbench.otlp.codec._unarrow import star_of_tables
from workbench.otlp.errors import AmbiguousSignalError, MalformedError, TableError, UnknownFormatError
from workbench.otlp.storage._job import Job
from workbench.otlp.storage._names import signal_in
from workbench.otlp.storage._table_files import TableFile, open_table
from workbench.otlp.storage._table_parts import PartReader

__all__ = ["SIGNAL_KEY", "TableFolder", "find_folders", "table_paths"]

SIGNAL_KEY = b"otlp.signal"
ENDINGS = (".parquet", ".arrow")
DEPTH = 2  # signal/part
NUMBERS = ("id", "parent_id", "row", "resource", "scope")  # ids, and structs that have one

Counts = npt.NDArray[np.int64]


def table_paths(folder: Path) -> dict[str, Path]:
    """Return the files of a folder that are called like a table of some signal.

    Another folder may take its place, and what was there be removed, while it is looked through.
    """
    known = {name for layout in LAYOUTS.values() for name in layout.schemas}
    number, after = -1, folder.stat().st_ino
    while number != after:
        number = after
        found = [path for path in sorted(folder.iterdir()) if path.suffix in ENDINGS and path.stem in known]
        after = folder.stat().st_ino
    return {path.stem: path for path in found}


def find_folders(path: Path, signal: Signal | None) -> list["TableFolder"]:
    """Return the folder of tables that a path names, or those within it that hold the signal, by name.

    They may be within one more folder, as a durable receiver's parts are. Hidden ones are being written.

    Raises
    ------
    UnknownFormatError
        When there are no tables.
    AmbiguousSignalError
        When there are several signals, and none is asked for; or not the one that is.
    """
    if table_paths(path):
        return [TableFolder(path)]
    by_signal: defaultdict[Signal, list[TableFolder]] = defaultdict(list)
    for found in _inside(path, DEPTH):
        by_signal[found.signal].append(found)
    if not by_signal:
        msg = f"{path.name} is a folder without tables; pass a pattern for its files, as {path.name}/*.otlp"
        raise UnknownFormatError(msg)
    if signal is None and len(by_signal) == 1:
        return next(iter(by_signal.values()))
    if signal is None or signal not in by_signal:
        msg = f"{path.name} holds {', '.join(sorted(by_signal))}; pass signal= to read one of them"
        raise AmbiguousSignalError(msg)
    return by_signal[signal]


def _inside(folder: Path, depth: int) -> "Iterator[TableFolder]":
    """Yield the folders of tables in a folder, and so many levels below."""
    for path in sorted(folder.iterdir()):
        if path.name.startswith(".") or not path.is_dir():
            continue
        with suppress(FileNotFoundError):  # it has been removed meanwhile, as what is being written may be
            if table_paths(path):
                yield TableFolder(path)
            elif depth > 1:
                yield from _inside(path, depth - 1)


@dataclass(frozen=True)
class TableFolder:
    """The tables of one signal."""

    path: Path

    @cached_property
    def _paths(self) -> dict[str, Path]:
        return table_paths(self.path)

    @property
    def size(self) -> int:
        """Bytes on the disk."""
        return sum(path.stat().st_size for path in self._paths.values())

    def find_signal(self) -> Signal:
        """Return which signal it holds; see `signal`."""
        return self.signal

    @cached_property
    def signal(self) -> Signal:
        """What the tables' schemas say, else what the table of records is called.

        Raises
        ------
        AmbiguousSignalError
            When there is no table of records.
        """
        for path in self._paths.values():
            said = (_schema(path).metadata or {}).get(SIGNAL_KEY, b"").decode(errors="replace")
            if said in SIGNALS:
                return said
        found = [signal for signal in SIGNALS if LAYOUTS[signal].records in self._paths]
        if len(found) != 1:
            named = signal_in(self.path.name)
            if named is None:
                msg = f"{self.path.name} holds tables of no signal, or of several: {', '.join(self._paths)}"
                raise AmbiguousSignalError(msg)
            return named
        return found[0]

    def stars(self, job: Job) -> Iterator[Star]:
        """Yield the records in batches of about so many bytes in memory."""
        signal = job.signal
        if self.signal != signal:
            msg = f"expected {signal}, found tables of {self.signal} in {self.path.name}"
            raise (AmbiguousSignalError if job.is_asked else MalformedError)(msg)
        with _Opened(self.path) as files:
            self._check_schemas(signal, files)
            reader = PartReader(signal, files)
            runs = _runs(reader, signal, files, job.batch_bytes)
            for number, run in enumerate(runs, start=1):
                tables = reader.read(run)
                yield self._star(signal, tables, job.unknown)
                job.on_bytes(self.size * number // len(runs))
            self._refuse_orphans(reader.orphans(), job.tally)

    def _check_schemas(self, signal: Signal, files: Mapping[str, TableFile]) -> None:
        """Refuse copies without a table, tables without a column, and rows that could not be told apart."""
        lost = [name for name in LAYOUTS[signal].schemas if name not in files]
        if lost and any(SIGNAL_KEY in (file.schema.metadata or {}) for file in files.values()):
            msg = f"{self.path.name} is incomplete: its tables {', '.join(lost)} are not there"
            raise MalformedError(msg)
        for name, expected in LAYOUTS[signal].schemas.items():
            fault = _fault(files[name].schema, expected) if name in files else None
            if fault:
                msg = f"{self.path.name}: table {name!r} {fault}"
                raise MalformedError(msg)

    def _star(self, signal: Signal, tables: Mapping[str, pa.Table], unknown: str) -> Star:
        if unknown == "count":
            tables = {name: table for name, table in tables.items() if name != "unknown_fields"}
        try:
            return star_of_tables(signal, checked_tables(tables, LAYOUTS[signal]))
        except TableError as error:
            msg = f"{self.path.name}: {error}"
            raise MalformedError(msg) from error

    def _refuse_orphans(self, orphans: Mapping[str, int], tally: Tally) -> None:
        for table, count in orphans.items():
            msg = f"{count:,} rows of {table!r} in {self.path.name} belong to no row of their parent's table"
            tally.refuse(MalformedError(msg), records=count)


class _Opened:
    """The tables of a folder, all of the same one: it may be replaced while they are being opened."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._files: dict[str, TableFile] = {}

    def __enter__(self) -> dict[str, TableFile]:
        while not self._is_opened():
            self.__exit__()
        return self._files

    def _is_opened(self) -> bool:
        before = _state(self._folder)
        try:
            for name, path in table_paths(self._folder).items():
                self._files[name] = open_table(path)
        except BaseException as error:
            self.__exit__()
            if isinstance(error, FileNotFoundError) and _state(self._folder) != before:
                return False
            raise
        return _state(self._folder) == before

    def __exit__(self, *_exception: object) -> None:
        for file in self._files.values():
            file.close()
        self._files = {}


def _state(folder: Path) -> tuple[int, int]:
    found = folder.stat()
    return found.st_ino, found.st_mtime_ns


def _fault(found: pa.Schema, expected: pa.Schema) -> str | None:
    """Return what keeps a table from being read; other types than expected may do no harm."""
    for field in expected:
        at = found.get_field_index(field.name)  # -1 as well where there are two of a name
        if at < 0:
            return f"lacks the column {field.name!r} of type {field.type}"
        missing = _missing(found.field(at).type, field)
        if missing:
            return f"has no {missing} in the column {field.name!r}"
    return None


def _missing(kind: pa.DataType, expected: pa.Field) -> str | None:
    """Return what a column of a type lacks for its rows to be told apart and counted."""
    if expected.name in NUMBERS and not pa.types.is_integer(_id_type(kind, expected.type)):
        return "whole numbers"
    if pa.types.is_list(expected.type) and not (pa.types.is_null(kind) or _is_list(kind)):
        return "lists"
    if expected.name == "table" and not (pa.types.is_null(kind) or pa.types.is_string(_plain(kind))):
        return "texts"
    return None


def _id_type(kind: pa.DataType, expected: pa.DataType) -> pa.DataType:
    """Return the type of an id, which is within a struct where one is expected."""
    if not pa.types.is_struct(expected):
        return kind
    at = kind.get_field_index("id") if pa.types.is_struct(kind) else -1
    return kind.field(at).type if at >= 0 else pa.null()


def _is_list(kind: pa.DataType) -> bool:
    return pa.types.is_list(kind) or pa.types.is_large_list(kind) or pa.types.is_fixed_size_list(kind)


def _plain(kind: pa.DataType) -> pa.DataType:
    """Return the type of texts, in a dictionary or not, as plain ones have it."""
    kind = kind.value_type if pa.types.is_dictionary(kind) else kind
    is_text = pa.types.is_large_string(kind) or pa.types.is_string_view(kind)
    return pa.string() if is_text else kind


def _schema(path: Path) -> pa.Schema:
    before = _state(path.parent)
    try:
        file = open_table(path)
    except FileNotFoundError:
        if _state(path.parent) == before:
            raise
        return _schema(path)
    try:
        return file.schema
    finally:
        file.close()


def _runs(
    reader: PartReader, signal: Signal, files: Mapping[str, TableFile], batch_bytes: int
) -> list[slice]:
    """Return runs of resources whose records take so many bytes; of profiles, with one dictionary, one."""
    records = reader.records_by_resource()
    size = sum(file.memory_bytes for file in files.values())
    if signal == "profiles" or size <= batch_bytes or len(records) < 2:
        return [slice(0, len(records))]
    most = max(batch_bytes * int(records.sum()) // size, 1)
    number = np.maximum(np.cumsum(records) - 1, 0) // most
    starts = [0, *(np.flatnonzero(np.diff(number)) + 1).tolist(), len(records)]
    return [slice(first, last) for first, last in pairwise(starts)]
