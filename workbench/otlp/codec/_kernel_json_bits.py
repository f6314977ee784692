"""Integer and vector operations for JSON text that neither Numba nor `kernels.memory` has."""

from typing import Any

from llvmlite import ir
from numba import extending, types

from workbench.otlp.codec._json_codes import C_FAULT_AT

__all__ = [
    "bits_to_double",
    "double_to_bits",
    "fault",
    "from_hex16",
    "high_product",
    "plain_bytes",
    "quotient",
    "remainder",
    "to_hex8",
    "trailing_zeros",
    "unsigned_less",
]

intrinsic: Any = extending.intrinsic
WORD, DOUBLE_WORD, BYTE, HALF = ir.IntType(64), ir.IntType(128), ir.IntType(8), ir.IntType(16)
STOPS_AT = 32  # bytes that `plain_bytes` looks at


def _splat(kind: Any, value: int) -> Any:
    return ir.Constant(kind, [ir.Constant(kind.element, value)] * kind.count)


def _load(builder: Any, address: Any, kind: Any) -> Any:
    value = builder.load(builder.inttoptr(address, kind.as_pointer()))
    value.align = 1
    return value


def _store(builder: Any, value: Any, address: Any) -> None:
    builder.store(value, builder.inttoptr(address, value.type.as_pointer())).align = 1


def _binary(operation: str) -> Any:
    @intrinsic
    def operate(_context: Any, _left: Any, _right: Any) -> Any:
        def generate(_target: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
            return getattr(builder, operation)(*arguments)

        return types.int64(types.int64, types.int64), generate

    return operate


@intrinsic
def fault(_context: Any, _code: Any, _at: Any, _control: Any) -> Any:
    """Note in the control block where something is wrong, and return minus what.

    An intrinsic, because Numba compiles a function anew for every constant that it is called with.
    """

    def generate(_target: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
        code, at, control = arguments
        _store(builder, at, builder.add(control, ir.Constant(WORD, C_FAULT_AT)))
        return builder.neg(code)

    return types.int64(types.int64, types.int64, types.int64), generate


quotient, remainder = _binary("udiv"), _binary("urem")  # of unsigned numbers


@intrinsic
def unsigned_less(_context: Any, _left: Any, _right: Any) -> Any:
    """Compare as unsigned numbers."""

    def generate(_target: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
        return builder.icmp_unsigned("<", *arguments)

    return types.boolean(types.int64, types.int64), generate


@intrinsic
def high_product(_context: Any, _left: Any, _right: Any) -> Any:
    """Return the upper half of the 128-bit product of unsigned numbers."""

    def generate(_target: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
        product = builder.mul(*(builder.zext(argument, DOUBLE_WORD) for argument in arguments))
        return builder.trunc(builder.lshr(product, ir.Constant(DOUBLE_WORD, 64)), WORD)

    return types.int64(types.int64, types.int64), generate


@intrinsic
def trailing_zeros(_context: Any, _value: Any) -> Any:
    """Count the zero bits below the lowest one; 64 for zero."""

    def generate(_target: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
        return builder.cttz(arguments[0], ir.Constant(ir.IntType(1), 0))

    return types.int64(types.int64), generate


@intrinsic
def bits_to_double(_context: Any, _bits: Any) -> Any:
    """Return the double that has these bits."""

    def generate(_target: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
        return builder.bitcast(arguments[0], ir.DoubleType())

    return types.float64(types.int64), generate


@intrinsic
def double_to_bits(_context: Any, _value: Any) -> Any:
    """Return the bits of a double."""

    def generate(_target: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
        return builder.bitcast(arguments[0], WORD)

    return types.int64(types.float64), generate


@intrinsic
def plain_bytes(_context: Any, _target: Any, _source: Any) -> Any:
    """Copy 32 bytes, and count those before the first that is special in a JSON string.

    Special are the quote, the backslash, control characters, and what is not ASCII. 32 when none is.
    """

    def generate(_target: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
        kind = ir.VectorType(BYTE, STOPS_AT)
        text = _load(builder, arguments[1], kind)
        _store(builder, text, arguments[0])
        special = builder.icmp_signed("<", text, _splat(kind, 0x20))
        for byte in (0x22, 0x5C):
            special = builder.or_(special, builder.icmp_unsigned("==", text, _splat(kind, byte)))
        mask = builder.zext(builder.bitcast(special, ir.IntType(STOPS_AT)), WORD)
        mask = builder.or_(mask, ir.Constant(WORD, 1 << STOPS_AT))
        return builder.cttz(mask, ir.Constant(ir.IntType(1), 1))

    return types.int64(types.int64, types.int64), generate


@intrinsic
def from_hex16(_context: Any, _target: Any, _source: Any) -> Any:
    """Write the 8 bytes that 16 hexadecimal digits name; say 0 if they all are such digits."""

    def generate(_target: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
        kind = ir.VectorType(BYTE, 16)
        text = _load(builder, arguments[1], kind)
        digit = builder.sub(text, _splat(kind, ord("0")))
        letter = builder.sub(builder.or_(text, _splat(kind, 0x20)), _splat(kind, ord("a")))
        is_digit = builder.icmp_unsigned("<", digit, _splat(kind, 10))
        is_letter = builder.icmp_unsigned("<", letter, _splat(kind, 6))
        value = builder.select(is_digit, digit, builder.add(letter, _splat(kind, 10)))
        pairs = builder.bitcast(value, ir.VectorType(HALF, 8))
        eights = _splat(pairs.type, 8)
        high = builder.shl(builder.and_(pairs, _splat(pairs.type, 15)), _splat(pairs.type, 4))
        both = builder.trunc(builder.or_(high, builder.lshr(pairs, eights)), ir.VectorType(BYTE, 8))
        _store(builder, both, arguments[0])
        fine = builder.bitcast(builder.or_(is_digit, is_letter), HALF)
        return builder.zext(builder.not_(fine), WORD)

    return types.int64(types.int64, types.int64), generate


@intrinsic
def to_hex8(_context: Any, _target: Any, _source: Any) -> Any:
    """Write 8 bytes as 16 hexadecimal digits."""

    def generate(target: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
        wide = builder.zext(_load(builder, arguments[1], ir.VectorType(BYTE, 8)), ir.VectorType(HALF, 8))
        kind = wide.type
        low = builder.shl(builder.and_(wide, _splat(kind, 15)), _splat(kind, 8))
        pairs = builder.or_(builder.lshr(wide, _splat(kind, 4)), low)
        value = builder.bitcast(pairs, ir.VectorType(BYTE, 16))
        kind = value.type
        small = builder.icmp_unsigned("<", value, _splat(kind, 10))
        offset = builder.select(small, _splat(kind, ord("0")), _splat(kind, ord("a") - 10))
        _store(builder, builder.add(value, offset), arguments[0])
        return target.get_dummy_value()

    return types.void(types.int64, types.int64), generate
