"""What a search knows of the states that it has met, as tables of four kinds.

::

    SHORT      keys of one word, themselves plus one; zero is a free place
    LONG       numbers of longer keys, plus one, under some bits of their hash; the keys stay in an array
    COMPACTED  hashes of keys, of 1 to 8 bytes; zero is a free place
    BITS       some bits for each key, and nothing else

The first two compare whole keys. For the others, different keys may look the same.
"""

from typing import Any

from workbench.kernels import kernel
from workbench.kernels.memory import load64, shift_right, store64
from workbench.kernels.parts import inlined
from workbench.model.formal.compiling._kernel_memory import mixed, prefetch

__all__ = [
    "BITS",
    "COMPACTED",
    "LONG",
    "NUMBER",
    "SHORT",
    "TAG_SHIFT",
    "equal_keys",
    "fetch_bits",
    "fetch_hash",
    "hashed",
    "insert",
    "insert_wide",
    "is_new_hash",
    "is_new_in_bits",
    "is_new_key",
    "is_new_word",
    "mark",
    "spread",
]

SHORT, LONG, COMPACTED, BITS = range(4)
PLACES, HASH, SIZE, SEED = range(4)  # of a table that forgets: how many - 1, a hash's bits, a place's bytes
TAG_SHIFT = 40  # of a wide entry: 24 bits of hash above 40 of number
NUMBER = (1 << TAG_SHIFT) - 1
AHEAD = 32  # places of the table that are fetched before they are needed
ODD = 0x1E3779B97F4A7C15  # the golden ratio's digits: makes a second hash of the first


@inlined
def is_new_word(table: Any, mask: Any, key: Any) -> Any:
    """Return whether a key is new, and put it into the table if it is."""
    stored = key + 1
    place = mixed(key) & mask
    while table[place] != stored:
        if table[place] == 0:
            table[place] = stored
            return True
        place = (place + 1) & mask
    return False


@kernel("void(int64[::1], int64[::1], int64)")
def insert(table: Any, keys: Any, count: Any) -> None:
    """Put different keys of one word into an empty table."""
    mask, table_at = len(table) - 1, table.ctypes.data
    for number in range(count):
        if number + AHEAD < count:
            prefetch(table_at + 8 * (mixed(keys[number + AHEAD]) & mask))
        place = mixed(keys[number]) & mask
        while table[place] != 0:
            place = (place + 1) & mask
        table[place] = keys[number] + 1


@inlined
def hashed(address: Any, words: Any, seed: Any = 0) -> Any:
    """Return 64 bits that depend on every bit of a key."""
    found = seed
    for word in range(words):
        found = mixed(found * 31 + load64(address + 8 * word) + word)
    return found


@inlined
def equal_keys(left: Any, right: Any, words: Any) -> Any:
    """Return whether two keys are equal."""
    for word in range(words):  # noqa: SIM110 - Numba has no generators here
        if load64(left + 8 * word) != load64(right + 8 * word):
            return False
    return True


@inlined
def is_new_key(table: Any, mask: Any, keys_at: Any, key_at: Any, words: Any, count: Any) -> Any:
    """Return whether a key is new, and put its number into the table if it is."""
    found = hashed(key_at, words)
    tag = found & ~NUMBER
    place = found & mask
    while table[place] != 0:
        entry = table[place]
        if (entry & ~NUMBER) == tag and equal_keys(
            keys_at + 8 * words * ((entry & NUMBER) - 1), key_at, words
        ):
            return False
        place = (place + 1) & mask
    table[place] = tag | (count + 1)
    return True


@kernel("void(int64[::1], int64[::1], int64, int64)")
def insert_wide(table: Any, keys: Any, words: Any, count: Any) -> None:
    """Put the numbers of different keys into an empty table."""
    mask, table_at, keys_at = len(table) - 1, table.ctypes.data, keys.ctypes.data
    for number in range(count):
        if number + AHEAD < count:
            prefetch(table_at + 8 * (hashed(keys_at + 8 * words * (number + AHEAD), words) & mask))
        found = hashed(keys_at + 8 * words * number, words)
        place = found & mask
        while table[place] != 0:
            place = (place + 1) & mask
        table[place] = (found & ~NUMBER) | (number + 1)


@inlined
def _kept_hash(shape: Any, key_at: Any, words: Any) -> Any:
    """Return the bits of a hash that are kept: never none, for that is a free place."""
    found = hashed(key_at, words, shape[SEED]) & shape[HASH]
    return found if found != 0 else 1


@inlined
def _is_new_value(table_at: Any, shape: Any, value: Any) -> Any:
    mask, size, bits = shape[PLACES], shape[SIZE], shape[HASH]
    place = value & mask
    while True:
        at = table_at + size * place
        held = load64(at)
        if held & bits == value:
            return False
        if held & bits == 0:
            store64(at, held | value)
            return True
        place = (place + 1) & mask


@inlined
def is_new_hash(table_at: Any, shape: Any, key_at: Any, words: Any) -> Any:
    """Return whether a key's hash is new, and put it into the table if it is."""
    return _is_new_value(table_at, shape, _kept_hash(shape, key_at, words))


@inlined
def fetch_hash(table_at: Any, shape: Any, key_at: Any, words: Any) -> Any:
    """Have the processor fetch where a key's hash would lie."""
    prefetch(table_at + shape[SIZE] * (_kept_hash(shape, key_at, words) & shape[PLACES]))


@kernel("void(int64[::1], int64[::1], int64[::1], int64[::1])")
def spread(table: Any, shape: Any, larger: Any, its_shape: Any) -> None:
    """Put the hashes of a table into a larger one."""
    for place in range(shape[PLACES] + 1):
        value = load64(table.ctypes.data + shape[SIZE] * place) & shape[HASH]
        if value != 0:
            _is_new_value(larger.ctypes.data, its_shape, value)


@inlined
def is_new_in_bits(table: Any, shape: Any, key_at: Any, words: Any) -> Any:
    """Return whether a bit of a key's is new, and set them all.

    The places are those of enhanced double hashing (P. C. Dillinger, P. Manolios, Bloom filters in
    probabilistic verification, 2004): their distance grows by one more each time.
    """
    place = hashed(key_at, words, shape[SEED])
    step = mixed(place + ODD)
    new = False
    for number in range(shape[SIZE]):
        bit = place & shape[PLACES]
        word, one = shift_right(bit, 6), 1 << (bit & 63)
        if table[word] & one == 0:
            table[word] |= one
            new = True
        place += step
        step += number + 1
    return new


@inlined
def fetch_bits(table_at: Any, shape: Any, key_at: Any, words: Any) -> Any:
    """Have the processor fetch where a key's bits lie."""
    place = hashed(key_at, words, shape[SEED])
    step = mixed(place + ODD)
    for number in range(shape[SIZE]):
        prefetch(table_at + 8 * shift_right(place & shape[PLACES], 6))
        place += step
        step += number + 1


@kernel("void(int64, int64[::1], int64[::1], int64[::1], int64, int64)")
def mark(kind: Any, table: Any, shape: Any, keys: Any, words: Any, count: Any) -> None:
    """Let a table that forgets know some keys."""
    for number in range(count):
        key_at = keys.ctypes.data + 8 * words * number
        if kind == COMPACTED:
            is_new_hash(table.ctypes.data, shape, key_at, words)
        else:
            is_new_in_bits(table, shape, key_at, words)
