"""What the search needs of the machine besides loads and stores: bits, prefetching, calls by address."""

from typing import Any

import numba
from llvmlite import ir
from numba import types
from numba.extending import intrinsic

from workbench.kernels.parts import inlined

__all__ = ["call_expand", "call_judge", "load_shared", "mixed", "next_of", "ones", "prefetch", "swap_if"]

_intrinsic: Any = intrinsic  # whose arguments only the compiler sees
WORD = ir.IntType(64)


@_intrinsic
def ones(_context: Any, _value: Any) -> Any:
    """Count the bits that are one."""

    def generate(_target: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
        return builder.ctpop(arguments[0])

    return types.int64(types.int64), generate


@_intrinsic
def prefetch(_context: Any, _address: Any) -> Any:
    """Have the processor fetch what lies at an address: it will be read soon."""

    def generate(target: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
        pointer = ir.IntType(8).as_pointer()
        small = ir.IntType(32)
        kind = ir.FunctionType(ir.VoidType(), [pointer, small, small, small])
        function = builder.module.globals.get("llvm.prefetch.p0i8") or ir.Function(
            builder.module, kind, "llvm.prefetch.p0i8"
        )
        flags = [ir.Constant(small, 0), ir.Constant(small, 3), ir.Constant(small, 1)]  # read, keep, data
        builder.call(function, [builder.inttoptr(arguments[0], pointer), *flags])
        return target.get_dummy_value()

    return types.void(types.int64), generate


def _caller(count: int) -> Any:
    @_intrinsic
    def call(_context: Any, _address: Any, _arguments: Any) -> Any:
        def generate(_target: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
            kind = ir.FunctionType(WORD, [WORD] * count)
            function = builder.inttoptr(arguments[0], kind.as_pointer())
            values = [builder.extract_value(arguments[1], number) for number in range(count)]
            return builder.call(function, values)

        return types.int64(types.int64, types.UniTuple(types.int64, count)), generate  # type: ignore[no-untyped-call]

    return call


call_expand = _caller(8)  # call_expand(address, (frontier, count, first, out, keys, owners, taken, found))
call_judge = _caller(4)  # call_judge(address, (states, count, first, found))


@inlined
def mixed(word: int) -> int:
    """Return 64 bits of which each depends on each bit of a word (the finaliser of MurmurHash3)."""
    value = numba.uint64(word)
    value ^= value >> numba.uint64(33)
    value *= numba.uint64(0xFF51AFD7ED558CCD)
    value ^= value >> numba.uint64(33)
    value *= numba.uint64(0xC4CEB9FE1A85EC53)
    value ^= value >> numba.uint64(33)
    return numba.int64(value)  # type: ignore[return-value]


@_intrinsic
def load_shared(_context: Any, _address: Any) -> Any:
    """Load 64 bits that another thread may be writing."""

    def generate(_target: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
        return builder.load_atomic(builder.inttoptr(arguments[0], WORD.as_pointer()), "acquire", 8)

    return types.int64(types.int64), generate


@_intrinsic
def swap_if(_context: Any, _address: Any, _expected: Any, _value: Any) -> Any:
    """Store a value where an expected one lies, at once; return what lay there."""

    def generate(_target: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
        address, expected, value = arguments
        place = builder.inttoptr(address, WORD.as_pointer())
        return builder.extract_value(builder.cmpxchg(place, expected, value, "acq_rel", "acquire"), 0)

    return types.int64(types.int64, types.int64, types.int64), generate


@_intrinsic
def next_of(_context: Any, _address: Any) -> Any:
    """Return the number at an address, and add one to it, at once."""

    def generate(_target: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
        place = builder.inttoptr(arguments[0], WORD.as_pointer())
        return builder.atomic_rmw("add", place, ir.Constant(WORD, 1), "acq_rel")

    return types.int64(types.int64), generate
