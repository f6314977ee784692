"""The numbers that the JSON kernels and their callers share: operations, slots of records, faults.

A record, a frame and a control block are flat int64 memory; a slot is the byte offset of one number in it.
"""

# What a field's value is
MESSAGE, TEXT, HEX, BASE64, BOOL = 1, 2, 3, 4, 5
VARINT, ZIGZAG, FIXED64, FIXED32, DOUBLE = 6, 7, 8, 9, 10  # numbers; repeated ones are packed
ODD = 11  # a spelling of a known field that the canonical form does not have

# How the integers of an operation print
BITS64, UNSIGNED = 1, 2

# The parser's record of a field: its name and the closing quote as three words, and their masks
P_SIZE = 160
P_NAME, P_MASK, P_LENGTH, P_OP, P_TAG, P_NUMBER, P_BIT, P_OTHERS = 0, 24, 48, 56, 64, 72, 80, 88
P_TARGET, P_PRESENT, P_REPEATED, P_NEXT, P_HINT, P_MOST, P_LEAST, P_ENUM = (
    96,
    104,
    112,
    120,
    128,
    136,
    144,
    152,
)
NAME_WORDS = 3

# The parser's record of a message: the field that came first last time, and where its fields are
M_SIZE = 32
M_FIRST, M_FIELDS, M_END = 0, 8, 16

# The parser's frame of an open message: how it was reached, and the state of the message around it
FRAME_SIZE = 64
S_FIELD, S_INDEX, S_START, S_RESERVED, S_MESSAGE, S_SEEN, S_LAST = 0, 8, 16, 24, 32, 40, 48

# The printer's record of a field: its name as it is written, ``,"name":``
W_SIZE = 112
W_NAME, W_LENGTH, W_OP, W_TARGET, W_BIT, W_OTHERS, W_PRESENT, W_REPEATED, W_FORM, W_NUMBER = (
    0, 32, 40, 48, 56, 64, 72, 80, 88, 96,
)  # fmt: skip
NAME_BYTES = 32

# The printer's frame of an open message
R_FIELD, R_INDEX, R_END, R_MESSAGE, R_SEEN, R_OPEN, R_LAST = 0, 8, 16, 24, 32, 40, 48

# Control block of both; the second line is the parser's, C_DISPATCH and C_PAIRS the printer's
C_FIELDS, C_MESSAGES, C_STACK, C_LIMIT, C_UNKNOWN, C_POWERS = 0, 8, 16, 24, 32, 40
C_NESTING, C_HARD, C_HARD_COUNT, C_HARD_ROOM, C_SOLVED, C_HEX, C_END = 48, 56, 64, 72, 80, 88, 96
C_DISPATCH, C_PAIRS = 104, 112
C_FAULT_AT, C_FAULT_FIELD, C_FAULT_INDEX, C_FAULT_FRAME, C_ESCAPED, C_ZERO = 120, 128, 136, 144, 152, 160
CONTROL_SLOTS = 21

MOST_MESSAGES = 100  # open at once, as in the official parsers
MOST_NESTING = 1000  # of what an unknown field holds
SLACK = 768  # bytes that a kernel may write beyond what it checked for: lengths and brackets of open messages
PADDING = 64  # zero bytes behind a kernel's input: no token goes on over a zero, so no read goes beyond

# Outcomes: OK and ROOM, and what may be wrong
OK, ROOM = 0, 1
EXPECTED_OBJECT, EXPECTED_ARRAY, EXPECTED_STRING, EXPECTED_INTEGER, EXPECTED_NUMBER, EXPECTED_BOOL = range(
    2, 8
)
EXPECTED_KEY, EXPECTED_COLON, EXPECTED_MEMBER_END, EXPECTED_ELEMENT_END, EXPECTED_VALUE = range(8, 13)
BAD_NUMBER, BAD_ESCAPE, LONE_SURROGATE, CONTROL_CHARACTER, NOT_UTF8 = range(13, 18)
DUPLICATE, SECOND_OF_ONEOF, NULL_ELEMENT, BAD_HEX, BAD_BASE64 = range(18, 23)
OUT_OF_RANGE, NOT_WHOLE, ENUM_NAME, DOUBLE_RANGE, TOO_DEEP, TRAILING = range(23, 29)
NOT_CANONICAL, BAD_WIRE, BAD_TEXT = range(29, 32)  # of protobuf that is to be printed
