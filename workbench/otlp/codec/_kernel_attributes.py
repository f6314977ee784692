"""Attributes, from bytes to rows: KeyValue after KeyValue.

Real telemetry repeats itself, so an attribute is guessed before it is read: after key a came key b last time,
and b's last value is often its value again. A guess costs one comparison of bytes, and saves hashing the key,
and often all reading.

Texts are hashed when they are met, and looked for some at a time: the dictionary is larger than the caches,
and so the memory fetches several of its places at once.
"""

from typing import Any

from workbench.kernels import kernel
from workbench.kernels.memory import equal_bytes, load8, load16, load32, load64, store8, store32, store64
from workbench.kernels.parts import inlined
from workbench.otlp.codec._codes import (
    A_DEPTH,
    A_KEY,
    A_KEY_REF,
    A_PARENT,
    A_SEEN_REF,
    A_TABLE,
    A_TYPE,
    A_VALUE,
    ABSENT,
    ATTRIBUTES_SIZE,
    BOOL,
    C_ATTRIBUTES,
    C_FOLLOW,
    C_KEEP,
    C_KEYS,
    C_LIMIT,
    C_PENDING,
    C_RECENT,
    C_REFERENCES,
    C_REWRITE,
    C_ROOM,
    C_ROWS,
    C_TEXTS,
    C_UNKNOWN,
    D_BYTES,
    D_FAILED,
    D_OFFSETS,
    DOUBLE,
    F_TABLE,
    F_TARGET,
    INT,
    MALFORMED,
    MOST_PENDING,
    P_BITS,
    P_HASH,
    P_LENGTH,
    P_RECENT,
    P_SIZE,
    P_START,
    P_TEXT,
    P_VALUE,
    PENDING_SIZE,
    Q_AT,
    Q_END,
    Q_ROW,
    Q_SIZE,
    QUEUED_SIZE,
    R_KEY,
    R_KEY_LENGTH,
    R_LENGTH,
    R_START,
    R_TYPE,
    R_VALUE,
    RECENT_SIZE,
    ROOM,
    SIDED,
    SLOT_KEY_VALUE,
    SLOT_VALUE,
    STR,
)
from workbench.otlp.codec._kernel_dictionary import find_hashed, find_text, prefetch_slot
from workbench.otlp.codec._kernel_hash import hash_text
from workbench.otlp.codec._kernel_hints import AHEAD, prefetch, stay_apart
from workbench.otlp.codec._kernel_values import append_side, read_value
from workbench.otlp.codec._kernel_wire import (
    read_length,
    read_tag,
    read_varint,
    same,
    short_varint,
    skip_field,
)

__all__ = ["queue_row", "read_key_values"]

HAS_REFERENCE = 256  # beside SIDED: this attribute's bytes say more than a key and a value
NEVER = 1 << 40  # longer than any input: a key whose length takes two bytes is not guessed
LATER = 256  # instead of a type: a text whose number is not known yet


@inlined
def _usual_value(at: Any, end: Any, texts: Any, limit: Any) -> Any:
    """Return type and value where only a short scalar follows, written as usual; type -1 where not.

    Of a text return LATER, its hash and its bits: it is looked for together with others.
    """
    if end - at < 4 or load8(at) != 18 or load8(at + 1) != end - at - 2:
        return -1, 0, 0
    tag = load8(at + 2)
    if tag == 10:
        size = end - at - 4
        if load8(at + 3) == size:
            if size == 0:
                return STR, 0, 0
            code, bits = hash_text(at + 4, size, limit)
            prefetch_slot(texts, code)
            return LATER, code, bits
    elif tag == 24:
        size = end - at - 3
        if size <= 8 and at <= limit:
            value = short_varint(at + 3, size)
            if value >= 0:
                return INT, value, 0
        else:
            value, after = read_varint(at + 3, end)
            if after == end:
                return INT, value, 0
    elif tag == 33 and end - at == 11:
        return DOUBLE, load64(at + 3), 0
    elif tag == 16 and end - at == 4 and load8(at + 3) < 2:
        return BOOL, load8(at + 3), 0
    return -1, 0, 0


@inlined
def _put_off(pending: Any, text: Any, size: Any, code: Any, bits: Any) -> None:
    store64(pending + P_TEXT, text)
    store64(pending + P_SIZE, size)
    store64(pending + P_HASH, code)
    store64(pending + P_BITS, bits)


@inlined
def _settle(pending: Any, last: Any, texts: Any, limit: Any) -> None:
    """Look for the texts that were put off; while it does for one, the memory fetches those that follow."""
    while pending < last:
        number = find_hashed(
            texts,
            load64(pending + P_TEXT),
            load64(pending + P_SIZE),
            load64(pending + P_HASH),
            load64(pending + P_BITS),
            limit,
        )
        store64(load64(pending + P_VALUE), number)
        record = load64(pending + P_RECENT)
        if load64(record + R_START) == load64(pending + P_START):
            store64(record + R_LENGTH, load64(pending + P_LENGTH))
            store64(record + R_VALUE, number)
        pending += PENDING_SIZE


@kernel("void(int64, int64, int64, int64)")
def _store_reference(control: Any, attributes: Any, row: Any, reference: Any) -> None:
    """Store the reference that a key is; all rows of the table have none before its first."""
    stay_apart()
    column = load64(attributes + A_KEY_REF)
    if load64(attributes + A_SEEN_REF) == 0:
        for other in range(load64(load64(control + C_ROOM) + 8 * load64(attributes + A_TABLE))):
            store32(column + 4 * other, 0)
        store64(attributes + A_SEEN_REF, 1)
        store64(control + C_REFERENCES, 1)
    store32(column + 4 * row, reference)


@inlined
def _compare(at: Any, size: Any, record: Any, limit: Any) -> Any:
    """Compare a KeyValue with the last one of a key.

    Return whether it is the same, and if not, the size of the key if it starts with that, else -1. Where that
    last one was in this input, and started with the key, one comparison tells both; and whether it repeats
    nobody can guess, so that there is one branch for it.
    """
    start, key_size = load64(record + R_START), load64(record + R_KEY_LENGTH)
    if start != 0 and at <= limit and key_size < 62 and key_size + 2 <= size:
        differ = ~equal_bytes(at, start)
        if size <= 64:
            repeated = ((load64(record + R_LENGTH) ^ size) | (differ << (64 - size))) == 0
        else:
            repeated = load64(record + R_LENGTH) == size and same(at, start, size, limit)
        if repeated:
            return True, -1
        return False, (key_size if differ << (62 - key_size) == 0 else -1)
    if size >= 2 and load64(record + R_LENGTH) == size and same(at, start, size, limit):
        return True, -1
    found = (
        key_size + 2 <= size
        and load16(at) == (10 | key_size << 8)
        and same(at + 2, load64(record + R_KEY), key_size, limit)
    )
    return False, (key_size if found else -1)


@kernel("int64(int64, int64, int64, int64, int64, int64, int64)")
def _read_key_value(
    at: Any, end: Any, control: Any, attributes: Any, row: Any, before: Any, guess: Any
) -> Any:
    """Write a KeyValue of any form into a row; return its key, or MALFORMED.

    `before` is the key before it, or -1; `guess` the key that it starts with, or -1.
    """
    stay_apart()
    start, key, keys_met = at, 0, 0
    recent, limit = load64(control + C_RECENT), load64(control + C_LIMIT)
    if guess >= 0:
        key, keys_met = guess, 1
        at += 2 + load64(recent + RECENT_SIZE * guess + R_KEY_LENGTH)
    kind, value, flags, values = ABSENT, 0, 0, 0
    while at < end:
        field = at
        tag, at = read_tag(at, end)
        if at > end:
            return MALFORMED
        if tag == 18:
            size, at = read_length(at, end)
            if at > end:
                return MALFORMED
            depth, table = load64(attributes + A_DEPTH) + 1, load64(attributes + A_TABLE)
            kind, value, failed = read_value(at, at + size, depth, control, table, row, SLOT_VALUE, False)
            if failed < 0:
                return MALFORMED
            at += size
            values += 1
            if values > 1:
                store64(control + C_REWRITE, 1)
        elif tag == 10:
            size, at = read_length(at, end)
            if at > end:
                return MALFORMED
            keys = load64(control + C_KEYS)
            key = find_text(keys, at, size, limit)
            keys_met += 1
            if load64(keys + D_FAILED) != 0:
                return MALFORMED  # `end_message` asks the dictionary why
            record = recent + RECENT_SIZE * key
            offset = load32(load64(keys + D_OFFSETS) + 4 * key)
            store64(record + R_KEY, load64(keys + D_BYTES) + offset)
            store64(record + R_KEY_LENGTH, size if size < 128 else NEVER)
            at += size
        elif tag == 24:
            reference, at = read_varint(at, end)
            if at > end:
                return MALFORMED
            _store_reference(control, attributes, row, reference)
            flags |= HAS_REFERENCE
        else:
            at = skip_field(tag, at, end, load64(attributes + A_DEPTH))
            if at > end:
                return MALFORMED
            store64(control + C_UNKNOWN, load64(control + C_UNKNOWN) + 1)
            if load64(control + C_KEEP) != 0:
                table = load64(attributes + A_TABLE)
                append_side(control, table, row, SLOT_KEY_VALUE, field, at - field)
                flags |= SIDED
    kind |= flags & SIDED
    store32(load64(control + C_FOLLOW) + 4 * before, key + 1)
    store32(load64(attributes + A_KEY) + 4 * row, key)
    store8(load64(attributes + A_TYPE) + row, kind)
    store64(load64(attributes + A_VALUE) + 8 * row, value)
    if keys_met != 0:
        record = recent + RECENT_SIZE * key
        usual = keys_met == 1 and load16(start) == (10 | load64(record + R_KEY_LENGTH) << 8)
        store64(record + R_START, start if usual else 0)
        store64(record + R_LENGTH, end - start if usual and kind & SIDED == 0 and flags == 0 else -1)
        store64(record + R_TYPE, kind)
        store64(record + R_VALUE, value)
    return key


@inlined
def _read_usual(
    at: Any,
    size: Any,
    key_size: Any,
    key: Any,
    record: Any,
    columns: Any,
    pending: Any,
    texts: Any,
    limit: Any,
) -> Any:
    """Write a KeyValue whose key is known into its places in the columns, if its value is a usual one.

    Return whether it is, and where the next text is put off to.
    """
    key_at, kind_at, value_at = columns
    kind, value, bits = _usual_value(at + 2 + key_size, at + size, texts, limit)
    if kind < 0:
        return False, pending
    store32(key_at, key)
    store64(record + R_START, at)
    if kind == LATER:
        kind = STR
        store64(record + R_LENGTH, -1)  # it is no guess as long as its number is not known
        _put_off(pending, at + 6 + key_size, size - key_size - 6, value, bits)
        store64(pending + P_VALUE, value_at)
        store64(pending + P_RECENT, record)
        store64(pending + P_START, at)
        store64(pending + P_LENGTH, size)
        pending += PENDING_SIZE
    else:
        store64(value_at, value)
        store64(record + R_LENGTH, size)
        store64(record + R_VALUE, value)
    store8(kind_at, kind)
    store64(record + R_TYPE, kind)
    return True, pending


@inlined
def queue_row(place: Any, at: Any, size: Any, end: Any, row: Any) -> None:
    """Let a row wait for its attributes: where the first is, its size, and where all end at the latest."""
    store64(place + Q_AT, at)
    store64(place + Q_SIZE, size)
    store64(place + Q_END, end)
    store64(place + Q_ROW, row)


@kernel("Tuple((int64, int64))(int64, int64, int64, int64, int64, int64)")
def read_key_values(queued: Any, last: Any, tag: Any, field: Any, before: Any, control: Any) -> Any:
    """Write a KeyValue, and those that follow it at once, of each row that is queued, into rows.

    Return the position after the last, or an outcome that is not OK; and its key. `before` is the key of the
    one before, -1, or what a data point has instead. A following one has a length of one byte, as most have.
    """
    stay_apart()
    attributes = load64(control + C_ATTRIBUTES) + ATTRIBUTES_SIZE * load64(field + F_TARGET)
    table = load64(field + F_TABLE)
    counter, most = load64(control + C_ROWS) + 8 * table, load64(load64(control + C_ROOM) + 8 * table)
    child = load64(counter)
    start = before if before != -1 else -1 - load64(field + F_TARGET)
    parents, keys = load64(attributes + A_PARENT), load64(attributes + A_KEY)
    kinds, values = load64(attributes + A_TYPE), load64(attributes + A_VALUE)
    follow, recent = load64(control + C_FOLLOW), load64(control + C_RECENT)
    texts, limit = load64(control + C_TEXTS), load64(control + C_LIMIT)
    first = load64(control + C_PENDING)
    pending, full = first, first + PENDING_SIZE * MOST_PENDING
    at = load64(queued + Q_AT)
    while queued < last:
        if child >= most:
            return ROOM, before
        at, size, end = load64(queued + Q_AT), load64(queued + Q_SIZE), load64(queued + Q_END)
        row, before, follows = load64(queued + Q_ROW), start, True
        while follows:
            prefetch(at + AHEAD)
            store32(parents + 4 * child, row)
            guess, key = load32(follow + 4 * before) - 1, -1
            if guess >= 0:
                record = recent + RECENT_SIZE * guess
                repeated, key_size = _compare(at, size, record, limit)
                if repeated:
                    key = guess
                    store32(keys + 4 * child, key)
                    store8(kinds + child, load64(record + R_TYPE))
                    store64(values + 8 * child, load64(record + R_VALUE))
                elif key_size < 0:
                    guess = -1
                else:
                    columns = keys + 4 * child, kinds + child, values + 8 * child
                    usual, pending = _read_usual(
                        at, size, key_size, guess, record, columns, pending, texts, limit
                    )
                    key = guess if usual else -1
            if key < 0:
                key = _read_key_value(at, at + size, control, attributes, child, before, guess)
                if key < 0:
                    return MALFORMED, before
            before = key
            child += 1
            at += size
            follows = end - at >= 2 and child < most and load8(at) == tag and load8(at + 1) < 128
            if follows:
                size = load8(at + 1)
                follows = size <= end - at - 2
                at += 2 if follows else 0
            if pending == full:
                _settle(first, pending, texts, limit)
                pending = first
        queued += QUEUED_SIZE
    _settle(first, pending, texts, limit)
    store64(counter, child)
    return at, before
