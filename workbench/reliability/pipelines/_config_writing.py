"""Specifications of pipelines: what each policy was made with, in words that `_config` reads.

Clocks and generators of random numbers are left out: they belong to the program that reads it. What was
changed after a policy had been made (a breaker that was forced open) is no part of it either.
"""

import inspect
from collections.abc import Callable
from dataclasses import dataclass, field, fields
from typing import TYPE_CHECKING, Any

from workbench.reliability.pipelines._config import BACKOFFS, BUDGET_KEYS
from workbench.reliability.pipelines._kinds import is_constant
from workbench.reliability.pipelines._places import Place
from workbench.reliability.pipelines._registry import KINDS, Kind, kinds_by_class
from workbench.reliability.pipelines._values import write_exception, write_function, write_on, write_plain
from workbench.reliability.pipelines.errors import ConfigError

if TYPE_CHECKING:
    from workbench.reliability.policies.budget import RetryBudget
    from workbench.reliability.policy import Policy

__all__ = ["Writer", "arguments_of", "kind_name", "write_layer", "write_pipeline"]

NOT_WRITTEN = ("clock", "rng")
BY_RATE = ("gcra", "token_bucket", "leaky_bucket")


@dataclass(slots=True)
class Writer:
    """The budgets that were met, by the names they are given."""

    budgets: "dict[str, RetryBudget]" = field(default_factory=dict)

    def budget(self, value: "RetryBudget | None", _place: Place) -> str | None:
        """Return a budget's name, which no other one has."""
        if value is None:
            return None
        for name, known in self.budgets.items():
            if known is value:
                return name
        name, number = value.name, 2
        while name in self.budgets:
            name, number = f"{value.name} {number}", number + 1
        self.budgets[name] = value
        return name


def write_pipeline(name: str, policies: "tuple[Policy, ...]") -> dict[str, Any]:
    """Return the specification of a pipeline.

    Raises
    ------
    ConfigError
        When a policy was made with what cannot be written.
    """
    writer, place = Writer(), Place().key("layers")
    layers = [write_layer(policy, place.item(number), writer) for number, policy in enumerate(policies)]
    budgets = {
        known: {key: getattr(budget.parameters, key) for key in BUDGET_KEYS}
        for known, budget in writer.budgets.items()
    }
    return {"name": name, **({"budgets": budgets} if budgets else {}), "layers": layers}


def write_layer(policy: "Policy", place: Place, writer: Writer) -> dict[str, Any]:
    """Return the specification of a policy."""
    kind, given = _kind_and_arguments(policy, place)
    if given.get("shared") is not None:
        msg = "a policy whose state is shared with other processes cannot be written: give `shared` in code"
        raise place.key("shared").error(msg)
    writers = WRITERS | {"budget": writer.budget}
    values = {
        name: writers[kind.reading(name)](value, place.key(name))
        for name, value in given.items()
        if name not in NOT_WRITTEN and not (name in ("name", "shared") and value is None)
    }
    return {"kind": kind.name, **values}


def arguments_of(policy: "Policy") -> dict[str, Any]:
    """Return what a policy was made with, named as in specifications; nothing for other kinds."""
    try:
        return _kind_and_arguments(policy, Place())[1]
    except ConfigError:
        return {}


def kind_name(policy: "Policy") -> str:
    """Return the kind of a policy, as far as specifications tell kinds apart; its class for others."""
    kinds = kinds_by_class(policy)
    if len(kinds) == 1:
        return kinds[0].name
    if kinds and (kind := _one_of_several(policy)) is not None:
        return kind.name
    return f"{type(policy).__module__}.{type(policy).__qualname__}"


def _kind_and_arguments(policy: Any, place: Place) -> tuple[Kind, dict[str, Any]]:
    kinds = kinds_by_class(policy)
    if not kinds:
        msg = f"{type(policy).__qualname__} cannot be written: no kind is it; there are {', '.join(KINDS)}"
        raise place.error(msg)
    given = _given(policy)
    if len(kinds) == 1:
        return kinds[0], _fallback(given) if kinds[0].owner == "Fallback" else given
    kind = _one_of_several(policy)
    if kind is None:
        known = [each.method for each in kinds]
        msg = f"{policy!r:.80} cannot be written: it was made by none of {', '.join(known)}"
        raise place.error(msg)
    return kind, _limiter(policy, given) if kind.owner == "RateLimiter" else _chaos(policy, given)


def _one_of_several(policy: Any) -> Kind | None:
    """Return the kind of a policy that is made by one of several class methods."""
    method = policy.machine.__name__.rpartition(".")[2] if hasattr(policy, "machine") else policy.fault
    return next((kind for kind in kinds_by_class(policy) if kind.method == method), None)


def _given(policy: Any) -> dict[str, Any]:
    """Return the arguments that a policy was made with, but those that are the default ones."""
    args, kwargs = policy.made_with
    signature = inspect.signature(type(policy).__init__)
    bound = signature.bind(policy, *args, **kwargs).arguments
    found: dict[str, Any] = {}
    for name, value in list(bound.items())[1:]:
        parameter = signature.parameters[name]
        if parameter.kind is parameter.VAR_KEYWORD:
            found |= value
        elif value is not parameter.default and not _equal(value, parameter.default):
            found[name] = value
    return found


def _equal(value: Any, default: Any) -> bool:
    return type(value) is type(default) and bool(value == default)


def _limiter(policy: Any, given: dict[str, Any]) -> dict[str, Any]:
    p = policy.parameters
    by_rate = policy.machine.__name__.rpartition(".")[2] in BY_RATE
    numbers = (
        {"rate_hz": p.rate_hz, "burst": p.burst} if by_rate else {"limit": p.limit, "window_s": p.window_s}
    )
    return numbers | {
        name: value for name, value in given.items() if name not in ("machine", "parameters", "most")
    }


def _chaos(policy: Any, given: dict[str, Any]) -> dict[str, Any]:
    what = given.pop("what", None)
    given.pop("fault", None)
    name = {"latency": "delay_s", "error": "error", "outcome": "result", "behaviour": "action"}[policy.fault]
    if policy.fault == "error":
        if what == (None,):
            return given
        what = what[0] if len(what) == 1 else what
    return {name: what} | given


def _fallback(given: dict[str, Any]) -> dict[str, Any]:
    if "replacement" not in given:
        return given
    replacement = given.pop("replacement")
    if not callable(replacement):
        return {"value": replacement} | given
    if is_constant(replacement):
        return {"value": replacement.value} | given
    return {"function": replacement} | given


def _write_backoff(value: Any, place: Place) -> dict[str, Any]:
    for name, kind in BACKOFFS.items():
        if type(value) is kind:
            numbers = {each.name: getattr(value, each.name) for each in fields(value)}
            defaults = {each.name: each.default for each in fields(value)}
            return {"kind": name} | {
                key: each for key, each in numbers.items() if not _equal(each, defaults[key])
            }
    msg = f"{value!r:.80} cannot be written: there are {', '.join(BACKOFFS)}"
    raise place.error(msg)


def _write_by_type(value: Any, place: Place) -> dict[str, Any]:
    return {write_exception(kind, place): write_plain(each, place) for kind, each in value.items()}


def _write_algorithm(value: Any, _place: Place) -> Any:
    if isinstance(value, str):
        return value
    return {"kind": type(value).__name__.lower()} | {
        each.name: getattr(value, each.name) for each in fields(value)
    }


WRITERS: dict[str, Callable[[Any, Place], Any]] = {
    "on": write_on,
    "function": write_function,
    "duration": write_plain,
    "plain": write_plain,
    "name": write_plain,
    "backoff": _write_backoff,
    "by_type": _write_by_type,
    "algorithm": _write_algorithm,
}
