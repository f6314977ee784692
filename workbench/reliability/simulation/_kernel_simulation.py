"""The event loop: calls go down through the layers, wait, are served, and come up with what became of them.

Each layer's decisions are the transitions of `machines`. All that is under way stands in flat arrays, so that
the kernel can return between two steps (an array is full, a log must be emptied, the user wants to see how
far it is) and go on where it was.

A timed-out call goes on without its attempt; the service does not know, and serves it all the same.
"""

import math
from typing import Any

import numba

from workbench.kernels import kernel
from workbench.kernels.memory import inlined, unowned
from workbench.reliability.machines import breaker, budget, bulkhead, gcra, retry
from workbench.reliability.simulation import _codes as codes
from workbench.reliability.simulation._kernel_events import new_attempt, pop_event, push_event, push_work
from workbench.reliability.simulation._kernel_random import draw, uniform
from workbench.reliability.simulation._world import World, example_world

__all__ = ["run"]

take = inlined(gcra.take)
enter, leave, hand_on = inlined(bulkhead.enter), inlined(bulkhead.leave), inlined(bulkhead.hand_on)
expire, give_up = inlined(bulkhead.expire), inlined(bulkhead.give_up)
admit, learn, release = inlined(breaker.admit), inlined(breaker.learn), inlined(breaker.release)
decide, following, refuse = inlined(retry.decide), inlined(retry.following), inlined(retry.refuse)
deposit, withdraw = inlined(budget.deposit), inlined(budget.withdraw)

OK, FAILED, CANCELLED = codes.OK, codes.FAILED, codes.CANCELLED
NONE = codes.NONE
OUT_OF_BUDGET = -6.0  # besides the reasons of a retry's machine


@inlined
def _down(w: Any, c: Any, call: Any, layer: Any) -> Any:
    """Take a call from a layer down, until it waits, is refused, or reaches the service.

    Return the layer that refused it and how, or NONE.
    """
    now = c.now_s
    refused = NONE
    while layer < len(w.layers):
        each = w.layers[layer]
        mine = w.scratch[call, layer]
        if each.kind == codes.LIMIT:
            wait_s = take(w.gcra_parameters[each.index], w.gcra_states[each.index], now, 1.0)
            this = w.calls[call]
            if wait_s > w.gcra_parameters[each.index].patience_s:
                refused = codes.RATE_LIMITED
                this.hint_s = wait_s
            elif wait_s > 0.0:
                this.layer = layer
                this.version += 1
                push_event(w, c, now + wait_s, codes.RESUMPTION, call, layer, this.version)
                return layer, NONE
        elif each.kind == codes.BREAK:
            p, state = w.breaker_parameters[each.index], w.breaker_states[each.index]
            if state.state != breaker.CLOSED and not admit(p, state, now):
                refused = codes.CIRCUIT_OPEN
                if state.state == breaker.OPEN:
                    open_s = min(p.open_s * state.growth, p.open_most_s)
                    w.calls[call].hint_s = max(0.0, state.changed_s + open_s - now)
            mine.number = NONE if state.state == breaker.DISABLED else state.generation
            mine.time_s = now
        elif each.kind == codes.BULKHEAD:
            decision = enter(w.bulkhead_parameters[each.index], w.bulkhead_states[each.index])
            if decision == bulkhead.REJECTED:
                refused = codes.BULKHEAD_FULL
            elif decision == bulkhead.WAITS:
                _wait(w, c, call, layer)
                return layer, NONE
        elif each.kind == codes.RETRY:
            mine.number = 1
            mine.time_s = now
            mine.delay_s = 0.0
            if each.budget != NONE:
                deposit(w.budget_parameters[each.budget], w.budget_states[each.budget])
        elif each.kind == codes.TIMEOUT:
            outer = _limit_around(w, call, layer)
            mine.time_s = min(now + each.limit_s, outer)
            if outer <= now:
                refused = codes.TIMED_OUT
            elif mine.time_s < outer:
                mine.timer = push_event(w, c, mine.time_s, codes.TIMER, call, layer, NONE)
        if refused != NONE:
            return layer, refused
        layer += 1
    _attempt(w, c, call)
    return layer, NONE


@inlined
def _limit_around(w: Any, call: Any, layer: Any) -> Any:
    """Return until when a call must be done by the limits around a layer: the nearest knows the soonest."""
    for outer in range(layer - 1, -1, -1):
        if w.layers[outer].kind == codes.TIMEOUT:
            return w.scratch[call, outer].time_s
    return math.inf


@inlined
def _wait(w: Any, c: Any, call: Any, layer: Any) -> None:
    """Put a call at the end of a bulkhead's queue."""
    each, this = w.layers[layer], w.calls[call]
    this.layer = layer
    this.version += 1
    this.previous = each.tail
    this.following = NONE
    if each.tail == NONE:
        each.head = call
    else:
        w.calls[each.tail].following = call
    each.tail = call
    if each.limit_s < math.inf:
        w.scratch[call, layer].timer = push_event(
            w, c, c.now_s + each.limit_s, codes.WAIT_LIMIT, call, layer, NONE
        )


@inlined
def _unqueue(w: Any, call: Any, layer: Any) -> None:
    """Take a call out of a bulkhead's queue."""
    each, this = w.layers[layer], w.calls[call]
    if this.previous == NONE:
        each.head = this.following
    else:
        w.calls[this.previous].following = this.following
    if this.following == NONE:
        each.tail = this.previous
    else:
        w.calls[this.following].previous = this.previous
    w.scratch[call, layer].timer = NONE


@inlined
def _up(w: Any, c: Any, call: Any, layer: Any, outcome: Any) -> None:
    """Take a call's outcome up from a layer: until it is tried again, or the call has ended."""
    now = c.now_s
    while layer >= 0:
        each = w.layers[layer]
        mine = w.scratch[call, layer]
        failed = (each.failures >> outcome) & 1
        if each.kind == codes.BREAK:
            p, state = w.breaker_parameters[each.index], w.breaker_states[each.index]
            if outcome == OK or failed != 0:
                first = w.ring_starts[each.index]
                seen = failed
                if p.slow_rate <= 1.0 and now - mine.time_s >= p.slow_s:
                    seen |= 2
                learn(p, state, w.rings[first : first + p.window], mine.number, seen, now)
            else:
                release(state, mine.number)
        elif each.kind == codes.BULKHEAD:
            state = w.bulkhead_states[each.index]
            if leave(state) and hand_on(w.bulkhead_parameters[each.index], state):
                first_waiting = each.head
                _unqueue(w, first_waiting, layer)
                push_work(w, c, codes.DOWN, first_waiting, layer + 1, OK)
        elif each.kind == codes.RETRY:
            delay_s = _retry(w, c, call, layer, outcome)
            if delay_s == retry.OUT_OF_TIME:
                outcome = codes.OUT_OF_TIME
            elif delay_s == OUT_OF_BUDGET:
                outcome = codes.OUT_OF_BUDGET
            elif delay_s >= 0.0:
                this = w.calls[call]
                this.layer = layer
                this.version += 1
                push_event(w, c, now + delay_s, codes.RESUMPTION, call, layer, this.version)
                return
        elif each.kind == codes.TIMEOUT:
            mine.timer = NONE
            if outcome == CANCELLED and w.calls[call].cancelled_at == layer:
                w.calls[call].cancelled_at = NONE
                w.calls[call].hint_s = retry.NO_HINT_S
                outcome = each.index  # as the limit of an attempt, or of all
        elif each.kind == codes.FALLBACK and failed != 0:
            outcome = OK
        layer -= 1
    _end(w, c, call, outcome)


@inlined
def _retry(w: Any, c: Any, call: Any, layer: Any, outcome: Any) -> Any:
    """Return the seconds until the next attempt, or a negative number when there is none."""
    each, mine = w.layers[layer], w.scratch[call, layer]
    p, state = w.retry_parameters[each.index], w.retry_states[each.index]
    if outcome == CANCELLED or (outcome == OK and mine.number == 1):
        return retry.DONE
    judged = retry.FATAL
    if outcome == OK:
        judged = retry.SUCCEEDED
    elif (each.failures >> outcome) & 1 != 0:
        judged = retry.RETRYABLE
    this = w.calls[call]
    u = uniform(w.service[0].seed, codes.JITTER + layer, this.serial * 64 + mine.number)
    deadline_s = min(mine.time_s + each.limit_s, _limit_around(w, call, layer))
    hint_s = this.hint_s if judged == retry.RETRYABLE else retry.NO_HINT_S
    delay_s = decide(p, state, mine.number, judged, mine.delay_s, u, hint_s, c.now_s, deadline_s)
    if delay_s >= 0.0:
        if each.budget != NONE and not _is_granted(w, c, each.budget):
            refuse(state)
            paid, spent = w.budget_parameters[each.budget], w.budget_states[each.budget]
            if paid.minimum_hz > 0.0:
                this.hint_s = (1.0 - (paid.burst - spent.missing)) / paid.minimum_hz
            return OUT_OF_BUDGET
        mine.number += 1
        mine.delay_s = following(p, mine.delay_s, delay_s)
        this.hint_s = retry.NO_HINT_S
    return delay_s


@inlined
def _is_granted(w: Any, c: Any, number: Any) -> Any:
    return withdraw(w.budget_parameters[number], w.budget_states[number], c.now_s)


@inlined
def _end(w: Any, c: Any, call: Any, outcome: Any) -> None:
    """Log a call that has ended, and give its place free."""
    this, entry = w.calls[call], w.log[c.logged]
    entry.serial = this.serial
    entry.outcome = outcome
    entry.attempts = this.attempts
    entry.user = this.user
    entry.arrived_s = this.arrived_s
    entry.finished_s = c.now_s
    entry.waited_s = this.waited_s
    c.logged += 1
    c.calls -= 1
    current = _bin(w, c)
    w.bins[current, codes.BIN_ENDED] += 1
    if outcome == OK:
        w.bins[current, codes.BIN_SUCCEEDED] += 1
    if this.user != NONE:
        think_s = -w.service[0].think_s * math.log1p(-uniform(w.service[0].seed, codes.THINKING, this.serial))
        push_event(w, c, c.now_s + think_s, codes.RETURN, this.user, 0, NONE)
    this.serial = NONE
    this.version += 1
    this.following = c.free_call
    c.free_call = call


@inlined
def _bin(w: Any, c: Any) -> Any:
    return min(int(c.now_s / w.service[0].bin_s), len(w.bins) - 1)


@inlined
def _attempt(w: Any, c: Any, call: Any) -> None:
    """Send a call to the service."""
    service, this = w.service[0], w.calls[call]
    number = this.attempts
    this.attempts += 1
    this.layer = len(w.layers)
    this.version += 1
    c.attempts += 1
    w.bins[_bin(w, c), codes.BIN_ATTEMPTS] += 1
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
        _queue_changes(c)
        c.queued += 1


@inlined
def _queue_changes(c: Any) -> None:
    passed_s = c.now_s - c.changed_s
    c.queue_area += c.queued * passed_s
    c.busy_area += c.busy * passed_s
    c.changed_s = c.now_s


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
def _share(w: Any, c: Any, kind: Any) -> Any:
    """Return the largest amount of a kind of fault now; 0 without."""
    found = 0.0
    for number in range(len(w.faults)):
        fault = w.faults[number]
        if fault.kind == kind and fault.start_s <= c.now_s < fault.end_s:
            found = max(found, fault.amount)
    return found


@inlined
def _serve(w: Any, c: Any, attempt: Any) -> None:
    """Start to serve an attempt."""
    service, each = w.service[0], w.attempts[attempt]
    _queue_changes(c)
    c.busy += 1
    waited_s = c.now_s - each.issued_s
    if c.now_s >= service.warmup_s:
        c.served += 1
        c.waited_s += waited_s
    this = w.calls[each.call]
    if this.serial == each.serial:
        this.waited_s += waited_s
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
    _queue_changes(c)
    c.queued -= 1
    return attempt


@inlined
def _depart(w: Any, c: Any, attempt: Any) -> None:
    """End the service of an attempt, and start with the next that is worth it."""
    service = w.service[0]
    _queue_changes(c)
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
def _expire(w: Any, c: Any, call: Any, layer: Any) -> None:
    """End what a call waits for, within the layer whose time is up."""
    this = w.calls[call]
    w.scratch[call, layer].timer = NONE
    this.cancelled_at = layer
    this.version += 1
    suspended = this.layer
    this.attempt = NONE
    if suspended < len(w.layers) and w.layers[suspended].kind == codes.BULKHEAD:
        _unqueue(w, call, suspended)
        give_up(w.bulkhead_states[w.layers[suspended].index])
    push_work(w, c, codes.UP, call, suspended - 1, CANCELLED)


@inlined
def _arrive(w: Any, c: Any, user: Any) -> None:
    """Begin a call."""
    call = c.free_call
    this = w.calls[call]
    c.free_call = this.following
    c.calls += 1
    this.serial = c.arrivals
    c.arrivals += 1
    this.attempts = 0
    this.attempt = NONE
    this.cancelled_at = NONE
    this.user = user
    this.arrived_s = c.now_s
    this.waited_s = 0.0
    this.hint_s = retry.NO_HINT_S
    w.bins[_bin(w, c), codes.BIN_ARRIVED] += 1
    push_work(w, c, codes.DOWN, call, 0, OK)


@inlined
def _next_arrival(w: Any, c: Any) -> Any:
    """Return when the next client comes: a step of the process, through the surges on its way."""
    service = w.service[0]
    if service.arrival_kind == codes.RECORDED:
        return w.arrival_times[c.arrivals] if c.arrivals < len(w.arrival_times) else math.inf
    left = 1.0
    if service.arrival_kind == codes.POISSON:
        left = -math.log1p(-uniform(service.seed, codes.ARRIVALS, c.arrivals))
    at = c.now_s
    while True:
        factor, border = 1.0, math.inf
        for number in range(len(w.faults)):
            fault = w.faults[number]
            if fault.kind == codes.SURGE:
                if fault.start_s <= at < fault.end_s:
                    factor *= fault.amount
                    border = min(border, fault.end_s)
                elif fault.start_s > at:
                    border = min(border, fault.start_s)
        rate_hz = service.rate_hz * factor
        if rate_hz > 0.0 and at + left / rate_hz <= border:
            return at + left / rate_hz
        if border == math.inf:
            return math.inf
        left -= (border - at) * rate_hz
        at = border


@inlined
def _begin(w: Any, c: Any) -> None:
    """Let the first client come, or all users, each after it has thought."""
    c.started = 1
    service = w.service[0]
    if service.arrival_kind != codes.CLOSED:
        c.next_arrival_s = _next_arrival(w, c)
        return
    c.next_arrival_s = math.inf
    for user in range(service.users):
        think_s = -service.think_s * math.log1p(-uniform(service.seed, codes.ARRIVALS, user))
        push_event(w, c, think_s, codes.RETURN, user, 0, NONE)


@inlined
def _happen(w: Any, c: Any, slot: Any) -> None:
    """Let an event happen, if nothing has overtaken it."""
    event = w.events[slot]
    kind, subject, layer, token = event.kind, event.subject, event.layer, event.token
    order = event.order
    event.following = c.free_event
    c.free_event = slot
    if kind == codes.DEPARTURE:
        _depart(w, c, subject)
    elif kind == codes.TIMER:
        if w.scratch[subject, layer].timer == order:
            _expire(w, c, subject, layer)
    elif kind == codes.RESUMPTION:
        if w.calls[subject].version == token:
            push_work(w, c, codes.DOWN, subject, layer + 1, OK)
    elif kind == codes.WAIT_LIMIT:
        if w.scratch[subject, layer].timer == order:
            _unqueue(w, subject, layer)
            expire(w.bulkhead_states[w.layers[layer].index])
            push_work(w, c, codes.UP, subject, layer - 1, codes.BULKHEAD_FULL)
    else:
        _arrive(w, c, subject)


@inlined
def _unowned(w: Any) -> Any:
    return World(
        unowned(w.control),
        unowned(w.layers),
        unowned(w.service),
        unowned(w.service_table),
        unowned(w.outcome_table),
        unowned(w.arrival_times),
        unowned(w.faults),
        unowned(w.calls),
        unowned(w.scratch),
        unowned(w.attempts),
        unowned(w.events),
        unowned(w.times),
        unowned(w.slots),
        unowned(w.work),
        unowned(w.log),
        unowned(w.bins),
        unowned(w.gcra_parameters),
        unowned(w.gcra_states),
        unowned(w.breaker_parameters),
        unowned(w.breaker_states),
        unowned(w.rings),
        unowned(w.ring_starts),
        unowned(w.bulkhead_parameters),
        unowned(w.bulkhead_states),
        unowned(w.retry_parameters),
        unowned(w.retry_states),
        unowned(w.budget_parameters),
        unowned(w.budget_states),
    )


def _types() -> tuple[Any, ...]:
    typeof: Any = numba.typeof
    return typeof(example_world()), numba.types.float64


@kernel(_types)
def run(owned: Any, until_s: Any) -> Any:
    """Go on to a time, or until an array is full (ROOM) or the log is (FLUSH)."""
    w = _unowned(owned)
    c = w.control[0]
    layers = len(w.layers)
    if c.started == 0:
        if len(w.times) < w.service[0].users + layers + 4:
            return codes.ROOM
        _begin(w, c)
    while True:
        while c.work_count > 0:
            if c.logged >= len(w.log):
                return codes.FLUSH
            if c.heap + layers + 4 > len(w.times) or c.free_attempt == NONE or c.work_count + 8 > len(w.work):
                return codes.ROOM
            item = w.work[c.work_first]
            c.work_first = (c.work_first + 1) % len(w.work)
            c.work_count -= 1
            if w.calls[item.call].serial == item.serial:
                call, layer, outcome = item.call, item.layer, item.outcome
                if item.direction == codes.DOWN:
                    layer, outcome = _down(w, c, call, layer)
                    layer -= 1
                if outcome != NONE:
                    _up(w, c, call, layer, outcome)
        if (
            c.free_call == NONE
            or c.heap + layers + 4 > len(w.times)
            or c.work_count + c.queued + 8 > len(w.work)
        ):
            return codes.ROOM
        if c.logged >= len(w.log):
            return codes.FLUSH
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
            _arrive(w, c, NONE)
            c.next_arrival_s = _next_arrival(w, c)
    _advance(w, c, until_s)
    _queue_changes(c)
    return codes.DONE


@inlined
def _advance(w: Any, c: Any, at: Any) -> None:
    """Move the time, and note the queue at the end of each bin passed."""
    bin_s = w.service[0].bin_s
    last = min(int(at / bin_s), len(w.bins) - 1)
    for passed in range(min(int(c.now_s / bin_s), len(w.bins) - 1), last):
        w.bins[passed, codes.BIN_QUEUED] = c.queued
        w.bins[passed, codes.BIN_BUSY] = c.busy
    c.now_s = at
