"""The numbers that the kernels and their callers share: operations, slots of control blocks, outcomes.

A control block is a flat int64 array; a slot is the byte offset of one number in it.
"""

# Outcomes of a kernel
OK, MALFORMED, ROOM = 0, -1, -2  # ROOM: an output was too small
REWRITE = -3  # the message must be written in its usual form first

# Types of values (`_schema.ValueType`), and what a type's upper bits say
EMPTY, STR, INT, DOUBLE, BOOL, MAP, SLICE, BYTES, STRINDEX, ABSENT = 0, 1, 2, 3, 4, 5, 6, 7, 8, 31
TYPE_MASK, PLAIN, SIDED = 31, 32, 64  # PLAIN: the text is a blob; SIDED: there are side entries

# What a field does when it is met
UNKNOWN = 0
WORD, HALF, VARINT64, VARINT32, ZIGZAG32, FLAG = 1, 2, 3, 4, 5, 6
TEXT, ID, BLOB, VALUE = 7, 8, 9, 10
KEY_VALUE, INLINE, ROWS, POINTS, TEXTS = 11, 12, 13, 14, 15  # POINTS: rows that are words for the most part
PACKED_WORDS, ONE_WORD, PACKED_VARINTS, ONE_VARINT, PACKED_VARINTS32, ONE_VARINT32 = 16, 17, 18, 19, 20, 21

DISPATCH_SIZE = 512  # of a kind of message: one uint16 for each tag below 256

# A field's record
FIELD_SIZE = 64
F_OP, F_COLUMN, F_TARGET, F_TABLE, F_BIT, F_OTHERS, F_AUX, F_SLOT = 0, 8, 16, 24, 32, 40, 48, 56
F_LAST_TEXT = F_AUX  # of TEXT, while it is decoded

# A kind of message's record
KIND_SIZE = 64
K_TABLE, K_PRESENT, K_DEPTH, K_FIRST, K_FIELDS, K_LISTS, K_LISTS_END, K_SLOT = 0, 8, 16, 24, 32, 40, 48, 56

# An attribute table's record
ATTRIBUTES_SIZE = 64
A_PARENT, A_KEY, A_TYPE, A_VALUE, A_KEY_REF, A_TABLE, A_DEPTH, A_SEEN_REF = 0, 8, 16, 24, 32, 40, 48, 56

# Decoder's control block
C_DISPATCH, C_FIELDS, C_KINDS, C_ATTRIBUTES, C_LISTS, C_ROWS, C_ROOM = 0, 8, 16, 24, 32, 40, 48
C_KEYS, C_TEXTS, C_FOLLOW, C_RECENT, C_BLOBS, C_SIDES = 56, 64, 72, 80, 88, 96
C_REWRITE, C_UNKNOWN, C_KEEP, C_NESTED_UNKNOWN, C_STACK, C_LIMIT, C_LIST_ROOM = (
    104,
    112,
    120,
    128,
    136,
    144,
    152,
)
C_LAYOUT, C_ZEROED, C_DENSITY, C_REFERENCES, C_SIZE = 160, 168, 176, 184, 192
C_COUNT_COUNT, C_SLAB_ROOM, C_KIND_COUNT, C_ATTRIBUTE_COUNT, C_PENDING = 200, 208, 216, 224, 232
C_SHAPES, C_QUEUE, C_NEXT_TEXTS = 240, 248, 256
CONTROL_SLOTS = 40

# Where the columns lie: the records that want to know, the places in them and the columns of those, how many
# places there are, the offset of each column, and the memory that all columns lie in
L_RECORDS, L_PLACES, L_COLUMNS, L_COUNT, L_OFFSETS, L_MEMORY = range(0, 48, 8)
LAYOUT_SLOTS = 8

# A dictionary's control block: texts stored once
D_SLOTS, D_OFFSETS, D_BYTES, D_HASHES, D_COUNT, D_MASK, D_FAILED, D_ROOM, D_BYTES_ROOM = range(0, 72, 8)
NOT_UTF8, FULL = 1, 2  # how a dictionary fails

# A heap's control block: byte strings, one after the other
H_OFFSETS, H_BYTES, H_COUNT, H_ROOM, H_BYTES_ROOM = 0, 8, 16, 24, 32

# The side entries' control block; an entry is table, row, slot, blob
S_ENTRIES, S_COUNT, S_ROOM = 0, 8, 16
SIDE_SIZE = 32
SLOT_KEY_VALUE, SLOT_VALUE = 0, 1  # of an attribute's row; other rows have one slot a message and one an id

# What a key was last seen with; where that was, if it starts with the key, else 0
R_START, R_LENGTH, R_TYPE, R_VALUE, R_KEY, R_KEY_LENGTH = 0, 8, 16, 24, 48, 56
RECENT_SIZE = 64

# A text that is looked for later: where it is, its hash, where its number goes, and who else wants to know
P_TEXT, P_SIZE, P_HASH, P_BITS, P_VALUE, P_RECENT, P_START, P_LENGTH = range(0, 64, 8)
PENDING_SIZE = 64
MOST_PENDING = 16

# A row that waits for its attributes: where the first is, its size, where its message ends, and the row
Q_AT, Q_SIZE, Q_END, Q_ROW = 0, 8, 16, 24
QUEUED_SIZE = 32
MOST_QUEUED = 64

# The shape of a field's messages (`_kernel_points`): the sizes of its parts here and in a message, the field
# and the tag of the attributes behind them, and the presence bits; then part by part
T_PARTS, T_FIXED, T_PAIRS, T_PAIR_TAG, T_PRESENT = 0, 8, 16, 24, 32
SHAPE_HEADER = 64
# A part: where it is, its tag (a list's length above it), the bits of these two numbers, its field
T_PLACE, T_HEAD, T_MASK, T_FIELD = 0, 8, 16, 24
PART_SIZE = 32
MOST_PARTS = 14
SHAPE_SIZE = SHAPE_HEADER + PART_SIZE * MOST_PARTS
NO_SHAPE = 1 << 40  # longer than any message

RECURSION_LIMIT = 100  # of the official parsers

# Encoder's control block
E_FIELDS, E_KINDS, E_ATTRIBUTES, E_CURSORS, E_LOW, E_SIDES, E_SIDE_COUNT = 0, 8, 16, 24, 32, 40, 48
E_KEY_OFFSETS, E_KEY_BYTES, E_TEXT_OFFSETS, E_TEXT_BYTES, E_BLOB_OFFSETS, E_BLOB_BYTES = (
    56,
    64,
    72,
    80,
    88,
    96,
)
E_ALL_FIELDS, E_FIELD_COUNTS, E_KIND_COUNT, E_LAYOUT, E_ROWS, E_TABLE_COUNT = 104, 112, 120, 128, 136, 144
ENCODER_SLOTS = 20
FIXED_PART = 512  # more bytes than the fixed-size fields of any message
