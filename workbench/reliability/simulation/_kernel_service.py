"""The service: attempts wait in one queue for one of its servers, and are answered."""

from typing import Any

from workbench.kernels.parts import inlined
from workbench.reliability.simulation import _codes as codes
from workbench.reliability.simulation._kernel_events import new_attempt, push_event, push_work
from workbench.reliability.simulation._kernel_random import draw, uniform

__all__ = ["depart", "queue_changes", "send_attempt"]

OK, FAILED, NONE = codes.OK, codes.FAILED, codes.NONE


@inlined
def send_attempt(w: Any, c: Any, call: Any) -> None:
    """Send a call to the service."""
    service, this = w.service[0], w.calls[call]
    number = w.calls[this.root].attempts
    w.calls[this.root].attempts += 1
    this.layer = len(w.layers)
    this.version += 1
    c.attempts += 1
    w.bins[c.bin, codes.BIN_ATTEMPTS] += 1
    attempt = new_attempt(w, c)
    this.attempt = attempt
    each = w.attempts[attempt]
    each.call = call
    each.serial = this.serial
    each.number = number
    each.issued_s = c.now_s
    each.following = NONE
    lost = _share(w, c, codes.OUTAGE)
    if lost > 0.0 and uniform(service.seed, codes.LOSSES, this.serial * 64 + number) < lost:
        _refuse(w, c, attempt, FAILED)
    elif c.busy < service.servers:
        _serve(w, c, attempt)
    elif 0 <= service.queue_limit <= c.queued:
        _refuse(w, c, attempt, codes.SERVICE_FULL)
    else:
        each.previous = c.queue_tail
        if c.queue_tail == NONE:
            c.queue_head = attempt
        else:
            w.attempts[c.queue_tail].following = attempt
        c.queue_tail = attempt
        queue_changes(c)
        c.queued += 1


@inlined
def depart(w: Any, c: Any, attempt: Any) -> None:
    """End the service of an attempt, and start with the next that is worth it."""
    service = w.service[0]
    queue_changes(c)
    c.busy -= 1
    _refuse(w, c, attempt, w.attempts[attempt].outcome)
    while c.queued > 0 and c.busy < service.servers:
        following = _next_queued(w, c)
        each = w.attempts[following]
        gone = w.calls[each.call].serial != each.serial or w.calls[each.call].attempt != following
        if c.now_s - each.issued_s > service.drop_after_s or (gone and service.cancels != 0):
            _refuse(w, c, following, codes.SERVICE_DROPPED)
        else:
            _serve(w, c, following)


@inlined
def _serve(w: Any, c: Any, attempt: Any) -> None:
    """Start to serve an attempt."""
    service, each = w.service[0], w.attempts[attempt]
    queue_changes(c)
    c.busy += 1
    waited_s = c.now_s - each.issued_s
    if c.now_s >= service.warmup_s:
        c.served += 1
        c.waited_s += waited_s
    this = w.calls[each.call]
    if this.serial == each.serial:
        w.calls[this.root].waited_s += waited_s
    if service.distribution == codes.GIVEN:
        place = each.serial * codes.GIVEN_ATTEMPTS + min(each.number, codes.GIVEN_ATTEMPTS - 1)
        time_s = w.service_table[place]
        each.outcome = w.outcome_table[place]
    else:
        number = each.serial * 64 + each.number
        u = uniform(service.seed, codes.SERVICE_TIMES, number)
        time_s = draw(service.distribution, service.a, service.b, w.service_table, u)
        time_s *= max(1.0, _share(w, c, codes.SLOWDOWN))
        rate = max(service.failure_rate, _share(w, c, codes.ERRORS))
        each.outcome = OK
        if rate > 0.0 and uniform(service.seed, codes.FAILURES, number) < rate:
            each.outcome = FAILED
    push_event(w, c, c.now_s + time_s, codes.DEPARTURE, attempt, 0, NONE)


@inlined
def _refuse(w: Any, c: Any, attempt: Any, outcome: Any) -> None:
    """End an attempt that is not served."""
    each = w.attempts[attempt]
    _answer(w, c, attempt, outcome)
    each.following = c.free_attempt
    c.free_attempt = attempt


@inlined
def _answer(w: Any, c: Any, attempt: Any, outcome: Any) -> None:
    """Give the outcome of an attempt to the call that waits for it, if it still does."""
    each = w.attempts[attempt]
    this = w.calls[each.call]
    if this.serial == each.serial and this.attempt == attempt:
        this.attempt = NONE
        push_work(w, c, codes.UP, each.call, len(w.layers) - 1, outcome)


@inlined
def _next_queued(w: Any, c: Any) -> Any:
    """Take the attempt out of the service's queue that is its turn."""
    attempt = c.queue_tail if w.service[0].discipline == codes.LIFO else c.queue_head
    each = w.attempts[attempt]
    if each.previous == NONE:
        c.queue_head = each.following
    else:
        w.attempts[each.previous].following = each.following
    if each.following == NONE:
        c.queue_tail = each.previous
    else:
        w.attempts[each.following].previous = each.previous
    queue_changes(c)
    c.queued -= 1
    return attempt


@inlined
def queue_changes(c: Any) -> None:
    passed_s = c.now_s - c.changed_s
    c.queue_area += c.queued * passed_s
    c.busy_area += c.busy * passed_s
    c.changed_s = c.now_s


@inlined
def _share(w: Any, c: Any, kind: Any) -> Any:
    """Return the largest amount of a kind of fault now; 0 without."""
    found = 0.0
    for number in range(len(w.faults)):
        fault = w.faults[number]
        if fault.kind == kind and fault.start_s <= c.now_s < fault.end_s:
            found = max(found, fault.amount)
    return found
