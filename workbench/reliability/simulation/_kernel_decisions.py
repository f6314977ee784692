"""One machine over recorded calls: up to hundreds of millions of decisions a second."""

from typing import Any

import numba
import numpy as np

from workbench.kernels import kernel
from workbench.kernels.memory import unowned
from workbench.kernels.parts import inlined
from workbench.reliability.machines import breaker, gcra
from workbench.reliability.machines._records import record_dtype
from workbench.reliability.simulation._codes import NONE
from workbench.reliability.simulation._kernel_breaker import count_outcome
from workbench.reliability.simulation._kernel_registers import held, put_back

__all__ = ["breaker_course", "breaker_decisions", "gcra_decisions"]

take = inlined(gcra.take)
admit, learn, succeed = inlined(breaker.admit), inlined(breaker.learn), inlined(breaker.succeed)


def _of(machine: Any) -> tuple[Any, Any]:
    """Return the types of a machine's parameters and states, one record each."""
    typeof: Any = numba.typeof
    parameters, states = (np.zeros(1, record_dtype(kind)) for kind in (machine.Parameters, machine.State))
    return typeof(parameters), typeof(states)


def _gcra_types() -> tuple[Any, ...]:
    return *_of(gcra), numba.float64[::1], numba.boolean[::1]


def _breaker_types() -> tuple[Any, ...]:
    return *_of(breaker), numba.uint8[::1], numba.float64[::1], numba.uint8[::1], numba.boolean[::1]


def _course_types() -> tuple[Any, ...]:
    numbers, times = numba.int64[::1], numba.float64[::1]
    outputs = (numbers, numba.boolean[::1], times, numba.uint8[::1])
    return *_of(breaker), numbers, times, times, numbers, numba.uint8[::1], *outputs


@kernel(_gcra_types)
def gcra_decisions(p: Any, s: Any, at_s: Any, allowed: Any) -> None:
    """Tell of each arrival, `(n,) float64` seconds, whether it is let through."""
    at_s, allowed = unowned(at_s), unowned(allowed)
    parameters, state = held(p[0]), held(s[0])
    for call in range(len(at_s)):
        allowed[call] = take(parameters, state, at_s[call], 1.0) <= 0.0
    put_back(state, s[0])


@kernel(_breaker_types)
def breaker_decisions(p: Any, s: Any, ring: Any, at_s: Any, seen: Any, allowed: Any) -> None:
    """Tell of each call whether it passes; `seen` is what comes of it: 1 failed, 2 slow, 3 both.

    Calls follow each other: each has ended before the next one comes.
    """
    p, s, ring, seen = unowned(p), unowned(s), unowned(ring), unowned(seen)
    at_s, allowed = unowned(at_s), unowned(allowed)
    parameters, state = held(p[0]), held(s[0])
    for call in range(len(at_s)):
        now, outcome = at_s[call], seen[call]
        passes = state.state == breaker.CLOSED or admit(parameters, state, now)
        allowed[call] = passes
        if passes and outcome == 0 and state.state == breaker.CLOSED and state.calls == parameters.window:
            succeed(parameters, state, ring, state.generation)
        elif passes:
            generation = NONE if state.state == breaker.DISABLED else state.generation
            learn(parameters, state, ring, generation, outcome, now)
    put_back(state, s[0])


@kernel(_course_types)
def breaker_course(
    p: Any,
    s: Any,
    ring: Any,
    at_s: Any,
    end_s: Any,
    order: Any,
    seen: Any,
    generations: Any,
    allowed: Any,
    changed_s: Any,
    states: Any,
) -> Any:
    """Tell of each call whether it passes, where calls overlap, and how often the state changed.

    `order` has the calls by when they end. A call that ends when another comes has ended before; but never
    before it came itself. Each call makes two changes at most: `changed_s` and `states` need as much room.
    """
    p, s, ring, at_s, end_s = unowned(p), unowned(s), unowned(ring), unowned(at_s), unowned(end_s)
    order, seen, generations, allowed = unowned(order), unowned(seen), unowned(generations), unowned(allowed)
    changed_s, states = unowned(changed_s), unowned(states)
    state = s[0]
    ended = changes = 0
    for call in range(len(at_s) + 1):
        now = at_s[call] if call < len(at_s) else np.inf
        while ended < len(order) and order[ended] < call and end_s[order[ended]] <= now:
            done = order[ended]
            ended += 1
            if allowed[done] and count_outcome(p[0], state, ring, generations[done], seen[done], end_s[done]):
                changed_s[changes], states[changes] = end_s[done], state.state
                changes += 1
        if call < len(at_s):
            before = state.state
            allowed[call] = before == breaker.CLOSED or admit(p[0], state, now)
            generations[call] = NONE if state.state == breaker.DISABLED else state.generation
            if state.state != before:
                changed_s[changes], states[changes] = now, state.state
                changes += 1
    return changes
