"""How much of a call, or of a window, limiters let rounding take away.

Times are float64 numbers, and what is equal on paper differs in the last bits: ten tenths of a second are
not one second. A call that comes too early by less than a millionth of its interval is therefore on time.
As the limiters' states are not moved by it, what is gained does not add up.
"""

__all__ = ["TOLERANCE"]

TOLERANCE = 2.0**-20
