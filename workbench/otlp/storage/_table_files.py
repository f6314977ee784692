"""One table in a file, Parquet or Arrow IPC, read a group of rows at a time."""

from collections.abc import Iterator, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from workbench.otlp.errors import MalformedError

__all__ = ["TableFile", "open_table"]

Bounds = npt.NDArray[np.int64]  # (groups, 2): the least and the greatest value of each
UNBOUNDED = (-(1 << 63), (1 << 63) - 1)


class TableFile(Protocol):
    """Rows in groups."""

    @property
    def schema(self) -> pa.Schema:
        """The columns as they were written."""

    @property
    def group_rows(self) -> npt.NDArray[np.int64]:
        """How many rows each group has."""

    @property
    def memory_bytes(self) -> int:
        """About how many bytes the table takes in memory."""

    def read(self, groups: Sequence[int], columns: list[str] | None = None) -> pa.Table:
        """Return some groups, one after the other."""

    def bounds(self, column: str) -> Bounds:
        """Return the least and the greatest value of a column of integers in each group."""

    def close(self) -> None:
        """Close the file."""


class _ParquetTable:
    def __init__(self, path: Path) -> None:
        self._file = pq.ParquetFile(path)
        self._metadata = self._file.metadata

    @property
    def schema(self) -> pa.Schema:
        return self._file.schema_arrow

    @cached_property
    def group_rows(self) -> npt.NDArray[np.int64]:
        groups = range(self._metadata.num_row_groups)
        return np.array([self._metadata.row_group(group).num_rows for group in groups], np.int64)

    @property
    def memory_bytes(self) -> int:
        groups = range(self._metadata.num_row_groups)
        return sum(self._metadata.row_group(group).total_byte_size for group in groups)

    def read(self, groups: Sequence[int], columns: list[str] | None = None) -> pa.Table:
        return self._file.read_row_groups(list(groups), columns=columns)

    def bounds(self, column: str) -> Bounds:
        return np.array(
            [self._bounds(group, column) for group in range(len(self.group_rows))], np.int64
        ).reshape(-1, 2)

    def _bounds(self, group: int, column: str) -> tuple[int, int]:
        metadata = self._metadata.row_group(group)
        for number in range(metadata.num_columns):
            found = metadata.column(number)
            if found.path_in_schema == column:
                statistics = found.statistics
                return (
                    (statistics.min, statistics.max) if statistics and statistics.has_min_max else UNBOUNDED
                )
        return UNBOUNDED

    def close(self) -> None:
        self._file.close()


class _ArrowTable:
    def __init__(self, path: Path) -> None:
        self._memory = pa.memory_map(str(path))
        self._file = pa.ipc.open_file(self._memory)

    @property
    def schema(self) -> pa.Schema:
        return self._file.schema

    @cached_property
    def group_rows(self) -> npt.NDArray[np.int64]:
        return np.array([len(batch) for batch in self._columns(self.schema.names[0])], np.int64)

    @property
    def memory_bytes(self) -> int:
        return 4 * int(self._memory.size())  # about as well as zstd does

    def read(self, groups: Sequence[int], columns: list[str] | None = None) -> pa.Table:
        batches = [self._file.get_batch(group) for group in groups]
        table = pa.Table.from_batches(batches, self.schema)
        return table if columns is None else table.select(columns)

    def bounds(self, column: str) -> Bounds:
        name, _, inner = column.partition(".")
        columns = (batch.column(0) for batch in self._columns(name))
        found = [pc.min_max(pc.struct_field(c, inner) if inner else c).values() for c in columns]
        pairs = [tuple(int(end.as_py()) if end.is_valid else 0 for end in ends) for ends in found]
        return np.array(pairs, np.int64).reshape(-1, 2)

    def _columns(self, name: str) -> Iterator[Any]:
        options = pa.ipc.IpcReadOptions(included_fields=[self.schema.get_field_index(name)])
        file = pa.ipc.open_file(self._memory, options=options)
        return (file.get_batch(group) for group in range(file.num_record_batches))

    def close(self) -> None:
        self._memory.close()


def open_table(path: Path) -> TableFile:
    """Open a table's file by the ending of its name.

    Raises
    ------
    MalformedError
        When it is not what its name says.
    """
    kind = _ParquetTable if path.suffix == ".parquet" else _ArrowTable
    try:
        return kind(path)
    except pa.ArrowInvalid as error:
        msg = f"{path.name} cannot be read: {error}"
        raise MalformedError(msg) from error
