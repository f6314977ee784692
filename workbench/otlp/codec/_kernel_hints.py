"""What a kernel asks of the compiler and the processor: functions apart, memory ahead of time.

LLVM places small functions into those that call them. Where such a one is seldom called, its loops and
variables burden each entry of a function that is called for every message.
"""

from typing import Any

from llvmlite import ir
from numba import types
from numba.extending import intrinsic

__all__ = ["AHEAD", "prefetch", "stay_apart"]

AHEAD = 768  # bytes of input that are fetched before they are read

_intrinsic: Any = intrinsic  # whose arguments only the compiler sees


@_intrinsic
def stay_apart(_context: Any) -> Any:
    """Keep LLVM from placing the function that says this into those that call it."""

    def generate(target: Any, builder: Any, _signature: Any, _arguments: Any) -> Any:
        builder.function.attributes.discard("alwaysinline")  # which Numba hands down from `inlined` callers
        builder.function.attributes.add("noinline")
        return target.get_dummy_value()

    return types.void(), generate


@_intrinsic
def prefetch(_context: Any, _address: Any) -> Any:
    """Fetch what lies at an address into the caches, while other work goes on; any address will do."""

    def generate(target: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
        pointer, number = ir.IntType(8).as_pointer(), ir.IntType(32)
        kind = ir.FunctionType(ir.VoidType(), [pointer, number, number, number])
        fetch = builder.module.declare_intrinsic("llvm.prefetch", [pointer], kind)
        read, keep, data = number(0), number(3), number(1)
        builder.call(fetch, [builder.inttoptr(arguments[0], pointer), read, keep, data])
        return target.get_dummy_value()

    return types.void(types.int64), generate
