"""What numbers mean in the columns and kernels of transactions.

Micro-operations, fates of transactions, and the kinds of dependencies; the latter are bits, so that a set of
kinds is a number. `FREE` is no dependency: it leads on from a node that stands for several transactions.
"""

import numpy as np

__all__ = [
    "ABORTED",
    "APPEND",
    "BAD",
    "COMMITTED",
    "FREE",
    "INDETERMINATE",
    "INITIAL",
    "OWN",
    "PROCESS",
    "READ",
    "READ_LIST",
    "REALTIME",
    "RW",
    "UNKNOWN",
    "WR",
    "WRITE",
    "WW",
]

READ_LIST, APPEND, READ, WRITE, UNKNOWN = 0, 1, 2, 3, 4  # micro-operations; UNKNOWN is a read nobody kept
COMMITTED, ABORTED, INDETERMINATE = 0, 1, 2  # fates of transactions
FREE, WW, WR, RW, PROCESS, REALTIME = 0, 1, 2, 4, 8, 16  # kinds of dependencies
INITIAL = int(np.iinfo(np.int64).min)  # the value of a register before any write
BAD, OWN = -1, -2  # instead of how much of a read is from others: it misses its own writes; it is its own
