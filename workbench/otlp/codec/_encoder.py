"""`encode_star`: flat columns to OTLP protobuf."""

import threading
from collections.abc import Iterable

import numpy as np
import numpy.typing as npt

from workbench.kernels import announce_compilation
from workbench.otlp.codec import _codes as codes
from workbench.otlp.codec._choose import in_runs
from workbench.otlp.codec._kernel_encode import write_message
from workbench.otlp.codec._plan import plan_of
from workbench.otlp.codec._records import Records, encoder_records
from workbench.otlp.codec._star import SlabColumns, Star, address_of

__all__ = ["at_end", "encode_star"]

Bytes = npt.NDArray[np.uint8]
LEAST_BYTES = 1 << 16
_scratch = threading.local()


def encode_star(star: Star, into: bytearray | None = None) -> bytes | memoryview:
    """Return the message: as bytes, or as the last part of `into`, which grows when it is too small."""
    announce_compilation(write_message, "the OTLP encoder (some 7 s)")
    writer = _Writer(star)
    if into is not None:
        return _encode_into(writer, into)
    scratch = _thread_scratch(star.size + LEAST_BYTES)
    while (start := writer.write(scratch)) < 0:
        scratch = _thread_scratch(2 * len(scratch))
    return scratch[start:].tobytes()


def at_end(message: bytes, into: bytearray) -> memoryview:
    """Return a message as the last part of a bytearray, which grows when it is too small."""
    into.extend(bytes(max(0, len(message) - len(into))))
    view = memoryview(into)[len(into) - len(message) :]
    view[:] = message
    return view


def _encode_into(writer: "_Writer", into: bytearray) -> memoryview:
    while (start := writer.write(np.frombuffer(into, np.uint8) if into else np.empty(0, np.uint8))) < 0:
        into.extend(bytes(max(LEAST_BYTES, len(into))))
    return memoryview(into)[start:]


def _thread_scratch(size: int) -> Bytes:
    found: Bytes | None = getattr(_scratch, "bytes", None)
    if found is None or len(found) < size:
        found = _scratch.bytes = np.empty(size, np.uint8)
    return found


def _addresses(star: Star, names: Iterable[str], size: int) -> npt.NDArray[np.int64]:
    """Return where each of the plan's columns starts; 0 for one that is not there."""
    if isinstance(star.columns, SlabColumns):
        return star.columns.addresses(size)
    found = {name: address_of(column) for name, column in star.columns.items()}
    return np.array([found.get(name, 0) for name in names], np.int64)


def _thread_records(signal: str) -> Records:
    """Return an encoder's records of this thread, which each message points to its own columns."""
    known: dict[str, Records] = _scratch.__dict__.setdefault("records", {})
    if signal not in known:
        known[signal] = encoder_records(signal).copy()
    return known[signal]


class _Writer:
    """The columns of a star, connected to an encoder's records."""

    def __init__(self, star: Star) -> None:
        star = in_runs(star)
        plan = plan_of(star.signal)
        self.star, self.records = star, _thread_records(star.signal)
        self.records.point_to(_addresses(star, plan.columns, len(plan.columns)))
        self.rows = np.array([star.rows[table] for table in plan.tables], np.int64)
        self.cursors = np.zeros_like(self.rows)
        self.sides = star.sides
        if len(star.sides):
            order = np.lexsort((np.arange(len(star.sides)), *star.sides[:, 2::-1].T))
            self.sides = np.ascontiguousarray(star.sides[order])
        self.control = np.zeros(codes.ENCODER_SLOTS, np.int64)
        for slot, array in (
            (codes.E_FIELDS, self.records.fields),
            (codes.E_KINDS, self.records.kinds),
            (codes.E_ATTRIBUTES, self.records.attributes),
            (codes.E_CURSORS, self.cursors),
            (codes.E_SIDES, self.sides),
            (codes.E_KEY_OFFSETS, star.keys.offsets),
            (codes.E_KEY_BYTES, star.keys.data),
            (codes.E_TEXT_OFFSETS, star.texts.offsets),
            (codes.E_TEXT_BYTES, star.texts.data),
            (codes.E_BLOB_OFFSETS, star.blobs.offsets),
            (codes.E_BLOB_BYTES, star.blobs.data),
        ):
            self.control[slot // 8] = address_of(array)
        self.control[codes.E_SIDE_COUNT // 8] = len(star.sides)

    def write(self, target: Bytes) -> int:
        """Write to the end of an array; return where the message starts, or -1 where it has no room."""
        self.cursors[:] = self.rows
        low = address_of(target)
        self.control[codes.E_LOW // 8] = low
        at = write_message(low + len(target), 0, 0, self.control.ctypes.data)
        return -1 if at < 0 else int(at - low)
