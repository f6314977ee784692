"""How many attempts and how much time a call may cost at worst, layer by layer from the innermost out.

With A attempts and T seconds of what a layer surrounds (1 and infinity for a function of which nothing is
known):

    ===================  ==================  ============================================================
    layer                attempts            seconds
    ===================  ==================  ============================================================
    retry                n A                 n T + the longest delays; at most its `timeout_s` + T
    hedge                (1 + h) A           h min(delay, T) + T
    timeout, deadline    A                   min(T, limit)
    limiter              A                   T + what it has calls wait
    bulkhead and kin     A                   T + the longest wait in their queue
    chaos latency        A                   T + the delay
    ===================  ==================  ============================================================

So the attempts of the whole are a product over its layers. What a callee asks for by Retry-After is not in
the delays: it is at most `retry_after_max_s` each, and no deadline is exceeded for it. A limit on sync code
that does not interrupt it (``interrupt="none"``) bounds the time only as far as that code looks at
`current_deadline`.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from workbench.reliability.pipelines._kinds import (
    is_adaptive,
    is_bulkhead,
    is_chaos,
    is_deadline,
    is_hedge,
    is_limiter,
    is_retry,
    is_shedder,
    is_timeout,
)

__all__ = [
    "Cost",
    "costs",
    "factor",
    "longest_delay_s",
    "longest_delays_s",
    "longest_wait_s",
    "sustained_factor",
]

MOST_DELAYS = 10_000  # looked at one by one; the rest takes as long as the last of them


@dataclass(frozen=True, slots=True)
class Cost:
    """What a layer and all within it cost at worst."""

    attempts: float = 1.0
    seconds: float = math.inf


def costs(policies: Sequence[Any]) -> list[Cost]:
    """Return the cost from each layer inwards, and last that of the function alone."""
    found = [Cost()]
    for policy in reversed(policies):
        found.append(_around(policy, found[-1]))
    return found[::-1]


def factor(policy: Any) -> float:
    """Return by how much a layer multiplies attempts at worst."""
    if is_retry(policy):
        return math.inf if policy.attempts is None else float(policy.attempts)
    return 1.0 + policy.hedges if is_hedge(policy) else 1.0


def sustained_factor(policy: Any) -> float:
    """Return by how much a layer multiplies attempts while everything fails: a budget bounds that, too."""
    if is_retry(policy) and policy.budget is not None:
        return min(factor(policy), 1.0 + policy.budget.parameters.ratio)
    if is_hedge(policy) and policy.parameters.ratio < math.inf:
        return min(factor(policy), 1.0 + policy.parameters.ratio)
    return factor(policy)


def longest_delay_s(policy: Any) -> float:
    """Return the longest delay before a retry's second attempt, without what callees ask for."""
    return float(policy.backoff.delay_s(1, 1.0, 0.0))


def longest_delays_s(policy: Any) -> float:
    """Return the longest sum of a retry's delays."""
    if policy.attempts is None:
        return math.inf if policy.backoff.cap_s > 0 else 0.0
    backoff, total_s, previous_s, delay_s = policy.backoff, 0.0, 0.0, 0.0
    retries = policy.attempts - 1
    for retry in range(1, min(retries, MOST_DELAYS) + 1):
        delay_s = backoff.delay_s(retry, 1.0, previous_s)
        previous_s = backoff.following_s(previous_s, delay_s)
        total_s += delay_s
    return total_s + max(0, retries - MOST_DELAYS) * float(backoff.cap_s)


def longest_wait_s(policy: Any) -> float:
    """Return for how long a layer keeps calls waiting at worst, before they proceed."""
    if is_limiter(policy):
        return float(policy.parameters.patience_s)
    if is_shedder(policy) and policy.discipline == "adaptive_lifo":
        return 0.0 if policy.parameters.queue == 0 else float(policy._times_s[1])  # noqa: SLF001 - it shows it nowhere else
    if is_bulkhead(policy) or is_adaptive(policy) or is_shedder(policy):
        return _patience_s(policy)
    if is_chaos(policy) and policy.fault == "latency":
        delay_s = policy._what  # noqa: SLF001 - as above
        return math.inf if callable(delay_s) else float(delay_s)
    return 0.0


def _patience_s(policy: Any) -> float:
    if policy.parameters.queue == 0:
        return 0.0
    return math.inf if policy.max_wait_s is None else float(policy.max_wait_s)


def _around(policy: Any, within: Cost) -> Cost:
    attempts = _times(factor(policy), within.attempts)
    if is_retry(policy):
        seconds = _times(factor(policy), within.seconds) + longest_delays_s(policy)
        return Cost(attempts, min(seconds, policy.timeout_s + within.seconds))
    if is_hedge(policy):
        delay_s = math.inf if policy.fixed_s is None else policy.fixed_s
        return Cost(attempts, policy.hedges * min(delay_s, within.seconds) + within.seconds)
    if is_timeout(policy) or is_deadline(policy):
        return Cost(attempts, min(within.seconds, policy.timeout_s))
    return Cost(attempts, within.seconds + longest_wait_s(policy))


def _times(count: float, each: float) -> float:
    return 0.0 if each == 0.0 else count * each
