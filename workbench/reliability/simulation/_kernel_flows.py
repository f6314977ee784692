"""Queues by priority and fairness: flows of calls, of which one is next.

As live (`policies._orders`, `policies._fair_order`); what is decided is decided by the same machines.
"""

from typing import Any

from workbench.kernels.parts import inlined
from workbench.reliability.machines import adaptive_lifo, codel, fair_queue
from workbench.reliability.simulation import _codes as codes
from workbench.reliability.simulation._kernel_lines import join_line, leave_line

__all__ = [
    "is_dropped",
    "join_flow",
    "leave_flow",
    "next_of",
    "note_whether_empty",
    "patience_of",
    "victim_of",
]

begin_turn, serve = inlined(fair_queue.begin_turn), inlined(fair_queue.serve)
end_flow, displaces = inlined(fair_queue.end_flow), inlined(fair_queue.displaces)
judge, begin_judging = inlined(codel.judge), inlined(codel.note_empty)
is_overloaded, note_empty = inlined(adaptive_lifo.is_overloaded), inlined(adaptive_lifo.note_empty)
patience = inlined(adaptive_lifo.patience)

NONE, NEW, ACTIVE, IDLE = codes.NONE, codes.NEW, codes.ACTIVE, codes.IDLE


@inlined
def join_flow(w: Any, c: Any, index: Any, call: Any) -> None:
    """Have a call wait in its flow."""
    q, this = w.queues, w.calls[call]
    number = flow_of(w, index, call)
    flow = q.flows[number]
    note_whether_empty(w, c, index)
    if flow.place != ACTIVE:
        if flow.place == IDLE:
            leave_line(q.flows, q.idle[index], number)
        flow.place = ACTIVE
        join_line(q.flows, q.levels[q.queues[index].first_level + this.level], number)
        begin_judging(q.codel_states[number])
    join_line(w.calls, flow, call)
    q.lines[index].count += 1


@inlined
def leave_flow(w: Any, index: Any, call: Any) -> None:
    """Take a call out of its flow, which is idle without any."""
    q, this = w.queues, w.calls[call]
    number = flow_of(w, index, call)
    flow = q.flows[number]
    leave_line(w.calls, flow, call)
    q.lines[index].count -= 1
    if flow.count == 0:
        leave_line(q.flows, q.levels[q.queues[index].first_level + this.level], number)
        end_flow(q.shares[number])
        flow.place = IDLE
        join_line(q.flows, q.idle[index], number)
        if q.idle[index].count > q.queues[index].remembered:
            _forget(q, q.idle[index])


@inlined
def flow_of(w: Any, index: Any, call: Any) -> Any:
    """Return the number of a call's flow; all tenants are one where the order knows none."""
    queue, this = w.queues.queues[index], w.calls[call]
    return queue.first_flow + this.level * queue.tenants + min(this.tenant, queue.tenants - 1)


@inlined
def _forget(q: Any, idle: Any) -> None:
    """Forget what CoDel has learnt of the flow that was idle for longest; the last state is a new one."""
    first = idle.head
    leave_line(q.flows, idle, first)
    q.flows[first].place = NEW
    q.codel_states[first] = q.codel_states[len(q.codel_states) - 1]


@inlined
def next_of(w: Any, c: Any, index: Any, number: Any) -> Any:
    """Return the next call of a flow, and the flow; NONE stands for the flow whose turn it is."""
    q = w.queues
    queue = q.queues[index]
    if number == NONE:
        level = queue.first_level
        while q.levels[level].head == NONE:
            level += 1
        number = q.levels[level].head
        while queue.order == codes.FAIR and not serve(q.shares[number]):
            begin_turn(q.shares[number])
            leave_line(q.flows, q.levels[level], number)
            join_line(q.flows, q.levels[level], number)
            number = q.levels[level].head
    newest = queue.adapts != 0 and is_overloaded(q.lifo_parameters[index], q.lifo_states[index], c.now_s)
    return (q.flows[number].tail if newest else q.flows[number].head), number


@inlined
def is_dropped(w: Any, c: Any, index: Any, number: Any, wait_s: Any) -> Any:
    """Tell whether CoDel drops a call that has left a flow."""
    q = w.queues
    return q.queues[index].judges != 0 and judge(
        q.codel_parameters[index], q.codel_states[number], c.now_s, wait_s, q.flows[number].count
    )


@inlined
def victim_of(w: Any, index: Any, call: Any) -> Any:
    """Return who gives way to a newcomer to a full queue, or NONE."""
    q, this = w.queues, w.calls[call]
    queue = q.queues[index]
    level = queue.levels - 1
    while level >= 0 and q.levels[queue.first_level + level].head == NONE:
        level -= 1
    if level < 0:
        return NONE
    longest = q.levels[queue.first_level + level].head
    if queue.order == codes.PRIORITY:
        return q.flows[longest].tail if level > this.level else NONE
    number = q.flows[longest].following
    while number != NONE:
        if q.flows[number].count > q.flows[longest].count:
            longest = number
        number = q.flows[number].following
    own = q.flows[flow_of(w, index, call)].count
    return q.flows[longest].head if displaces(this.level, own, level, q.flows[longest].count) else NONE


@inlined
def patience_of(w: Any, c: Any, index: Any) -> Any:
    """Return for how long a call that comes now may wait."""
    q = w.queues
    if q.queues[index].adapts == 0:
        return q.queues[index].patience_s
    note_whether_empty(w, c, index)
    return patience(q.lifo_parameters[index], q.lifo_states[index], c.now_s)


@inlined
def note_whether_empty(w: Any, c: Any, index: Any) -> None:
    """Tell adaptive LIFO that nobody waits, where that is so."""
    q = w.queues
    if q.queues[index].adapts != 0 and q.lines[index].count == 0:
        note_empty(q.lifo_states[index], c.now_s)
