"""A glob, read and made ready for a kernel: pieces between stars, each of texts and single characters."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple, TypeAlias

import numpy as np
import numpy.typing as npt

from workbench.kernels._strings import Needle

__all__ = ["ANY", "SET", "TEXT", "CharacterSet", "GlobProgram", "Piece", "parse_glob"]

TEXT, ANY, SET = 0, 1, 2
NOWHERE = -1


class CharacterSet(NamedTuple):
    """A set of code points as ranges, ends included; or all others."""

    ranges: tuple[tuple[int, int], ...]
    negated: bool


Atom: TypeAlias = str | CharacterSet  # a text, or one character of a set
Piece: TypeAlias = list[Atom]
ANY_CHARACTER = CharacterSet((), negated=True)


def parse_glob(pattern: str) -> list[Piece]:
    """Return the pieces between the stars."""
    pieces: list[Piece] = [[]]
    for atom in _atoms(pattern):
        piece = pieces[-1]
        if atom is None:
            pieces.append([])
        elif isinstance(atom, str) and piece and isinstance(piece[-1], str):
            piece[-1] += atom
        else:
            piece.append(atom)
    return pieces


def _atoms(pattern: str) -> Iterator[Atom | None]:
    """Yield characters and sets, None for a star."""
    at = 0
    while at < len(pattern):
        character = pattern[at]
        close = _closing(pattern, at) if character == "[" else NOWHERE
        if close > 0:
            yield _character_set(pattern[at + 1 : close])
            at = close + 1
            continue
        yield {"*": None, "?": ANY_CHARACTER}.get(character, character)
        at += 1


def _closing(pattern: str, at: int) -> int:
    """Return where the set ends that opens at `at`, or -1."""
    first = at + 2 if pattern[at + 1 : at + 2] == "!" else at + 1
    return pattern.find("]", first + 1)


def _character_set(inside: str) -> Atom:
    negated = inside.startswith("!")
    members = inside[negated:]
    ranges, at = [], 0
    while at < len(members):
        is_range = members[at + 1 : at + 2] == "-" and at + 2 < len(members)
        low, high = ord(members[at]), ord(members[at + 2 if is_range else at])
        if low <= high:
            ranges.append((low, high))
        at += 3 if is_range else 1
    if len(ranges) == 1 and ranges[0][0] == ranges[0][1] and not negated:
        return chr(ranges[0][0])
    return CharacterSet(tuple(ranges), negated)


@dataclass(frozen=True, slots=True)
class GlobProgram:
    """A glob as arrays.

    Attributes
    ----------
    atoms : (a, 5) int64
        Kind, then for a text its place in `text`, its length and the places of its two rarest bytes, and for
        a set its first and after-last range and whether it is negated.
    pieces : (p, 3) int64
        First and after-last atom of each piece, and how many characters it has.
    text, folds : (t,) uint8
        All texts, each up to a whole number of windows; see `Needle`.
    ranges : (r, 2) int64
    """

    atoms: npt.NDArray[np.int64]
    pieces: npt.NDArray[np.int64]
    text: npt.NDArray[np.uint8]
    folds: npt.NDArray[np.uint8]
    ranges: npt.NDArray[np.int64]

    @classmethod
    def of(
        cls, pieces: list[Piece], frequencies: npt.NDArray[np.int64], *, ignore_case: bool
    ) -> "GlobProgram":
        """Return the program of a parsed glob, for data in which bytes are that frequent."""
        atoms: list[tuple[int, ...]] = []
        bounds: list[tuple[int, int, int]] = []
        needles = [Needle.of("")]
        ranges: list[tuple[int, int]] = []
        for piece in pieces:
            first = len(atoms)
            for atom in piece:
                if isinstance(atom, str):
                    needle = Needle.of(atom, ignore_case=ignore_case, frequencies=frequencies)
                    place = sum(len(known.text) for known in needles)
                    atoms.append((TEXT, place, needle.length, needle.first, needle.second))
                    needles.append(needle)
                else:
                    kind = ANY if atom == ANY_CHARACTER else SET
                    atoms.append((kind, len(ranges), len(ranges) + len(atom.ranges), atom.negated, 0))
                    ranges += atom.ranges
            characters = sum(len(atom) if isinstance(atom, str) else 1 for atom in piece)
            bounds.append((first, len(atoms), characters))
        return cls(
            np.array(atoms, np.int64).reshape(-1, 5),
            np.array(bounds, np.int64),
            np.concatenate([needle.text for needle in needles]),
            np.concatenate([needle.folds for needle in needles]),
            np.array(ranges, np.int64).reshape(-1, 2),
        )

    @property
    def addresses(self) -> tuple[int, int, int, int, int, int]:
        """What a kernel needs: atoms, pieces, the number of pieces, text, folds and ranges."""
        arrays = (self.atoms, self.pieces, self.text, self.folds, self.ranges)
        atoms, pieces, text, folds, ranges = (array.ctypes.data for array in arrays)
        return atoms, pieces, len(self.pieces), text, folds, ranges
