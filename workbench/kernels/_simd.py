"""Sixty-four bytes at a time: compare a window of memory, and get one bit for each byte.

``equal_byte``   bit ``k`` is set when the byte at ``address + k`` is a given byte
``equal_bytes``  bit ``k`` is set when the byte at ``address + k`` is the one at ``other + k``

Both fold before they compare, ``(x | fold) == y``: with ``fold = 0x20`` a small ASCII letter is equal to
itself in upper and lower case, with ``fold = 0`` only to itself. `count_at_most32` and `count_at_most64` tell
how many of eight ascending numbers lie at or below one: its place among them, without a branch.

The instructions are written as LLVM's own vectors, which it lowers to whatever the processor has (AVX-512,
AVX2, SSE2, NEON); the loops in Python that they replace are not vectorised by any compiler, because they
leave early, or only in part.

No bounds are checked: a caller reads a window only where 64 bytes are its own, and numbers where all eight
are.
"""

from collections.abc import Callable
from typing import Any

from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

__all__ = [
    "NUMBERS",
    "WINDOW",
    "clear_lowest_bit",
    "count_at_most32",
    "count_at_most64",
    "equal_byte",
    "equal_bytes",
    "lowest_bit",
    "lowest_bits",
    "prefetch",
    "prefetch_early",
]

WINDOW = 64  # bytes: as many as there are bits in the mask
NUMBERS = 8  # that are counted at once: as many of 64 bits as a window holds

BYTE = ir.IntType(8)
WORD = ir.IntType(64)
VECTOR = ir.VectorType(BYTE, WINDOW)
WORDS = ir.VectorType(WORD, NUMBERS)
INDEX = ir.IntType(32)
READ, DATA = 0, 1  # what llvm.prefetch is told: to read, and no instructions
ALL_CACHES, OUTER_CACHES = 3, 2  # where to keep it: everywhere, or everywhere but in the first


def _instruction(function: Callable[..., Any]) -> Any:
    """Declare what a kernel may call, written in LLVM's terms."""
    return intrinsic(function)


@_instruction
def equal_byte(_context: Any, _address: Any, _byte: Any, _fold: Any) -> Any:
    """Return which of the 64 bytes at an address, folded, are `byte`."""

    def generate(_target: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
        byte, fold = (_spread(builder, builder.trunc(number, BYTE), VECTOR) for number in arguments[1:])
        folded = builder.or_(_window(builder, arguments[0]), fold)
        return builder.bitcast(builder.icmp_unsigned("==", folded, byte), WORD)

    return types.int64(types.int64, types.int64, types.int64), generate


@_instruction
def equal_bytes(_context: Any, _address: Any, _other: Any, _folds: Any) -> Any:
    """Return which of the 64 bytes at an address, each folded by its own fold, are those at another."""

    def generate(_target: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
        window, other, folds = (_window(builder, argument) for argument in arguments)
        return builder.bitcast(builder.icmp_unsigned("==", builder.or_(window, folds), other), WORD)

    return types.int64(types.int64, types.int64, types.int64), generate


@_instruction
def lowest_bit(_context: Any, _mask: Any) -> Any:
    """Return the number of the lowest bit that is set, 64 where none is."""

    def generate(_target: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
        return builder.cttz(arguments[0], ir.Constant(ir.IntType(1), 0))

    return types.int64(types.int64), generate


@_instruction
def clear_lowest_bit(_context: Any, _mask: Any) -> Any:
    """Return a mask without its lowest set bit."""

    def generate(_target: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
        return builder.and_(arguments[0], builder.sub(arguments[0], ir.Constant(WORD, 1)))

    return types.int64(types.int64), generate


@_instruction
def lowest_bits(_context: Any, _count: Any) -> Any:
    """Return a mask of the `count` lowest bits, 1 to 64."""

    def generate(_target: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
        surplus = builder.sub(ir.Constant(WORD, WINDOW), arguments[0])
        return builder.lshr(ir.Constant(WORD, (1 << WINDOW) - 1), surplus)

    return types.int64(types.int64), generate


def _count_at_most(bits: int) -> Any:
    @_instruction
    def count(_context: Any, _address: Any, _number: Any) -> Any:
        def generate(_target: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
            numbers = _load(builder, arguments[0], ir.VectorType(ir.IntType(bits), NUMBERS))
            wide = numbers if bits == 64 else builder.sext(numbers, WORDS)
            below = builder.icmp_signed("<=", wide, _spread(builder, arguments[1], WORDS))
            return builder.zext(builder.ctpop(builder.bitcast(below, BYTE)), WORD)

        return types.int64(types.int64, types.int64), generate

    return count


# Count those of the eight signed numbers at an address that are at most a given one
count_at_most32, count_at_most64 = _count_at_most(32), _count_at_most(64)


def _prefetch(caches: int) -> Any:
    @_instruction
    def ask_for(_context: Any, _address: Any) -> Any:
        def generate(target: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
            pointer = BYTE.as_pointer()
            kind = ir.FunctionType(ir.VoidType(), [pointer, INDEX, INDEX, INDEX])
            declare: Any = cgutils.get_or_insert_function
            ask = declare(builder.module, kind, "llvm.prefetch.p0")
            hints = [ir.Constant(INDEX, hint) for hint in (READ, caches, DATA)]
            builder.call(ask, [builder.inttoptr(arguments[0], pointer), *hints])
            return target.get_dummy_value()

        return types.void(types.int64), generate

    return ask_for


# Ask for the cache line at an address, which may be any: nothing is read if it is not mapped
prefetch = _prefetch(ALL_CACHES)
prefetch_early = _prefetch(OUTER_CACHES)  # it is not to push out of the first cache what is in use


def _load(builder: Any, address: Any, kind: Any) -> Any:
    """Load a vector at any alignment."""
    loaded = builder.load(builder.inttoptr(address, kind.as_pointer()))
    loaded.align = 1
    return loaded


def _window(builder: Any, address: Any) -> Any:
    return _load(builder, address, VECTOR)


def _spread(builder: Any, value: Any, kind: Any) -> Any:
    """Repeat a number in all lanes of a vector."""
    undefined = ir.Constant(kind, ir.Undefined)
    first = builder.insert_element(undefined, value, ir.Constant(INDEX, 0))
    lanes = ir.Constant(ir.VectorType(INDEX, kind.count), [0] * kind.count)
    return builder.shuffle_vector(first, undefined, lanes)
