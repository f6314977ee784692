"""Records held in registers: a machine's state over a loop that writes results elsewhere.

What a loop writes may, for all that the compiler knows, lie upon the record, which it then loads and stores
anew at each turn. A copy on the stack that nobody else has the address of is taken apart into its fields, and
these stay in registers.
"""

from typing import Any

from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

__all__ = ["held", "put_back"]

_intrinsic: Any = intrinsic  # whose arguments only the compiler sees
_code: Any = cgutils
WORD = ir.IntType(64)
WORD_BYTES = 8


@_intrinsic
def held(_context: Any, record: Any) -> Any:
    """Return a copy of a record, of aligned fields, that lives as long as the function."""

    def generate(target: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
        words = ir.ArrayType(WORD, -(-record.size // WORD_BYTES))
        copy = builder.bitcast(_code.alloca_once(builder, words), arguments[0].type)
        _copy_fields(target, builder, record, arguments[0], copy)
        return copy

    return record(record), generate


@_intrinsic
def put_back(_context: Any, record: Any, original: Any) -> Any:
    """Write what a copy holds into the record that it was made of."""

    def generate(target: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
        _copy_fields(target, builder, record, *arguments)
        return target.get_dummy_value()

    return types.void(record, original), generate


def _copy_fields(target: Any, builder: Any, record: Any, source: Any, to: Any) -> None:
    """Copy field by field: a record that is copied as a whole is taken apart into bytes."""
    for field in record.fields.values():
        kind = target.get_data_type(field.type)
        value = builder.load(_code.get_record_member(builder, source, field.offset, kind))
        builder.store(value, _code.get_record_member(builder, to, field.offset, kind))
