"""Hashing texts, nearly all of them without a branch.

Up to 64 bytes are taken as a block of 16 numbers of 32 bits, behind the text zero. To each is added a number
of its own, neighbours are multiplied, and the eight products summed: the hash NH of UMAC (RFC 4418, section
5.2.2), by which two different blocks agree with a chance of 2^-32. A longer text is several blocks. The sums
are mixed as wyhash does it (Wang Yi, 2019).
"""

from typing import Any

from llvmlite import ir
from numba import types
from numba.extending import intrinsic

from workbench.kernels import kernel
from workbench.kernels.memory import load8, mix, shift_right
from workbench.kernels.parts import inlined
from workbench.otlp.codec._kernel_hints import stay_apart

__all__ = ["hash_text"]

BLOCK = 64  # bytes
LANES = BLOCK // 8
LOW = 0xFFFFFFFF
# The digits of pi behind the point, for want of random ones
KEYS = (
    *(0x243F6A88, 0x85A308D3, 0x13198A2E, 0x03707344, 0xA4093822, 0x299F31D0, 0x082EFA98, 0xEC4E6C89),
    *(0x452821E6, 0x38D01377, 0xBE5466CF, 0x34E90C6C, 0xC0AC29B7, 0xC97C50DD, 0x3F84D5B5, 0xB5470917),
)
SEED_0 = -6884282663029611473  # odd, half of the bits set (wyhash's constants)
SEED_1 = -1800455987208640293
SEED_2 = 2132475225070366319

_intrinsic: Any = intrinsic  # whose arguments only the compiler sees


@_intrinsic
def _sum_of_block(_context: Any, _address: Any, _wanted: Any) -> Any:
    """Return NH of those of 64 bytes whose bits are set, and a bit for each that is not ASCII."""
    result = types.UniTuple(types.int64, 2)  # type: ignore[no-untyped-call]

    def generate(target: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
        word, block = ir.IntType(64), ir.VectorType(ir.IntType(8), BLOCK)
        halves, lanes = ir.VectorType(ir.IntType(32), 2 * LANES), ir.VectorType(word, LANES)
        bytes_read = builder.load(builder.inttoptr(arguments[0], block.as_pointer()))
        bytes_read.align = 1
        zero = ir.Constant(block, [0] * BLOCK)
        wanted = builder.bitcast(arguments[1], ir.VectorType(ir.IntType(1), BLOCK))
        text = builder.select(wanted, bytes_read, zero)
        keyed = builder.add(builder.bitcast(text, halves), ir.Constant(halves, list(KEYS)))
        pairs = builder.bitcast(keyed, lanes)
        low = builder.and_(pairs, ir.Constant(lanes, [LOW] * LANES))
        high = builder.lshr(pairs, ir.Constant(lanes, [32] * LANES))
        kind = ir.FunctionType(word, [lanes])
        add_up = builder.module.declare_intrinsic("llvm.vector.reduce.add.v8i64", (), kind)
        total = builder.call(add_up, [builder.mul(low, high)])
        not_ascii = builder.bitcast(builder.icmp_signed("<", text, zero), word)
        return target.make_tuple(builder, result, [total, not_ascii])

    return result(types.int64, types.int64), generate


@kernel("UniTuple(int64, 2)(int64, int64)")
def _sum_of_bytes(at: Any, size: Any) -> Any:
    """Return the same for the first bytes of a block, of which no others are read."""
    stay_apart()
    total, not_ascii = 0, 0
    for lane in range(LANES):
        word = 0
        for place in range(8 * lane, min(size, 8 * lane + 8)):
            byte = load8(at + place)
            word |= byte << 8 * (place & 7)
            not_ascii |= byte >> 7
        low, high = word + KEYS[2 * lane], shift_right(word, 32) + KEYS[2 * lane + 1]
        total += (low & LOW) * (high & LOW)
    return total, not_ascii


@inlined
def _sum(at: Any, size: Any, limit: Any) -> Any:
    return _sum_of_block(at, shift_right(-1, BLOCK - size)) if at <= limit else _sum_of_bytes(at, size)


@kernel("UniTuple(int64, 2)(int64, int64, int64)")
def _hash_slowly(at: Any, size: Any, limit: Any) -> Any:
    """Hash a text that is long, or where the input ends."""
    stay_apart()
    code, not_ascii = size * SEED_0 ^ SEED_2, 0
    while size > BLOCK:
        total, more = _sum(at, BLOCK, limit)
        code = mix(total ^ SEED_1, code)
        not_ascii |= more
        at += BLOCK
        size -= BLOCK
    total, more = _sum(at, size, limit)
    return mix(total ^ SEED_1, code), not_ascii | more


@inlined
def hash_text(at: Any, size: Any, limit: Any) -> Any:
    """Return the hash of a text that is not empty, and 0 where all of it is ASCII.

    64 bytes may be read up to `limit`.
    """
    if size <= BLOCK and at <= limit:
        total, not_ascii = _sum_of_block(at, shift_right(-1, BLOCK - size))
        return mix(total ^ SEED_1, size * SEED_0 ^ SEED_2), not_ascii
    return _hash_slowly(at, size, limit)
