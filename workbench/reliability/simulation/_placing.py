"""A pipeline's policies as the kernel's layers: kinds, machines' records, and what counts as a failure."""

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from workbench.reliability.errors.retry_delays import retry_after_s
from workbench.reliability.machines import breaker, bulkhead, retry, timeout
from workbench.reliability.machines._records import record_dtype, record_of
from workbench.reliability.policies.cache import Cache
from workbench.reliability.policies.fallback import Fallback
from workbench.reliability.policies.hedge import Hedge
from workbench.reliability.policy import Policy
from workbench.reliability.simulation import _codes as codes
from workbench.reliability.simulation._placing_admissions import AdmissionLayers
from workbench.reliability.simulation._placing_answers import cache_layer, caches_of, hedge_layer, hedges_of
from workbench.reliability.simulation._placing_queues import bulkhead_layer, queues_of
from workbench.reliability.simulation._records import LAYER
from workbench.reliability.simulation._replies import Replies
from workbench.reliability.simulation._requests import differences_of
from workbench.reliability.simulation._world import MACHINES
from workbench.reliability.simulation.errors import SimulationError
from workbench.reliability.simulation.requests import Requests

__all__ = ["place"]

Array = npt.NDArray[Any]


def _no_owners() -> dict[str, list[Policy]]:
    return {"bulkhead": [], "cache": [], "hedge": []}


@dataclass
class _Placing:
    """Records of machines by name, and rings of the breakers, as they are met."""

    replies: Replies
    requests: Requests
    records: dict[str, list[tuple[Any, Any]]] = field(default_factory=lambda: {name: [] for name in MACHINES})
    rings: list[int] = field(default_factory=list)
    known: dict[int, int] = field(default_factory=dict)
    owners: dict[str, list[Policy]] = field(default_factory=_no_owners)

    def __post_init__(self) -> None:
        self.admissions = AdmissionLayers(self)

    def machine(self, name: str, owner: Any, states: int = 1) -> int:
        """Return the number of a policy's machine, the first of so many states.

        One that stands in several places has one number.
        """
        if id(owner) not in self.known:
            self.known[id(owner)] = self.append(name, owner.parameters, type(owner.memory)())
            for _ in range(1, states):
                self.append(name, owner.parameters, type(owner.memory)())
            if name == "breaker":
                self.rings.append(owner.parameters.ring_length)
            elif name == "bulkhead":
                self.owners[name].append(owner)
        return self.known[id(owner)]

    def number(self, name: str, owner: Any) -> int:
        """Return the number of a policy among the caches or the hedges."""
        if id(owner) not in self.known:
            self.known[id(owner)] = len(self.owners[name])
            self.owners[name].append(owner)
        return self.known[id(owner)]

    def append(self, name: str, parameters: Any, state: Any) -> int:
        """Keep one more pair of records; return its number."""
        self.records[name].append((parameters, state))
        return len(self.records[name]) - 1

    def arrays(self) -> dict[str, Any]:
        """Return the arrays that the kernel works on."""
        found: dict[str, Any] = {**self.admissions.arrays(), "reply_hints": self.replies.hints()}
        found["differences"] = differences_of(self.requests)
        found["queues"] = queues_of(self.owners["bulkhead"], self.requests)
        found["caches"] = caches_of(self.owners["cache"], self.requests, self.replies)
        found["hedges"] = hedges_of(self.owners["hedge"], self.replies)
        for name, machine in MACHINES.items():
            found[f"{name}_parameters"] = _stacked(
                machine.Parameters, [each for each, _ in self.records[name]]
            )
            found[f"{name}_states"] = _stacked(machine.State, [each for _, each in self.records[name]])
        found["ring_starts"] = np.concatenate([[0], np.cumsum(self.rings)]).astype(np.int64)
        found["rings"] = np.zeros(int(found["ring_starts"][-1]) + 1, np.int64)
        return found


def _stacked(kind: type, values: list[Any]) -> Array:
    return (
        np.concatenate([record_of(value) for value in values]) if values else np.zeros(1, record_dtype(kind))
    )


def place(
    policies: Iterable[Policy], replies: Replies | None = None, requests: Requests | None = None
) -> tuple[Array, dict[str, Any]]:
    """Return the layers, the first outermost, and the records of their machines.

    `replies` are what the callee may answer; what policies answer instead is added to them.

    Raises
    ------
    SimulationError
        For a policy that the simulator does not know.
    """
    placing, policies = _Placing(replies or Replies(), requests or Requests()), tuple(policies)
    for policy in policies:
        placing.admissions.meet(policy)
    rows = [_layer(policy, number, placing) for number, policy in enumerate(policies)]
    layers = np.zeros(len(rows), LAYER)
    layers["budget"] = codes.NONE
    layers["limit_s"] = math.inf
    for number, row in enumerate(rows):
        for name, value in row.items():
            layers[name][number] = value
    return layers, placing.arrays()


def _layer(policy: Policy, number: int, placing: _Placing) -> dict[str, Any]:
    if isinstance(policy, Fallback):
        counts = placing.replies.failures(lambda error: _counts(policy, error), policy.on_result)
        return {"kind": codes.FALLBACK, "failures": counts & ~(1 << codes.CANCELLED)}
    if isinstance(policy, Cache):
        return cache_layer(policy, placing)
    if isinstance(policy, Hedge):
        return hedge_layer(policy, placing)
    admitting = placing.admissions.layer(policy, number)
    if admitting is not None:
        return admitting
    for kind, found in LAYERS:
        if isinstance(getattr(policy, "parameters", None), kind):
            return found(policy, placing)
    known = (
        "Retry, CircuitBreaker, RateLimiter, ClientThrottle, AdaptiveLimit, Bulkhead, Timeout, Deadline, "
        "Fallback, Chaos, LoadShedder, Cache and Hedge"
    )
    msg = f"{policy!r} cannot be simulated yet; the simulator knows {known}"
    raise SimulationError(msg)


def _break(policy: Any, placing: _Placing) -> dict[str, Any]:
    return {
        "kind": codes.BREAK,
        "index": placing.machine("breaker", policy),
        "failures": placing.replies.failures(lambda error: _counts(policy, error), policy.on_result),
    }


def _counts(policy: Any, error: BaseException) -> bool:
    return isinstance(error, policy.failures) and (policy.judge is None or bool(policy.judge(error)))


def _retry(policy: Any, placing: _Placing) -> dict[str, Any]:
    if policy.retry_after not in (None, retry_after_s):
        msg = f"{policy!r} cannot be simulated: it has a retry_after of its own"
        raise SimulationError(msg)
    return {
        "kind": codes.RETRY,
        "index": placing.machine("retry", policy),
        "budget": codes.NONE if policy.budget is None else placing.machine("budget", policy.budget),
        "failures": placing.replies.failures(policy.retries_on, policy.on_result),
        "heeds": policy.retry_after is not None,
        "limit_s": policy.timeout_s,
    }


def _timeout(policy: Any, _placing: _Placing) -> dict[str, Any]:
    late = codes.TIMED_OUT if policy.per_attempt else codes.OUT_OF_TIME
    return {"kind": codes.TIMEOUT, "index": late, "limit_s": policy.parameters.timeout_s}


LAYERS: tuple[tuple[type, Callable[[Any, _Placing], dict[str, Any]]], ...] = (
    (breaker.Parameters, _break),
    (bulkhead.Parameters, bulkhead_layer),
    (retry.Parameters, _retry),
    (timeout.Parameters, _timeout),
)
