"""The kinds of policies that a specification may name, and what each takes; imported when they are named.

What a kind takes is read from the signature of its constructor, so that a new argument needs no change here;
how a value is read follows from its name (`seconds` end in ``_s``), or is in `READ_AS`.
"""

import difflib
import importlib
import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from typing import Any

from workbench.reliability.pipelines._places import Place

__all__ = ["KINDS", "Kind", "kind_of", "kinds_by_class"]

OURS = frozenset({"clock", "rng", "shared", "replacement"})  # given from code, or by another name
READ_AS = {
    "on": "on",
    "ignore": "on",
    "stale_on": "on",
    "error_on": "on",
    "on_result": "function",
    "store_if": "function",
    "key": "function",
    "cost": "function",
    "retry_after": "function",
    "function": "function",
    "action": "function",
    "backoff": "backoff",
    "retry.budget": "budget",
    "chaos.error.error": "on",
    "fallback.by_type": "by_type",
    "adaptive_limit.backoff": "plain",  # a share there
    "algorithm": "algorithm",
    "name": "name",
}


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of policy: where its class is, and the class method that makes it, if one does."""

    name: str
    module: str
    owner: str
    method: str = ""

    @property
    def owning_class(self) -> Any:
        """The policy's class."""
        return getattr(importlib.import_module(f"workbench.reliability.policies.{self.module}"), self.owner)

    @property
    def constructor(self) -> Callable[..., Any]:
        """What makes such a policy."""
        owner = self.owning_class
        found: Callable[..., Any] = getattr(owner, self.method) if self.method else owner
        return found

    def parameters(self) -> Mapping[str, bool]:
        """Return what it takes, and whether that has to be given."""
        found: dict[str, bool] = {}
        for parameter in inspect.signature(self.constructor).parameters.values():
            if parameter.kind is parameter.VAR_KEYWORD:
                found |= dict.fromkeys(self._options(), False)
            elif parameter.kind is not parameter.VAR_POSITIONAL:
                found[parameter.name] = parameter.default is parameter.empty
        if self.owner == "Fallback":
            found = {"value": False, "function": False} | found
        shown = {name: needed for name, needed in found.items() if name not in OURS}
        return {name: needed for name, needed in shown.items() if name != "name"} | {"name": False}

    def _options(self) -> list[str]:
        """Return what its constructor hands on to another one."""
        if self.owner == "AdaptiveLimit":
            module = importlib.import_module("workbench.reliability.policies.adaptive_algorithms")
            return list(dict.fromkeys(field.name for kind in module.KINDS.values() for field in fields(kind)))
        if self.owner == "RateLimiter":
            module = importlib.import_module("workbench.reliability.policies.limiter")
            return list(module.LimiterOptions.__annotations__)
        own = inspect.signature(self.owning_class).parameters
        return [name for name in own if name not in ("fault", "what", "rate")]

    def reading(self, parameter: str) -> str:
        """Return as what a parameter's value is read."""
        special = READ_AS.get(f"{self.name}.{parameter}")
        return special or READ_AS.get(parameter) or ("duration" if parameter.endswith("_s") else "plain")


def _kinds() -> dict[str, Kind]:
    found = [
        Kind("retry", "retry", "Retry"),
        Kind("breaker", "breaker", "CircuitBreaker"),
        Kind("timeout", "timeout", "Timeout"),
        Kind("deadline", "deadline", "Deadline"),
        Kind("bulkhead", "bulkhead", "Bulkhead"),
        Kind("hedge", "hedge", "Hedge"),
        Kind("fallback", "fallback", "Fallback"),
        Kind("cache", "cache", "Cache"),
        Kind("adaptive_limit", "adaptive", "AdaptiveLimit"),
        Kind("load_shedder", "shedder", "LoadShedder"),
        Kind("client_throttle", "throttle", "ClientThrottle"),
    ]
    limiters = ("gcra", "token_bucket", "leaky_bucket", "fixed_window", "sliding_window", "sliding_log")
    found += [Kind(f"limiter.{name}", "limiter", "RateLimiter", name) for name in limiters]
    faults = ("latency", "error", "outcome", "behaviour")
    found += [Kind(f"chaos.{name}", "chaos", "Chaos", name) for name in faults]
    return {kind.name: kind for kind in found}


KINDS = _kinds()


def kind_of(name: Any, place: Place) -> Kind:
    """Return the kind of a name.

    Raises
    ------
    ConfigError
    """
    if not isinstance(name, str) or name not in KINDS:
        near = difflib.get_close_matches(str(name), KINDS, n=1)
        hint = f", did you mean {near[0]!r}?" if near else ","
        msg = f"no kind is named {name!r}{hint} there are {', '.join(KINDS)}"
        raise place.error(msg)
    return KINDS[name]


def kinds_by_class(policy: Any) -> list[Kind]:
    """Return the kinds that a policy may be of: those of its class, not of one above."""
    owner = type(policy)
    return [
        kind
        for kind in KINDS.values()
        if owner.__name__ == kind.owner
        and owner.__module__ == f"workbench.reliability.policies.{kind.module}"
    ]
