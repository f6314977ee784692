"""Breadth-first search over packed states: batches are expanded, and their successors looked up together.

`expand` and `judge` are a model's compiled functions, called by their address, once a batch. The successors'
places in the table are fetched before any of them is looked at, so that the memory answers many requests at
once.

Where whole keys are kept, so are all states. Otherwise only those of the level that is expanded and of the
next one are: the queue then begins with state `BASE`, and a parent is counted from there.
"""

from typing import Any

from workbench.kernels import kernel
from workbench.kernels.memory import copy, unowned
from workbench.kernels.parts import inlined
from workbench.model.formal.compiling._kernel_memory import call_expand, call_judge, mixed, prefetch
from workbench.model.formal.compiling._kernel_recent import unlike_recent_keys, unlike_recent_words
from workbench.model.formal.compiling._kernel_tables import (
    COMPACTED,
    LONG,
    NUMBER,
    SHORT,
    equal_keys,
    fetch_bits,
    fetch_hash,
    hashed,
    is_new_hash,
    is_new_in_bits,
    is_new_key,
    is_new_word,
)

__all__ = ["AGAIN", "CONTROL", "FAILED", "GROW", "LEVEL", "absorb", "advance", "connect", "measure"]

LEVEL, AGAIN, GROW, FAILED = 0, 1, 2, 3  # why a kernel returns: the level is done, ...
CONTROL = 15
(
    NEXT,
    COUNT,
    LEVEL_END,
    BATCH,
    FANOUT,
    STOP_COUNT,
    WORDS,
    KEY_WORDS,
    FAULT,
    SLOTS,
    SLOT_WORDS,
    STOP,
    BASE,
    KIND,
    ROOM,
) = range(CONTROL)
OWNER_BITS = 6  # of an owner: which state of the batch; above it, which action instance
OWNER = (1 << OWNER_BITS) - 1


@inlined
def _expanded(
    expand_at: Any,
    control: Any,
    queue: Any,
    position: Any,
    size: Any,
    out: Any,
    out_keys: Any,
    owners: Any,
    taken: Any,
    found: Any,
) -> Any:
    """Write the successors of a batch of states; return how many there are, or less than 0 for an error."""
    return call_expand(
        expand_at,
        (
            queue.ctypes.data + 8 * control[WORDS] * (position - control[BASE]),
            size,
            position,
            out.ctypes.data,
            out_keys.ctypes.data,
            owners.ctypes.data,
            taken.ctypes.data,
            found.ctypes.data,
        ),
    )


@inlined
def _found_something(control: Any, found: Any) -> Any:
    for slot in range(control[SLOTS]):  # noqa: SIM110 - Numba has no generators here
        if found[slot * control[SLOT_WORDS]] >= 0:
            return True
    return False


@inlined
def _unlike_recent(control: Any, recent: Any, out: Any, out_keys: Any, owners: Any, made: Any) -> Any:
    """Keep those successors whose keys were not looked up a moment ago; return how many they are."""
    words, key_words = control[WORDS], control[KEY_WORDS]
    out_at, keys_at = out.ctypes.data, out_keys.ctypes.data
    if words == 1 and out_at == keys_at:
        return unlike_recent_words(recent, out, owners, made)
    return unlike_recent_keys(recent.ctypes.data, out_at, keys_at, owners, words, key_words, made)


@inlined
def _new_words(
    control: Any,
    table: Any,
    queue: Any,
    keys: Any,
    parents: Any,
    out: Any,
    out_keys: Any,
    owners: Any,
    made: Any,
    count: Any,
) -> Any:
    """Take in the successors that are new, by keys of one word; return how many states there are then."""
    mask, table_at = len(table) - 1, table.ctypes.data
    own_keys, position = keys.ctypes.data != queue.ctypes.data, control[NEXT]
    for number in range(made):
        prefetch(table_at + 8 * (mixed(out_keys[number]) & mask))
    for number in range(made):
        if is_new_word(table, mask, out_keys[number]):
            queue[count] = out[number]
            if own_keys:
                keys[count] = out_keys[number]
            parents[count] = position + (owners[number] & OWNER)
            count += 1
    return count


@inlined
def _new_keys(
    control: Any,
    table: Any,
    queue: Any,
    keys: Any,
    parents: Any,
    out: Any,
    out_keys: Any,
    owners: Any,
    made: Any,
    count: Any,
) -> Any:
    """Take in the successors that are new, by keys of any number of words."""
    mask, table_at = len(table) - 1, table.ctypes.data
    words, key_words = control[WORDS], control[KEY_WORDS]
    queue_at, keys_at = queue.ctypes.data, keys.ctypes.data
    out_at, out_keys_at = out.ctypes.data, out_keys.ctypes.data
    own_keys, position = keys_at != queue_at, control[NEXT]
    for number in range(made):
        prefetch(table_at + 8 * (hashed(out_keys_at + 8 * key_words * number, key_words) & mask))
    for number in range(made):
        key_at = out_keys_at + 8 * key_words * number
        if is_new_key(table, mask, keys_at, key_at, key_words, count):
            copy(queue_at + 8 * words * count, out_at + 8 * words * number, 8 * words)
            if own_keys:
                copy(keys_at + 8 * key_words * count, key_at, 8 * key_words)
            parents[count] = position + (owners[number] & OWNER)
            count += 1
    return count


@inlined
def _new_traces(
    control: Any,
    table: Any,
    shape: Any,
    queue: Any,
    parents: Any,
    out: Any,
    out_keys: Any,
    owners: Any,
    made: Any,
    count: Any,
) -> Any:
    """Take in the successors that have left no trace in a table that forgets."""
    table_at, compacted = table.ctypes.data, control[KIND] == COMPACTED
    words, key_words = control[WORDS], control[KEY_WORDS]
    queue_at, out_at, out_keys_at = queue.ctypes.data, out.ctypes.data, out_keys.ctypes.data
    base, position = control[BASE], control[NEXT] - control[BASE]
    for number in range(made):
        key_at = out_keys_at + 8 * key_words * number
        if compacted:
            fetch_hash(table_at, shape, key_at, key_words)
        else:
            fetch_bits(table_at, shape, key_at, key_words)
    for number in range(made):
        key_at = out_keys_at + 8 * key_words * number
        if compacted:
            new = is_new_hash(table_at, shape, key_at, key_words)
        else:
            new = is_new_in_bits(table, shape, key_at, key_words)
        if new:
            copy(queue_at + 8 * words * (count - base), out_at + 8 * words * number, 8 * words)
            parents[count - base] = position + (owners[number] & OWNER)
            count += 1
    return count


@kernel(
    "int64(int64, int64, int64[::1], int64[::1], int64[::1], int64[::1], int64[::1], int64[::1], "
    "int32[::1], int64[::1], int64[::1], int32[::1], int64[::1], int64[::1])"
)
def advance(
    expand_at: Any,
    judge_at: Any,
    control: Any,
    recent_owned: Any,
    table_owned: Any,
    shape: Any,
    queue_owned: Any,
    keys_owned: Any,
    parents_owned: Any,
    out_owned: Any,
    out_keys_owned: Any,
    owners_owned: Any,
    taken: Any,
    found: Any,
) -> int:
    """Expand states until their level is done, or the caller has to look; equal keys make states the same."""
    recent, table = unowned(recent_owned), unowned(table_owned)
    queue, keys = unowned(queue_owned), unowned(keys_owned)
    parents, owners = unowned(parents_owned), unowned(owners_owned)
    out, out_keys = unowned(out_owned), unowned(out_keys_owned)
    kind, base, words = control[KIND], control[BASE], control[WORDS]
    most = control[BATCH] * control[FANOUT]
    room = min(len(queue) // words + base, control[ROOM]) - most
    count, position = control[COUNT], control[NEXT]
    budget = position + (1 << 16)
    reason = LEVEL
    while position < control[LEVEL_END]:
        if count > room:
            reason = GROW
            break
        size = min(control[BATCH], control[LEVEL_END] - position)
        made = _expanded(expand_at, control, queue, position, size, out, out_keys, owners, taken, found)
        if made < 0:
            control[FAULT] = position - 1 - made
            reason = FAILED
            break
        made = _unlike_recent(control, recent, out, out_keys, owners, made)
        before, control[NEXT] = count, position
        if kind == SHORT:
            count = _new_words(control, table, queue, keys, parents, out, out_keys, owners, made, count)
        elif kind == LONG:
            count = _new_keys(control, table, queue, keys, parents, out, out_keys, owners, made, count)
        else:
            count = _new_traces(control, table, shape, queue, parents, out, out_keys, owners, made, count)
        states_at = queue.ctypes.data + 8 * words * (before - base)
        wrong = call_judge(judge_at, (states_at, count - before, before, found.ctypes.data))
        if wrong < 0:
            control[FAULT] = parents[before - base - 1 - wrong] + base
            reason = FAILED
            break
        position += size
        if (
            position >= budget
            or count >= control[STOP_COUNT]
            or (control[STOP] and _found_something(control, found))
        ):
            reason = AGAIN
            break
    control[COUNT], control[NEXT] = count, position
    return reason


@kernel(
    "int64(int64, int64[::1], int64[::1], int64[::1], int64[::1], int32[::1], int64[::1], int64[::1], "
    "int64[::1])"
)
def measure(
    expand_at: Any,
    control: Any,
    queue: Any,
    out: Any,
    out_keys: Any,
    owners: Any,
    taken: Any,
    found: Any,
    starts: Any,
) -> int:
    """Count the successors of each state; `starts` becomes where each state's edges begin."""
    total = 0
    for position in range(0, control[COUNT], control[BATCH]):
        size = min(control[BATCH], control[COUNT] - position)
        made = _expanded(expand_at, control, queue, position, size, out, out_keys, owners, taken, found)
        if made < 0:
            return position - 1 - made
        for number in range(made):
            starts[position + (owners[number] & OWNER) + 1] += 1
    for state in range(control[COUNT]):
        total += starts[state + 1]
        starts[state + 1] = total
    return -1


@kernel(
    "void(int64, int64[::1], int64[::1], int64[::1], int64[::1], int64[::1], int32[::1], int64[::1], "
    "int64[::1], int32[::1], int32[::1])"
)
def connect(
    expand_at: Any,
    control: Any,
    table: Any,
    queue: Any,
    out: Any,
    out_keys: Any,
    owners: Any,
    taken: Any,
    found: Any,
    targets: Any,
    labels: Any,
) -> None:
    """Write where each edge leads, and by which action instance; the table holds all states' numbers."""
    words, edge = control[WORDS], 0
    mask = len(table) - 1
    for position in range(0, control[COUNT], control[BATCH]):
        size = min(control[BATCH], control[COUNT] - position)
        made = _expanded(expand_at, control, queue, position, size, out, out_keys, owners, taken, found)
        for number in range(made):
            at = out.ctypes.data + 8 * words * number
            targets[edge] = _number_of(table, mask, queue.ctypes.data, at, words)
            labels[edge] = owners[number] >> OWNER_BITS
            edge += 1


@inlined
def _number_of(table: Any, mask: Any, keys_at: Any, key_at: Any, words: Any) -> Any:
    found = hashed(key_at, words)
    tag = found & ~NUMBER
    place = found & mask
    while table[place] != 0:
        number = (table[place] & NUMBER) - 1
        if (table[place] & ~NUMBER) == tag and equal_keys(keys_at + 8 * words * number, key_at, words):
            return number
        place = (place + 1) & mask
    return -1  # a state that was left out, or not reached before a limit


@kernel("int64(int64, int64[::1], int64[::1], int64[::1], int32[::1], int64[::1], int64[::1], int64[::1])")
def absorb(
    judge_at: Any,
    control: Any,
    table_owned: Any,
    queue_owned: Any,
    parents_owned: Any,
    made_owned: Any,
    came_from_owned: Any,
    found: Any,
) -> int:
    """Take in successors that were made elsewhere; there is room for all of them."""
    table, queue, parents = unowned(table_owned), unowned(queue_owned), unowned(parents_owned)
    made, came_from = unowned(made_owned), unowned(came_from_owned)
    words, mask = control[WORDS], len(table) - 1
    before = count = control[COUNT]
    for number in range(len(came_from)):
        at = made.ctypes.data + 8 * words * number
        if words == 1:
            new = is_new_word(table, mask, made[number])
        else:
            new = is_new_key(table, mask, queue.ctypes.data, at, words, count)
        if new:
            copy(queue.ctypes.data + 8 * words * count, at, 8 * words)
            parents[count] = came_from[number]
            count += 1
    control[COUNT] = count
    wrong = call_judge(
        judge_at, (queue.ctypes.data + 8 * words * before, count - before, before, found.ctypes.data)
    )
    if wrong < 0:
        control[FAULT] = parents[before - 1 - wrong]
        return FAILED
    return LEVEL
