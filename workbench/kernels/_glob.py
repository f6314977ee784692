"""Which rows match a glob as a whole.

::

    *        any text, line ends included, or none
    ?        one character
    [abc]    one of these characters; [a-z] one of a range; [!abc] one that is none of these
    other    itself; [*] [?] [[] are the characters that would have a meaning, a backslash is itself

These are the rules of `fnmatch.fnmatchcase`, over UTF-8: a character is one code point. ``[`` without ``]``
is itself, a ``]`` that comes first in a set belongs to it, a range that descends holds nothing.

A star cuts the pattern into pieces, and a piece has a fixed number of characters. So the first piece is
compared at the start, the last one at the end, and each of the others is taken where it first occurs: greedy
is right, since an early match leaves all the choices that a late one would.

Most rows are refused at the speed of memory: by the text that the pattern starts with and the one that it
ends with, or where it starts with none, by its longest text (`contains`).
"""

from typing import Any

import numpy as np
import numpy.typing as npt

from workbench.kernels._affix import affixes
from workbench.kernels._glob_program import SET, TEXT, GlobProgram, Piece, parse_glob
from workbench.kernels._registry import kernel
from workbench.kernels._strings import CASE, Strings, checked_strings, offset
from workbench.kernels._substring import equal_at, find_between, rows_with
from workbench.kernels.memory import load8, load64
from workbench.kernels.parts import inlined

__all__ = ["glob"]

NOWHERE = -1
ATOM_FIELDS, PIECE_FIELDS = 5, 3
BLOCK = 4096  # rows


def glob(
    data: npt.ArrayLike, offsets: npt.ArrayLike, pattern: str, *, ignore_case: bool = False
) -> npt.NDArray[np.bool_]:
    """Tell for each row whether all of it matches a glob of ``*``, ``?`` and ``[...]``.

    Parameters
    ----------
    data : (m,) uint8
        UTF-8.
    offsets : (n + 1,) int32 or int64, ascending
        Row ``i`` is ``data[offsets[i] : offsets[i + 1]]``, as in Arrow's strings.
    pattern : str
        ``*`` is any text, line ends included, ``?`` one character, ``[a-z_]`` one of a set, ``[!a-z]`` one
        that is not; as `fnmatch.fnmatchcase`.
    ignore_case : bool
        Take the ASCII letters A-Z and a-z for the same; others stay as they are.

    Returns
    -------
    (n,) bool

    Raises
    ------
    KernelError
        When offsets point outside of the data.

    Examples
    --------
    >>> data = np.frombuffer(b"GET /cart 404GET /pay 200", np.uint8)
    >>> glob(data, [0, 13, 25], "GET * 4??").tolist()
    [True, False]
    """
    strings = checked_strings(data, offsets)
    pieces = parse_glob(pattern)
    found = _candidates(strings, pieces, ignore_case=ignore_case)
    program = GlobProgram.of(pieces, strings.frequencies(), ignore_case=ignore_case)
    scratch = np.empty(min(BLOCK, len(strings)), np.bool_)
    _glob(*strings.addresses, *program.addresses, ignore_case, scratch, found)
    return found


def _candidates(strings: Strings, pieces: list[Piece], *, ignore_case: bool) -> npt.NDArray[np.bool_]:
    """Return the rows that may match: those with the longest text, where none is known at the start."""
    texts = [atom for piece in pieces for atom in piece if isinstance(atom, str)]
    starts_with_text = bool(pieces[0]) and isinstance(pieces[0][0], str)
    if not texts or starts_with_text:
        return np.ones(len(strings), np.bool_)
    return rows_with(strings, max(texts, key=len), ignore_case=ignore_case)


@inlined
def _next_character(place: Any, stop: Any) -> Any:
    place += 1
    while place < stop and load8(place) & 0xC0 == 0x80:
        place += 1
    return place


@inlined
def _back(place: Any, start: Any, characters: Any) -> Any:
    """Return the address some characters before, or one before `start` where there are not as many."""
    for _ in range(characters):
        place -= 1
        while place > start and load8(place) & 0xC0 == 0x80:
            place -= 1
    return max(place, start - 1)


@inlined
def _code_point(place: Any, following: Any) -> Any:
    lead, size = load8(place), following - place
    if size == 1:
        return lead
    code = lead & (0x7F >> size)
    for k in range(1, size):
        code = code << 6 | (load8(place + k) & 0x3F)
    return code


@inlined
def _is_member(code: Any, ranges: Any, first: Any, after: Any, ignore_case: Any) -> Any:
    other = code ^ CASE
    letter = ignore_case and ord("a") <= code | CASE <= ord("z") and code < 0x80
    for k in range(first, after):
        low, high = load64(ranges + 16 * k), load64(ranges + 16 * k + 8)
        if low <= code <= high or (letter and low <= other <= high):
            return True
    return False


@inlined
def _atom(atoms: Any, number: Any, field: Any) -> Any:
    return load64(atoms + 8 * (ATOM_FIELDS * number + field))


@inlined
def _piece(pieces: Any, number: Any, field: Any) -> Any:
    return load64(pieces + 8 * (PIECE_FIELDS * number + field))


@kernel("int64(int64, int64, int64, int64, int64, int64, int64, int64, int64, boolean)")
def _match(
    place: Any,
    stop: Any,
    end: Any,
    atoms: Any,
    first: Any,
    after: Any,
    text: Any,
    folds: Any,
    ranges: Any,
    ignore_case: Any,
) -> Any:
    """Return where a piece ends that begins at an address, or -1."""
    for k in range(first, after):
        kind, one, two = _atom(atoms, k, 0), _atom(atoms, k, 1), _atom(atoms, k, 2)
        if kind == TEXT:
            if place + two > stop or not equal_at(place, end, text + one, folds + one, two):
                return NOWHERE
            place += two
            continue
        if place >= stop:
            return NOWHERE
        following = _next_character(place, stop)
        if kind == SET:
            member = _is_member(_code_point(place, following), ranges, one, two, ignore_case)
            if member == (_atom(atoms, k, 3) != 0):
                return NOWHERE
        place = following
    return place


@kernel("int64(int64, int64, int64, int64, int64, int64, int64, int64, int64, boolean)")
def _find(
    place: Any,
    stop: Any,
    end: Any,
    atoms: Any,
    first: Any,
    after: Any,
    text: Any,
    folds: Any,
    ranges: Any,
    ignore_case: Any,
) -> Any:
    """Return where a piece ends that begins at an address or, at the earliest, behind it; or -1."""
    if first == after:
        return place
    starts_with_text = _atom(atoms, first, 0) == TEXT
    at, length = _atom(atoms, first, 1), _atom(atoms, first, 2)
    rare, second = _atom(atoms, first, 3), _atom(atoms, first, 4)
    while place < stop:
        if starts_with_text:
            place = find_between(place, stop, end, text + at, folds + at, length, rare, second)
            if place == NOWHERE:
                return NOWHERE
        found = _match(place, stop, end, atoms, first, after, text, folds, ranges, ignore_case)
        if found != NOWHERE:
            return found
        place = _next_character(place, stop)
    return NOWHERE


@kernel("boolean(int64, int64, int64, int64, int64, int64, int64, int64, int64, boolean)")
def _matches(
    place: Any,
    stop: Any,
    end: Any,
    atoms: Any,
    pieces: Any,
    count: Any,
    text: Any,
    folds: Any,
    ranges: Any,
    ignore_case: Any,
) -> Any:
    """Tell whether all of one row matches all pieces."""
    first, after = _piece(pieces, 0, 0), _piece(pieces, 0, 1)
    place = _match(place, stop, end, atoms, first, after, text, folds, ranges, ignore_case)
    if place == NOWHERE or count == 1:
        return place == stop
    first, after = _piece(pieces, count - 1, 0), _piece(pieces, count - 1, 1)
    tail = _back(stop, place, _piece(pieces, count - 1, 2))
    if tail < place:
        return False
    if _match(tail, stop, end, atoms, first, after, text, folds, ranges, ignore_case) != stop:
        return False
    for k in range(1, count - 1):
        first, after = _piece(pieces, k, 0), _piece(pieces, k, 1)
        place = _find(place, tail, end, atoms, first, after, text, folds, ranges, ignore_case)
        if place == NOWHERE:
            return False
    return True


@inlined
def _keep_affixed(
    data: Any,
    size: Any,
    offsets: Any,
    wide: Any,
    atoms: Any,
    number: Any,
    text: Any,
    folds: Any,
    from_end: Any,
    scratch: Any,
    found: Any,
) -> None:
    """Clear the rows that do not start, or end, with the text of an atom."""
    at, length = _atom(atoms, number, 1), _atom(atoms, number, 2)
    affixes(data, size, offsets, wide, len(found), text + at, folds + at, length, from_end, scratch)
    for row in range(len(found)):
        found[row] &= scratch[row]


@kernel(
    "void(int64, int64, int64, boolean, int64, int64, int64, int64, int64, int64, int64, boolean, "
    "boolean[::1], boolean[::1])"
)
def _glob(
    data: Any,
    size: Any,
    offsets: Any,
    wide: Any,
    rows: Any,
    atoms: Any,
    pieces: Any,
    count: Any,
    text: Any,
    folds: Any,
    ranges: Any,
    ignore_case: Any,
    scratch: Any,
    found: Any,
) -> None:
    """Clear the rows that do not match, of those that are set; a block that fits the cache at a time."""
    first, last = 0, _piece(pieces, count - 1, 1) - 1
    anchored = _piece(pieces, 0, 1) > 0 and _atom(atoms, first, 0) == TEXT
    tailed = anchored and _piece(pieces, count - 1, 0) <= last and _atom(atoms, last, 0) == TEXT
    for block in range(0, rows, BLOCK):
        here = found[block : min(rows, block + BLOCK)]
        bounds = offsets + (8 if wide else 4) * block
        mask = scratch[: len(here)]
        for end in range(anchored + tailed):
            atom = last if end else first
            _keep_affixed(data, size, bounds, wide, atoms, atom, text, folds, end == 1, mask, here)
        for row in range(len(here)):
            if here[row]:
                start, stop = offset(bounds, wide, row), offset(bounds, wide, row + 1)
                here[row] = 0 <= start <= stop <= size and _matches(
                    data + start,
                    data + stop,
                    data + size,
                    atoms,
                    pieces,
                    count,
                    text,
                    folds,
                    ranges,
                    ignore_case,
                )
