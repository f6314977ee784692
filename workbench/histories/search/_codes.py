"""What the numbers in a search's arrays mean."""

__all__ = [
    "BEFORE",
    "BEST_DEPTH",
    "BEST_LEFT",
    "BEST_LOW",
    "BUDGET",
    "CALL",
    "DEPTH",
    "END",
    "FAILS",
    "FIELDS",
    "FRESH",
    "FULL",
    "HOLDS",
    "LANE",
    "LEFT",
    "LOW",
    "LOW_BEFORE",
    "MISSED",
    "MISSING",
    "NEXT",
    "OF_LANE",
    "PLACE",
    "REFUSED",
    "RETURN",
    "SHIFT",
    "SPENT",
    "STATE",
    "STEADY",
    "STEADY_THERE",
    "STEPS",
    "SYMBOL",
    "UNKNOWN",
    "VISITS",
    "WORD",
]

HOLDS, FAILS, SPENT, FULL, MISSING = range(5)  # how a run ended
UNKNOWN, REFUSED = -2, -1  # entries of the table of transitions that are no state
FRESH = -1  # the lane of a configuration of which nothing was tried

# What a search stands at.
STATE, DEPTH, LANE, LOW, LEFT, STEPS, VISITS = range(7)
BUDGET, MISSED, STEADY_THERE, BEST_LOW, BEST_LEFT, BEST_DEPTH = range(7, 13)
FIELDS = 13

# Columns of the operations; STEADY is one that returned and never changes a state.
CALL, RETURN, SYMBOL, OF_LANE, STEADY = range(5)

# Columns of the lanes; NEXT is the first operation that is not placed.
NEXT, END, WORD, SHIFT = range(4)

# Columns of the stack.
PLACE, BEFORE, LOW_BEFORE, FORCED = range(4)
