"""Numbers to decimal text: integers, and the shortest decimal fraction that reads back as the same double.

A double is the middle of an interval of numbers that all round to it; the shortest decimal in the interval is
found with three products by a power of ten of 126 bits, rounded so that comparisons stay exact. It is written
as Python's `repr` writes it: with an exponent below 10^-4 and from 10^16 on.

Source: R. Giulietti, "The Schubfach way to render doubles", 2020.
"""

from typing import Any

from workbench.kernels import kernel
from workbench.kernels.memory import load16, load64, store8, store16, store64
from workbench.kernels.parts import inlined
from workbench.otlp.codec._json_codes import C_PAIRS, C_POWERS
from workbench.otlp.codec._json_powers import LEAST_POWER
from workbench.otlp.codec._kernel_json_bits import high_product, quotient, unsigned_less

__all__ = ["write_double", "write_integer"]

MANTISSA = (1 << 52) - 1
MAX_PLAIN = 16  # digits before the point, from which on an exponent is written
MIN_PLAIN = -4
ZERO, POINT, MINUS, PLUS, EXPONENT = 0x30, 0x2E, 0x2D, 0x2B, 0x65
QUOTED_NAN = 0x224E614E22  # "NaN", as a number
INFINITY_TEXT = 0x7974696E69666E49  # Infinity


@kernel("int64(int64)")
def _count_digits(value: Any) -> Any:
    count = 1
    while not unsigned_less(value, 10_000):
        value = quotient(value, 10_000)
        count += 4
    return count + (value >= 10) + (value >= 100) + (value >= 1000)


@kernel("int64(int64, int64, int64)")
def write_integer(out: Any, value: Any, pairs: Any) -> Any:
    """Write an unsigned number; `pairs` are the texts of 00 to 99."""
    end = out + _count_digits(value)
    at = end
    while not unsigned_less(value, 100):
        at -= 2
        rest = quotient(value, 100)
        store16(at, load16(pairs + 2 * (value - 100 * rest)))
        value = rest
    if value >= 10:
        store16(out, load16(pairs + 2 * value))
    else:
        store8(out, ZERO + value)
    return end


@inlined
def _odd_product(upper: Any, lower: Any, value: Any) -> Any:
    """Return the upper 64 bits of a 192-bit product, the lowest one set where others below it are."""
    carried = high_product(lower, value)
    middle = upper * value + carried
    high = high_product(upper, value) + unsigned_less(middle, carried)
    return high | unsigned_less(1, middle)


@kernel("Tuple((int64, int64))(int64, int64)")
def _shortest(bits: Any, powers: Any) -> Any:
    """Return digits d and exponent k of the shortest decimal d * 10^k that reads as a positive double."""
    fraction, biased = bits & MANTISSA, bits >> 52
    value, power = fraction, -1074
    if biased != 0:
        value, power = fraction | (1 << 52), biased - 1075
    uneven = fraction == 0 and biased > 1  # the next smaller double is nearer than the next larger one
    odd = value & 1
    k = (power * 1262611 - (524031 if uneven else 0)) >> 22
    shift = power + ((-k * 1741647) >> 19) + 1
    entry = powers + 16 * (-k - LEAST_POWER)
    upper, lower = load64(entry), load64(entry + 8)
    if -k < -27 or -k > 55:
        lower += 1
        upper += lower == 0
    middle = _odd_product(upper, lower, (4 * value) << shift)
    low = _odd_product(upper, lower, (4 * value - (1 if uneven else 2)) << shift) + odd
    high = _odd_product(upper, lower, (4 * value + 2) << shift) - odd
    digits = middle >> 2
    if digits >= 10:
        tens = digits // 10
        below, above = low <= 40 * tens, 40 * tens + 40 <= high
        if below != above:
            return tens + above, k + 1
    below, above = low <= 4 * digits, 4 * digits + 4 <= high
    if below != above:
        return digits + above, k
    half = 4 * digits + 2
    return digits + (middle > half or (middle == half and digits & 1 == 1)), k


@kernel("int64(int64, int64)")
def _write_exponent(out: Any, exponent: Any) -> Any:
    store8(out, EXPONENT)
    store8(out + 1, MINUS if exponent < 0 else PLUS)
    exponent = abs(exponent)
    out += 2
    if exponent >= 100:
        store8(out, ZERO + exponent // 100)
        exponent %= 100
        out += 1
    store8(out, ZERO + exponent // 10)
    store8(out + 1, ZERO + exponent % 10)
    return out + 2


@kernel("int64(int64, int64)")
def _zeros(out: Any, count: Any) -> Any:
    for _ in range(count):
        store8(out, ZERO)
        out += 1
    return out


@kernel("int64(int64, int64, int64)")
def write_double(out: Any, bits: Any, control: Any) -> Any:
    """Write a double, given its bits; NaN and the infinities as strings. 32 bytes may be written."""
    if bits & 0x7FFFFFFFFFFFFFFF > 0x7FF0000000000000:
        store64(out, QUOTED_NAN)
        return out + 5
    if bits & 0x7FFFFFFFFFFFFFFF == 0x7FF0000000000000:
        store16(out, 0x2D22)  # "-
        out += 2 if bits < 0 else 1
        store64(out, INFINITY_TEXT)
        store8(out + 8, 0x22)
        return out + 9
    if bits < 0:
        store8(out, MINUS)
        out += 1
        bits &= 0x7FFFFFFFFFFFFFFF
    digits, k = 0, 0
    if bits != 0:
        digits, k = _shortest(bits, load64(control + C_POWERS))
        while digits % 100_000_000 == 0:
            digits //= 100_000_000
            k += 8
        while digits % 10 == 0:
            digits //= 10
            k += 1
    pairs = load64(control + C_PAIRS)
    size = _count_digits(digits)
    before = size + k  # digits before the point
    if before <= MIN_PLAIN or before > MAX_PLAIN:
        end = write_integer(out + 1, digits, pairs)
        store8(out, load16(out + 1) & 0xFF)
        store8(out + 1, POINT)
        return _write_exponent(end if size > 1 else out + 1, before - 1)
    if before <= 0:
        store16(out, 0x2E30)  # 0.
        return write_integer(_zeros(out + 2, -before), digits, pairs)
    if k >= 0:
        out = _zeros(write_integer(out, digits, pairs), k)
        store16(out, 0x302E)  # .0
        return out + 2
    scale = 1
    for _ in range(-k):
        scale *= 10
    whole = digits // scale
    out = write_integer(out, whole, pairs)
    store8(out, POINT)
    rest = digits - whole * scale
    out = _zeros(out + 1, -k - _count_digits(rest))
    return write_integer(out, rest, pairs)
