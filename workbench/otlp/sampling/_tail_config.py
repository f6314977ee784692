"""Read the Collector's configuration of a tail sampler: YAML, or the mapping that it means."""

import re
import types
import typing
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any

from workbench.otlp.sampling.errors import OttlEngineError, PolicyError
from workbench.otlp.sampling.policies import (
    POLICIES,
    And,
    Composite,
    Drop,
    Not,
    Policy,
    Predicate,
    parameters,
)

__all__ = ["read_config"]

Node = Any  # what YAML gives: mappings, lists, numbers, text
Reader = Callable[[Node, str], Any]

PROCESSOR = "tail_sampling"
UNITS_S = {"ns": 1e-9, "us": 1e-6, "µs": 1e-6, "ms": 1e-3, "s": 1.0, "m": 60.0, "h": 3600.0}
DURATION = re.compile(r"(?:\d+(?:\.\d*)?(?:ns|us|µs|ms|s|m|h))+")
PART = re.compile(r"(\d+(?:\.\d*)?)(ns|us|µs|ms|s|m|h)")
NAMES = {int: "an integer", float: "a number", str: "text", bool: "true or false"}


def read_config(
    config: Mapping[str, Any] | str | Path, predicates: Mapping[str, Predicate]
) -> dict[str, Any]:
    """Return the arguments of `TailSampler` that a configuration means.

    Raises
    ------
    PolicyError
        When it cannot be understood or simulated.
    """
    settings, path = _processor(_loaded(config))
    found: dict[str, Any] = {}
    for key, value in settings.items():
        where = f"{path}{key}"
        if key not in SETTINGS:
            raise _unknown(key, [*SETTINGS], where)
        found |= SETTINGS[key](value, where)
    if "policies" not in settings:
        msg = "the configuration has no policies"
        raise PolicyError(msg, path=path.rstrip("."))
    policies = _list(settings["policies"], f"{path}policies")
    read = [_policy(node, f"{path}policies[{at}]", predicates) for at, node in enumerate(policies)]
    return found | {"policies": tuple(read)}


def _loaded(config: Mapping[str, Any] | str | Path) -> Node:
    if isinstance(config, Mapping):
        return config
    import yaml  # noqa: PLC0415 - only who has YAML needs it

    is_path = isinstance(config, Path) or ("\n" not in config and config.endswith((".yaml", ".yml")))
    text = Path(config).read_text(encoding="utf-8") if is_path else str(config)
    try:
        return yaml.safe_load(text)
    except yaml.YAMLError as error:
        msg = f"the configuration is no YAML: {error}"
        raise PolicyError(msg) from error


def _processor(node: Node, path: str = "") -> tuple[Mapping[str, Node], str]:
    """Find the one tail sampler in a configuration, whole or in part."""
    settings = _mapping(node, path.rstrip("."))
    inner = settings.get("processors")
    if isinstance(inner, Mapping):
        return _processor(inner, f"{path}processors.")
    named = [key for key in settings if str(key).split("/")[0] == PROCESSOR]
    if len(named) > 1:
        msg = f"there are several tail samplers, {', '.join(named)}: give the mapping of one"
        raise PolicyError(msg, path=path.rstrip("."))
    if named:
        return _mapping(settings[named[0]], f"{path}{named[0]}"), f"{path}{named[0]}."
    return settings, path


def _setting(name: str, read: Reader) -> Callable[[Node, str], dict[str, Any]]:
    return lambda node, path: {name: read(node, path)}


def _decision_cache(node: Node, path: str) -> dict[str, Any]:
    names = {
        "sampled_cache_size": "decision_cache_sampled",
        "non_sampled_cache_size": "decision_cache_non_sampled",
    }
    settings = _mapping(node, path)
    for key in settings:
        if key not in names:
            raise _unknown(key, [*names], f"{path}.{key}")
    return {names[key]: _number(int, value, f"{path}.{key}") for key, value in settings.items()}


def _only(allowed: Node) -> Callable[[Node, str], dict[str, Any]]:
    def read(node: Node, path: str) -> dict[str, Any]:
        if node != allowed:
            msg = f"only {allowed!r} can be simulated, got {node!r}"
            raise PolicyError(msg, path=path)
        return {}

    return read


def _duration(node: Node, path: str) -> float:
    if isinstance(node, str) and DURATION.fullmatch(node):
        return sum(float(number) * UNITS_S[unit] for number, unit in PART.findall(node))
    if node == 0:
        return 0.0
    msg = f"a duration is a number with a unit, such as 10s or 1m30s, got {node!r}"
    raise PolicyError(msg, path=path)


def _size(node: Node, path: str) -> int | None:
    return _number(int, node, path) or None


def _policy(node: Node, path: str, predicates: Mapping[str, Predicate]) -> Policy:
    settings = _mapping(node, path)
    kind = _kind(settings, path)
    name = _text(settings.get("name"), f"{path}.name")
    if not name:
        msg = "a policy needs a name"
        raise PolicyError(msg, path=f"{path}.name")
    for key in settings:
        if key not in ("name", "type") and key not in POLICIES:
            raise _unknown(key, ["name", "type", kind.type], f"{path}.{key}")
    inner = f"{path}.{kind.type}"
    own = _mapping(settings.get(kind.type) or {}, inner)
    try:
        if kind in COMBINED:
            return COMBINED[kind](own, inner, predicates, name)
        return kind(name=name, **_arguments(kind, own, inner, predicates.get(name)))
    except OttlEngineError as error:
        raise OttlEngineError(error.args[0], path=error.path or inner) from error
    except PolicyError as error:
        raise PolicyError(error.args[0], path=error.path or inner) from error
    except TypeError as error:
        missing = re.findall(r"'(\w+)'", str(error))
        msg = f"{' and '.join(missing)} is needed"
        raise PolicyError(msg, path=inner) from error


def _kind(settings: Mapping[str, Node], path: str) -> type[Policy]:
    name = _text(settings.get("type"), f"{path}.type")
    if name not in POLICIES:
        msg = f"there is no policy of type {name!r}; there are {', '.join(sorted(POLICIES))}"
        raise PolicyError(msg, path=f"{path}.type")
    return POLICIES[name]


def _arguments(
    kind: type[Policy], own: Mapping[str, Node], path: str, predicate: Predicate | None
) -> dict[str, Any]:
    known = parameters(kind)
    found = {}
    for key, value in own.items():
        if key not in known or key == "predicate":
            raise _unknown(key, [one for one in known if one != "predicate"], f"{path}.{key}")
        found[key] = _typed(known[key], value, f"{path}.{key}")
    return found | ({"predicate": predicate} if "predicate" in known else {})


def _typed(kind: Any, node: Node, path: str) -> Any:
    """Read a value as the parameter's type wants it."""
    if typing.get_origin(kind) is tuple:
        return tuple(_text(item, f"{path}[{at}]") for at, item in enumerate(_list(node, path)))
    if isinstance(kind, types.UnionType):  # int | None, and in newer configurations {value: int}
        return _number(int, node["value"] if isinstance(node, Mapping) and "value" in node else node, path)
    if typing.get_origin(kind) is typing.Literal:
        if node not in typing.get_args(kind):
            msg = f"expected one of {', '.join(typing.get_args(kind))}, got {node!r}"
            raise PolicyError(msg, path=path)
        return node
    return _text(node, path) if kind is str else _number(kind, node, path)


def _number(kind: type, node: Node, path: str) -> Any:
    fits = (
        isinstance(node, bool)
        if kind is bool
        else isinstance(node, int | kind) and not isinstance(node, bool)
    )
    if not fits:
        msg = f"expected {NAMES[kind]}, got {node!r}"
        raise PolicyError(msg, path=path)
    return kind(node)


def _text(node: Node, path: str) -> str:
    if node is not None and not isinstance(node, str):
        msg = f"expected text, got {node!r}"
        raise PolicyError(msg, path=path)
    return node or ""


def _mapping(node: Node, path: str) -> Mapping[str, Node]:
    if not isinstance(node, Mapping):
        msg = f"expected a mapping, got {type(node).__name__} {str(node)[:60]!r}"
        raise PolicyError(msg, path=path)
    return node


def _list(node: Node, path: str) -> list[Node]:
    if not isinstance(node, list | tuple):
        msg = f"expected a list, got {type(node).__name__} {str(node)[:60]!r}"
        raise PolicyError(msg, path=path)
    return list(node)


def _unknown(key: str, known: list[str], path: str) -> PolicyError:
    return PolicyError(f"{key!r} is not known here; known are {', '.join(known)}", path=path)


def _part(own: Mapping[str, Node], key: str, others: tuple[str, ...], path: str) -> Node:
    for found in own:
        if found not in (key, *others):
            raise _unknown(found, [key, *others], f"{path}.{found}")
    if key not in own:
        msg = f"{key} is needed"
        raise PolicyError(msg, path=path)
    return own[key]


Combiner = Callable[[Mapping[str, Node], str, Mapping[str, Predicate], str], Policy]


def _all_of(  # noqa: PLR0913 - two of them are bound at once
    key: str,
    kind: type[And] | type[Drop],
    own: Mapping[str, Node],
    path: str,
    predicates: Mapping[str, Predicate],
    name: str,
) -> Policy:
    return kind(_parts(own, key, (), path, predicates), name=name)


def _parts(
    own: Mapping[str, Node],
    key: str,
    others: tuple[str, ...],
    path: str,
    predicates: Mapping[str, Predicate],
) -> tuple[Policy, ...]:
    nodes = _list(_part(own, key, others, path), f"{path}.{key}")
    return tuple(_policy(node, f"{path}.{key}[{at}]", predicates) for at, node in enumerate(nodes))


def _not(own: Mapping[str, Node], path: str, predicates: Mapping[str, Predicate], name: str) -> Policy:
    node = _part(own, "not_sub_policy", (), path)
    return Not(_policy(node, f"{path}.not_sub_policy", predicates), name=name)


def _composite(own: Mapping[str, Node], path: str, predicates: Mapping[str, Predicate], name: str) -> Policy:
    """Read a composite policy; `policy_order` names its policies and changes nothing, as in the Collector."""
    others = ("max_total_spans_per_second", "policy_order", "rate_allocation")
    parts = _parts(own, "composite_sub_policy", others, path, predicates)
    names = [part.name for part in parts]
    for at, found in enumerate(_list(own.get("policy_order") or [], f"{path}.policy_order")):
        if found not in names:
            msg = f"there is no policy {found!r}; there are {', '.join(names)}"
            raise PolicyError(msg, path=f"{path}.policy_order[{at}]")
    total = _number(int, own.get("max_total_spans_per_second", 0), f"{path}.max_total_spans_per_second")
    shares = {}
    for at, node in enumerate(_list(own.get("rate_allocation") or [], f"{path}.rate_allocation")):
        where = f"{path}.rate_allocation[{at}]"
        share = _mapping(node, where)
        shares[_text(share.get("policy"), f"{where}.policy")] = _number(
            int, share.get("percent", 0), f"{where}.percent"
        )
    return Composite(parts, total, shares, name=name)


COMBINED: Mapping[type[Policy], Combiner] = {
    And: partial(_all_of, "and_sub_policy", And),
    Drop: partial(_all_of, "drop_sub_policy", Drop),
    Not: _not,
    Composite: _composite,
}

SETTINGS: Mapping[str, Callable[[Node, str], dict[str, Any]]] = {
    "policies": lambda _node, _path: {},
    "decision_wait": _setting("decision_wait_s", _duration),
    "decision_wait_after_root_received": _setting("decision_wait_after_root_received_s", _duration),
    "num_traces": _setting("num_traces", partial(_number, int)),
    "expected_new_traces_per_sec": lambda _node, _path: {},
    "decision_cache": _decision_cache,
    "sample_on_first_match": _setting("sample_on_first_match", partial(_number, bool)),
    "drop_pending_traces_on_shutdown": _setting("drop_pending_traces_on_shutdown", partial(_number, bool)),
    "maximum_trace_size_bytes": _setting("maximum_trace_size_bytes", _size),
    "block_on_overflow": _only(False),
    "sampling_strategy": _only("trace-complete"),
    "num_shards": _only(1),
}
