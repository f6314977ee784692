"""Operations: the spans of one name in one service, numbered in the order of service and name."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from workbench.otlp.analysis._groups import Coded, encode
from workbench.otlp.errors import UnknownKeyError

if TYPE_CHECKING:
    from workbench.otlp.traces import Traces

__all__ = [
    "UNKNOWN_SERVICE",
    "Operations",
    "column_or_nulls",
    "grouping_column",
    "number_operations",
    "value_codes",
]

Rows = npt.NDArray[np.int64]
UNKNOWN_SERVICE = "unknown_service"  # as the SDKs call it


@dataclass(frozen=True, slots=True, eq=False)
class Operations:
    """The operations of some spans.

    Attributes
    ----------
    of_span : (n,) int64
        Number of each span's operation.
    service, name : k str
        Of each operation.
    """

    of_span: Rows
    service: list[str]
    name: list[str]

    def __len__(self) -> int:
        return len(self.service)

    @property
    def texts(self) -> list[str]:
        """Service and name in one."""
        return [f"{service} {name}" for service, name in zip(self.service, self.name, strict=True)]


def number_operations(sets: Sequence["Traces"]) -> Operations:
    """Return the operations of the spans of all sets, one set after the other."""
    services, service_names = value_codes([column_or_nulls(traces, "service.name") for traces in sets])
    names, texts = value_codes([traces["name"] for traces in sets])
    pairs = services * max(len(texts), 1) + names
    size = len(service_names) * len(texts)
    if size <= 2 * len(pairs) + 1024:
        present = np.flatnonzero(np.bincount(pairs, minlength=size))
        of_span = np.searchsorted(present, np.arange(size))[pairs]
    else:
        present, of_span = np.unique(pairs, return_inverse=True)
    return Operations(
        of_span.astype(np.int64, copy=False),
        [service_names[pair // len(texts)] for pair in present.tolist()],
        [texts[pair % len(texts)] for pair in present.tolist()],
    )


def column_or_nulls(traces: "Traces", key: str) -> pa.ChunkedArray:
    """Return a column, or nulls where no span knows the key."""
    try:
        return traces[key]
    except UnknownKeyError:
        return pa.chunked_array([pa.nulls(len(traces), pa.string())])


def grouping_column(traces: "Traces", key: str) -> pa.ChunkedArray:
    """Return a column; that spans may come from no named service is no mistake of who asks.

    Raises
    ------
    UnknownKeyError
        When no span knows the key, ``service.name`` excepted.
    """
    return column_or_nulls(traces, key) if key == "service.name" else traces[key]


def value_codes(columns: Sequence[pa.ChunkedArray]) -> tuple[Rows, list[str]]:
    """Return the columns' values as numbers in their order, and the values."""
    coded: list[Coded] = [encode(column) for column in columns]
    values = [[_text(value) for value in column.distinct.to_pylist()] for column in coded]
    known = sorted({value for distinct in values for value in distinct})
    number = {value: place for place, value in enumerate(known)}
    parts = [
        np.array([number[value] for value in distinct], np.int64)[column.codes]
        if len(column.codes)
        else np.empty(0, np.int64)
        for column, distinct in zip(coded, values, strict=True)
    ]
    return np.concatenate(parts), known


def _text(value: object) -> str:
    return UNKNOWN_SERVICE if value is None else str(value)
