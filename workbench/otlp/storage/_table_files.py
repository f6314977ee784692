"""One table in a file, Parquet or Arrow IPC, read a group of rows at a time.

Nothing of a damaged file gets further: the pages of our Parquet have checksums, and what an Arrow file holds,
which is used as it lies there, is validated.
"""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from workbench.otlp.errors import MalformedError

__all__ = ["TableFile", "bounds_of", "open_table"]

Bounds = npt.NDArray[np.int64]  # (groups, 2): the least and the greatest value of each
OFFSET_BYTES = 4  # of a text, a list, or a number in a dictionary
UNBOUNDED = (-(1 << 63), (1 << 63) - 1)


class TableFile(Protocol):
    """Rows in groups.

    All of it raises `MalformedError` where the file is damaged.
    """

    path: Path

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

    def close(self) -> None:
        """Close the file."""


@contextmanager
def _naming_damage(path: Path) -> Iterator[None]:
    try:
        yield
    except (pa.ArrowException, OSError, UnicodeDecodeError) as error:
        if isinstance(error, OSError) and error.errno is not None:
            raise  # the system's error, which says nothing of the content
        msg = f"{path.name} cannot be read: {str(error).strip()}"
        raise MalformedError(msg) from error


def _legible(schema: pa.Schema) -> pa.Schema:
    """Return a schema whose names are text, within structs too: Arrow decodes them late."""
    for field in schema:
        _decode_names(field)
    return schema


def _decode_names(field: pa.Field) -> None:
    _ = field.name
    for number in range(field.type.num_fields):
        _decode_names(field.type.field(number))


def _width(fields: Iterable[pa.Field]) -> int:
    """Return the bytes of a row in memory beside its texts, which are about as long as in the file."""
    width = 0
    for field in fields:
        if pa.types.is_struct(field.type):
            width += _width(field.type)
        elif pa.types.is_fixed_size_binary(field.type) or pa.types.is_primitive(field.type):
            width += max(field.type.bit_width // 8, 1)
        else:
            width += OFFSET_BYTES
    return width


class _ParquetTable:
    def __init__(self, path: Path) -> None:
        self.path = path
        self._file = pq.ParquetFile(path, page_checksum_verification=True)
        self._metadata = self._file.metadata

    @property
    def schema(self) -> pa.Schema:
        with _naming_damage(self.path):
            return _legible(self._file.schema_arrow)

    @cached_property
    def group_rows(self) -> npt.NDArray[np.int64]:
        with _naming_damage(self.path):
            groups = range(self._metadata.num_row_groups)
            return np.array([self._metadata.row_group(group).num_rows for group in groups], np.int64)

    @property
    def memory_bytes(self) -> int:
        with _naming_damage(self.path):
            groups = range(self._metadata.num_row_groups)
            encoded = sum(self._metadata.row_group(group).total_byte_size for group in groups)
            return self._metadata.num_rows * _width(self.schema) + encoded

    def read(self, groups: Sequence[int], columns: list[str] | None = None) -> pa.Table:
        with _naming_damage(self.path):
            table = self._file.read_row_groups(list(groups), columns=columns)
            table.validate()  # that columns are equally long
            return table

    def close(self) -> None:
        self._file.close()


class _ArrowTable:
    def __init__(self, path: Path) -> None:
        self.path = path
        self._memory = pa.memory_map(str(path))
        try:
            self._file = pa.ipc.open_file(self._memory)
        except BaseException:
            self._memory.close()
            raise

    @property
    def schema(self) -> pa.Schema:
        with _naming_damage(self.path):
            return _legible(self._file.schema)

    @cached_property
    def group_rows(self) -> npt.NDArray[np.int64]:
        with _naming_damage(self.path):
            file = self._with(self.schema.names[:1])
            return np.array(
                [len(file.get_batch(group)) for group in range(file.num_record_batches)], np.int64
            )

    @property
    def memory_bytes(self) -> int:
        return int(self.group_rows.sum()) * _width(self.schema) + int(self._memory.size())

    def read(self, groups: Sequence[int], columns: list[str] | None = None) -> pa.Table:
        with _naming_damage(self.path):
            file = self._file if columns is None else self._with(columns)
            batches = [file.get_batch(group) for group in groups]
            for batch in batches:
                batch.validate(full=True)
            return pa.Table.from_batches(batches, batches[0].schema if batches else self.schema)

    def _with(self, columns: list[str]) -> Any:
        fields = [self.schema.get_field_index(name.partition(".")[0]) for name in columns]
        return pa.ipc.open_file(self._memory, options=pa.ipc.IpcReadOptions(included_fields=fields))

    def close(self) -> None:
        self._memory.close()


def open_table(path: Path) -> TableFile:
    """Open a table's file by the ending of its name.

    Raises
    ------
    MalformedError
        When it is not what its name says, or when later something in it is damaged.
    """
    with _naming_damage(path):
        return (_ParquetTable if path.suffix == ".parquet" else _ArrowTable)(path)


def bounds_of(file: TableFile, column: str) -> Bounds:
    """Return the least and the greatest value of a column, or of ``struct.field``, in each group.

    The values are looked at: Parquet's statistics may be wrong, and pyarrow aborts over damaged ones.
    """
    if len(file.group_rows) == 1:
        return np.array([UNBOUNDED], np.int64)
    name, _, inner = column.partition(".")
    found = []
    for group in range(len(file.group_rows)):
        values = file.read([group], [column])[name]
        ends = pc.min_max(pc.struct_field(values, inner) if inner else values).values()
        found.append([int(end.as_py()) if end.is_valid else 0 for end in ends])
    return np.array(found, np.int64).reshape(-1, 2)
