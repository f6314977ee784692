"""Raw memory for kernels: loads, stores and copies at an address, and the integer operations Numba lacks.

A kernel that takes an address instead of an array passes one number where Numba would pass seven, compiles
several times faster, and may read at any alignment. Nothing here checks bounds: the caller has done so.

Addresses and values are int64; `load8`, `load16` and `load32` zero-extend, `load32s` sign-extends. Each
operation is one or two LLVM instructions, the same on every processor.
"""

from typing import Any

from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

__all__ = [
    "copy",
    "copy16",
    "copy32",
    "equal_bytes",
    "leading_zeros",
    "load8",
    "load16",
    "load32",
    "load32s",
    "load64",
    "mix",
    "move",
    "shift_right",
    "store8",
    "store16",
    "store32",
    "store64",
    "unowned",
]

_intrinsic: Any = intrinsic  # whose arguments only the compiler sees
WORD = ir.IntType(64)
DOUBLE_WORD = ir.IntType(128)


def _load(bits: int, *, signed: bool = False) -> Any:
    @_intrinsic
    def load(_context: Any, _address: Any) -> Any:
        def generate(_target: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
            value = builder.load(builder.inttoptr(arguments[0], ir.IntType(bits).as_pointer()))
            value.align = 1
            if bits == 64:
                return value
            return builder.sext(value, WORD) if signed else builder.zext(value, WORD)

        return types.int64(types.int64), generate

    return load


def _store(bits: int) -> Any:
    @_intrinsic
    def store(_context: Any, _address: Any, _value: Any) -> Any:
        def generate(target: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
            kind = ir.IntType(bits)
            value = arguments[1] if bits == 64 else builder.trunc(arguments[1], kind)
            builder.store(value, builder.inttoptr(arguments[0], kind.as_pointer())).align = 1
            return target.get_dummy_value()

        return types.void(types.int64, types.int64), generate

    return store


load8, load16, load32, load64 = _load(8), _load(16), _load(32), _load(64)
load32s = _load(32, signed=True)
store8, store16, store32, store64 = _store(8), _store(16), _store(32), _store(64)


def _copy(bits: int) -> Any:
    @_intrinsic
    def copy_word(_context: Any, _target: Any, _source: Any) -> Any:
        def generate(target: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
            kind = ir.VectorType(ir.IntType(8), bits // 8).as_pointer()
            value = builder.load(builder.inttoptr(arguments[1], kind))
            value.align = 1
            builder.store(value, builder.inttoptr(arguments[0], kind)).align = 1
            return target.get_dummy_value()

        return types.void(types.int64, types.int64), generate

    return copy_word


copy16, copy32 = _copy(128), _copy(256)  # (target, source)


@_intrinsic
def equal_bytes(_context: Any, _left: Any, _right: Any) -> Any:
    """Compare 64 bytes with 64 bytes: bit i of the result says whether the two bytes i are equal."""

    def generate(_target: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
        kind = ir.VectorType(ir.IntType(8), 64)
        sides = [builder.load(builder.inttoptr(address, kind.as_pointer())) for address in arguments]
        for side in sides:
            side.align = 1
        return builder.bitcast(builder.icmp_unsigned("==", *sides), WORD)

    return types.int64(types.int64, types.int64), generate


def _block(function: Any) -> Any:
    @_intrinsic
    def block(_context: Any, _target: Any, _source: Any, _size: Any) -> Any:
        def generate(target: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
            pointer = ir.IntType(8).as_pointer()
            to, source = (builder.inttoptr(address, pointer) for address in arguments[:2])
            function(builder, to, source, arguments[2], 1)
            return target.get_dummy_value()

        return types.void(types.int64, types.int64, types.int64), generate

    return block


@_intrinsic
def clear(_context: Any, _target: Any, _size: Any) -> Any:
    """Set so many bytes to zero."""

    def generate(target: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
        to = builder.inttoptr(arguments[0], ir.IntType(8).as_pointer())
        fill: Any = cgutils.memset
        fill(builder, to, arguments[1], 0)
        return target.get_dummy_value()

    return types.void(types.int64, types.int64), generate


copy = _block(cgutils.raw_memcpy)  # copy(target, source, size): the two do not overlap
move = _block(cgutils.raw_memmove)  # move(target, source, size): they may


@_intrinsic
def mix(_context: Any, _x: Any, _y: Any) -> Any:
    """Return the two halves of the 128-bit product, combined by exclusive or (wyhash)."""

    def generate(_target: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
        product = builder.mul(*(builder.zext(argument, DOUBLE_WORD) for argument in arguments))
        high = builder.lshr(product, ir.Constant(DOUBLE_WORD, 64))
        return builder.trunc(builder.xor(product, high), WORD)

    return types.int64(types.int64, types.int64), generate


@_intrinsic
def shift_right(_context: Any, _value: Any, _bits: Any) -> Any:
    """Shift right, zeros coming in from the left (``>>`` of a signed number keeps its sign)."""

    def generate(_target: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
        return builder.lshr(*arguments)

    return types.int64(types.int64, types.int64), generate


@_intrinsic
def leading_zeros(_context: Any, _value: Any) -> Any:
    """Count the zero bits above the highest one; 64 for zero."""

    def generate(_target: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
        return builder.ctlz(arguments[0], ir.Constant(ir.IntType(1), 0))

    return types.int64(types.int64), generate


@_intrinsic
def unowned(_context: Any, array: Any) -> Any:
    """Return an array without its owner: no references to it are counted, as long as the caller has one."""

    def generate(target: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
        made = target.make_array(array)(target, builder, arguments[0])
        made.meminfo = ir.Constant(made.meminfo.type, None)
        made.parent = ir.Constant(made.parent.type, None)
        return made._getvalue()  # noqa: SLF001 - Numba's own way to say it

    return array(array), generate
