"""Reading and writing the parts of a state: words, shifts and masks."""

from workbench.model.formal.compiling.frames import Body
from workbench.model.formal.compiling.layouts import (
    WORD,
    ArrayLayout,
    BoolLayout,
    IntLayout,
    Layout,
)
from workbench.model.formal.compiling.values import Flag, Number, Packed, Place, State, Worth, literal
from workbench.model.formal.domains.scalars import Int

__all__ = ["below", "bits_of", "element", "field", "load", "read", "taken", "word_places", "write"]


def field(frame: Body, state: State, name: str) -> Place:
    """Return the place of a field."""
    layout = frame.program.layout
    offset, part = layout.offsets[name], layout.parts[name]
    word = min(offset // WORD, layout.words - 1)
    taken = range(word, word + max(1, -(-part.bits // WORD)))
    return Place(state, word, offset % WORD if part.bits else 0, part, taken, name)


def below(place: Place, offset: int, layout: Layout) -> Place:
    """Return the part of a place that begins at a known offset."""
    word, shift = _plus(place.word, offset // WORD), _plus(place.shift, offset % WORD)
    return Place(place.state, word, shift, layout, place.words, place.root)


def element(place: Place, layout: ArrayLayout, start: int, position: str) -> Place:
    """Return an element of an array that begins at an offset of a place."""
    if position.isdigit():
        return below(place, start + layout.offset(int(position)), layout.of)
    size = layout.of.bits
    word, shift = _plus(place.word, start // WORD), _plus(place.shift, start % WORD)
    if layout.small:
        shift = _plus(shift, f"{position} * {size}")
    elif layout.per_word:
        word = _plus(word, f"{position} // {layout.per_word}")
        shift = f"({position} % {layout.per_word} * {size})"
    else:
        word = _plus(word, f"{position} * {size // WORD}")
    return Place(place.state, word, shift, layout.of, place.words, place.root)


def _plus(left: int | str, right: int | str) -> int | str:
    if isinstance(left, int) and isinstance(right, int):
        return left + right
    if left == 0:
        return right
    if right == 0:
        return left
    return f"({left} + {right})"


def bits_of(text: str, shift: int | str, bits: int) -> str:
    """Return the text of some bits of a word."""
    if bits == 0:
        return "0"
    shifted = text if shift == 0 else f"({text} >> {shift})"
    return text if bits >= WORD else f"({shifted} & {literal((1 << bits) - 1)})"


def read(frame: Body, place: Place) -> str:
    """Return the text of a place's bits."""
    if place.layout.bits == 0:
        return "0"
    frame.program.read |= _mask(frame, place)
    return bits_of(_word(frame, place), place.shift, place.layout.bits)


def _mask(frame: Body, place: Place) -> int:
    """Return the bits of the packed state that a place may be: all of its field, if only the run knows."""
    if isinstance(place.word, int) and isinstance(place.shift, int):
        return (1 << place.layout.bits) - 1 << place.word * WORD + place.shift
    layout = frame.program.layout
    return (1 << layout.parts[place.root].bits) - 1 << layout.offsets[place.root]


def _word(frame: Body, place: Place) -> str:
    prefix = place.state.prefix
    if isinstance(place.word, int):
        return f"{prefix}{place.word}"
    if len(place.words) == 1:
        return f"{prefix}{place.words[0]}"
    found, number = frame.fresh(), frame.keep(place.word)
    frame.emit(f"{found} = {prefix}{place.words[0]}")
    for word in place.words[1:]:
        with frame.block(f"if {number} == {word}:"):
            frame.emit(f"{found} = {prefix}{word}")
    return found


def write(frame: Body, place: Place, bits: str) -> None:
    """Write the bits of a place."""
    size = place.layout.bits
    if size == 0:
        return
    frame.program.written |= _mask(frame, place)
    if isinstance(place.word, int) or len(place.words) == 1:
        word = place.word if isinstance(place.word, int) else place.words[0]
        _write_word(frame, f"{place.state.prefix}{word}", place.shift, size, bits)
        return
    number, value = frame.keep(place.word), frame.keep(bits)
    for word in place.words:
        with frame.block(f"if {number} == {word}:"):
            _write_word(frame, f"{place.state.prefix}{word}", place.shift, size, value)


def _write_word(frame: Body, word: str, shift: int | str, size: int, bits: str) -> None:
    if size >= WORD:
        frame.emit(f"{word} = {bits}")
        return
    ones = (1 << size) - 1
    if isinstance(shift, int):
        placed = literal(int(bits) << shift) if bits.isdigit() else f"({bits} << {shift})"
        frame.emit(f"{word} = ({word} & {literal(~(ones << shift))}) | {placed}")
    else:
        at = frame.keep(shift)
        frame.emit(f"{word} = ({word} & ~({literal(ones)} << {at})) | ({bits} << {at})")


def load(frame: Body, worth: Worth) -> Worth:
    """Return what stands at a place, as far as it fits into a word; other values are returned as they are."""
    if isinstance(worth, Place) and worth.layout.small:
        return taken(worth.layout, read(frame, worth))
    return worth


def taken(layout: Layout, bits: str) -> Worth:
    """Return what bits of a layout stand for."""
    if isinstance(layout, IntLayout):
        low = layout.domain.low
        text = bits if low == 0 else f"({bits} + {low})" if low > 0 else f"({bits} - {-low})"
        return Number(text, low, layout.domain.high)
    if isinstance(layout, BoolLayout):
        return Flag(f"({bits} != 0)")
    return Packed(bits, layout)


def word_places(place: Place) -> list[tuple[int, Place]]:
    """Return the whole words of a place of more than one, with the number of the first bit of each."""
    whole = IntLayout(Int(0, (1 << WORD) - 1))
    return [(at, below(place, at, whole)) for at in range(0, place.layout.bits, WORD)]
