"""Where the members of a JSON object and the elements of an array lie, of broken text as far as it goes.

Only strings, brackets, colons and commas are looked at; what is between them the parser judges. Nothing
recurses, however deeply the text is nested.
"""

import json
import re
from dataclasses import dataclass, field

import numpy as np

from workbench.otlp.codec._kernel_json_structure import bracket_end

__all__ = ["Members", "Span", "Structure"]

Span = tuple[int, int]  # where a value starts, and where it ends
BLANKS = re.compile(rb"[ \t\r\n]*")
STRING = re.compile(rb'"[^"\\]*+(?:\\.[^"\\]*+)*+"', re.DOTALL)
SCALAR = re.compile(rb"[^\s,:{}\[\]\"]+")


@dataclass(slots=True)
class Members:
    """What an object holds: the lists that one of its members may be, and whether it holds others.

    `sound_end` is behind the last member that is whole; `end` behind the closing brace, or -1 without one.
    """

    lists: list[Span] = field(default_factory=list)  # a list that does not end has the end -1
    has_others: bool = False
    sound_end: int = 0
    end: int = -1


class Structure:
    """Finds its way through one text."""

    def __init__(self, text: bytes) -> None:
        self.text = text
        self._bytes = np.frombuffer(text or b" ", np.uint8)
        self._expected = np.empty(len(text) + 1, np.uint8)
        self._start, self._room = self._bytes.ctypes.data, self._expected.ctypes.data

    def skip_blanks(self, at: int, stop: int) -> int:
        """Return where the next thing is."""
        found = BLANKS.match(self.text, at, stop)
        return found.end() if found else at

    def members_of(self, at: int, stop: int, name: str) -> Members:
        """Return what an object that starts here holds; `name` is the member that may be a list."""
        text, found = self.text, Members(sound_end=at + 1)
        at = self.skip_blanks(at + 1, stop)
        if at < stop and text[at : at + 1] == b"}":
            found.end = at + 1
            return found
        while key := STRING.match(text, at, stop):
            at = self.skip_blanks(key.end(), stop)
            value = self.skip_blanks(at + 1, stop)
            if text[at : at + 1] != b":" or value >= stop:
                return found
            is_list = text[value : value + 1] == b"[" and _is_name(key[0], name)
            end = self.end_of(value, stop)
            if is_list:
                found.lists.append((value, end))
            if end < 0:
                return found
            found.has_others |= not is_list
            found.sound_end = end
            at = self.skip_blanks(end, stop)
            mark = text[at : at + 1] if at < stop else b""
            if mark == b"}":
                found.end = at + 1
            if mark != b",":
                return found
            at = self.skip_blanks(at + 1, stop)
        return found

    def elements_of(self, at: int, stop: int) -> tuple[list[Span], int]:
        """Return the elements of an array that starts here, and where it breaks, or -1.

        An element that does not end has the end -1, and is the last.
        """
        text, found = self.text, list[Span]()
        at = self.skip_blanks(at + 1, stop)
        if at < stop and text[at : at + 1] == b"]":
            return found, -1
        while at < stop:
            end = self.end_of(at, stop)
            found.append((at, end))
            if end < 0:
                return found, -1
            at = self.skip_blanks(end, stop)
            mark = text[at : at + 1] if at < stop else b""
            if mark == b"]":
                return found, -1
            if mark != b",":
                return found, at
            at = self.skip_blanks(at + 1, stop)
        return found, at

    def end_of(self, at: int, stop: int) -> int:
        """Return where a value ends; -1 where it does not, or where nothing is that could be one."""
        if self.text[at : at + 1] in (b"{", b"["):
            end = int(bracket_end(self._start + at, self._start + stop, self._room))
            return end - self._start if end >= 0 else -1
        found = STRING.match(self.text, at, stop) or SCALAR.match(self.text, at, stop)
        return found.end() if found else -1


def _is_name(key: bytes, name: str) -> bool:
    if b"\\" not in key:
        return key[1:-1] == name.encode()
    try:
        return bool(json.loads(key) == name)
    except ValueError:
        return False
