"""What is to come and what is to be done: a heap of events by time, a ring of work, free places in lists."""

from typing import Any

from workbench.kernels.parts import inlined
from workbench.reliability.simulation import _codes as codes

__all__ = [
    "enter_heap",
    "free_event",
    "interrupt",
    "new_attempt",
    "new_event",
    "pop_event",
    "push_event",
    "push_work",
    "push_work_later",
]


@inlined
def push_event(w: Any, c: Any, at_s: Any, kind: Any, subject: Any, layer: Any, token: Any) -> Any:
    """Let something happen later; return the event's number, by which it can be told from all others."""
    slot = new_event(w, c, kind, subject, layer, token)
    enter_heap(w, c, at_s, slot)
    return w.events[slot].order


@inlined
def new_event(w: Any, c: Any, kind: Any, subject: Any, layer: Any, token: Any) -> Any:
    """Return the place of an event that is nowhere yet."""
    slot = c.free_event
    event = w.events[slot]
    c.free_event = event.following
    c.events += 1
    event.order = c.order
    c.order += 1
    event.kind = kind
    event.subject = subject
    event.layer = layer
    event.token = token
    return slot


@inlined
def free_event(w: Any, c: Any, slot: Any) -> None:
    """Give the place of an event free that has happened, or never will."""
    w.events[slot].following = c.free_event
    c.free_event = slot
    c.events -= 1


@inlined
def enter_heap(w: Any, c: Any, at_s: Any, slot: Any) -> None:
    """Put an event where the next that happens is found."""
    place = c.heap
    c.heap += 1
    while place > 0:
        parent = (place - 1) >> 1
        if _is_before(w, w.times[parent], w.slots[parent], at_s, slot):
            break
        w.times[place] = w.times[parent]
        w.slots[place] = w.slots[parent]
        place = parent
    w.times[place] = at_s
    w.slots[place] = slot


@inlined
def _is_before(w: Any, at_s: Any, slot: Any, other_s: Any, other: Any) -> Any:
    """Tell which of two events comes first: at one time, what was said first."""
    if at_s == other_s:
        return w.events[slot].order < w.events[other].order
    return at_s < other_s


@inlined
def pop_event(w: Any, c: Any) -> Any:
    """Take the next event out of the heap."""
    first = w.slots[0]
    c.heap -= 1
    size = c.heap
    at_s, slot = w.times[size], w.slots[size]
    place = 0
    while True:
        child = 2 * place + 1
        if child >= size:
            break
        if child + 1 < size:
            child += _is_before(w, w.times[child + 1], w.slots[child + 1], w.times[child], w.slots[child])
        if not _is_before(w, w.times[child], w.slots[child], at_s, slot):
            break
        w.times[place] = w.times[child]
        w.slots[place] = w.slots[child]
        place = child
    w.times[place] = at_s
    w.slots[place] = slot
    return first


@inlined
def push_work(w: Any, c: Any, direction: Any, call: Any, layer: Any, outcome: Any) -> None:
    """Have something done after what is being done."""
    push_work_later(w, c, direction, call, layer, outcome, 0)


@inlined
def push_work_later(w: Any, c: Any, direction: Any, call: Any, layer: Any, outcome: Any, steps: Any) -> None:
    """Have something done after what is being done, and after so many steps of a loop: its turns in between.

    It is not done where the call has been suspended anew or has ended by then. In its last step the call is
    woken: nothing but that is left to happen.
    """
    place = c.work_first + c.work_count
    if place >= len(w.work):
        place -= len(w.work)
    item = w.work[place]
    c.work_count += 1
    item.direction = direction
    item.call = call
    item.version = w.calls[call].version
    item.layer = layer
    item.outcome = outcome
    item.steps = steps
    if steps == 0:
        w.calls[call].woken = item.version


@inlined
def interrupt(w: Any, c: Any, call: Any) -> None:
    """Cancel a call; it hears of that in its turn, and until then it waits where it does.

    As a task of asyncio: one that was woken already has its turn, and hears of it then; others get one last.
    """
    this = w.calls[call]
    this.attempt = codes.NONE
    if this.woken == this.version:
        this.cancelled = this.version
        return
    this.version += 1
    push_work(w, c, codes.CANCEL, call, this.layer, codes.CANCELLED)


@inlined
def new_attempt(w: Any, c: Any) -> Any:
    """Return a free place for an attempt."""
    attempt = c.free_attempt
    c.free_attempt = w.attempts[attempt].following
    return attempt
