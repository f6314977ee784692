"""What a policy is, without importing those that nobody uses."""

import sys
from typing import Any

__all__ = [
    "is_adaptive",
    "is_breaker",
    "is_bulkhead",
    "is_cache",
    "is_chaos",
    "is_constant",
    "is_deadline",
    "is_fallback",
    "is_hedge",
    "is_limiter",
    "is_retry",
    "is_shedder",
    "is_throttle",
    "is_timeout",
]

PACKAGE = "workbench.reliability.policies"


def is_retry(policy: Any) -> bool:
    """Tell whether it is a `Retry`."""
    return _is(policy, "retry", "Retry")


def is_breaker(policy: Any) -> bool:
    """Tell whether it is a `CircuitBreaker`."""
    return _is(policy, "breaker", "CircuitBreaker")


def is_timeout(policy: Any) -> bool:
    """Tell whether it is a `Timeout`."""
    return _is(policy, "timeout", "Timeout")


def is_deadline(policy: Any) -> bool:
    """Tell whether it is a `Deadline`."""
    return _is(policy, "deadline", "Deadline")


def is_limiter(policy: Any) -> bool:
    """Tell whether it is a `RateLimiter`."""
    return _is(policy, "limiter", "RateLimiter")


def is_bulkhead(policy: Any) -> bool:
    """Tell whether it is a `Bulkhead`."""
    return _is(policy, "bulkhead", "Bulkhead")


def is_hedge(policy: Any) -> bool:
    """Tell whether it is a `Hedge`."""
    return _is(policy, "hedge", "Hedge")


def is_fallback(policy: Any) -> bool:
    """Tell whether it is a `Fallback`."""
    return _is(policy, "fallback", "Fallback")


def is_cache(policy: Any) -> bool:
    """Tell whether it is a `Cache`."""
    return _is(policy, "cache", "Cache")


def is_adaptive(policy: Any) -> bool:
    """Tell whether it is an `AdaptiveLimit`."""
    return _is(policy, "adaptive", "AdaptiveLimit")


def is_shedder(policy: Any) -> bool:
    """Tell whether it is a `LoadShedder`."""
    return _is(policy, "shedder", "LoadShedder")


def is_throttle(policy: Any) -> bool:
    """Tell whether it is a `ClientThrottle`."""
    return _is(policy, "throttle", "ClientThrottle")


def is_chaos(policy: Any) -> bool:
    """Tell whether it is a `Chaos`."""
    return _is(policy, "chaos", "Chaos")


def is_constant(replacement: Any) -> bool:
    """Tell whether it is what `Fallback.value` makes of a value."""
    return _is(replacement, "fallback", "Constant")


def _is(policy: Any, module: str, name: str) -> bool:
    home = sys.modules.get(f"{PACKAGE}.{module}")
    return home is not None and isinstance(policy, getattr(home, name))
