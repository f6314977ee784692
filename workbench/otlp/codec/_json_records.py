"""The shapes of a signal as records that the JSON kernels read; `_json_codes` names their slots.

References from record to record are offsets, so that a copy of the tables is as good as the original. The
parser learns the order of members in its copy.
"""

from dataclasses import dataclass, replace
from functools import cache

import numpy as np
import numpy.typing as npt

from workbench.otlp.codec import _json_codes as codes
from workbench.otlp.codec._grammar import GRAMMARS
from workbench.otlp.codec._json_shapes import Shape, ShapeField, shapes_of

__all__ = ["Records", "parser_records", "printer_records", "signal_records"]

WORD = 8
SIGN = 1 << 63
TAGS = 256
PRESENCE = 32  # bits above those of the fields' numbers: the field has a value
HEADER = 1  # a record before the first, so that no field's offset is zero


@dataclass(frozen=True, slots=True)
class Records:
    """Tables of one signal; `names` are those of the fields, by the number of their record."""

    fields: npt.NDArray[np.int64]
    messages: npt.NDArray[np.int64]
    dispatch: npt.NDArray[np.uint16]
    names: tuple[str, ...]


@cache
def parser_records(signal: str) -> Records:
    """Return the parser's records: each message's fields follow each other."""
    return _parser_records(shapes_of(signal))


@cache
def signal_records() -> Records:
    """Return records of one message that has the outermost field of each signal, called like the signal."""
    outermost = (shapes_of(signal)[0].fields[0] for signal in GRAMMARS)
    fields = tuple(replace(field, target="") for field in outermost)
    return replace(_parser_records((Shape("", fields),)), names=("", *GRAMMARS))


def _parser_records(shapes: tuple[Shape, ...]) -> Records:
    fields = [(shape, field) for shape in shapes for field in shape.fields]
    starts = _starts(shapes)
    keys = {shape.key: number for number, shape in enumerate(shapes)}
    table = np.zeros((len(fields) + HEADER, codes.P_SIZE // WORD), np.int64)
    for number, (shape, field) in enumerate(fields, HEADER):
        following = number + 1 if field is not shape.fields[-1] else number
        _fill_parser(table[number], shape, field, keys, following * codes.P_SIZE)
    messages = np.zeros((len(shapes), codes.M_SIZE // WORD), np.int64)
    for number, shape in enumerate(shapes):
        first = starts[number] * codes.P_SIZE
        messages[number, :3] = first, first, first + codes.P_SIZE * len(shape.fields)
    return Records(table, messages, np.zeros(0, np.uint16), _names(fields))


@cache
def printer_records(signal: str) -> Records:
    """Return the printer's records: tags lead to fields through `dispatch`."""
    shapes = shapes_of(signal)
    fields = [(shape, field) for shape in shapes for field in shape.fields]
    keys = {shape.key: number for number, shape in enumerate(shapes)}
    odd = len(fields) + HEADER  # the record that unpacked numbers lead to
    table = np.zeros((odd + 1, codes.W_SIZE // WORD), np.int64)
    table[odd, codes.W_OP // WORD] = codes.ODD
    dispatch = np.zeros((len(shapes), TAGS), np.uint16)
    for number, (shape, field) in enumerate(fields, HEADER):
        _fill_printer(table[number], shape, field, keys)
        dispatch[keys[shape.key], field.number << 3 | field.wire_type] = number
        if field.repeated and field.op >= codes.BOOL:
            dispatch[keys[shape.key], field.number << 3 | WIRE_TYPE_OF_ELEMENT[field.op]] = odd
    return Records(table, np.zeros((0, 0), np.int64), dispatch, _names(fields))


WIRE_TYPE_OF_ELEMENT = {codes.VARINT: 0, codes.FIXED64: 1, codes.DOUBLE: 1}


def _names(fields: list[tuple[Shape, ShapeField]]) -> tuple[str, ...]:
    return ("", *(field.name for _, field in fields))


def _starts(shapes: tuple[Shape, ...]) -> list[int]:
    """Return the number of each message's first field."""
    sizes = [HEADER, *(len(shape.fields) for shape in shapes)]
    return np.cumsum(sizes)[:-1].tolist()


def _signed(value: int) -> int:
    """Return the int64 that has the bits of an unsigned number."""
    return value - (1 << 64) if value >= SIGN else value


def _excluded(shape: Shape, field: ShapeField) -> int:
    """Return the bits of the other members of a field's oneof."""
    others = (other for other in shape.fields if field.oneof and other.oneof == field.oneof)
    return sum(1 << other.number for other in others if other is not field)


def _fill_parser(
    row: npt.NDArray[np.int64], shape: Shape, field: ShapeField, keys: dict[str, int], following: int
) -> None:
    key = field.json_name.encode() + b'"'
    room = codes.NAME_WORDS * WORD
    row[codes.P_NAME // WORD :][: codes.NAME_WORDS] = np.frombuffer(key.ljust(room, b"\0"), np.int64)
    mask = (b"\xff" * len(key)).ljust(room, b"\0")
    row[codes.P_MASK // WORD :][: codes.NAME_WORDS] = np.frombuffer(mask, np.int64)
    most = (1 << (field.bits - field.signed)) - 1 if field.bits else 0
    values = {
        codes.P_LENGTH: len(key),
        codes.P_OP: field.op,
        codes.P_TAG: _tag(field),
        codes.P_NUMBER: field.number,
        codes.P_BIT: 1 << field.number,
        codes.P_OTHERS: _excluded(shape, field) << PRESENCE,
        codes.P_TARGET: keys.get(field.target, 0) * codes.M_SIZE,
        codes.P_PRESENT: field.present,
        codes.P_REPEATED: field.repeated,
        codes.P_NEXT: following,
        codes.P_HINT: 1,
        codes.P_MOST: _signed(most),
        codes.P_LEAST: _signed(most + 1) if field.signed else 0,
        codes.P_ENUM: field.enum,
    }
    for slot, value in values.items():
        row[slot // WORD] = value


def _tag(field: ShapeField) -> int:
    """Return a tag's bytes as a number."""
    tag = field.number << 3 | field.wire_type
    return tag if tag < 128 else (tag & 0x7F | 0x80) | (tag >> 7) << 8


def _fill_printer(row: npt.NDArray[np.int64], shape: Shape, field: ShapeField, keys: dict[str, int]) -> None:
    name = f',"{field.json_name}":'.encode()
    row[codes.W_NAME // WORD :][: codes.NAME_BYTES // WORD] = np.frombuffer(
        name.ljust(codes.NAME_BYTES, b"\0"), np.int64
    )
    form = (codes.BITS64 if field.bits == 64 else 0) | (0 if field.signed else codes.UNSIGNED)
    values = {
        codes.W_LENGTH: len(name),
        codes.W_OP: field.op,
        codes.W_TARGET: keys.get(field.target, 0),
        codes.W_BIT: 1 << field.number,
        codes.W_OTHERS: _excluded(shape, field),
        codes.W_PRESENT: field.present,
        codes.W_REPEATED: field.repeated,
        codes.W_FORM: form,
        codes.W_NUMBER: field.number,
    }
    for slot, value in values.items():
        row[slot // WORD] = value
