"""`encode_star`: flat columns to OTLP protobuf."""

import threading
from typing import Any

import numpy as np
import numpy.typing as npt

from workbench.kernels import announce_compilation
from workbench.otlp.codec import _codes as codes
from workbench.otlp.codec._choose import in_runs
from workbench.otlp.codec._kernel_choose_fields import choose_fields
from workbench.otlp.codec._kernel_encode import write_message
from workbench.otlp.codec._kernel_records import place_columns
from workbench.otlp.codec._plan import Plan, plan_of
from workbench.otlp.codec._records import encoder_records
from workbench.otlp.codec._star import SlabColumns, Star, address_of

__all__ = ["at_end", "encode_star"]

Bytes = npt.NDArray[np.uint8]
LEAST_BYTES = 1 << 16
_scratch = threading.local()


def encode_star(star: Star, into: bytearray | None = None) -> bytes | memoryview:
    """Return the message: as bytes, or as the last part of `into`, which grows when it is too small."""
    writer = _Writer(star)
    if into is not None:
        return _encode_into(writer, into)
    scratch = _thread_scratch(star.size + LEAST_BYTES)
    while (start := writer.write(address_of(scratch), len(scratch))) < 0:
        scratch = _thread_scratch(2 * len(scratch))
    return scratch[start:].tobytes()


def at_end(message: bytes, into: bytearray) -> memoryview:
    """Return a message as the last part of a bytearray, which grows when it is too small."""
    into.extend(bytes(max(0, len(message) - len(into))))
    view = memoryview(into)[len(into) - len(message) :]
    view[:] = message
    return view


def _encode_into(writer: "_Writer", into: bytearray) -> memoryview:
    while True:
        whole = memoryview(into)  # holds it in place
        start = writer.write(address_of(into) if into else 0, len(into))
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
        self.numbers = self.control.data  # whose elements are at hand sooner than an array's
        self.places = (
            address_of(self.records.memory),
            address_of(self.records.places),
            address_of(self.records.columns),
            len(self.records.places),
        )
        self.chosen = np.zeros_like(self.records.fields)
        self.field_counts = self.records.kinds[:, codes.K_FIELDS // 8].copy()
        self.numbers[codes.E_KIND_COUNT // 8] = len(self.field_counts)
        for slot, array in (
            (codes.E_ALL_FIELDS, self.records.fields),
            (codes.E_FIELD_COUNTS, self.field_counts),
            (codes.E_FIELDS, self.chosen),
            (codes.E_KINDS, self.records.kinds),
            (codes.E_ATTRIBUTES, self.records.attributes),
            (codes.E_CURSORS, self.cursors),
        ):
            self.connect(slot, array)

    @classmethod
    def of_thread(cls, signal: str) -> "_Encoder":
        known: dict[str, _Encoder] = _scratch.__dict__.setdefault("encoders", {})
        if signal not in known:
            known[signal] = cls(signal)
        return known[signal]

    def connect(self, slot: int, array: npt.NDArray[Any]) -> None:
        self.numbers[slot // 8] = address_of(array)

    def connect_strings(self, star: Star) -> None:
        """Tell where the offsets and the bytes of keys, texts and blobs are."""
        for slot, strings in (
            (codes.E_KEY_OFFSETS, star.keys),
            (codes.E_TEXT_OFFSETS, star.texts),
            (codes.E_BLOB_OFFSETS, star.blobs),
        ):
            self.numbers[slot // 8], self.numbers[slot // 8 + 1] = strings.places  # of the slot behind too

    def connect_columns(self, star: Star) -> None:
        """Place all columns, in the plan's order; those that are not there have the address 0."""
        columns = star.columns
        if isinstance(columns, SlabColumns):
            place_columns(*self.places, columns.layout.offsets_at, columns.address)
        else:
            addresses = np.zeros(len(self.plan.columns), np.int64)
            for number, name in enumerate(self.plan.columns):
                if name in columns:
                    addresses[number] = address_of(columns[name])
            self.records.point_to(addresses)


class _Writer:
    """The columns of a star, connected to an encoder."""

    def __init__(self, star: Star) -> None:
        if not isinstance(star.columns, SlabColumns):  # whose rows are in their parents' order
            star = in_runs(star)
        encoder = _Encoder.of_thread(star.signal)
        self.star, self.encoder = star, encoder
        encoder.connect_columns(star)
        self.rows = _rows_of_tables(star, encoder.plan)
        encoder.cursors[:] = self.rows
        choose_fields(encoder.address)
        self.sides = star.sides
        if len(star.sides):
            order = np.lexsort((np.arange(len(star.sides)), *star.sides[:, 2::-1].T))
            self.sides = np.ascontiguousarray(star.sides[order])
            encoder.connect(codes.E_SIDES, self.sides)
        encoder.numbers[codes.E_SIDE_COUNT // 8] = len(self.sides)
        encoder.connect_strings(star)

    def write(self, low: int, size: int) -> int:
        """Write to the end of some memory; return where the message starts, or -1 where it has no room."""
        self.encoder.cursors[:] = self.rows
        self.encoder.numbers[codes.E_LOW // 8] = low
        at = write_message(low + size, 0, 0, self.encoder.address)
        return -1 if at < 0 else int(at - low)


def _rows_of_tables(star: Star, plan: Plan) -> npt.NDArray[np.int64]:
    if isinstance(star.columns, SlabColumns):
        return star.columns.counts[: len(plan.tables)]
    return np.array([star.rows[table] for table in plan.tables], np.int64)
