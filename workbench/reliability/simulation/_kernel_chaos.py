"""Injected faults: some calls wait, fail, or are answered by somebody else."""

from typing import Any

import numpy as np

from workbench.kernels.parts import inlined, rare
from workbench.reliability.machines import chaos
from workbench.reliability.machines.retry import NO_HINT_S
from workbench.reliability.simulation import _codes as codes
from workbench.reliability.simulation._kernel_events import push_event
from workbench.reliability.simulation._kernel_random import draw, uniform

__all__ = ["meddle"]

inject, choose = inlined(chaos.inject), inlined(chaos.choose)
seeded = inlined(chaos.uniform_over(np.uint64))


@rare
def meddle(w: Any, c: Any, call: Any, layer: Any) -> Any:
    """Let a call pass (NONE), wait (SUSPENDED), or answer it."""
    it = w.admissions[w.layers[layer].admission]
    number = it.chaos_state.calls
    if not inject(it.chaos_state, it.chaos_parameters.rate, _drawn(w, it, number, 0)):
        return codes.NONE
    u = _drawn(w, it, number, 1)
    if it.fault == codes.LATENCY:
        delays = w.numbers[it.first : it.first + it.several]
        return _delay(w, c, call, layer, draw(it.distribution, it.a, it.b, delays, u))
    if it.fault == codes.BEHAVIOUR:
        return codes.NONE
    w.calls[call].hint_s = NO_HINT_S
    return w.counts[it.first + choose(it.several, u)]


@inlined
def _delay(w: Any, c: Any, call: Any, layer: Any, delay_s: Any) -> Any:
    if delay_s == 0.0:
        return codes.NONE
    this = w.calls[call]
    this.layer = layer
    this.version += 1
    push_event(w, c, c.now_s + delay_s, codes.RESUMPTION, call, layer, this.version)
    return codes.SUSPENDED


@inlined
def _drawn(w: Any, it: Any, number: Any, which: Any) -> Any:
    """Return a call's random number: of the policy's own seed, or the next one of the simulation's."""
    if it.seeded != 0:
        return seeded(np.uint64(it.seed), np.uint64(number), np.uint64(which))
    drawn = it.draws
    it.draws += 1
    return uniform(w.service[0].seed, codes.JITTER + it.stream, drawn)
