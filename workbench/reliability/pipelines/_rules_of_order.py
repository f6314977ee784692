"""Rules about order: what stands around what.

``Retry`` outside ``CircuitBreaker`` is the right order: the breaker sees every attempt. It is wrong only
where the retry tries again what the breaker refuses. By default it does not: `CircuitOpenError` says that it
is not retryable, and a retry without `on` of its own listens to that, so an open breaker ends the call at
once.
"""

from collections.abc import Iterator
from typing import Any

from workbench.reliability.errors.rejections import CircuitOpenError, RateLimitedError
from workbench.reliability.pipelines._kinds import (
    is_adaptive,
    is_breaker,
    is_bulkhead,
    is_deadline,
    is_fallback,
    is_hedge,
    is_limiter,
    is_retry,
    is_shedder,
    is_timeout,
)
from workbench.reliability.pipelines._rules import Rule, View
from workbench.reliability.pipelines._worst_case import factor, longest_delays_s
from workbench.reliability.pipelines.findings import Finding, number_text

__all__ = ["ORDER_RULES"]

FAILURES = (ConnectionError("sample"), TimeoutError("sample"), RuntimeError("sample"), OSError("sample"))


def retry_outside_breaker(view: View) -> Iterator[Finding]:
    """Find retries that try again what an open breaker refuses; by default they do not."""
    for above, below in view.nested(is_retry, is_breaker):
        retry, breaker = view.policies[above], view.policies[below]
        if _sees(retry, CircuitOpenError(breaker.name, 1.0)):
            yield Finding(
                "retry_outside_breaker",
                "warning",
                view.named(above, below),
                "it tries again while the breaker is open, and only waits",
                "leave `on` out (CircuitOpenError says that it is not tried again), or name it in `ignore`",
                {"attempts": factor(retry), "open_s": breaker.parameters.open_s},
            )


def bulkhead_outside_retry(view: View) -> Iterator[Finding]:
    """Find places that are held while a retry waits: nobody uses them."""
    for above, below in view.nested(_holds_places, is_retry):
        wait_s = longest_delays_s(view.policies[below])
        if wait_s > 0 and view.policies[below].attempts != 1:
            yield Finding(
                "bulkhead_outside_retry",
                "warning",
                view.named(above, below),
                f"a place is held during back-off, up to {number_text(wait_s)} s a call",
                "put it within the retry: then each attempt takes a place, and gives it back before the wait",
                {"held_s": wait_s},
            )


def limiter_inside_retry(view: View) -> Iterator[Finding]:
    """Find limiters within a retry: they count attempts, and their refusals may use them up."""
    for above, below in view.nested(is_retry, is_limiter):
        retry, limiter = view.policies[above], view.policies[below]
        refused = _sees(retry, RateLimitedError(limiter.name, 1.0))
        if retry.attempts == 1 or (limiter.parameters.patience_s > 0 and not refused):
            continue
        yield Finding(
            "limiter_inside_retry",
            "warning" if refused else "info",
            view.named(above, below),
            "each attempt takes a permit" + (", and its refusals use up attempts" if refused else ""),
            "put it around the retry to limit calls; to limit attempts, keep it there with wait_s, and "
            "ignore=RateLimitedError in the retry",
            {"attempts": factor(retry), "wait_s": limiter.parameters.patience_s},
        )


def hedge_inside_retry(view: View) -> Iterator[Finding]:
    """Find hedges within a retry: they send more just when the callee fails."""
    for above, below in view.nested(is_retry, is_hedge):
        retry, hedge = view.policies[above], view.policies[below]
        if retry.attempts == 1:
            continue
        attempts = factor(retry) * factor(hedge)
        yield Finding(
            "hedge_inside_retry",
            "warning",
            view.named(above, below),
            f"each of {number_text(factor(retry))} attempts may become {number_text(factor(hedge))}: "
            f"{number_text(attempts)} in all",
            "hedge calls that are safe and fast without a retry; or put the hedge outside, with a budget",
            {"attempts": attempts},
        )


def fallback_hides_failures(view: View) -> Iterator[Finding]:
    """Find fallbacks below who waits for failures: what they replace is a success to it."""
    for above, below in view.nested(lambda policy: is_retry(policy) or is_breaker(policy), is_fallback):
        watcher, fallback = view.policies[above], view.policies[below]
        hidden = [error for error in FAILURES if _sees(watcher, error) and _replaces(fallback, error)]
        if hidden:
            names = ", ".join(type(error).__name__ for error in hidden)
            what = "never tries again" if is_retry(watcher) else "never opens"
            yield Finding(
                "fallback_hides_failures",
                "error",
                view.named(above, below),
                f"the fallback replaces what it waits for ({names}): it {what}",
                "put the fallback outermost",
                {"hidden": float(len(hidden))},
            )


def same_policy_twice(view: View) -> Iterator[Finding]:
    """Find policies that stand in two places: they count, and let through, each call twice."""
    for place, policy in enumerate(view.policies):
        before = [each for each in range(place) if view.policies[each] is policy]
        if before and not (is_timeout(policy) or is_deadline(policy)):
            yield Finding(
                "same_policy_twice",
                "warning",
                view.named(before[-1], place),
                "it stands in two places: each call counts twice, and takes two permits or places",
                "make two policies, or take one out",
                {"times": float(len(before) + 1)},
            )


def _holds_places(policy: Any) -> bool:
    return is_bulkhead(policy) or is_shedder(policy) or is_adaptive(policy)


def _sees(policy: Any, error: Exception) -> bool:
    """Tell whether an error is tried again by a retry, or counted by a breaker."""
    try:
        if is_retry(policy):
            return policy.attempts != 1 and bool(policy.retries_on(error))
        return _includes(policy, error)
    except Exception:  # noqa: BLE001 - a predicate of the user's that knows its own errors only
        return False


def _replaces(fallback: Any, error: Exception) -> bool:
    try:
        return _includes(fallback, error) and fallback._maker(error) is not None  # noqa: SLF001 - what it would do
    except Exception:  # noqa: BLE001 - as above
        return False


def _includes(policy: Any, error: Exception) -> bool:
    return isinstance(error, policy.failures) and (policy.judge is None or bool(policy.judge(error)))


ORDER_RULES: tuple[Rule, ...] = (
    retry_outside_breaker,
    bulkhead_outside_retry,
    limiter_inside_retry,
    hedge_inside_retry,
    fallback_hides_failures,
    same_policy_twice,
)
