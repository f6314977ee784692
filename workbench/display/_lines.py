"""Text on one line that any file can hold: no control characters, surrogates or hidden reordering."""

import unicodedata

__all__ = ["columns_wide", "one_line"]

BIDI_CONTROLS = frozenset({"LRE", "RLE", "LRO", "RLO", "PDF", "LRI", "RLI", "FSI", "PDI"})


def one_line(value: object) -> str:
    """Return a value as one line of text; white space becomes a space, and what cannot be shown U+FFFD."""
    line = str(value)
    return line if line.isascii() and line.isprintable() else "".join(map(_visible, line))


def columns_wide(line: str) -> int:
    """Return how many columns a line takes in a terminal."""
    if line.isascii():
        return len(line)
    return sum(
        0 if unicodedata.combining(c) else 2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in line
    )


def _visible(character: str) -> str:
    """Return a character that XML 1.0 allows and that does not hide or reorder its neighbours."""
    if character.isspace():
        return " "
    forbidden = unicodedata.category(character) in {"Cc", "Cs"} or ord(character) & 0xFFFE == 0xFFFE
    reorders = unicodedata.bidirectional(character) in BIDI_CONTROLS
    return "\N{REPLACEMENT CHARACTER}" if forbidden or reorders else character
