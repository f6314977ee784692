"""The layers: calls go down through them, and up again with what became of them.

Each layer decides by the transitions of its machine.
"""

import math
from typing import Any

from workbench.kernels.parts import inlined
from workbench.reliability.machines import breaker, budget, bulkhead, gcra, retry
from workbench.reliability.simulation import _codes as codes
from workbench.reliability.simulation._kernel_admissions import let_in, let_out
from workbench.reliability.simulation._kernel_breaker import count_outcome
from workbench.reliability.simulation._kernel_caches import ask_cache, end_fetch, end_refresh
from workbench.reliability.simulation._kernel_children import free_child, is_on_its_own, late_outcome
from workbench.reliability.simulation._kernel_draws import drawn_for_call
from workbench.reliability.simulation._kernel_events import interrupt, push_event
from workbench.reliability.simulation._kernel_hedges import end_attempt, start_race
from workbench.reliability.simulation._kernel_limiters import cost_in, key_in, wait_for_place
from workbench.reliability.simulation._kernel_queues import hand_place_on, queue_up
from workbench.reliability.simulation._kernel_random import uniform
from workbench.reliability.simulation._kernel_replies import hint_of, is_returned
from workbench.reliability.simulation._kernel_service import send_attempt
from workbench.reliability.simulation._kernel_timers import set_timer

__all__ = ["go_down", "go_up", "time_out"]

take = inlined(gcra.take)
enter, leave = inlined(bulkhead.enter), inlined(bulkhead.leave)
admit, release = inlined(breaker.admit), inlined(breaker.release)
decide, following, refuse = inlined(retry.decide), inlined(retry.following), inlined(retry.refuse)
deposit, withdraw = inlined(budget.deposit), inlined(budget.withdraw)

OK, CANCELLED, NONE = codes.OK, codes.CANCELLED, codes.NONE
OUT_OF_BUDGET = -6.0  # besides the reasons of a retry's machine


@inlined
def go_down(w: Any, c: Any, call: Any, layer: Any) -> Any:
    """Take a call from a layer down, until it waits, is refused, or reaches the service.

    Return the layer that refused it and how, or NONE.
    """
    now = c.now_s
    refused = NONE
    while layer < len(w.layers):
        each = w.layers[layer]
        mine = w.scratch[call, layer]
        if each.kind == codes.LIMIT:
            state = w.gcra_states[each.index + key_in(w, each, call)]
            before = state.arrival
            wait_s = take(w.gcra_parameters[each.index], state, now, cost_in(w, each, call))
            if wait_s > w.gcra_parameters[each.index].patience_s:
                refused = codes.RATE_LIMITED
                w.calls[call].hint_s = wait_s
            elif wait_s > 0.0:
                wait_for_place(w, c, call, layer, wait_s, (before, 0.0, 0.0), (state.arrival, 0.0, 0.0))
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
            if decision != bulkhead.RUNS:
                refused = queue_up(w, c, call, layer, decision)
                if refused == codes.SUSPENDED:
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
                refused = late_outcome(w, call, layer)
            elif mine.time_s < outer or is_on_its_own(w, call, layer):
                mine.timer = set_timer(w, c, mine.time_s, codes.TIMER, call, layer)
        elif each.kind == codes.CACHE:
            refused = ask_cache(w, c, call, layer)
            if refused == codes.SUSPENDED:
                return layer, NONE
        elif each.kind == codes.HEDGE:
            start_race(w, c, call, layer)
            return layer, NONE
        elif each.kind >= codes.TOKEN_BUCKET:
            refused = let_in(w, c, call, layer)
            if refused == codes.SUSPENDED:
                return layer, NONE
        if refused != NONE:
            return layer, refused
        layer += 1
    send_attempt(w, c, call)
    return layer, NONE


@inlined
def _limit_around(w: Any, call: Any, layer: Any) -> Any:
    """Return until when a call must be done by the limits around a layer: the nearest knows the soonest."""
    for outer in range(layer - 1, -1, -1):
        if w.layers[outer].kind == codes.TIMEOUT:
            return w.scratch[call, outer].time_s
    return math.inf


@inlined
def go_up(w: Any, c: Any, call: Any, layer: Any, outcome: Any) -> None:
    """Take a call's outcome up from a layer: until it is tried again, or the call has ended."""
    now = c.now_s
    top = w.calls[call].top
    while layer > top:
        each = w.layers[layer]
        mine = w.scratch[call, layer]
        failed = (each.failures >> outcome) & 1
        if each.kind == codes.BREAK:
            p, state = w.breaker_parameters[each.index], w.breaker_states[each.index]
            if is_returned(outcome) or failed != 0:
                first = w.ring_starts[each.index]
                seen = failed
                if p.slow_rate <= 1.0 and now - mine.time_s >= p.slow_s:
                    seen |= 2
                count_outcome(
                    p, state, w.rings[first : w.ring_starts[each.index + 1]], mine.number, seen, now
                )
            else:
                release(state, mine.number)
        elif each.kind == codes.BULKHEAD:
            if leave(w.bulkhead_states[each.index]):
                hand_place_on(w, c, each.index)
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
                outcome = late_outcome(w, call, layer)  # as the limit of an attempt, or of all
        elif each.kind == codes.CACHE:
            if mine.number != 0:
                outcome = end_fetch(w, c, call, layer, outcome)
        elif each.kind == codes.FALLBACK:
            if failed != 0:
                outcome = each.replacement
        elif each.kind >= codes.TOKEN_BUCKET:
            let_out(w, c, call, layer, outcome)
        layer -= 1
    if top == NONE:
        _end(w, c, call, outcome)
    elif w.calls[call].parent != NONE:
        end_attempt(w, c, call, outcome)
    else:
        end_refresh(w, c, call, top, outcome)
        free_child(w, c, call)


@inlined
def _retry(w: Any, c: Any, call: Any, layer: Any, outcome: Any) -> Any:
    """Return the seconds until the next attempt, or a negative number when there is none."""
    each, mine = w.layers[layer], w.scratch[call, layer]
    p, state = w.retry_parameters[each.index], w.retry_states[each.index]
    fails = (each.failures >> outcome) & 1 != 0
    returned = is_returned(outcome)
    if outcome == CANCELLED or (returned and not fails and mine.number == 1):
        return retry.DONE
    judged = retry.FATAL
    if fails:
        judged = retry.RETRYABLE
    elif returned:
        judged = retry.SUCCEEDED
    this = w.calls[call]
    u = drawn_for_call(w, call, layer) if judged != retry.SUCCEEDED else 0.0
    deadline_s = min(mine.time_s + each.limit_s, _limit_around(w, call, layer))
    hint_s = hint_of(w, layer, call, outcome) if judged == retry.RETRYABLE else retry.NO_HINT_S
    delay_s = decide(p, state, mine.number, judged, mine.delay_s, u, hint_s, c.now_s, deadline_s)
    if delay_s >= 0.0:
        if each.budget != NONE and not _is_granted(w, c, each.budget):
            refuse(state)
            if returned:
                return retry.DONE
            paid, spent = w.budget_parameters[each.budget], w.budget_states[each.budget]
            if paid.minimum_hz > 0.0:
                this.hint_s = (1.0 - (paid.burst - spent.missing)) / paid.minimum_hz
            return OUT_OF_BUDGET
        mine.number += 1
        mine.delay_s = following(p, mine.delay_s, delay_s)
        this.hint_s = retry.NO_HINT_S
    elif returned:
        return retry.DONE  # an unwanted result is returned at last
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
    w.bins[c.bin, codes.BIN_ENDED] += 1
    if outcome == OK:
        w.bins[c.bin, codes.BIN_SUCCEEDED] += 1
    if this.user != NONE:
        think_s = -w.service[0].think_s * math.log1p(-uniform(w.service[0].seed, codes.THINKING, this.serial))
        push_event(w, c, c.now_s + think_s, codes.RETURN, this.user, 0, NONE)
    this.serial = NONE
    this.version += 1
    this.following = c.free_call
    c.free_call = call


@inlined
def time_out(w: Any, c: Any, call: Any, layer: Any) -> None:
    """End what a call waits for, within the layer whose time is up."""
    this = w.calls[call]
    w.scratch[call, layer].timer = NONE
    this.cancelled_at = layer
    interrupt(w, c, call)
