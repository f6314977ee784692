"""Bulkheads and load shedders where calls find no place: who waits, who is next, who gives way.

As live (`policies._waiting_room`).
"""

import math
from typing import Any

from workbench.kernels.parts import inlined, rare
from workbench.reliability.machines import bulkhead
from workbench.reliability.machines.retry import NO_HINT_S
from workbench.reliability.simulation import _codes as codes
from workbench.reliability.simulation._kernel_events import push_work
from workbench.reliability.simulation._kernel_flows import (
    is_dropped,
    join_flow,
    leave_flow,
    next_of,
    note_whether_empty,
    patience_of,
    victim_of,
)
from workbench.reliability.simulation._kernel_lines import join_line, leave_line
from workbench.reliability.simulation._kernel_timers import set_timer

__all__ = [
    "abandon_place",
    "admit_next",
    "end_wait",
    "hand_place_on",
    "queue_up",
    "ring_in_queue",
]

leave, hand_on, expire = inlined(bulkhead.leave), inlined(bulkhead.hand_on), inlined(bulkhead.expire)
give_up, shed, displace = inlined(bulkhead.give_up), inlined(bulkhead.shed), inlined(bulkhead.displace)

NONE = codes.NONE
WAITING, GRANTED, DISMISSED = 0, 1, 2  # what is pending for a call whose last stop was a queue


@rare
def queue_up(w: Any, c: Any, call: Any, layer: Any, decision: Any) -> Any:
    """Have a call wait that found no place: SUSPENDED, or how it is refused."""
    index = w.layers[layer].index
    if decision == bulkhead.REJECTED and not _makes_room(w, c, index, call):
        w.calls[call].hint_s = NO_HINT_S
        return w.queues.queues[index].refusal
    this, mine = w.calls[call], w.scratch[call, layer]
    this.layer = layer
    this.version += 1
    this.pending = WAITING
    mine.time_s = c.now_s
    mine.timer = NONE
    patience_s = patience_of(w, c, index)
    if patience_s < math.inf:
        mine.timer = set_timer(w, c, c.now_s + patience_s, codes.WAIT_LIMIT, call, layer)
    if w.queues.queues[index].order >= codes.PRIORITY:
        join_flow(w, c, index, call)
    else:
        join_line(w.calls, w.queues.lines[index], call)
    return codes.SUSPENDED


@inlined
def _makes_room(w: Any, c: Any, index: Any, call: Any) -> Any:
    """Tell whether another that waits was dismissed in favour of one that was rejected."""
    if w.queues.queues[index].order < codes.PRIORITY:
        return False
    victim = victim_of(w, index, call)
    if victim == NONE:
        return False
    leave_flow(w, index, victim)
    displace(w.bulkhead_states[index])
    _dismiss(w, c, index, victim)
    return True


@inlined
def hand_place_on(w: Any, c: Any, index: Any) -> None:
    """Give the place of a call that has ended to the next that waits."""
    if hand_on(w.bulkhead_parameters[index], w.bulkhead_states[index]):
        admit_next(w, c, index)


@rare
def admit_next(w: Any, c: Any, index: Any) -> None:
    """Have the next that waits go on, in a place that is counted as taken."""
    call = _select(w, c, index)
    this = w.calls[call]
    this.pending = GRANTED
    adapts = w.layers[this.layer].kind == codes.ADAPT
    direction = codes.ADMITTED if adapts else codes.DOWN
    w.scratch[call, this.layer].timer = NONE
    push_work(w, c, direction, call, this.layer + 1, codes.OK)


@inlined
def _dismiss(w: Any, c: Any, index: Any, call: Any) -> None:
    """Reject a call that waits in favour of others."""
    this = w.calls[call]
    this.pending = DISMISSED
    this.hint_s = NO_HINT_S
    w.scratch[call, this.layer].timer = NONE
    push_work(w, c, codes.UP, call, this.layer - 1, w.queues.queues[index].refusal)


@inlined
def _select(w: Any, c: Any, index: Any) -> Any:
    """Take out who is next, and dismiss those that are dropped on the way to it."""
    order, line = w.queues.queues[index].order, w.queues.lines[index]
    if order < codes.PRIORITY:
        call = line.tail if order == codes.LIFO else line.head
        leave_line(w.calls, line, call)
        return call
    number = NONE
    while True:
        call, number = next_of(w, c, index, number)
        leave_flow(w, index, call)
        wait_s = c.now_s - w.scratch[call, w.calls[call].layer].time_s
        if not is_dropped(w, c, index, number, wait_s):
            break
        shed(w.bulkhead_states[index])
        _dismiss(w, c, index, call)
    note_whether_empty(w, c, index)
    return call


@inlined
def leave_queue(w: Any, call: Any, layer: Any) -> None:
    """Take a call out of the queue that it waits in."""
    index = w.layers[layer].index
    w.scratch[call, layer].timer = NONE
    if w.queues.queues[index].order >= codes.PRIORITY:
        leave_flow(w, index, call)
    else:
        leave_line(w.calls, w.queues.lines[index], call)


@inlined
def ring_in_queue(w: Any, c: Any, call: Any, layer: Any) -> None:
    """Tell a call that its time in a queue is up."""
    push_work(w, c, codes.DUE, call, layer, codes.OK)


@rare
def end_wait(w: Any, call: Any, layer: Any) -> Any:
    """Take a call whose time is up out of a queue; return how it is refused."""
    index, this = w.layers[layer].index, w.calls[call]
    leave_queue(w, call, layer)
    expire(w.bulkhead_states[index])
    this.version += 1
    this.hint_s = NO_HINT_S
    return w.queues.queues[index].refusal


@rare
def abandon_place(w: Any, c: Any, call: Any, layer: Any) -> None:
    """Forget a call that waits, or was just given a place, and is cancelled."""
    state, this = w.bulkhead_states[w.layers[layer].index], w.calls[call]
    if this.pending == WAITING:
        leave_queue(w, call, layer)
        give_up(state)
    elif this.pending == GRANTED and leave(state):
        hand_place_on(w, c, w.layers[layer].index)
