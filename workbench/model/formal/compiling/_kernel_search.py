"""Breadth-first search over packed states: batches are expanded, and their successors looked up together.

`expand` and `judge` are a model's compiled functions, called by their address, once a batch. The successors'
places in the table are fetched before any of them is looked at, so that the memory answers many requests at
once.

Two tables. A key of one word is stored itself, plus one; zero is a free place. Longer keys stay in an array,
and the table holds their number, plus one, under some bits of their hash: keys are always compared whole.
"""

from typing import Any

from workbench.kernels import kernel
from workbench.kernels.memory import copy, inlined, load64, shift_right, unowned
from workbench.model.formal.compiling._kernel_memory import call_expand, call_judge, mixed, prefetch

__all__ = ["AGAIN", "FAILED", "GROW", "LEVEL", "advance", "advance_wide", "insert", "insert_wide"]

LEVEL, AGAIN, GROW, FAILED = 0, 1, 2, 3  # why a kernel returns: the level is done, ...
NEXT, COUNT, LEVEL_END, BATCH, FANOUT, STOP_COUNT, WORDS, KEY_WORDS, FAULT, SLOTS, SLOT_WORDS, STOP = range(
    12
)
TAG_SHIFT = 40  # of a wide entry: 24 bits of hash above 40 of number
NUMBER = (1 << TAG_SHIFT) - 1
OWNER_BITS = 6  # of an owner: which state of the batch; above it, which action instance
OWNER = (1 << OWNER_BITS) - 1
OWNED_BY = 56  # the bits of the hash above say to which thread a state belongs; the table uses those below
AHEAD = 32  # places of the table that are fetched before they are needed


@inlined
def _look(table: Any, mask: Any, key: Any) -> Any:
    """Return whether a key is new, and put it into the table if it is."""
    stored = key + 1
    place = mixed(key) & mask
    while table[place] != stored:
        if table[place] == 0:
            table[place] = stored
            return True
        place = (place + 1) & mask
    return False


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
            queue.ctypes.data + 8 * control[WORDS] * position,
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


@kernel(
    "int64(int64, int64, int64[::1], int64[::1], int64[::1], int32[::1], int64[::1], int32[::1], "
    "int64[::1], int64[::1])"
)
def advance(
    expand_at: Any,
    judge_at: Any,
    control: Any,
    table_owned: Any,
    queue_owned: Any,
    parents_owned: Any,
    out_owned: Any,
    owners_owned: Any,
    taken: Any,
    found: Any,
) -> int:
    """Expand states of one word until their level is done, or the caller has to look."""
    table, queue, parents = unowned(table_owned), unowned(queue_owned), unowned(parents_owned)
    out, owners = unowned(out_owned), unowned(owners_owned)
    mask = len(table) - 1
    most = control[BATCH] * control[FANOUT]
    queue_at, table_at = queue.ctypes.data, table.ctypes.data
    count, position = control[COUNT], control[NEXT]
    budget = position + (1 << 16)
    reason = LEVEL
    while position < control[LEVEL_END]:
        if count + most > len(queue) or 2 * (count + most) > len(table):
            reason = GROW
            break
        size = min(control[BATCH], control[LEVEL_END] - position)
        made = _expanded(expand_at, control, queue, position, size, out, out, owners, taken, found)
        if made < 0:
            control[FAULT] = position - 1 - made
            reason = FAILED
            break
        for number in range(made):
            prefetch(table_at + 8 * (mixed(out[number]) & mask))
        before = count
        for number in range(made):
            if _look(table, mask, out[number]):
                queue[count] = out[number]
                parents[count] = position + (owners[number] & OWNER)
                count += 1
        wrong = call_judge(judge_at, (queue_at + 8 * before, count - before, before, found.ctypes.data))
        if wrong < 0:
            control[FAULT] = parents[before - 1 - wrong]
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


@kernel("void(int64[::1], int64[::1], int64)")
def insert(table: Any, keys: Any, count: Any) -> None:
    """Put different keys of one word into an empty table."""
    mask = len(table) - 1
    for number in range(count):
        place = mixed(keys[number]) & mask
        while table[place] != 0:
            place = (place + 1) & mask
        table[place] = keys[number] + 1


@inlined
def _hashed(address: Any, words: Any) -> Any:
    found = 0
    for word in range(words):
        found = mixed(found * 31 + load64(address + 8 * word) + word)
    return found


@inlined
def _equal(left: Any, right: Any, words: Any) -> Any:
    for word in range(words):  # noqa: SIM110
        if load64(left + 8 * word) != load64(right + 8 * word):
            return False
    return True


@inlined
def _look_wide(table: Any, mask: Any, keys_at: Any, key_at: Any, words: Any, count: Any) -> Any:
    """Return whether a key is new, and put its number into the table if it is."""
    hashed = _hashed(key_at, words)
    tag = hashed & ~NUMBER
    place = hashed & mask
    while table[place] != 0:
        entry = table[place]
        if (entry & ~NUMBER) == tag and _equal(keys_at + 8 * words * ((entry & NUMBER) - 1), key_at, words):
            return False
        place = (place + 1) & mask
    table[place] = tag | (count + 1)
    return True


@kernel(
    "int64(int64, int64, int64[::1], int64[::1], int64[::1], int64[::1], int32[::1], int64[::1], "
    "int64[::1], int32[::1], int64[::1], int64[::1])"
)
def advance_wide(
    expand_at: Any,
    judge_at: Any,
    control: Any,
    table_owned: Any,
    queue_owned: Any,
    keys_owned: Any,
    parents_owned: Any,
    out_owned: Any,
    out_keys_owned: Any,
    owners_owned: Any,
    taken: Any,
    found: Any,
) -> int:
    """Expand states of any number of words, which count as the same when their keys are."""
    table, queue, keys, parents = (
        unowned(table_owned),
        unowned(queue_owned),
        unowned(keys_owned),
        unowned(parents_owned),
    )
    out, out_keys, owners = unowned(out_owned), unowned(out_keys_owned), unowned(owners_owned)
    mask = len(table) - 1
    words, key_words = control[WORDS], control[KEY_WORDS]
    most = control[BATCH] * control[FANOUT]
    queue_at, keys_at, table_at = queue.ctypes.data, keys.ctypes.data, table.ctypes.data
    out_at, out_keys_at = out.ctypes.data, out_keys.ctypes.data
    own_keys = keys_at != queue_at
    count, position = control[COUNT], control[NEXT]
    budget = position + (1 << 16)
    reason = LEVEL
    while position < control[LEVEL_END]:
        if (count + most) * words > len(queue) or 2 * (count + most) > len(table):
            reason = GROW
            break
        size = min(control[BATCH], control[LEVEL_END] - position)
        made = _expanded(expand_at, control, queue, position, size, out, out_keys, owners, taken, found)
        if made < 0:
            control[FAULT] = position - 1 - made
            reason = FAILED
            break
        for number in range(made):
            prefetch(table_at + 8 * (_hashed(out_keys_at + 8 * key_words * number, key_words) & mask))
        before = count
        for number in range(made):
            key_at = out_keys_at + 8 * key_words * number
            if _look_wide(table, mask, keys_at, key_at, key_words, count):
                copy(queue_at + 8 * words * count, out_at + 8 * words * number, 8 * words)
                if own_keys:
                    copy(keys_at + 8 * key_words * count, key_at, 8 * key_words)
                parents[count] = position + (owners[number] & OWNER)
                count += 1
        wrong = call_judge(
            judge_at, (queue_at + 8 * words * before, count - before, before, found.ctypes.data)
        )
        if wrong < 0:
            control[FAULT] = parents[before - 1 - wrong]
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


@kernel("void(int64[::1], int64[::1], int64, int64)")
def insert_wide(table: Any, keys: Any, words: Any, count: Any) -> None:
    """Put the numbers of different keys into an empty table."""
    mask = len(table) - 1
    for number in range(count):
        hashed = _hashed(keys.ctypes.data + 8 * words * number, words)
        place = hashed & mask
        while table[place] != 0:
            place = (place + 1) & mask
        table[place] = (hashed & ~NUMBER) | (number + 1)


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
    hashed = _hashed(key_at, words)
    tag = hashed & ~NUMBER
    place = hashed & mask
    while table[place] != 0:
        number = (table[place] & NUMBER) - 1
        if (table[place] & ~NUMBER) == tag and _equal(keys_at + 8 * words * number, key_at, words):
            return number
        place = (place + 1) & mask
    return -1  # a state that was left out, or not reached before a limit


@kernel(
    "int64(int64, int64[::1], int64[::1], int64[::1], int32[::1], int64[::1], int64[::1], "
    "int64[:,::1], int64[:,::1], int64[::1])"
)
def scatter(
    expand_at: Any,
    control: Any,
    queue_owned: Any,
    out_owned: Any,
    owners_owned: Any,
    taken: Any,
    found: Any,
    boxes_owned: Any,
    parents_owned: Any,
    filled: Any,
) -> int:
    """Expand states of one word, and put each successor into the box of the thread that it belongs to.

    A state belongs to the thread that the highest bits of its hash say. Ends when the level is done, or a box
    might overflow.
    """
    queue, out, owners = unowned(queue_owned), unowned(out_owned), unowned(owners_owned)
    boxes, parents = unowned(boxes_owned), unowned(parents_owned)
    most = control[BATCH] * control[FANOUT]
    position, threads = control[NEXT], len(filled)
    reason = LEVEL
    while position < control[LEVEL_END]:
        if filled.max() + most > boxes.shape[1]:
            reason = AGAIN
            break
        size = min(control[BATCH], control[LEVEL_END] - position)
        made = _expanded(expand_at, control, queue, position, size, out, out, owners, taken, found)
        if made < 0:
            control[FAULT] = position - 1 - made
            reason = FAILED
            break
        for number in range(made):
            box = shift_right(mixed(out[number]), OWNED_BY) & (threads - 1)
            boxes[box, filled[box]] = out[number]
            parents[box, filled[box]] = position + (owners[number] & OWNER)
            filled[box] += 1
        position += size
    control[NEXT] = position
    return reason


@kernel(
    "int64(int64, int64[::1], int64[::1], int64[::1], int64[::1], int64[::1], int64[::1], int64, "
    "int64, int64[::1])"
)
def gather(
    judge_at: Any,
    control: Any,
    table_owned: Any,
    queue_owned: Any,
    parents_owned: Any,
    box_owned: Any,
    from_owned: Any,
    filled: Any,
    source: Any,
    found: Any,
) -> int:
    """Take in the states of a box that one thread filled for another; there is room for all of them."""
    table, queue, parents = unowned(table_owned), unowned(queue_owned), unowned(parents_owned)
    box, came_from = unowned(box_owned), unowned(from_owned)
    mask = len(table) - 1
    before = count = control[COUNT]
    ahead = min(filled, AHEAD)
    for number in range(ahead):
        prefetch(table.ctypes.data + 8 * (mixed(box[number]) & mask))
    for number in range(filled):
        if number + AHEAD < filled:
            prefetch(table.ctypes.data + 8 * (mixed(box[number + AHEAD]) & mask))
        if _look(table, mask, box[number]):
            queue[count] = box[number]
            parents[count] = (source << TAG_SHIFT) | came_from[number]
            count += 1
    control[COUNT] = count
    wrong = call_judge(judge_at, (queue.ctypes.data + 8 * before, count - before, before, found.ctypes.data))
    if wrong < 0:
        control[FAULT] = before - 1 - wrong
        return FAILED
    return LEVEL


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
            new = _look(table, mask, made[number])
        else:
            new = _look_wide(table, mask, queue.ctypes.data, at, words, count)
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
