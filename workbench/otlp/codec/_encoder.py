"""`encode_star`: flat columns to OTLP protobuf."""

import threading
from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from workbench.kernels import announce_compilation
from workbench.otlp.codec import _codes as codes
from workbench.otlp.codec._choose import in_runs
from workbench.otlp.codec._kernel_choose_fields import begin_writing
from workbench.otlp.codec._kernel_encode import write_message
from workbench.otlp.codec._plan import Plan, plan_of
from workbench.otlp.codec._records import encoder_records
from workbench.otlp.codec._star import SlabColumns, Star, address_of

__all__ = ["at_end", "encode_star"]

Bytes = npt.NDArray[np.uint8]
Integers = npt.NDArray[np.int64]
LEAST_BYTES = 1 << 16
_scratch = threading.local()


def encode_star(star: Star, into: bytearray | None = None) -> bytes | memoryview:
    """Return the message: as bytes, or as the last part of `into`, which grows when it is too small."""
    encoder = _Encoder.of_thread(star.signal)
    if not isinstance(star.columns, SlabColumns):  # whose rows are in their parents' order
        star = in_runs(star)
    rows, sides = _rows_of_tables(star, encoder.plan), _in_order(star.sides)
    encoder.connect(star, rows, sides)
    if into is not None:
        return _encode_into(encoder, into)
    scratch = _thread_scratch(star.size + LEAST_BYTES)
    while (start := encoder.write(address_of(scratch), len(scratch))) < 0:
        scratch = _thread_scratch(2 * len(scratch))
    return scratch[start:].tobytes()


def at_end(message: bytes, into: bytearray) -> memoryview:
    """Return a message as the last part of a bytearray, which grows when it is too small."""
    into.extend(bytes(max(0, len(message) - len(into))))
    view = memoryview(into)[len(into) - len(message) :]
    view[:] = message
    return view


def _encode_into(encoder: "_Encoder", into: bytearray) -> memoryview:
    while True:
        whole = memoryview(into)  # holds it in place
        start = encoder.write(address_of(into) if into else 0, len(into))
        if start >= 0:
            return whole[start:]
        whole.release()
        into.extend(bytes(max(LEAST_BYTES, len(into))))


def _thread_scratch(size: int) -> Bytes:
    found: Bytes | None = getattr(_scratch, "bytes", None)
    if found is None or len(found) < size:
        found = _scratch.bytes = np.empty(size, np.uint8)
    return found


class _Encoder:
    """A thread's records of one signal, which each star's columns are connected to."""

    def __init__(self, signal: str) -> None:
        announce_compilation(write_message, "the OTLP encoder (some 7 s)")
        self.plan = plan_of(signal)
        self.records = encoder_records(signal).copy()
        self.cursors = np.zeros(len(self.plan.tables), np.int64)
        self.control = np.zeros(codes.ENCODER_SLOTS, np.int64)
        self.address = address_of(self.control)
        # Memory views, whose elements are at hand sooner than an array's.
        self.numbers, self.layout_numbers = self.control.data, self.records.layout.data
        self.chosen = np.zeros_like(self.records.fields)
        self.field_counts = self.records.kinds[:, codes.K_FIELDS // 8].copy()
        self.numbers[codes.E_KIND_COUNT // 8] = len(self.field_counts)
        self.numbers[codes.E_TABLE_COUNT // 8] = len(self.cursors)
        for slot, array in (
            (codes.E_ALL_FIELDS, self.records.fields),
            (codes.E_FIELD_COUNTS, self.field_counts),
            (codes.E_FIELDS, self.chosen),
            (codes.E_KINDS, self.records.kinds),
            (codes.E_ATTRIBUTES, self.records.attributes),
            (codes.E_CURSORS, self.cursors),
            (codes.E_LAYOUT, self.records.layout),
        ):
            self.numbers[slot // 8] = address_of(array)

    @classmethod
    def of_thread(cls, signal: str) -> "_Encoder":
        encoder: _Encoder | None = getattr(_scratch, signal, None)
        if encoder is None:
            encoder = cls(signal)
            setattr(_scratch, signal, encoder)
        return encoder

    def connect(self, star: Star, rows: Integers, sides: Integers) -> None:
        """Tell the kernels where the columns, texts and side entries are, and how many."""
        columns, numbers = star.columns, self.numbers
        if isinstance(columns, SlabColumns):
            self.layout_numbers[codes.L_COUNT // 8] = len(self.records.places)
            self.layout_numbers[codes.L_OFFSETS // 8] = columns.layout.offsets_at
            self.layout_numbers[codes.L_MEMORY // 8] = columns.address
        else:
            self.records.point_to(_addresses_of(columns, self.plan))
        numbers[codes.E_ROWS // 8] = address_of(rows)
        for slot, strings in (
            (codes.E_KEY_OFFSETS, star.keys),
            (codes.E_TEXT_OFFSETS, star.texts),
            (codes.E_BLOB_OFFSETS, star.blobs),
        ):
            numbers[slot // 8], numbers[slot // 8 + 1] = strings.places  # of the slot behind too
        numbers[codes.E_SIDE_COUNT // 8] = len(sides)
        if len(sides):
            numbers[codes.E_SIDES // 8] = address_of(sides)

    def write(self, low: int, size: int) -> int:
        """Write to the end of some memory; return where the message starts, or -1 where it has no room."""
        self.numbers[codes.E_LOW // 8] = low
        begin_writing(self.address)
        at: int = write_message(low + size, 0, 0, self.address)
        return -1 if at < 0 else at - low


def _addresses_of(columns: Mapping[str, npt.NDArray[Any]], plan: Plan) -> Integers:
    """Return where all columns are, in the plan's order; those that are not there have the address 0."""
    found = [address_of(columns[name]) if name in columns else 0 for name in plan.columns]
    return np.array(found, np.int64)


def _rows_of_tables(star: Star, plan: Plan) -> Integers:
    if isinstance(star.columns, SlabColumns):
        return star.columns.counts  # and those of lists behind them
    return np.array([star.rows[table] for table in plan.tables], np.int64)


def _in_order(sides: Integers) -> Integers:
    """Return side entries by table, row and slot."""
    if not len(sides):
        return sides
    order = np.lexsort((np.arange(len(sides)), *sides[:, 2::-1].T))
    return np.ascontiguousarray(sides[order])
