"""Successors that were looked up a moment ago: many steps lead to the same states, and most soon after.

Which keys those were stands in a small array that the processor's nearest cache holds, each where its hash
says. At the start it must hold nothing but keys that the table knows.
"""

from typing import Any

from workbench.kernels.memory import load64, shift_right, store64
from workbench.kernels.parts import inlined
from workbench.model.formal.compiling._kernel_memory import mixed
from workbench.model.formal.compiling._kernel_tables import equal_keys, hashed

__all__ = ["RECENT", "unlike_recent_keys", "unlike_recent_words"]

RECENT = 1 << 11  # keys: sixteen kilobytes, if they are of one word
RECENT_BY = 40  # the bits of the hash from here on say where among them


@inlined
def unlike_recent_words(recent: Any, out: Any, owners: Any, made: Any) -> Any:
    """Move those successors to the front that were not looked up a moment ago; return how many they are."""
    kept = 0
    for number in range(made):
        key = out[number]
        slot = shift_right(mixed(key), RECENT_BY) & (RECENT - 1)
        out[kept], owners[kept] = key, owners[number]
        kept += recent[slot] != key
        recent[slot] = key
    return kept


@inlined
def _copied(target: Any, source: Any, words: Any) -> Any:
    for word in range(words):
        store64(target + 8 * word, load64(source + 8 * word))


@inlined
def unlike_recent_keys(
    recent_at: Any, out_at: Any, keys_at: Any, owners: Any, words: Any, key_words: Any, made: Any
) -> Any:
    """Move those successors to the front whose keys were not looked up a moment ago; return how many."""
    kept = 0
    for number in range(made):
        key_at = keys_at + 8 * key_words * number
        slot = shift_right(hashed(key_at, key_words), RECENT_BY) & (RECENT - 1)
        slot_at = recent_at + 8 * key_words * slot
        if equal_keys(slot_at, key_at, key_words):
            continue
        _copied(slot_at, key_at, key_words)
        if kept != number:
            _copied(out_at + 8 * words * kept, out_at + 8 * words * number, words)
            if keys_at != out_at:
                _copied(keys_at + 8 * key_words * kept, key_at, key_words)
            owners[kept] = owners[number]
        kept += 1
    return kept
