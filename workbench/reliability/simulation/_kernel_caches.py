"""Caches: calls are answered from memory, or fetch, or follow the one that fetches for them.

As live (`policies.cache`); how good an old answer is decides the cache's machine. In the layer of a cache a
call's `number` says what it is there, and its `timer` which old answer there is to spare, if there is one.
"""

from typing import Any

from workbench.kernels.parts import inlined, rare
from workbench.reliability.machines import cache
from workbench.reliability.simulation import _codes as codes
from workbench.reliability.simulation._kernel_children import new_child
from workbench.reliability.simulation._kernel_events import push_work
from workbench.reliability.simulation._kernel_lines import join_line, leave_line
from workbench.reliability.simulation._kernel_replies import is_returned

__all__ = ["ask_cache", "end_fetch", "end_refresh", "stop_following"]

look = inlined(cache.look)

OK, NONE, SUSPENDED = codes.OK, codes.NONE, codes.SUSPENDED
NOTHING, LEADS, ALONE, AGAIN = range(4)  # what a call is


@rare
def ask_cache(w: Any, c: Any, call: Any, layer: Any) -> Any:
    """Return NONE for a call that has to fetch, SUSPENDED for one that follows another, else its answer."""
    index, mine = w.layers[layer].index, w.scratch[call, layer]
    number = _entry_of(w, index, call)
    entry = w.caches.entries[number]
    grade = _grade(w, c, index, entry, mine.number == AGAIN)
    mine.number = NOTHING
    if grade == cache.FRESH or grade == cache.STALE:
        leave_line(w.caches.entries, w.caches.used[index], number)
        join_line(w.caches.entries, w.caches.used[index], number)
        if grade == cache.STALE and entry.leader == NONE:
            entry.leader = new_child(w, c, call, layer, NONE)
        if not is_returned(entry.outcome):
            w.calls[call].hint_s = entry.hint_s
        return entry.outcome
    if entry.leader == NONE:
        entry.leader = call
        entry.spare = entry.outcome if grade == cache.FALLBACK else NONE
        mine.number, mine.timer = LEADS, entry.spare
        return NONE
    if entry.leader == call:  # it would wait for itself
        mine.number, mine.timer = ALONE, entry.spare
        return NONE
    this = w.calls[call]
    this.layer = layer
    this.version += 1
    this.pending = 0
    join_line(w.calls, entry, call)
    return SUSPENDED


@inlined
def _entry_of(w: Any, index: Any, call: Any) -> Any:
    return w.caches.caches[index].first_entry + w.calls[call].key


@inlined
def _grade(w: Any, c: Any, index: Any, entry: Any, again: Any) -> Any:
    """Return how good an entry is; a call that asks again is not counted twice."""
    s = w.caches.states[len(w.caches.states) - 1 if again else index]
    if entry.known != 0 and not is_returned(entry.outcome):
        found = look(w.caches.failures[index], s, entry.stored_s, c.now_s)
        return found if found == cache.FRESH else cache.MISSING
    return look(w.caches.parameters[index], s, entry.stored_s if entry.known != 0 else cache.NEVER, c.now_s)


@rare
def end_fetch(w: Any, c: Any, call: Any, layer: Any, outcome: Any) -> Any:
    """Remember what a call has fetched, tell those that follow it, and return what it returns itself."""
    index, mine = w.layers[layer].index, w.scratch[call, layer]
    number, role = _entry_of(w, index, call), mine.number
    hint_s = w.calls[call].hint_s
    mine.number = NOTHING
    if is_returned(outcome):
        if (w.caches.caches[index].kept >> outcome) & 1 != 0:
            _remember(w, c, index, number, outcome, hint_s)
    elif outcome != codes.CANCELLED:
        if mine.timer != NONE and (w.caches.caches[index].rescued >> outcome) & 1 != 0:
            outcome = mine.timer
            w.caches.states[index].rescued += 1
        elif w.caches.failures[index].ttl_s > 0.0 and (w.caches.caches[index].remembered >> outcome) & 1 != 0:
            _remember(w, c, index, number, outcome, hint_s)
    if role == LEADS:
        _land(w, c, index, number, outcome, hint_s)
    return outcome


@rare
def end_refresh(w: Any, c: Any, call: Any, layer: Any, outcome: Any) -> None:
    """Remember what was fetched beside a call that had an old answer; failures are forgotten."""
    index = w.layers[layer].index
    number = _entry_of(w, index, call)
    if not is_returned(outcome):
        outcome = codes.CANCELLED
    elif (w.caches.caches[index].kept >> outcome) & 1 != 0:
        _remember(w, c, index, number, outcome, 0.0)
    _land(w, c, index, number, outcome, 0.0)


@inlined
def _remember(w: Any, c: Any, index: Any, number: Any, outcome: Any, hint_s: Any) -> None:
    """Remember an answer or a failure, and forget what was not used for longest, where that is too much."""
    entries, used = w.caches.entries, w.caches.used[index]
    entry = entries[number]
    if entry.known != 0:
        leave_line(entries, used, number)
    entry.known = 1
    entry.outcome = outcome
    entry.stored_s = c.now_s
    entry.hint_s = hint_s
    join_line(entries, used, number)
    if used.count > w.caches.caches[index].most:
        first = used.head
        leave_line(entries, used, first)
        entries[first].known = 0
        w.caches.states[index].evicted += 1


@inlined
def _land(w: Any, c: Any, index: Any, number: Any, outcome: Any, hint_s: Any) -> None:
    """Give the outcome to all that follow; after a cancelled one they ask again: one of them takes over."""
    entry = w.caches.entries[number]
    entry.leader = NONE
    while entry.head != NONE:
        call = entry.head
        leave_line(w.calls, entry, call)
        this = w.calls[call]
        this.pending = 1
        if outcome == codes.CANCELLED:
            w.scratch[call, this.layer].number = AGAIN
            push_work(w, c, codes.DOWN, call, this.layer, OK)
        else:
            w.caches.states[index].shared += 1
            this.hint_s = hint_s
            push_work(w, c, codes.UP, call, this.layer - 1, outcome)


@inlined
def stop_following(w: Any, call: Any, layer: Any) -> None:
    """Take a call that is cancelled out of those that follow another."""
    if w.calls[call].pending == 0:
        leave_line(w.calls, w.caches.entries[_entry_of(w, w.layers[layer].index, call)], call)
    w.scratch[call, layer].number = NOTHING
