"""Data points that repeat the shape of one before them: copied by a template.

A shape is where a message has which tags, and the lengths of its lists: words and lists of words first, then
nothing but attributes. It is learnt, for each field, from the first message that has another than the one
before. One with the same tags and lengths at the same places means the same fields; a message that has no
shape is left to `_kernel_decode`.
"""

from typing import Any

from workbench.kernels import kernel
from workbench.kernels.memory import load8, load16, load32, load64, store32, store64
from workbench.kernels.parts import inlined
from workbench.otlp.codec._codes import (
    C_ATTRIBUTE_COUNT,
    C_DISPATCH,
    C_FIELDS,
    C_KINDS,
    C_QUEUE,
    C_SHAPES,
    DISPATCH_SIZE,
    F_AUX,
    F_BIT,
    F_COLUMN,
    F_OP,
    F_OTHERS,
    F_TARGET,
    FIELD_SIZE,
    K_PRESENT,
    KEY_VALUE,
    KIND_SIZE,
    MOST_QUEUED,
    NO_SHAPE,
    OK,
    PACKED_WORDS,
    PART_SIZE,
    Q_END,
    QUEUED_SIZE,
    ROOM,
    SHAPE_HEADER,
    SHAPE_SIZE,
    T_FIELD,
    T_FIXED,
    T_HEAD,
    T_MASK,
    T_PAIR_TAG,
    T_PAIRS,
    T_PARTS,
    T_PLACE,
    T_PRESENT,
    WORD,
)
from workbench.otlp.codec._kernel_attributes import queue_row, read_key_values
from workbench.otlp.codec._kernel_hints import AHEAD, prefetch, stay_apart
from workbench.otlp.codec._kernel_rows import append_words, next_row, start_lists
from workbench.otlp.codec._kernel_wire import read_length

__all__ = ["repeat_points"]

NO_TAG = -1  # of attributes where a shape has none


@inlined
def _write_part(part: Any, place: Any, head: Any, mask: Any, field: Any) -> None:
    store64(part + T_PLACE, place)
    store64(part + T_HEAD, head)
    store64(part + T_MASK, mask)
    store64(part + T_FIELD, field)


@kernel("boolean(int64, int64, int64, int64, int64)")
def _learn_shape(start: Any, end: Any, shape: Any, kind: Any, control: Any) -> Any:
    """Make the shape that of a message, up to its attributes; return whether it has one."""
    stay_apart()
    dispatch, fields = load64(control + C_DISPATCH) + DISPATCH_SIZE * kind, load64(control + C_FIELDS)
    part, at, present, pairs = shape + SHAPE_HEADER, start, 0, 0
    store64(shape + T_FIXED, NO_SHAPE)
    while at < end and pairs == 0:
        tag = load8(at)
        field = fields + FIELD_SIZE * load16(dispatch + 2 * tag)
        op = load64(field + F_OP)
        if tag > 127 or end - at < 2:
            return False
        if op == KEY_VALUE:
            pairs = field
            store64(shape + T_PAIR_TAG, tag)
        elif part == shape + SHAPE_SIZE:
            return False
        elif op == WORD:
            present = (present & ~load64(field + F_OTHERS)) | load64(field + F_BIT)
            _write_part(part, at - start, tag, 0xFF, field)
            part += PART_SIZE
            at += 9
        elif op == PACKED_WORDS and load8(at + 1) < 128:
            _write_part(part, at - start, load16(at), 0xFFFF, field)
            part += PART_SIZE
            at += 2 + load8(at + 1)
        else:
            return False
    if at > end:
        return False
    store64(shape + T_PARTS, part - shape)
    store64(shape + T_FIXED, at - start)
    store64(shape + T_PAIRS, pairs)
    store64(shape + T_PRESENT, present)
    return True


@kernel("boolean(int64, int64, int64)")
def _has_shape(at: Any, end: Any, shape: Any) -> Any:
    """Tell whether a message has the parts of a shape, and then nothing but attributes of a short length."""
    stay_apart()
    if end - at < load64(shape + T_FIXED):
        return False
    part, last = shape + SHAPE_HEADER, shape + load64(shape + T_PARTS)
    while part < last:
        if load16(at + load64(part + T_PLACE)) & load64(part + T_MASK) != load64(part + T_HEAD):
            return False
        part += PART_SIZE
    at += load64(shape + T_FIXED)
    tag = load64(shape + T_PAIR_TAG) if load64(shape + T_PAIRS) != 0 else NO_TAG
    while end - at >= 2:
        if load8(at) != tag or load8(at + 1) > 127:
            return False
        at += 2 + load8(at + 1)
    return at == end


@inlined
def _write_parts(at: Any, shape: Any, row: Any, control: Any) -> Any:
    """Write the words of a message, and those of its lists, into a row; return an outcome."""
    part, last = shape + SHAPE_HEADER, shape + load64(shape + T_PARTS)
    while part < last:
        value, field = at + load64(part + T_PLACE) + 1, load64(part + T_FIELD)
        if load64(part + T_MASK) == 0xFF:
            store64(load64(field + F_COLUMN) + 8 * row, load64(value))
        else:
            outcome = append_words(value + 1, load8(value), field, control)
            if outcome != OK:
                return outcome
        part += PART_SIZE
    return OK


@inlined
def _read_queued(queue: Any, last: Any, shape: Any, start: Any, control: Any) -> Any:
    """Write the attributes of the messages that are queued; return an outcome."""
    if queue == last:
        return OK
    tag, field = load64(shape + T_PAIR_TAG), load64(shape + T_PAIRS)
    at, _ = read_key_values(queue, last, tag, field, start, control)
    if at < 0:
        return at
    return OK if at == load64(last - QUEUED_SIZE + Q_END) else ROOM


@kernel("int64(int64, int64, int64, int64, int64, int64)")
def repeat_points(at: Any, end: Any, tag: Any, field: Any, row: Any, control: Any) -> Any:
    """Write the messages of a field that are next, as long as they have one shape, into rows.

    Return the position after the last, or an outcome that is not OK. Their tags have one byte.
    """
    stay_apart()
    kind, number = load64(field + F_TARGET), load64(field + F_AUX)
    record = load64(control + C_KINDS) + KIND_SIZE * kind
    shape = load64(control + C_SHAPES) + SHAPE_SIZE * number
    start = -1 - load64(control + C_ATTRIBUTE_COUNT) - number  # instead of a key before the first
    queue = load64(control + C_QUEUE)
    last, full = queue, queue + QUEUED_SIZE * MOST_QUEUED
    while last < full and end - at > 2 and load8(at) == tag:
        size, body = read_length(at + 1, end)
        after = body + size
        if body > end:
            break
        if not _has_shape(body, after, shape):
            if last != queue or not _learn_shape(body, after, shape, kind, control):
                break
            if not _has_shape(body, after, shape):
                break
        prefetch(body + AHEAD)
        child = next_row(field, control)
        if child < 0:
            return ROOM
        store32(load64(field + F_COLUMN) + 4 * child, row)
        start_lists(record, child, control)
        outcome = _write_parts(body, shape, child, control)
        if outcome != OK:
            return outcome
        present = load64(record + K_PRESENT) + 4 * child
        store32(present, load32(present) | load64(shape + T_PRESENT))
        pairs = body + load64(shape + T_FIXED)
        if pairs < after:
            queue_row(last, pairs + 2, load8(pairs + 1), after, child)
            last += QUEUED_SIZE
        at = after
    outcome = _read_queued(queue, last, shape, start, control)
    return at if outcome == OK else outcome
