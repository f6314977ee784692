"""Adaptive limits: a bulkhead whose limit is learnt from how long calls take."""

from typing import Any

from workbench.kernels.parts import inlined, rare
from workbench.reliability.machines import aimd, bulkhead, gradient2, sampling, vegas
from workbench.reliability.simulation import _codes as codes
from workbench.reliability.simulation._kernel_queues import admit_next, hand_place_on, queue_up
from workbench.reliability.simulation._kernel_random import uniform
from workbench.reliability.simulation._kernel_replies import is_returned

__all__ = ["begin_limits", "end_running", "find_place", "start_running"]

take, enter = inlined(bulkhead.take), inlined(bulkhead.enter)
leave, promote = inlined(bulkhead.leave), inlined(bulkhead.promote)
sample, end_window = inlined(sampling.sample), inlined(sampling.end_window)
update_aimd, update_gradient2 = inlined(aimd.update), inlined(gradient2.update)
update_vegas, begin_vegas = inlined(vegas.update), inlined(vegas.begin)


@inlined
def begin_limits(w: Any) -> None:
    """Draw what the algorithms draw when they begin."""
    for layer in range(len(w.layers)):
        if w.layers[layer].kind == codes.ADAPT:
            it = w.admissions[w.layers[layer].admission]
            u = _drawn(w, it)
            if it.algorithm == codes.VEGAS:
                begin_vegas(it.vegas_state, u)


@inlined
def find_place(w: Any, c: Any, call: Any, layer: Any) -> Any:
    """Let a call run (NONE), wait (SUSPENDED), or reject it."""
    index = w.layers[layer].index
    p, s = w.bulkhead_parameters[index], w.bulkhead_states[index]
    if not take(p, s):
        decision = enter(p, s)
        if decision != bulkhead.RUNS:
            return queue_up(w, c, call, layer, decision)
    start_running(w, c, call, layer)
    return codes.NONE


@inlined
def start_running(w: Any, c: Any, call: Any, layer: Any) -> None:
    """Note when a call starts to run, and how many run then."""
    mine = w.scratch[call, layer]
    mine.number = w.bulkhead_states[w.layers[layer].index].running
    mine.time_s = c.now_s


@rare
def end_running(w: Any, c: Any, call: Any, layer: Any, outcome: Any) -> None:
    """Give a call's place to the next, and learn from how long it took."""
    each, mine = w.layers[layer], w.scratch[call, layer]
    it, s = w.admissions[each.admission], w.bulkhead_states[each.index]
    if leave(s):
        hand_place_on(w, c, each.index)
    dropped = (each.failures >> outcome) & 1 != 0
    if is_returned(outcome) or dropped:
        p, window = it.sampling_parameters, it.sampling_state
        if sample(p, window, c.now_s, c.now_s - mine.time_s, mine.number, dropped) and end_window(
            p, window, c.now_s
        ):
            w.bulkhead_parameters[each.index].limit = int(_learn(w, it, window))
            while promote(w.bulkhead_parameters[each.index], s):
                admit_next(w, c, each.index)


@inlined
def _learn(w: Any, it: Any, window: Any) -> Any:
    """Return the new limit."""
    rtt_s, inflight, dropped, u = window.rtt_s, window.inflight, window.dropped, _drawn(w, it)
    if it.algorithm == codes.VEGAS:
        return update_vegas(it.vegas_parameters, it.vegas_state, rtt_s, inflight, dropped, u)
    if it.algorithm == codes.AIMD:
        return update_aimd(it.aimd_parameters, it.aimd_state, rtt_s, inflight, dropped, u)
    return update_gradient2(it.gradient2_parameters, it.gradient2_state, rtt_s, inflight, dropped, u)


@inlined
def _drawn(w: Any, it: Any) -> Any:
    """Return the limit's next random number: the first is for the beginning, then one an update."""
    number = it.draws
    it.draws += 1
    return uniform(w.service[0].seed, codes.JITTER + it.stream, number)
