"""JSON numbers to integers and doubles: exact integers, correctly rounded doubles.

A number is w * 10^q, w being as many of its digits as fit 64 bits. Small ones are exact in floating point
(W. D. Clinger, "How to Read Floating Point Numbers Accurately", 1990); for others 128 bits of 5^q decide
(D. Lemire, "Number Parsing at a Gigabyte per Second", 2021), and where even those do not, the place is noted
for the caller, who reads the number exactly and calls once more.
"""

from typing import Any

from workbench.kernels import kernel
from workbench.kernels.memory import leading_zeros, load8, load64, shift_right, store64
from workbench.kernels.parts import inlined
from workbench.otlp.codec._json_codes import (
    BAD_NUMBER,
    C_ESCAPED,
    C_HARD,
    C_HARD_COUNT,
    C_HARD_ROOM,
    C_POWERS,
    C_SOLVED,
    DOUBLE_RANGE,
    ENUM_NAME,
    EXPECTED_INTEGER,
    EXPECTED_NUMBER,
    NOT_WHOLE,
    OUT_OF_RANGE,
    P_ENUM,
    P_LEAST,
    P_MOST,
)
from workbench.otlp.codec._json_powers import LEAST_POWER
from workbench.otlp.codec._kernel_json_bits import (
    double_to_bits,
    fault,
    high_product,
    quotient,
    remainder,
    unsigned_less,
)

__all__ = ["read_double", "read_integer"]

QUOTE, MINUS, PLUS, POINT = 0x22, 0x2D, 0x2B, 0x2E
HIGH_HALVES = -1085102592571150096  # 0xf0f0f0f0f0f0f0f0
SIXES = 0x0606060606060606
THREES = 0x3333333333333333
ZEROS = 0x3030303030303030
SIGN = -9223372036854775808
INFINITY = 0x7FF0000000000000
NAN = 0x7FF8000000000000
FULL = 1844674407370955161  # the most that takes one more digit
LEAST_DOUBLE, MOST_DOUBLE = -342, 308  # powers of ten below and above which all is zero and too large
MOST_EXPONENT = 1_000_000_000
SURE_DIGITS = 18  # so many fit 63 bits
NEGATIVE, DROPPED = 1, 2
UNDECIDED = -1


@inlined
def _eight_digits(word: Any) -> Any:
    return (word & HIGH_HALVES) | shift_right((word + SIXES) & HIGH_HALVES, 4) == THREES


@inlined
def _value_of_eight(word: Any) -> Any:
    word -= ZEROS
    word = word * 10 + shift_right(word, 8)
    low = (word & 0x000000FF000000FF) * 0x000F424000000064
    return shift_right(low + (shift_right(word, 16) & 0x000000FF000000FF) * 0x0000271000000001, 32)


@kernel("Tuple((int64, int64, int64, int64))(int64, int64)")
def _read_decimal(at: Any, control: Any) -> Any:
    """Return w, q, whether it is negative and whether digits were dropped, and the position after it."""
    flags, value, exponent = 0, 0, 0
    if load8(at) == MINUS:
        flags = NEGATIVE
        at += 1
    start, point = at, 0
    while True:
        byte = load8(at)
        if 0x30 <= byte <= 0x39:
            digit = byte - 0x30
            fits = unsigned_less(value, FULL) or (value == FULL and digit <= 5)
            if fits and flags & DROPPED == 0 and exponent == 0:
                value = value * 10 + digit
            else:
                exponent += 1
                if digit != 0:
                    flags |= DROPPED
            at += 1
            if at - start == 2 and load8(start) == 0x30:
                return 0, 0, 0, fault(BAD_NUMBER, start, control)
            continue
        break
    if at == start:
        return 0, 0, 0, fault(BAD_NUMBER, at, control)
    if load8(at) == POINT:
        at += 1
        point = at
        byte = load8(at)
        while 0x30 <= byte <= 0x39:
            digit = byte - 0x30
            fits = unsigned_less(value, FULL) or (value == FULL and digit <= 5)
            if fits and flags & DROPPED == 0 and exponent <= 0:
                value = value * 10 + digit
                exponent -= 1
            elif digit != 0:
                flags |= DROPPED
            at += 1
            byte = load8(at)
        if at == point:
            return 0, 0, 0, fault(BAD_NUMBER, at, control)
    if load8(at) | 0x20 == 0x65:  # e, E
        at += 1
        sign = 1
        if load8(at) == MINUS:
            sign = -1
            at += 1
        elif load8(at) == PLUS:
            at += 1
        start, power = at, 0
        byte = load8(at)
        while 0x30 <= byte <= 0x39:
            power = min(power * 10 + byte - 0x30, MOST_EXPONENT)
            at += 1
            byte = load8(at)
        if at == start:
            return 0, 0, 0, fault(BAD_NUMBER, at, control)
        exponent += sign * power
    return value, exponent, flags, at


@kernel("Tuple((int64, int64))(int64, int64, int64, int64)")
def _checked(value: Any, negative: Any, field: Any, at: Any) -> Any:
    """Return an integer that its field can hold, or a negative position: it cannot."""
    most = load64(field + P_LEAST) if negative else load64(field + P_MOST)
    if unsigned_less(most, value):
        return 0, -1
    return -value if negative else value, at


@kernel("Tuple((int64, int64))(int64, int64, int64)")
def _read_odd_integer(at: Any, field: Any, control: Any) -> Any:
    """Read an integer of many digits, or one with a fraction or an exponent that cancel out."""
    start = at
    value, exponent, flags, at = _read_decimal(at, control)
    if at < 0:
        return 0, at
    if flags & DROPPED != 0:
        return 0, fault(OUT_OF_RANGE if exponent > 0 else NOT_WHOLE, start, control)
    if value == 0:
        exponent = 0
    while exponent > 0:
        if unsigned_less(FULL, value):
            return 0, fault(OUT_OF_RANGE, start, control)
        value *= 10
        exponent -= 1
    while exponent < 0:
        if remainder(value, 10) != 0:
            return 0, fault(NOT_WHOLE, start, control)
        value = quotient(value, 10)
        exponent += 1
    value, after = _checked(value, flags & NEGATIVE, field, at)
    if after < 0:
        return 0, fault(OUT_OF_RANGE, start, control)
    return value, at


@kernel("Tuple((int64, int64))(int64, int64, int64)")
def read_integer(at: Any, field: Any, control: Any) -> Any:
    """Return an integer, which may be in quotes unless the field is an enum, and the position after it."""
    first = at
    quoted = load8(at) == QUOTE
    if quoted:
        if load64(field + P_ENUM) != 0:
            return 0, fault(ENUM_NAME, at, control)
        at += 1
    start = at
    negative = 1 if load8(at) == MINUS else 0
    at += negative
    digits = at
    byte = load8(at)
    if byte < 0x30 or byte > 0x39:
        return 0, fault(EXPECTED_INTEGER, first, control)
    value, stop = 0, digits + SURE_DIGITS
    if byte == 0x30:
        at += 1
        stop = at
    else:
        word = load64(at)
        while _eight_digits(word) and at - digits < 16:
            value = value * 100_000_000 + _value_of_eight(word)
            at += 8
            word = load64(at)
    byte = load8(at)
    while 0x30 <= byte <= 0x39 and at < stop:
        value = value * 10 + byte - 0x30
        at += 1
        byte = load8(at)
    if 0x30 <= byte <= 0x39 or byte == POINT or byte | 0x20 == 0x65:
        value, at = _read_odd_integer(start, field, control)
        if at < 0:
            return 0, at
    else:
        value, after = _checked(value, negative, field, at)
        if after < 0:
            return 0, fault(OUT_OF_RANGE, first, control)
    if quoted:
        if load8(at) != QUOTE:
            return 0, fault(EXPECTED_INTEGER, first, control)
        at += 1
    return value, at


@inlined
def _exact_power(power: Any) -> Any:
    """Return 10^power as a double, exact up to 22."""
    result, base = 1.0, 10.0
    while power > 0:
        if power & 1:
            result *= base
        base *= base
        power >>= 1
    return result


@kernel("int64(int64, int64, int64)")
def _rounded(value: Any, power: Any, control: Any) -> Any:
    """Return the bits of the double nearest to value * 10^power, or UNDECIDED."""
    if value == 0 or power < LEAST_DOUBLE:
        return 0
    if power > MOST_DOUBLE:
        return INFINITY
    entry = load64(control + C_POWERS) + 16 * (power - LEAST_POWER)
    zeros = leading_zeros(value)
    value <<= zeros
    upper, lower = high_product(value, load64(entry)), value * load64(entry)
    if upper & 0x1FF == 0x1FF:
        more = high_product(value, load64(entry + 8))
        lower += more
        if unsigned_less(lower, more):
            upper += 1
    if lower == -1 and (power < -27 or power > 55):
        return UNDECIDED
    top = shift_right(upper, 63)
    mantissa = shift_right(upper, top + 9)
    exponent = (((152170 + 65536) * power) >> 16) + 63 + top - zeros + 1023
    if exponent <= 0:
        if exponent < -62:
            return 0
        mantissa = shift_right(mantissa, 1 - exponent)
        return (mantissa + (mantissa & 1)) >> 1  # where it is 2^52, that is the least normal number
    half = unsigned_less(lower, 2) and -4 <= power <= 23 and mantissa & 3 == 1
    if half and mantissa << (top + 9) == upper:
        mantissa &= ~1
    mantissa = (mantissa + (mantissa & 1)) >> 1
    if mantissa >= 1 << 53:
        mantissa = 1 << 52
        exponent += 1
    if exponent >= 0x7FF:
        return INFINITY
    return exponent << 52 | (mantissa & ~(1 << 52))


@kernel("int64(int64, int64)")
def _solved(start: Any, control: Any) -> Any:
    """Return the bits of a number that the caller has read, or note that it must be."""
    count = load64(control + C_HARD_COUNT)
    store64(control + C_HARD_COUNT, count + 1)
    if load64(control + C_SOLVED) != 0:
        return load64(load64(control + C_SOLVED) + 8 * count)
    if count < load64(control + C_HARD_ROOM):
        escaped = load64(control + C_ESCAPED)
        store64(load64(control + C_HARD) + 8 * count, escaped if escaped != 0 else start)
    return 1


@kernel("Tuple((int64, int64))(int64)")
def _read_named_double(at: Any) -> Any:
    """Read "NaN", "Infinity" or "-Infinity", behind the opening quote; a negative position: none of them."""
    word = load64(at)
    if word & 0xFFFFFFFF == 0x224E614E:  # NaN"
        return NAN, at + 4
    sign = 0
    if load8(at) == MINUS:
        sign = SIGN
        at += 1
        word = load64(at)
    if word == 0x7974696E69666E49 and load8(at + 8) == QUOTE:  # Infinity
        return INFINITY | sign, at + 9
    return 0, -1


@kernel("Tuple((int64, int64))(int64, int64)")
def read_double(at: Any, control: Any) -> Any:
    """Return the bits of a double, which may be in quotes, and the position after it."""
    first = at
    quoted = load8(at) == QUOTE
    if quoted:
        at += 1
        bits, after = _read_named_double(at)
        if after >= 0:
            return bits, after
    start = at
    byte = load8(at + (load8(at) == MINUS))
    if byte < 0x30 or byte > 0x39:
        return 0, fault(EXPECTED_NUMBER, first, control)
    value, power, flags, at = _read_decimal(at, control)
    if at < 0:
        return 0, at
    if flags & DROPPED == 0 and -22 <= power <= 22 and 0 <= value <= 1 << 53:
        if power < 0:
            bits = double_to_bits(float(value) / _exact_power(-power))
        else:
            bits = double_to_bits(float(value) * _exact_power(power))
    else:
        bits = _rounded(value, power, control)
        if flags & DROPPED != 0 and (value == -1 or bits != _rounded(value + 1, power, control)):
            bits = UNDECIDED
        if bits == UNDECIDED:
            bits = _solved(start, control) & ~SIGN
    if bits == INFINITY:
        return 0, fault(DOUBLE_RANGE, first, control)
    if flags & NEGATIVE != 0:
        bits |= SIGN
    if quoted:
        if load8(at) != QUOTE:
            return 0, fault(EXPECTED_NUMBER, first, control)
        at += 1
    return bits, at
