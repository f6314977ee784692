"""A text with its varying parts masked, and those parts themselves."""

from typing import Any

from workbench.kernels import kernel
from workbench.kernels.memory import copy, load8
from workbench.otlp.text._kernel_masks import KINDS, NAME_LENGTHS, NAMES, is_space, next_part

__all__ = ["WHOLE_TOKEN", "all_parts", "gather", "masked", "parts"]

WHOLE_TOKEN = len(KINDS)  # the kind of a part that is a token which varies as a whole
SPACE = ord(" ")


@kernel("int64(int64, int64, int64, uint8[::1])")
def masked(start: Any, stop: Any, active: Any, out: Any) -> Any:
    """Write a text's masked tokens, one space between them, and return how many bytes that are.

    `out` has room for six bytes a byte of the text.
    """
    size, at = 0, start
    while at < stop:
        if is_space(load8(at)):
            at += 1
            continue
        if size > 0:
            out[size] = SPACE
            size += 1
        while at < stop and not is_space(load8(at)):
            part, end = next_part(at, start, stop, active)
            if part < 0:
                for place in range(at, end):
                    out[size] = load8(place)
                    size += 1
            else:
                for k in range(NAME_LENGTHS[part]):
                    out[size] = NAMES[part, k]
                    size += 1
            at = end
    return size


@kernel("int64(int64, int64, int64, boolean[::1], int64[::1], int64[:,::1])")
def parts(start: Any, stop: Any, active: Any, varies: Any, kinds: Any, spans: Any) -> Any:
    """Find the varying parts of a text: kind, first and after-last address of each; return how many.

    `varies` tells which tokens vary as a whole. As many are written as there is room for.
    """
    found, token, at = 0, 0, start
    while at < stop and token < len(varies):
        if is_space(load8(at)):
            at += 1
            continue
        first = at
        while at < stop and not is_space(load8(at)):
            part, end = next_part(at, start, stop, active)
            if part >= 0 and not varies[token] and found < len(kinds):
                kinds[found], spans[found, 0], spans[found, 1] = part, at, end
                found += 1
            at = end
        if varies[token] and found < len(kinds):
            kinds[found], spans[found, 0], spans[found, 1] = WHOLE_TOKEN, first, at
            found += 1
        token += 1
    return found


@kernel("void(int64[::1], int64[::1], int64, boolean[::1], int64[::1], int64[:,:,::1])")
def all_parts(starts: Any, stops: Any, active: Any, varies: Any, kinds: Any, spans: Any) -> None:
    """Find the parts of many texts of one template."""
    for row in range(len(starts)):
        parts(starts[row], stops[row], active, varies, kinds, spans[row])


@kernel("void(int64[::1], int64[::1], int64[::1], int64)")
def gather(starts: Any, stops: Any, offsets: Any, out: Any) -> None:
    """Copy spans of memory behind one another, to where their offsets are counted from."""
    for row in range(len(starts)):
        copy(out + offsets[row], starts[row], stops[row] - starts[row])
