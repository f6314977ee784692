"""The event loop: clients come, attempts are served, time is up; and then all that follows from it at once.

All that is under way stands in flat arrays, so that the kernel can return between two steps (an array is
full, the user wants to see how far it is) and go on where it was.

What happens at one instant happens one after the other, in the order in which it was brought about, each
after all that follows at once from the one before, as live on a virtual clock. Calls that clients make at
that instant come last.

A timed-out call goes on without its attempt; the service does not know, and serves it all the same.
"""

from typing import Any

import numba

from workbench.kernels import kernel
from workbench.kernels.parts import inlined
from workbench.reliability.simulation import _codes as codes
from workbench.reliability.simulation._kernel_adaptive import start_running
from workbench.reliability.simulation._kernel_arrivals import arrive, begin, next_arrival
from workbench.reliability.simulation._kernel_cancellations import call_off
from workbench.reliability.simulation._kernel_events import free_event, pop_event, push_work, push_work_later
from workbench.reliability.simulation._kernel_hedges import go_on_with_race, ring_for_next
from workbench.reliability.simulation._kernel_layers import go_down, go_up, time_out
from workbench.reliability.simulation._kernel_lending import lend
from workbench.reliability.simulation._kernel_queues import end_wait, ring_in_queue
from workbench.reliability.simulation._kernel_service import depart, queue_changes
from workbench.reliability.simulation._kernel_timers import leave_timers
from workbench.reliability.simulation._world import example_world

__all__ = ["run"]

OK, NONE = codes.OK, codes.NONE


def _types() -> tuple[Any, ...]:
    typeof: Any = numba.typeof
    return typeof(example_world()), numba.types.float64


@kernel(_types)
def run(owned: Any, until_s: Any) -> Any:
    """Go on to a time, or until an array is full (ROOM) or the log is (LOG_FULL)."""
    w = lend(owned)
    c = w.control[0]
    layers = len(w.layers)
    if c.started == 0:
        if len(w.times) < w.service[0].users + layers + 4:
            return codes.ROOM
        begin(w, c)
    while True:
        while c.work_count > 0:
            if c.logged >= len(w.log):
                return codes.LOG_FULL
            if c.events + layers + 4 > len(w.events) or c.work_count + 8 > len(w.work):
                return codes.ROOM
            if c.free_attempt == NONE or c.free_call == NONE:
                return codes.ROOM
            item = w.work[c.work_first]
            c.work_first += 1
            if c.work_first == len(w.work):
                c.work_first = 0
            c.work_count -= 1
            if w.calls[item.call].version != item.version:
                continue
            call, layer, outcome, direction = item.call, item.layer, item.outcome, item.direction
            if item.steps > 0:
                push_work_later(w, c, direction, call, layer, outcome, item.steps - 1)
            else:
                this = w.calls[call]
                this.woken = NONE
                if this.cancelled == item.version:
                    direction, layer = codes.CANCEL, this.layer
                if direction == codes.DUE:
                    outcome = end_wait(w, call, layer)
                    layer -= 1
                elif direction == codes.DOWN or direction == codes.ADMITTED:
                    if direction == codes.ADMITTED:
                        start_running(w, c, call, layer - 1)
                    layer, outcome = go_down(w, c, call, layer)
                    layer -= 1
                elif direction == codes.CANCEL:
                    layer = call_off(w, c, call, layer)
                    outcome = NONE if layer == NONE else codes.CANCELLED
                elif direction == codes.RACE:
                    outcome = go_on_with_race(w, c, call, layer, outcome)
                    layer -= 1
                if outcome != NONE:
                    go_up(w, c, call, layer, outcome)
        if (
            c.free_call == NONE
            or c.events + layers + 4 > len(w.events)
            or c.work_count + c.queued + 8 > len(w.work)
        ):
            return codes.ROOM
        if c.logged >= len(w.log):
            return codes.LOG_FULL
        arrives = c.next_arrival_s
        if c.heap > 0 and w.times[0] <= arrives:
            at = w.times[0]
            if at > until_s:
                break
            _advance(w, c, at)
            _happen(w, c, pop_event(w, c))
        else:
            if arrives > until_s:
                break
            _advance(w, c, arrives)
            arrive(w, c, NONE)
            c.next_arrival_s = next_arrival(w, c)
    _advance(w, c, until_s)
    queue_changes(c)
    return codes.DONE


@inlined
def _happen(w: Any, c: Any, slot: Any) -> None:
    """Let an event happen, if nothing has overtaken it."""
    event = w.events[slot]
    kind, subject, layer, token = event.kind, event.subject, event.layer, event.token
    order = event.order
    if kind == codes.TIMER or kind == codes.WAIT_LIMIT:
        leave_timers(w, c, slot)
    free_event(w, c, slot)
    if kind == codes.DEPARTURE:
        depart(w, c, subject)
    elif kind == codes.TIMER:
        if w.scratch[subject, layer].timer == order:
            time_out(w, c, subject, layer)
    elif kind == codes.RESUMPTION:
        if w.calls[subject].version == token:
            push_work(w, c, codes.DOWN, subject, layer + 1, OK)
    elif kind == codes.WAIT_LIMIT:
        if w.scratch[subject, layer].timer == order:
            ring_in_queue(w, c, subject, layer)
    elif kind == codes.NEXT_ATTEMPT:
        ring_for_next(w, c, subject, layer, order)
    else:
        arrive(w, c, subject)


@inlined
def _advance(w: Any, c: Any, at: Any) -> None:
    """Move the time, and note the queue at the end of each bin passed."""
    last = min(int(at / w.service[0].bin_s), len(w.bins) - 1)
    for passed in range(c.bin, last):
        w.bins[passed, codes.BIN_QUEUED] = c.queued
        w.bins[passed, codes.BIN_BUSY] = c.busy
    c.bin = last
    c.now_s = at
