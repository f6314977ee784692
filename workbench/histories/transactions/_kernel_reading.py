"""What each transaction saw of others and of itself: one pass over the micro-operations of all.

A transaction that has written a key reads its own last write there (Adya 1999, section 4.2). So a list that
it reads ends in what it has appended itself, and what comes before is external: a version that others left.
The whole is the version that it installs, so it tells the order of versions as other lists do.
"""

from typing import Any

from workbench.histories.transactions import _codes as codes
from workbench.kernels import kernel

__all__ = ["compare_reads", "find_longest", "separate_reads"]

COLUMNS = "int64[::1], int8[::1], int64[::1], int64[::1], int64[::1], int64[::1]"
APPEND, READ, READ_LIST, WRITE, UNKNOWN = (
    codes.APPEND,
    codes.READ,
    codes.READ_LIST,
    codes.WRITE,
    codes.UNKNOWN,
)
BAD, OWN, COMMITTED = codes.BAD, codes.OWN, codes.COMMITTED


@kernel(f"void({COLUMNS}, int64[:,::1], int64[::1], int64[::1], boolean[::1], int64[::1], int64[::1])")
def separate_reads(
    offsets: Any,
    kind: Any,
    key: Any,
    value: Any,
    lists: Any,
    elements: Any,
    state: Any,
    own_before: Any,
    external: Any,
    final: Any,
    replaced: Any,
    read_before: Any,
) -> None:
    """Say of each read how many elements are others', or BAD or OWN; which write is a key's last.

    `state` is (keys, 5), filled with -1: the transaction that was here last, its last write, the number of
    its writes, its last external read, and the last of those before its own writes. `replaced` is, for a
    write, the read of the version that the transaction replaces, and `read_before`, for an external read, the
    one before of the same key; or -1.
    """
    for txn in range(len(offsets) - 1):
        for row in range(offsets[txn], offsets[txn + 1]):
            of_key = state[key[row]]
            if of_key[0] != txn:
                of_key[0] = txn
                of_key[1] = -1
                of_key[2] = 0
                of_key[3] = -1
                of_key[4] = -1
            if kind[row] == APPEND or kind[row] == WRITE:
                if of_key[1] >= 0:
                    final[of_key[1]] = False
                replaced[row] = of_key[4]
                final[row] = True
                own_before[row] = of_key[1]
                of_key[1] = row
                of_key[2] += 1
            elif kind[row] == READ_LIST:
                rest = lists[row + 1] - lists[row] - of_key[2]
                external[row] = rest if rest >= 0 else BAD
                mine, place = of_key[1], lists[row + 1] - 1
                while mine >= 0 and external[row] != BAD:
                    if elements[place] != value[mine]:
                        external[row] = BAD
                    place -= 1
                    mine = own_before[mine]
                if external[row] != BAD:
                    read_before[row] = of_key[3]
                    of_key[3] = row
                    if of_key[2] == 0:
                        of_key[4] = row
            elif kind[row] == READ:
                if of_key[1] < 0:
                    external[row] = 1
                    read_before[row] = of_key[3]
                    of_key[3] = row
                    of_key[4] = row
                else:
                    external[row] = OWN if value[row] == value[of_key[1]] else BAD


@kernel("void(int64[::1], int8[::1], int64[::1], int64[::1], int8[::1], int64[::1], int64[::1])")
def find_longest(
    offsets: Any, kind: Any, key: Any, lists: Any, fate: Any, external: Any, longest: Any
) -> None:
    """Find for each key the first of the longest lists that committed transactions read."""
    for txn in range(len(offsets) - 1):
        if fate[txn] != COMMITTED:
            continue
        for row in range(offsets[txn], offsets[txn + 1]):
            if kind[row] == READ_LIST and external[row] != BAD:
                best = longest[key[row]]
                size = lists[row + 1] - lists[row]
                if best < 0 or size > lists[best + 1] - lists[best]:
                    longest[key[row]] = row


@kernel(
    "void(int64[::1], int8[::1], int64[::1], int64[::1], int64[::1], int8[::1], int64[::1], int64[::1],"
    " boolean[::1])"
)
def compare_reads(
    offsets: Any,
    kind: Any,
    key: Any,
    lists: Any,
    elements: Any,
    fate: Any,
    external: Any,
    longest: Any,
    agrees: Any,
) -> None:
    """Say of each list read whether it begins the longest one of its key."""
    for txn in range(len(offsets) - 1):
        if fate[txn] != COMMITTED:
            continue
        for row in range(offsets[txn], offsets[txn + 1]):
            if kind[row] != READ_LIST or external[row] < 0:
                continue
            start, order = lists[row], lists[longest[key[row]]]
            same = True
            for place in range(lists[row + 1] - start):
                if elements[start + place] != elements[order + place]:
                    same = False
                    break
            agrees[row] = same
