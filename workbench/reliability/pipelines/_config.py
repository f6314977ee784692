"""Pipelines from specifications: mappings, as YAML and TOML files have them.

The format is described in `workbench.reliability.pipelines`.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from typing import TYPE_CHECKING, Any

from workbench import backoff
from workbench.errors import WorkbenchError
from workbench.reliability.pipelines._places import Place
from workbench.reliability.pipelines._registry import Kind, kind_of
from workbench.reliability.pipelines._values import (
    read_duration,
    read_exception,
    read_function,
    read_on,
    read_plain,
)
from workbench.reliability.pipelines.errors import ConfigError

if TYPE_CHECKING:
    from workbench.clock import Clock
    from workbench.reliability.policies.budget import RetryBudget
    from workbench.reliability.policy import Generator, Policy

__all__ = ["BACKOFFS", "BUDGET_KEYS", "ReadPipeline", "read_pipeline"]

TOP = ("name", "budgets", "layers")
BUDGET_KEYS = ("ratio", "minimum_hz", "burst")
BACKOFFS: dict[str, type[Any]] = {
    "constant": backoff.Constant,
    "linear": backoff.Linear,
    "exponential": backoff.Exponential,
}


@dataclass(frozen=True, slots=True)
class ReadPipeline:
    """What a specification says: a name, which may be the usual one, and policies."""

    name: str
    policies: "tuple[Policy, ...]"
    is_named: bool


@dataclass(slots=True)
class _Reader:
    """What is known while a specification is read."""

    clock: "Clock | None"
    rng: "Generator | None"
    budgets: "dict[str, RetryBudget]" = field(default_factory=dict)

    def layer(self, spec: Any, place: Place) -> "Policy":
        if not isinstance(spec, Mapping) or "kind" not in spec:
            msg = f"expected a layer as a mapping with the key 'kind', got {spec!r:.80}"
            raise place.error(msg)
        kind = kind_of(spec["kind"], place.key("kind"))
        parameters = kind.parameters()
        place.mapping(spec, ["kind", *parameters], f"the kind {kind.name!r}")
        missing = [name for name, needed in parameters.items() if needed and name not in spec]
        if missing:
            msg = f"the kind {kind.name!r} needs {' and '.join(map(repr, missing))}"
            raise place.error(msg)
        values = {
            name: self.value(kind, name, value, place.key(name))
            for name, value in spec.items()
            if name != "kind"
        }
        return self.made(kind, values, place)

    def made(self, kind: Kind, values: dict[str, Any], place: Place) -> "Policy":
        constructor: Callable[..., Any] = kind.constructor
        if kind.owner == "Fallback":
            constructor = _fallback(values, place)
        if self.clock is not None:
            values["clock"] = self.clock
        if self.rng is not None:
            values["rng"] = self.rng
        return _call(constructor, values, place)

    def value(self, kind: Kind, name: str, value: Any, place: Place) -> Any:
        reading = kind.reading(name)
        if reading == "budget":
            return self.budget(value, place)
        return READERS[reading](value, place)

    def budget(self, value: Any, place: Place) -> "RetryBudget | None":
        if value is None:
            return None
        if isinstance(value, str):
            if value not in self.budgets:
                known = ", ".join(self.budgets) or "none"
                msg = f"no budget is named {value!r}; there are {known}, under 'budgets'"
                raise place.error(msg)
            return self.budgets[value]
        return self.new_budget("budget", value, place)

    def new_budget(self, name: str, spec: Any, place: Place) -> "RetryBudget":
        from workbench.reliability.policies.budget import RetryBudget  # noqa: PLC0415 - where one is named

        values = dict(place.mapping({} if spec is None else spec, BUDGET_KEYS, "a budget"))
        return _call(RetryBudget, values | {"name": name, "clock": self.clock}, place)


def read_pipeline(
    spec: Any, *, clock: "Clock | None" = None, rng: "Generator | None" = None, source: str = ""
) -> ReadPipeline:
    """Return what a specification says.

    Raises
    ------
    ConfigError
        When it is not understood: it names the file and the place in it.
    """
    place = Place(source)
    found = place.mapping(spec, TOP, "a pipeline")
    if "layers" not in found:
        msg = "a pipeline needs the key 'layers', a list of policies"
        raise place.error(msg)
    reader = _Reader(clock, rng)
    budgets = place.key("budgets")
    for name, budget in _mapping(found.get("budgets") or {}, budgets).items():
        reader.budgets[_name(name, budgets)] = reader.new_budget(name, budget, budgets.key(name))
    layers = place.key("layers")
    if not isinstance(found["layers"], list | tuple):
        msg = f"expected a list of layers, got {found['layers']!r:.80}"
        raise layers.error(msg)
    policies = tuple(reader.layer(each, layers.item(number)) for number, each in enumerate(found["layers"]))
    return ReadPipeline(_name(found.get("name", "pipeline"), place.key("name")), policies, "name" in found)


def _mapping(value: Any, place: Place) -> Mapping[Any, Any]:
    if not isinstance(value, Mapping):
        msg = f"expected a mapping of names, got {value!r:.80}"
        raise place.error(msg)
    return value


def _name(value: Any, place: Place) -> str:
    if not isinstance(value, str) or not value:
        msg = f"expected a text that is not empty, got {value!r:.80}"
        raise place.error(msg)
    return value


def _backoff(value: Any, place: Place) -> Any:
    if not isinstance(value, Mapping) or value.get("kind") not in BACKOFFS:
        example = "{kind: exponential, base_s: 100ms}"
        msg = f"expected a mapping with kind {', '.join(BACKOFFS)}, as {example}, got {value!r:.80}"
        raise place.error(msg)
    kind = BACKOFFS[value["kind"]]
    names = [each.name for each in fields(kind)]
    place.mapping(value, ["kind", *names], f"the back-off {value['kind']!r}")
    values = {
        name: read_duration(each, place.key(name))
        if name.endswith("_s")
        else read_plain(each, place.key(name))
        for name, each in value.items()
        if name != "kind"
    }
    return _call(kind, values, place)


def _algorithm(value: Any, place: Place) -> Any:
    """Return an algorithm's name, or an algorithm with all its options: ``{kind: gradient2, queue: 8}``."""
    if not isinstance(value, Mapping):
        return read_plain(value, place)
    from workbench.reliability.policies.adaptive_algorithms import KINDS  # noqa: PLC0415 - where one is named

    if value.get("kind") not in KINDS:
        msg = f"expected a mapping with kind {', '.join(KINDS)}, got {value!r:.80}"
        raise place.error(msg)
    kind = KINDS[value["kind"]]
    place.mapping(value, ["kind", *(each.name for each in fields(kind))], f"the algorithm {value['kind']!r}")
    values = {name: read_plain(each, place.key(name)) for name, each in value.items() if name != "kind"}
    return _call(kind, values, place)


def _by_type(value: Any, place: Place) -> Any:
    found = _mapping(value, place)
    return {read_exception(name, place): read_plain(each, place.key(name)) for name, each in found.items()}


def _fallback(values: dict[str, Any], place: Place) -> Callable[..., Any]:
    """Return what makes a fallback, and take what it replaces by out of the values."""
    from workbench.reliability.policies.fallback import Fallback  # noqa: PLC0415 - where one is named

    if "value" in values and "function" in values:
        msg = "value and function are given, expected one of them"
        raise place.error(msg)
    if "function" in values:
        function = values.pop("function")
        return lambda **more: Fallback(function, **more)
    if "value" in values:
        value = values.pop("value")
        return lambda **more: Fallback.value(value, **more)
    return Fallback


def _call(constructor: Callable[..., Any], values: dict[str, Any], place: Place) -> Any:
    try:
        return constructor(**values)
    except ConfigError:
        raise
    except (WorkbenchError, TypeError, ValueError) as error:
        raise place.error(str(error)) from error


READERS: dict[str, Callable[[Any, Place], Any]] = {
    "on": read_on,
    "function": read_function,
    "duration": read_duration,
    "plain": read_plain,
    "backoff": _backoff,
    "by_type": _by_type,
    "algorithm": _algorithm,
    "name": _name,
}
