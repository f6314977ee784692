"""Find the parts of a text that vary: times, addresses, identifiers, numbers.

A part begins where no letter, digit or underscore stands before it, ends where none follows, and is, the
first that fits of::

    time  2026-01-31, 2026-01-31T23:59:59.123Z, 2026-01-31 23:59 +0100, 23:59:59,123
    uuid  123e4567-e89b-12d3-a456-426614174000
    mac   00:1a:2b:3c:4d:5e, 00-1A-2B-3C-4D-5E
    ip    10.0.0.1, fe80::1 (with a digit, so that a::b is none)
    hex   0x7ffd5e, or eight and more hexadecimal digits, a letter and a figure among them
    num   42, -1.5, 1,234,567, 6.02e23, and 35 before a unit of up to three letters, as in 35ms
    id    six and more letters, digits and underscores, two digits and a letter among them

and what says so already, ``<num>``. A number takes its sign with it where no word stands before that. Only
ASCII counts; everything is decided by bytes, in one pass from left to right.
"""

from typing import Any

import numpy as np

from workbench.kernels import kernel
from workbench.kernels.memory import load8
from workbench.kernels.parts import inlined

__all__ = ["KINDS", "NAMES", "NAME_LENGTHS", "is_space", "next_part"]

KINDS = ("time", "uuid", "mac", "ip", "hex", "num", "id")  # bit k of `active` is KINDS[k]
TIME, UUID, MAC, IP, HEX, NUM, ID = range(len(KINDS))
LITERAL = -1

SPACE, DIGIT, HEX_LETTER, OTHER_LETTER, UNDERSCORE = 1, 2, 4, 8, 16
HEX_DIGIT, LETTER = DIGIT | HEX_LETTER, HEX_LETTER | OTHER_LETTER
WORD = DIGIT | LETTER | UNDERSCORE

NAME_SIZE = max(map(len, KINDS)) + 2
NAMES = np.array([list(f"<{kind}>".ljust(NAME_SIZE).encode()) for kind in KINDS], np.int64)
NAME_LENGTHS = np.array([len(kind) + 2 for kind in KINDS], np.int64)


def _classes() -> Any:
    found = np.zeros(256, np.int64)
    for characters, kind in (
        (" \t\n\r\v\f", SPACE),
        ("0123456789", DIGIT),
        ("abcdefABCDEF", HEX_LETTER),
        ("ghijklmnopqrstuvwxyzGHIJKLMNOPQRSTUVWXYZ", OTHER_LETTER),
        ("_", UNDERSCORE),
    ):
        found[list(characters.encode())] = kind
    return found


CLASSES = _classes()
COLON, DASH, PLUS, DOT, COMMA, LESS = (ord(character) for character in ":-+.,<")


@inlined
def _byte(at: Any, stop: Any) -> Any:
    return load8(at) if at < stop else 0


@inlined
def _class(at: Any, stop: Any) -> Any:
    return CLASSES[load8(at)] if at < stop else 0


@inlined
def is_space(byte: Any) -> Any:
    """Tell whether a byte separates tokens."""
    return CLASSES[byte] == SPACE


@inlined
def _run(at: Any, stop: Any, kinds: Any, most: Any) -> Any:
    """Return where a run of bytes of some classes ends, after `most` at the latest."""
    end = min(stop, at + most)
    while at < end and CLASSES[load8(at)] & kinds:
        at += 1
    return at


@inlined
def _digits(at: Any, stop: Any, count: Any) -> Any:
    return _run(at, stop, DIGIT, count) == at + count


@inlined
def _if_whole(end: Any, stop: Any) -> Any:
    """Return the end of a part, or 0 if a word goes on there."""
    return 0 if _class(end, stop) & WORD else end


@kernel("int64(int64, int64, boolean)")
def _clock(at: Any, stop: Any, with_seconds: Any) -> Any:
    """Return where ``23:59`` or ``23:59:59.123`` ends, or 0."""
    if not (_digits(at, stop, 2) and _byte(at + 2, stop) == COLON and _digits(at + 3, stop, 2)):
        return 0
    end = at + 5
    if _byte(end, stop) == COLON and _digits(end + 1, stop, 2):
        end += 3
        fraction = _byte(end, stop) == DOT or _byte(end, stop) == COMMA
        if fraction and _class(end + 1, stop) & DIGIT:
            end = _run(end + 1, stop, DIGIT, stop - end)
    elif with_seconds:
        return 0
    return end


@kernel("int64(int64, int64)")
def _zone(at: Any, stop: Any) -> Any:
    """Return where ``Z``, ``+01:00`` or ``-0100`` ends, or `at` where there is none."""
    if _byte(at, stop) == ord("Z"):
        return at + 1
    signed = _byte(at, stop) == PLUS or _byte(at, stop) == DASH
    if signed and _digits(at + 1, stop, 2):
        minutes = at + 4 if _byte(at + 3, stop) == COLON else at + 3
        if _digits(minutes, stop, 2):
            return minutes + 2
    return at


@kernel("int64(int64, int64)")
def _time(at: Any, stop: Any) -> Any:
    date = at + 10
    is_date = (
        _digits(at, stop, 4)
        and _byte(at + 4, stop) == DASH
        and _digits(at + 5, stop, 2)
        and _byte(at + 7, stop) == DASH
        and _digits(at + 8, stop, 2)
    )
    separator = _byte(date, stop)
    end = 0
    if not is_date or separator == ord("T") or separator == ord(" "):
        end = _clock(date + 1 if is_date else at, stop, not is_date)
    if not is_date:
        return _if_whole(end, stop) if end else 0
    if end:
        separated = _byte(end, stop) == ord(" ")
        zone = _zone(end + 1 if separated else end, stop)
        if separated and zone > end + 2 and _if_whole(zone, stop):
            return zone
        end = end if separated else zone
    return end if end and _if_whole(end, stop) else _if_whole(date, stop)


@kernel("int64(int64, int64)")
def _uuid(at: Any, stop: Any) -> Any:
    for count in (8, 4, 4, 4):
        end = _run(at, stop, HEX_DIGIT, count)
        if end != at + count or _byte(end, stop) != DASH:
            return 0
        at = end + 1
    end = _run(at, stop, HEX_DIGIT, 12)
    return _if_whole(end, stop) if end == at + 12 else 0


@kernel("int64(int64, int64)")
def _mac(at: Any, stop: Any) -> Any:
    separator = _byte(at + 2, stop)
    if separator != COLON and separator != DASH:
        return 0
    for pair in range(6):
        if _run(at, stop, HEX_DIGIT, 2) != at + 2 or (pair < 5 and _byte(at + 2, stop) != separator):
            return 0
        at += 3
    end = at - 1
    goes_on = _byte(end, stop) == separator and _class(end + 1, stop) & HEX_DIGIT
    return 0 if goes_on else _if_whole(end, stop)


@kernel("int64(int64, int64)")
def _ip4(at: Any, stop: Any) -> Any:
    for group in range(4):
        end = _run(at, stop, DIGIT, 3)
        if end == at or (group < 3 and _byte(end, stop) != DOT):
            return 0
        at = end + 1
    goes_on = _byte(end, stop) == DOT and _class(end + 1, stop) & DIGIT
    return 0 if goes_on else _if_whole(end, stop)


@kernel("int64(int64, int64)")
def _ip6(at: Any, stop: Any) -> Any:
    """Return where eight groups end, or fewer around one ``::``; RFC 4291, section 2.2, without dots."""
    end, digits = at, 0
    while end < stop and (CLASSES[load8(end)] & HEX_DIGIT or load8(end) == COLON):
        digits |= CLASSES[load8(end)] & DIGIT
        end += 1
    if end - at > 2 and load8(end - 1) == COLON and load8(end - 2) != COLON:
        end -= 1  # a colon behind an address belongs to the sentence
    if digits == 0 or not _if_whole(end, stop):
        return 0
    groups, gaps = 0, 0
    if _byte(at, end) == COLON:
        gaps, at = 1, at + 2
    while at < end:
        after = _run(at, end, HEX_DIGIT, 5)
        if after == at or after - at > 4:
            return 0
        groups += 1
        at = after
        if at < end:
            at += 1
            if _byte(at, end) == COLON:
                gaps += 1
                at += 1
    whole = (gaps == 0 and groups == 8) or (gaps == 1 and groups <= 7)
    return end if whole else 0


@kernel("int64(int64, int64)")
def _number(at: Any, stop: Any) -> Any:
    end = _run(at, stop, DIGIT, stop - at)
    while (_byte(end, stop) == DOT or _byte(end, stop) == COMMA) and _class(end + 1, stop) & DIGIT:
        end = _run(end + 1, stop, DIGIT, stop - end)
    if _byte(end, stop) | 0x20 == ord("e"):
        signed = _byte(end + 1, stop) == PLUS or _byte(end + 1, stop) == DASH
        digits = end + 2 if signed else end + 1
        exponent = _run(digits, stop, DIGIT, stop - end)
        end = exponent if exponent > digits else end
    unit = _run(end, stop, LETTER, 3)
    return end if _if_whole(unit, stop) else 0


@kernel("Tuple((int64, int64))(int64, int64, int64, int64, int64)")
def _marked_part(at: Any, stop: Any, active: Any, length: Any, seen: Any) -> Any:
    """Return the kind and the end of a part that marks divide and a word begins; the end 0 for none."""
    hexadecimal = seen & ~HEX_DIGIT == 0
    kind, end = LITERAL, 0
    if active & 1 << TIME and seen == DIGIT:
        kind, end = TIME, _time(at, stop)
    if end == 0 and active & 1 << UUID and hexadecimal and length == 8:
        kind, end = UUID, _uuid(at, stop)
    if end == 0 and active & 1 << MAC and hexadecimal and length == 2:
        kind, end = MAC, _mac(at, stop)
    if end == 0 and active & 1 << IP and hexadecimal and length <= 4:
        kind, end = IP, _ip4(at, stop)
        if end == 0:
            end = _ip6(at, stop)
    return kind, end


@kernel("Tuple((int64, int64))(int64, int64, int64, int64)")
def _part_of_word(at: Any, word_end: Any, stop: Any, active: Any) -> Any:
    """Return the kind and the end of the part that a word begins, or LITERAL and the word's end."""
    seen, digits = 0, 0
    for place in range(at, word_end):
        seen |= CLASSES[load8(place)]
        digits += CLASSES[load8(place)] == DIGIT
    length = word_end - at
    kind, end = _marked_part(at, stop, active, length, seen)
    if (
        end == 0
        and active & 1 << HEX
        and length > 2
        and load8(at) == ord("0")
        and load8(at + 1) | 0x20 == ord("x")
    ):
        kind, end = HEX, word_end if _run(at + 2, word_end, HEX_DIGIT, length) == word_end else 0
    is_hexadecimal = seen & ~HEX_DIGIT == 0 and seen & HEX_LETTER and digits > 0
    if end == 0 and active & 1 << HEX and length >= 8 and is_hexadecimal:
        kind, end = HEX, word_end
    if end == 0 and active & 1 << NUM and CLASSES[load8(at)] == DIGIT:
        kind, end = NUM, _number(at, stop)
    if end == 0 and active & 1 << ID and length >= 6 and digits >= 2 and seen & LETTER:
        kind, end = ID, word_end
    return (kind, end) if end else (LITERAL, word_end)


@kernel("int64(int64, int64, int64)")
def _said(at: Any, stop: Any, active: Any) -> Any:
    """Return the kind of which the text has the name, ``<num>``, or LITERAL."""
    for kind in range(len(NAME_LENGTHS)):
        length = NAME_LENGTHS[kind]
        if active & 1 << kind and at + length <= stop:
            same = 0
            while same < length and load8(at + same) == NAMES[kind, same]:
                same += 1
            if same == length:
                return kind
    return LITERAL


@kernel("Tuple((int64, int64))(int64, int64, int64, int64)")
def _part(at: Any, start: Any, stop: Any, active: Any) -> Any:
    """Return what `next_part` does, where a look at the bytes' classes does not tell."""
    byte = load8(at)
    kind = CLASSES[byte]
    before = load8(at - 1) if at > start else 0
    if kind & WORD:
        word_end = _run(at, stop, WORD, stop - at)
        if CLASSES[before] & WORD:
            return LITERAL, word_end
        return _part_of_word(at, word_end, stop, active)
    if CLASSES[before] & WORD == 0:
        signed = byte == PLUS or byte == DASH
        if signed and active & 1 << NUM and _class(at + 1, stop) & DIGIT:
            part, end = _part_of_word(at + 1, _run(at + 1, stop, WORD, stop - at), stop, active)
            return (NUM, end) if part == NUM else (LITERAL, at + 1)
        if byte == COLON and before != COLON and _byte(at + 1, stop) == COLON and active & 1 << IP:
            end = _ip6(at, stop)
            return (IP, end) if end else (LITERAL, at + 1)
    if byte == LESS:
        part = _said(at, stop, active)
        if part != LITERAL:
            return part, at + NAME_LENGTHS[part]
    return LITERAL, at + 1


@inlined
def next_part(at: Any, start: Any, stop: Any, active: Any) -> Any:
    """Return the kind and the end of what lies at an address of a text, which is not a space.

    Parameters
    ----------
    at, start, stop : int64
        Where to look, and the text: the byte before `at` is looked at.
    active : int64
        One bit for each kind that is looked for.

    Returns
    -------
    kind, end : int64
        `KINDS` by number; or -1 for a stretch to be taken as it is, without spaces.
    """
    byte = load8(at)
    if CLASSES[byte] & WORD:
        seen, end = 0, at
        while end < stop and CLASSES[load8(end)] & WORD:
            seen |= CLASSES[load8(end)]
            end += 1
        if seen & DIGIT == 0 and seen & ~HEX_DIGIT:
            return LITERAL, end
    elif byte != PLUS and byte != DASH and byte != COLON and byte != LESS:
        return LITERAL, at + 1
    return _part(at, start, stop, active)
