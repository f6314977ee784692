"""What the numbers in a search's arrays mean."""

__all__ = [
    "ACTION",
    "ADD",
    "ADD_ELSE",
    "ANY",
    "BEFORE",
    "BEST_DEPTH",
    "BEST_LEFT",
    "BEST_LOW",
    "BITS",
    "BUDGET",
    "CALL",
    "CHANGES_NOTHING",
    "CODE",
    "CROWDED",
    "DEPTH",
    "EARLIEST",
    "FAILS",
    "FIELDS",
    "FIRST",
    "FORCED",
    "FRESH",
    "FULL",
    "HOLDS",
    "KEEP",
    "KEEP_ELSE",
    "KIND",
    "LANE",
    "LANES",
    "LAST",
    "LEFT",
    "LENGTH",
    "LOW",
    "LOW_BEFORE",
    "MASK",
    "MISSED",
    "MISSING",
    "NEVER",
    "NEXT",
    "NOTHING",
    "OFFSET",
    "OF_LANE",
    "OPERATIONS",
    "OPERATION_COLUMNS",
    "PLACE",
    "POOLED",
    "POP",
    "POWER",
    "PUSH",
    "REFUSED",
    "RETURN",
    "ROW",
    "RULE",
    "SEQUENCE",
    "SEQUENCES",
    "SEQUENCE_COLUMNS",
    "SIZE",
    "SOLID",
    "SPENT",
    "STATE",
    "STEADY",
    "STEADY_THERE",
    "STEPS",
    "SYMBOL",
    "TABLE",
    "TAKE",
    "TOLD",
    "UNIT",
    "UNKNOWN",
    "VALUE",
    "VISITS",
    "WHEN",
    "WIDTH",
    "WORD",
]

HOLDS, FAILS, SPENT, FULL, MISSING, CROWDED = range(6)  # how a run ended
UNKNOWN, REFUSED = -2, -1  # what a machine answers that is no state
FRESH = -1  # the lane of a configuration of which nothing was tried
NEVER = 0x7FF << 52  # the time of a return that never came: the bits of infinity
EARLIEST = -(1 << 63)  # before all times

# What a search stands at.
STATE, DEPTH, LANE, LOW, LEFT, STEPS, VISITS = range(7)
BUDGET, MISSED, STEADY_THERE, BEST_LOW, BEST_LEFT, BEST_DEPTH = range(7, 13)
KIND, LANES, SOLID, OPERATIONS, WIDTH, SEQUENCES, POOLED = range(13, 20)
FIELDS = 20

# Columns of the operations. STEADY is one that returned and never changes a state, ROW its place in the
# history; from RULE on it is what the machine knows it by.
CALL, RETURN, OF_LANE, STEADY, ROW, RULE = range(6)
OPERATION_COLUMNS = RULE + 6

# Columns of the lanes; NEXT is the first operation that is not placed.
NEXT, WORD, UNIT = range(3)

# Columns of the stack.
PLACE, BEFORE, LOW_BEFORE, FORCED = range(4)

# Kinds of machines, and the columns of their rules.
TABLE, BITS, SEQUENCE = range(3)
SYMBOL, CHANGES_NOTHING = range(2)
MASK, WHEN, KEEP, ADD, KEEP_ELSE, ADD_ELSE = range(6)
ACTION, VALUE, TOLD = range(3)
PUSH, POP, TAKE, LAST, FIRST, SIZE = range(6)  # actions on a sequence
ANY, NOTHING = -1, 0  # an answer that is not known, and the value that is no value

# Columns of the sequences: a slice of the pool, its code, and the base to the power of its length.
OFFSET, LENGTH, CODE, POWER = range(4)
SEQUENCE_COLUMNS = 4
