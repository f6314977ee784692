"""Of states that are renamings of each other, the words of one that stands for all of them.

Where interchangeable values only are keys of arrays and elements of sets, each has a row: what the state says
of it. Rows are sorted by a network of comparisons, which is the same for all states (K. E. Batcher's merge
exchange; D. E. Knuth, The Art of Computer Programming 3, 5.2.2, algorithm M). Where they are values too,
every renaming is tried, and the least of the states kept.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import permutations
from math import factorial

import numpy as np
import numpy.typing as npt

from workbench.model.formal._models import Specification
from workbench.model.formal._symmetry import renamings_tried, sorted_by
from workbench.model.formal.compiling.frames import OK, Body, Program
from workbench.model.formal.compiling.layouts import WORD, ArrayLayout, SetLayout
from workbench.model.formal.compiling.places import bits_of, field
from workbench.model.formal.compiling.renaming import IMAGE_BITS, Renaming
from workbench.model.formal.compiling.values import State, literal
from workbench.model.formal.domains.symmetric import Symmetric, symmetric_in
from workbench.model.formal.errors import NotCompilableError

__all__ = ["orders", "write_representative"]

MOST_TRIED = factorial(8)  # renamings


def write_representative(program: Program, declared: Specification) -> None:
    """Write the function `key_of`: from a state's words to a status and those of its representative.

    Raises
    ------
    NotCompilableError
        When there are too many renamings, or a value cannot be renamed in its packed form.
    """
    domains = symmetric_in(declared.fields.values())
    by = sorted_by(declared)
    body = Body(program)
    if by is not None:
        _Sorting(program, declared, by).write(body)
    else:
        _write_trying(body, declared, domains)
    words = ", ".join(program.registers("w"))
    program.add("\n".join([f"@inlined\ndef key_of({words}):", *body.lines]))


@dataclass(frozen=True, slots=True)
class _Piece:
    """Some bits of a state, within one of its words, and where they lie in a row."""

    at: int
    bits: int
    row_word: int
    row_shift: int

    @property
    def word(self) -> int:
        return self.at // WORD

    @property
    def ones(self) -> int:
        return (1 << self.bits) - 1


class _Sorting:
    """The rows of a state's interchangeable values, sorted."""

    def __init__(self, program: Program, declared: Specification, by: Symmetric) -> None:
        self.program, self.declared, self.by = program, declared, by
        self.rows = [self._row(number) for number in range(len(by))]
        self.width = 1 + max((piece.row_word for piece in self.rows[0]), default=-1)

    def _row(self, number: int) -> list[_Piece]:
        """Return where the state says something of a value, and where that lies in the value's row."""
        pieces: list[_Piece] = []
        word, free = 0, 0
        for at, bits in self._parts(number):
            if free + bits > WORD:
                word, free = word + 1, 0
            pieces.append(_Piece(at, bits, word, free))
            free += bits
        return pieces

    def _parts(self, number: int) -> Iterator[tuple[int, int]]:
        layout = self.program.layout
        for name, part in layout.parts.items():
            start, domain = layout.offsets[name], self.declared.fields[name]
            if isinstance(part, ArrayLayout) and part.domain.index is self.by:
                begin = start + part.offset(number)
                for done in range(0, part.of.bits, WORD):
                    yield begin + done, min(WORD, part.of.bits - done)
            elif isinstance(part, SetLayout) and domain.of is self.by:  # type: ignore[attr-defined]
                yield start + number, 1

    def write(self, body: Body) -> None:
        """Write the rows, the network, and the words that the sorted rows make."""
        if not self.width:
            body.emit(f"return ({OK}, {', '.join(self.program.registers('w'))},)")
            return
        self._write_order()
        for number, row in enumerate(self.rows):
            for word in range(self.width):
                body.emit(f"{self._name(number, word)} = {self._packed(row, word)}")
        for one, other in _exchanges(len(self.rows)):
            names = f"{self._names(one)}, {self._names(other)}"
            body.emit(f"{names} = in_order({names})")
        for word, name in enumerate(self.program.registers("w")):
            body.emit(f"k{word} = {self._word(word, name)}")
        body.emit(f"return ({OK}, {', '.join(self.program.registers('k'))},)")

    def _name(self, number: int, word: int) -> str:
        return f"r{number}_{word}"

    def _names(self, number: int) -> str:
        return ", ".join(self._name(number, word) for word in range(self.width))

    def _packed(self, row: list[_Piece], word: int) -> str:
        parts = [
            _shifted(bits_of(f"w{piece.word}", piece.at % WORD, piece.bits), piece.row_shift)
            for piece in row
            if piece.row_word == word
        ]
        return " | ".join(parts)

    def _word(self, word: int, name: str) -> str:
        kept, parts = (1 << WORD) - 1, []
        for number, row in enumerate(self.rows):
            for piece in row:
                if piece.word == word:
                    kept &= ~(piece.ones << piece.at % WORD)
                    bits = bits_of(self._name(number, piece.row_word), piece.row_shift, piece.bits)
                    parts.append(_shifted(bits, piece.at % WORD))
        return " | ".join([f"({name} & {literal(kept)})", *parts])

    def _write_order(self) -> None:
        """Write the function that puts two rows in order."""
        left, right = ([f"{side}{word}" for word in range(self.width)] for side in "ab")
        given, swapped = ", ".join([*left, *right]), ", ".join([*right, *left])
        lines = [f"    if {_greater(left, right)}:", f"        return ({swapped})", f"    return ({given})"]
        self.program.add("\n".join([f"@inlined\ndef in_order({given}):", *lines]))


def _shifted(text: str, bits: int) -> str:
    return text if bits == 0 else f"({text} << {bits})"


def _greater(left: list[str], right: list[str]) -> str:
    """Return the text of whether some words are greater than others, the first word counting most."""
    text = f"{left[-1]} > {right[-1]}"
    for one, other in reversed(list(zip(left[:-1], right[:-1], strict=True))):
        text = f"{one} > {other} or ({one} == {other} and ({text}))"
    return text


def _exchanges(count: int) -> Iterator[tuple[int, int]]:
    """Yield which two of some places are to be put in order, one after the other, until all are."""
    highest = 1 << max(0, (count - 1).bit_length() - 1)
    p = highest if count > 1 else 0
    while p:
        q, r, d = highest, 0, p
        while True:
            yield from ((i, i + d) for i in range(count - d) if i & p == r)
            if q == p:
                break
            d, q, r = q - p, q // 2, p
        p //= 2


def orders(size: int) -> npt.NDArray[np.int64]:
    """Return all permutations of some numbers: the images of each, of `IMAGE_BITS` bits, in one word."""
    coded = [
        sum(image << IMAGE_BITS * value for value, image in enumerate(chosen))
        for chosen in permutations(range(size))
    ]
    return np.array(coded, np.int64)


def _write_trying(body: Body, declared: Specification, domains: list[Symmetric]) -> None:
    tried = renamings_tried(declared)
    if tried > MOST_TRIED:
        msg = f"{declared.name} has {tried:,} renamings; the compiled engine tries {MOST_TRIED:,} at most"
        raise NotCompilableError(msg)
    program = body.program
    for size in sorted({len(domain) for domain in domains}):
        program.add(f"orders{size} = orders({size})")
    least = program.registers("b")
    for word, name in zip(program.registers("w"), least, strict=True):
        body.emit(f"{name} = {word}")
    _write_loops(body, declared, domains, {})
    body.emit(f"return ({OK}, {', '.join(least)},)")


def _write_loops(
    body: Body, declared: Specification, left: list[Symmetric], images: dict[Symmetric, str]
) -> None:
    """Write a loop over the permutations of each domain, and what is done for each renaming."""
    if left:
        domain, size = left[0], len(left[0])
        chosen, name = body.fresh(), f"p{len(images)}"
        with body.block(f"for {chosen} in range({factorial(size)}):"):
            body.emit(f"{name} = orders{size}[{chosen}]")
            _write_loops(body, declared, left[1:], {**images, domain: name})
        return
    _write_renamed(body, declared, images)


def _write_renamed(body: Body, declared: Specification, images: dict[Symmetric, str]) -> None:
    program = body.program
    had, made, least = (program.registers(prefix) for prefix in "wkb")
    for one, other in zip(made, had, strict=True):
        body.emit(f"{one} = {other}")
    renaming = Renaming(body, images)
    for name, domain in declared.fields.items():
        if symmetric_in([domain]):
            renaming.put(field(body, State("k"), name), field(body, State("w", fixed=True), name))
    with body.block(f"if {_greater(least, made)}:"):
        for one, other in zip(least, made, strict=True):
            body.emit(f"{one} = {other}")
