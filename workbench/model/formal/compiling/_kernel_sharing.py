"""Breadth-first search by threads that share one table of states: what each of them does.

Each thread takes chunks of the level in turn, expands them, and keeps the states that it was the first to put
into the table. A place of the table is taken by one atomic operation, and never changes again.

A key of one word is stored itself, plus one. Longer keys stay in the queue of the thread that found them, and
the table holds their number, plus one, under some bits of their hash. A number says which thread holds a
state, and which of its states it is.
"""

from typing import Any

from workbench.kernels import kernel
from workbench.kernels.memory import copy, load64, store64, unowned
from workbench.kernels.parts import inlined
from workbench.model.formal.compiling._kernel_memory import (
    call_expand,
    call_judge,
    load_shared,
    mixed,
    next_of,
    prefetch,
    swap_if,
)
from workbench.model.formal.compiling._kernel_recent import unlike_recent_keys, unlike_recent_words
from workbench.model.formal.compiling._kernel_search import OWNER
from workbench.model.formal.compiling._kernel_tables import AHEAD, NUMBER, equal_keys, hashed

__all__ = ["insert_shared", "share"]

DONE, AGAIN, FULL, FAILED = 0, 1, 2, 3  # why a thread returns: no chunk is left, somebody has to look, ...
COUNT, MOST, FAULT, SELF, STOP, BATCH, WORDS, SLOTS, SLOT_WORDS = range(9)
FIELDS = 9
THREAD_SHIFT = 34  # of a state's number: 6 bits say which thread holds it
OWN = (1 << THREAD_SHIFT) - 1
OF, FROM, TO = range(3)  # of a chunk: states of which thread, from and to which


@inlined
def _is_first_word(table_at: Any, mask: Any, key: Any) -> Any:
    """Return whether no thread has met a key of one word; it stands in the table then."""
    place = mixed(key) & mask
    while True:
        at = table_at + 8 * place
        seen = load_shared(at)
        if seen == 0:
            seen = swap_if(at, 0, key + 1)
            if seen == 0:
                return True
        if seen == key + 1:
            return False
        place = (place + 1) & mask


@inlined
def _is_first(table_at: Any, mask: Any, queues: Any, key_at: Any, words: Any, number: Any) -> Any:
    """Return whether no thread has met a key; its number stands in the table then."""
    found = hashed(key_at, words)
    tag = found & ~NUMBER
    place = found & mask
    while True:
        at = table_at + 8 * place
        seen = load_shared(at)
        if seen == 0:
            seen = swap_if(at, 0, tag | (number + 1))
            if seen == 0:
                return True
        held = (seen & NUMBER) - 1
        held_at = queues[held >> THREAD_SHIFT] + 8 * words * (held & OWN)
        if (seen & ~NUMBER) == tag and equal_keys(held_at, key_at, words):
            return False
        place = (place + 1) & mask


@kernel(
    "int64(int64, int64, int64[::1], int64[:,::1], int64[::1], int64[::1], int64[::1], int64[::1], "
    "int64[::1], int64[::1], int32[::1], int64[::1], int64[::1])"
)
def share(
    expand_at: Any,
    judge_at: Any,
    here: Any,
    chunks: Any,
    cursor: Any,
    queues_owned: Any,
    recent_owned: Any,
    table_owned: Any,
    parents_owned: Any,
    out_owned: Any,
    owners_owned: Any,
    taken: Any,
    found: Any,
) -> int:
    """Expand chunks as long as there are any and there is room for what follows them.

    `cursor` is the number of the next chunk that no thread has taken; `queues` are the addresses of each
    thread's states.
    """
    recent, table, parents = unowned(recent_owned), unowned(table_owned), unowned(parents_owned)
    queues, out, owners = unowned(queues_owned), unowned(out_owned), unowned(owners_owned)
    mask, words, itself = len(table) - 1, here[WORDS], here[SELF] << THREAD_SHIFT
    table_at, queue_at, out_at = table.ctypes.data, queues[here[SELF]], out.ctypes.data
    count = here[COUNT]
    while count <= here[MOST]:
        chunk = next_of(cursor.ctypes.data)
        if chunk >= len(chunks):
            here[COUNT] = count
            return DONE
        thread, position, end = chunks[chunk, OF], chunks[chunk, FROM], chunks[chunk, TO]
        while position < end:
            size = min(here[BATCH], end - position)
            first = thread << THREAD_SHIFT | position
            made = call_expand(
                expand_at,
                (
                    queues[thread] + 8 * words * position,
                    size,
                    first,
                    out_at,
                    out_at,
                    owners.ctypes.data,
                    taken.ctypes.data,
                    found.ctypes.data,
                ),
            )
            if made < 0:
                here[FAULT] = first - 1 - made
                return FAILED
            before = count
            if words == 1:
                made = unlike_recent_words(recent, out, owners, made)
                for number in range(made):
                    prefetch(table_at + 8 * (mixed(out[number]) & mask))
                for number in range(made):
                    if _is_first_word(table_at, mask, out[number]):
                        store64(queue_at + 8 * count, out[number])
                        parents[count] = first + (owners[number] & OWNER)
                        count += 1
            else:
                made = unlike_recent_keys(recent.ctypes.data, out_at, out_at, owners, words, words, made)
                for number in range(made):
                    prefetch(table_at + 8 * (hashed(out_at + 8 * words * number, words) & mask))
                for number in range(made):
                    key_at = queue_at + 8 * words * count
                    copy(key_at, out_at + 8 * words * number, 8 * words)
                    if _is_first(table_at, mask, queues, key_at, words, itself | count):
                        parents[count] = first + (owners[number] & OWNER)
                        count += 1
            wrong = call_judge(
                judge_at,
                (queue_at + 8 * words * before, count - before, itself | before, found.ctypes.data),
            )
            if wrong < 0:
                here[FAULT] = parents[before - 1 - wrong]
                return FAILED
            position += size
        if here[STOP] and _found_something(here, found):
            here[COUNT] = count
            return AGAIN
    here[COUNT] = count
    return FULL


@inlined
def _found_something(here: Any, found: Any) -> Any:
    for slot in range(here[SLOTS]):  # noqa: SIM110 - Numba has no generators here
        if found[slot * here[SLOT_WORDS]] >= 0:
            return True
    return False


@kernel("void(int64[::1], int64[::1], int64[::1])")
def insert_shared(here: Any, queues: Any, table: Any) -> None:
    """Put the states of a thread into a table that other threads put theirs into; all are different."""
    mask, table_at, words = len(table) - 1, table.ctypes.data, here[WORDS]
    queue_at, itself = queues[here[SELF]], here[SELF] << THREAD_SHIFT
    for number in range(here[COUNT]):
        ahead = min(number + AHEAD, here[COUNT] - 1)
        if words == 1:
            prefetch(table_at + 8 * (mixed(load64(queue_at + 8 * ahead)) & mask))
            _is_first_word(table_at, mask, load64(queue_at + 8 * number))
        else:
            prefetch(table_at + 8 * (hashed(queue_at + 8 * words * ahead, words) & mask))
            _is_first(table_at, mask, queues, queue_at + 8 * words * number, words, itself | number)
