"""Hedges: attempts that race for one call; the first success wins, the others are cancelled and awaited.

As live in tasks (`policies._hedge_racing`), by steps of the loop: the timer of the next attempt wakes the
call one step later, the end of an attempt two, and a call that has to cancel attempts ends three steps after
that.
"""

import math
from typing import Any

from workbench.kernels.parts import inlined, rare
from workbench.reliability.machines import budget, latency_quantile
from workbench.reliability.simulation import _codes as codes
from workbench.reliability.simulation._kernel_children import free_child, new_child
from workbench.reliability.simulation._kernel_events import interrupt, push_event, push_work, push_work_later
from workbench.reliability.simulation._kernel_replies import is_returned

__all__ = ["end_attempt", "go_on_with_race", "ring_for_next", "start_race", "stop_race"]

deposit, withdraw = inlined(budget.deposit), inlined(budget.withdraw)
observe, quantile = inlined(latency_quantile.observe), inlined(latency_quantile.quantile)

NONE = codes.NONE
OVER, RACING, ENDING = codes.OVER, codes.RACING, codes.ENDING
LOOK_EVERY = 32  # as `policies.hedge`


@rare
def start_race(w: Any, c: Any, call: Any, layer: Any) -> None:
    """Begin with the first attempt."""
    index, this, race = w.layers[layer].index, w.calls[call], w.races[call]
    deposit(w.hedges.parameters[index], w.hedges.states[index])
    this.layer = layer
    this.version += 1
    race.state = RACING
    race.newest = race.running = 0
    race.open = 1
    race.first = race.timer = race.first_error = NONE
    race.started_s = c.now_s
    race.first_s = math.nan
    _start(w, c, call, layer, 0)
    _set_timer(w, c, call, layer)


@inlined
def _start(w: Any, c: Any, call: Any, layer: Any, number: Any) -> None:
    """Let an attempt join the race, after those that do already."""
    child = new_child(w, c, call, layer, call)
    race, runner = w.races[call], w.races[child]
    runner.number = number
    runner.sibling = NONE
    runner.done = 0
    race.newest = number
    if race.first == NONE:
        race.first = child
        return
    last = race.first
    while w.races[last].sibling != NONE:
        last = w.races[last].sibling
    w.races[last].sibling = child


@inlined
def _set_timer(w: Any, c: Any, call: Any, layer: Any) -> None:
    """Set the timer of the next attempt, if there may be one."""
    index, race = w.layers[layer].index, w.races[call]
    hedge = w.hedges.hedges[index]
    race.timer = NONE
    if race.open != 0 and race.newest < hedge.most:
        delay_s = w.hedges.learnt[index].value_s if math.isnan(hedge.delay_s) else hedge.delay_s
        if delay_s < math.inf:
            race.timer = push_event(w, c, c.now_s + delay_s, codes.NEXT_ATTEMPT, call, layer, NONE)


@inlined
def ring_for_next(w: Any, c: Any, call: Any, layer: Any, order: Any) -> None:
    """Tell a call that it is time for its next attempt."""
    if w.races[call].state == RACING and w.races[call].timer == order:
        push_work(w, c, codes.RACE, call, layer, codes.LATE)


@rare
def end_attempt(w: Any, c: Any, child: Any, outcome: Any) -> None:
    """Tell a call how one of its attempts has ended."""
    parent, layer = w.calls[child].parent, w.calls[child].top
    race, runner = w.races[parent], w.races[child]
    if race.state == ENDING:
        free_child(w, c, child)
        race.running -= 1
        if race.running == 0:
            push_work_later(w, c, codes.RACE, parent, layer, codes.FINISH, 1)
        return
    runner.done = 1
    runner.ended = outcome
    push_work_later(w, c, codes.RACE, parent, layer, codes.LOOK, 1)


@rare
def go_on_with_race(w: Any, c: Any, call: Any, layer: Any, what: Any) -> Any:
    """Do what a call was woken for; return how it ends, or NONE when it waits on."""
    race = w.races[call]
    if what == codes.FINISH:
        race.state = OVER
        return race.outcome
    if race.state != RACING:
        return NONE
    late = what == codes.LATE
    outcome = NONE
    before, child = NONE, race.first
    while child != NONE and outcome == NONE:
        following = w.races[child].sibling
        if w.races[child].done != 0:
            late = True
            if before == NONE:
                race.first = following
            else:
                w.races[before].sibling = following
            outcome = _note_end(w, c, call, layer, child)
        else:
            before = child
        child = following
    if outcome == NONE:
        if not late:
            return NONE
        if race.open != 0:
            _start_next(w, c, call, layer)
        if race.first == NONE:
            outcome = race.first_error
            w.calls[call].hint_s = race.first_hint_s
    if outcome != NONE:
        return _end_race(w, c, call, layer, outcome)
    _set_timer(w, c, call, layer)
    return NONE


@inlined
def _note_end(w: Any, c: Any, call: Any, layer: Any, child: Any) -> Any:
    """Note how an attempt ended; return how the call ends by it, or NONE."""
    race, index = w.races[call], w.layers[layer].index
    number, outcome, hint_s = w.races[child].number, w.races[child].ended, w.calls[child].hint_s
    free_child(w, c, child)
    if number == 0:
        race.first_s = c.now_s - race.started_s
    if is_returned(outcome) or outcome == codes.CANCELLED:
        return outcome
    if number == 0 or race.first_error == NONE:
        race.first_error = outcome
        race.first_hint_s = hint_s
    if (w.hedges.hedges[index].failures >> outcome) & 1 != 0:
        return NONE
    w.calls[call].hint_s = hint_s
    return outcome


@inlined
def _start_next(w: Any, c: Any, call: Any, layer: Any) -> None:
    """Start another attempt, if there may be one; else there is none for this call."""
    index, race = w.layers[layer].index, w.races[call]
    race.open = 0
    if race.newest + 1 <= w.hedges.hedges[index].most and withdraw(
        w.hedges.parameters[index], w.hedges.states[index], c.now_s
    ):
        race.open = 1
        _start(w, c, call, layer, race.newest + 1)


@rare
def stop_race(w: Any, c: Any, call: Any, layer: Any) -> Any:
    """End a race whose call is cancelled; return the layer above, or NONE where that takes steps."""
    race = w.races[call]
    if race.state == RACING:
        return NONE if _end_race(w, c, call, layer, codes.CANCELLED) == NONE else layer - 1
    race.outcome = codes.CANCELLED
    if race.running > 0:
        return NONE
    race.state = OVER
    return layer - 1


@rare
def _end_race(w: Any, c: Any, call: Any, layer: Any, outcome: Any) -> Any:
    """Learn from a race, and cancel who still runs; return the outcome, or NONE where that takes steps."""
    index, race = w.layers[layer].index, w.races[call]
    if math.isnan(w.hedges.hedges[index].delay_s):
        first_s = c.now_s - race.started_s if math.isnan(race.first_s) else race.first_s
        _learn(w, index, first_s)
    race.state = ENDING
    race.outcome = outcome
    child = race.first
    while child != NONE:
        following = w.races[child].sibling
        if w.races[child].done != 0:
            free_child(w, c, child)
        else:
            race.running += 1
            interrupt(w, c, child)
        child = following
    race.first = NONE
    if race.running > 0:
        return NONE
    race.state = OVER
    return outcome


@inlined
def _learn(w: Any, index: Any, first_s: Any) -> None:
    p, s, counts = w.hedges.learning[index], w.hedges.learnt[index], w.hedges.counts[index]
    observe(p, s, counts, first_s)
    if s.observed % LOOK_EVERY == 0 or s.observed == p.minimum:
        quantile(p, s, counts)
