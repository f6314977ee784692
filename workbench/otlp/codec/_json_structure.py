"""Where the members of a JSON object and the elements of an array lie, of broken text as far as it goes.

Only strings, brackets, colons and commas are looked at; what is between them the parser judges. Nothing
recurses, however deeply the text is nested.
"""

import json
import re
from dataclasses import dataclass, field

__all__ = ["Members", "Span", "elements_of", "end_of", "members_of", "skip_blanks"]

Span = tuple[int, int]  # where a value starts, and where it ends
BLANKS = re.compile(rb"[ \t\r\n]*")
STRING = re.compile(rb'"[^"\\]*+(?:\\.[^"\\]*+)*+"', re.DOTALL)
SCALAR = re.compile(rb"[^\s,:{}\[\]\"]+")
MARK = re.compile(rb'"[^"\\]*+(?:\\.[^"\\]*+)*+"|["{}\[\]]', re.DOTALL)
CLOSING = {b"{": b"}", b"[": b"]"}


@dataclass(slots=True)
class Members:
    """What an object holds: the lists that one of its members may be, and whether it holds others.

    `sound_end` is behind the last member that is whole; `end` behind the closing brace, or -1 without one.
    """

    lists: list[Span] = field(default_factory=list)  # a list that does not end has the end -1
    has_others: bool = False
    sound_end: int = 0
    end: int = -1


def skip_blanks(text: bytes, at: int, stop: int) -> int:
    """Return where the next thing is."""
    found = BLANKS.match(text, at, stop)
    return found.end() if found else at


def members_of(text: bytes, at: int, stop: int, name: str) -> Members:
    """Return what an object that starts here holds; `name` is the member that may be a list."""
    found = Members(sound_end=at + 1)
    at = skip_blanks(text, at + 1, stop)
    if at < stop and text[at : at + 1] == b"}":
        found.end = at + 1
        return found
    while key := STRING.match(text, at, stop):
        at = skip_blanks(text, key.end(), stop)
        value = skip_blanks(text, at + 1, stop)
        if text[at : at + 1] != b":" or value >= stop:
            return found
        is_list = text[value : value + 1] == b"[" and _is_name(key[0], name)
        end = end_of(text, value, stop)
        if is_list:
            found.lists.append((value, end))
        if end < 0:
            return found
        found.has_others |= not is_list
        found.sound_end = end
        at = skip_blanks(text, end, stop)
        mark = text[at : at + 1] if at < stop else b""
        if mark == b"}":
            found.end = at + 1
        if mark != b",":
            return found
        at = skip_blanks(text, at + 1, stop)
    return found


def elements_of(text: bytes, at: int, stop: int) -> tuple[list[Span], int]:
    """Return the elements of an array that starts here, and where it breaks, or -1.

    An element that does not end has the end -1, and is the last.
    """
    found: list[Span] = []
    at = skip_blanks(text, at + 1, stop)
    if at < stop and text[at : at + 1] == b"]":
        return found, -1
    while at < stop:
        end = end_of(text, at, stop)
        found.append((at, end))
        if end < 0:
            return found, -1
        at = skip_blanks(text, end, stop)
        mark = text[at : at + 1] if at < stop else b""
        if mark == b"]":
            return found, -1
        if mark != b",":
            return found, at
        at = skip_blanks(text, at + 1, stop)
    return found, at


def end_of(text: bytes, at: int, stop: int) -> int:
    """Return where a value ends; -1 where it does not, or where nothing is that could be one."""
    if text[at : at + 1] not in CLOSING:
        found = STRING.match(text, at, stop) or SCALAR.match(text, at, stop)
        return found.end() if found else -1
    expected = bytearray()
    for mark in MARK.finditer(text, at, stop):
        here = mark[0]
        if here in CLOSING:
            expected += CLOSING[here]
        elif here in (b"}", b"]"):
            if expected[-1:] != here:
                return -1
            expected.pop()
            if not expected:
                return mark.end()
        elif here == b'"':
            return -1
    return -1


def _is_name(key: bytes, name: str) -> bool:
    try:
        return bool(json.loads(key) == name)
    except ValueError:
        return False
