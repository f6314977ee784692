"""Numbers as people read them: durations, counts, and the round numbers of an axis."""

import math
from collections.abc import Sequence

__all__ = ["axis_texts", "duration_text", "edge_text", "plural", "ticks", "time_ticks", "value_text"]

MICROSECOND, MILLISECOND, SECOND, MINUTE, HOUR, DAY = (
    1_000,
    1_000_000,
    1_000_000_000,
    60_000_000_000,
    3_600_000_000_000,
    86_400_000_000_000,
)
UNITS = ((SECOND, "s"), (MILLISECOND, "ms"), (MICROSECOND, "µs"), (1, "ns"))
AXIS_UNITS = ((2 * DAY, DAY, "d"), (5 * HOUR, HOUR, "h"), (10 * MINUTE, MINUTE, "min"))
LONG_STEPS = (15 * SECOND, 30 * SECOND, MINUTE, 2 * MINUTE, 5 * MINUTE, 10 * MINUTE, 15 * MINUTE, 30 * MINUTE)


def duration_text(duration_ns: int) -> str:
    """Return a duration with three significant digits and its natural unit.

    Parameters
    ----------
    duration_ns : int, nanoseconds

    Examples
    --------
    >>> [duration_text(n) for n in (0, 999, 12_345_678, 999_999_999, 61_000_000_000)]
    ['0 ns', '999 ns', '12.3 ms', '1.00 s', '1 min 01 s']

    """
    if duration_ns < 0:
        return "-" + duration_text(-duration_ns)
    if duration_ns >= MINUTE - SECOND // 20:
        return _long_text(duration_ns)
    rounded = _three_digits(duration_ns)
    scale, unit = next((scale, unit) for scale, unit in (*UNITS, (0, "ns")) if rounded >= scale)
    return f"{rounded} ns" if scale <= 1 else f"{_digits(rounded / scale)} {unit}"


def plural(count: int, noun: str) -> str:
    """Return a count and its noun, ``1 span`` or ``2,000 spans``."""
    return f"{count:,} {noun}" if count == 1 else f"{count:,} {noun}s"


def value_text(value: float) -> str:
    """Return a number with at most three significant digits, without an exponent where it can be avoided.

    Examples
    --------
    >>> [value_text(v) for v in (0, 12, 1234567, 0.5, 0.01234, 1e12)]
    ['0', '12', '1.23M', '0.5', '0.0123', '1e+12']

    """
    magnitude = abs(value)
    for scale, suffix in ((1e9, "G"), (1e6, "M"), (1e4, "k")):
        if scale <= magnitude < 1e12:
            divisor = 1e3 if suffix == "k" else scale
            return f"{value / divisor:.3g}{suffix}"
    return f"{value:,.0f}" if value == int(value) and magnitude < 1e4 else f"{value:.3g}"


def ticks(low: float, high: float, count: int) -> list[float]:
    """Return round numbers in ``[low, high]``, about ``count`` of them."""
    if not high > low:
        return [low]
    step = _round_step((high - low) / max(count, 1))
    first, last = math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9)
    return [k * step for k in range(first, last + 1)]


def time_ticks(span_ns: int, count: int) -> list[tuple[int, str]]:
    """Return offsets in ``[0, span_ns]`` and their labels, about ``count`` of them, all in one unit."""
    step = _time_step(max(span_ns, 1) / count)
    scale, unit = _axis_unit(max(span_ns, 1))
    offsets = range(0, span_ns + 1, step)
    return [(offset, f"{offset / scale:.6g} {unit}" if offset else "0") for offset in offsets]


def axis_texts(numbers: Sequence[float]) -> list[str]:
    """Return the numbers of an axis as exact text, shortened only where it is long and stays distinct."""
    exact = [f"{number:,.10g}" for number in numbers]
    if max(map(len, exact), default=0) < 10:
        return exact
    most = max(map(abs, numbers))
    scale, suffix = (1e9, "G") if most >= 1e9 else (1e6, "M") if most >= 1e6 else (1.0, "")
    short = [f"{number / scale:.6g}{suffix}" if number else "0" for number in numbers]
    return short if len(set(short)) == len(numbers) else exact


def edge_text(edge: float) -> str:
    """Return the edge of a bin, also one that is large and near its neighbours."""
    return f"{edge:.4g}" if abs(edge) < 1e4 else f"{edge:,.10g}"


def _long_text(duration_ns: int) -> str:
    seconds = round(duration_ns / SECOND)
    minutes, hours = seconds // 60, seconds // 3600
    if hours >= 48:
        return f"{hours // 24} d {hours % 24} h"
    return f"{hours} h {minutes % 60:02d} min" if hours else f"{minutes} min {seconds % 60:02d} s"


def _three_digits(value: int) -> int:
    places = len(str(value)) - 3
    return value if places <= 0 else round(value / 10**places) * 10**places


def _digits(value: float) -> str:
    return f"{value:.{2 if value < 10 else 1 if value < 100 else 0}f}"


def _round_step(rough: float) -> float:
    power = 10.0 ** math.floor(math.log10(rough))
    return next(factor * power for factor in (1, 2, 5, 10) if factor * power >= rough * (1 - 1e-9))


def _time_step(rough_ns: float) -> int:
    for step in LONG_STEPS if rough_ns > 10 * SECOND else ():
        if step >= rough_ns:
            return step
    scale = DAY if rough_ns > 12 * HOUR else HOUR if rough_ns > 30 * MINUTE else 1
    return max(1, round(_round_step(rough_ns / scale))) * scale


def _axis_unit(span_ns: int) -> tuple[int, str]:
    for least, scale, unit in AXIS_UNITS:
        if span_ns >= least:
            return scale, unit
    return next((scale, unit) for scale, unit in UNITS if span_ns >= scale)
