"""Limiters, throttles, adaptive limits and injected faults as the kernel's layers."""

import math
from typing import Any

import numpy as np
import numpy.typing as npt

from workbench.reliability.errors import ChaosError
from workbench.reliability.machines import bulkhead, gcra
from workbench.reliability.machines._records import record_of
from workbench.reliability.policies.adaptive import AdaptiveLimit
from workbench.reliability.policies.chaos import Chaos
from workbench.reliability.policies.limiter import RateLimiter
from workbench.reliability.policies.throttle import ClientThrottle
from workbench.reliability.policy import PolicyError
from workbench.reliability.simulation import _codes as codes
from workbench.reliability.simulation._admissions import ADMISSION
from workbench.reliability.simulation.distributions import Distribution
from workbench.reliability.simulation.errors import SimulationError

__all__ = ["AdmissionLayers"]

LIMITERS = {
    "token_bucket": codes.TOKEN_BUCKET,
    "leaky_bucket": codes.LEAKY_BUCKET,
    "fixed_window": codes.FIXED_WINDOW,
    "sliding_window": codes.SLIDING_WINDOW,
    "sliding_log": codes.SLIDING_LOG,
}
ALGORITHMS = {"aimd": codes.AIMD, "vegas": codes.VEGAS, "gradient2": codes.GRADIENT2}
FAULTS = {
    "latency": codes.LATENCY,
    "error": codes.ERROR,
    "outcome": codes.OUTCOME,
    "behaviour": codes.BEHAVIOUR,
}
Row = dict[str, Any]


class AdmissionLayers:
    """Layers of such policies, as they are met, and their records.

    `placing` keeps the records of all other machines, and knows the replies.
    """

    def __init__(self, placing: Any) -> None:
        self._placing = placing
        self._known: dict[int, Row] = {}
        self._injected: dict[int, list[int]] = {}
        self._records: list[npt.NDArray[Any]] = []
        self._counts: list[int] = []
        self._numbers: list[float] = []

    def meet(self, policy: Any) -> None:
        """Note what a policy answers instead of the callee, before all predicates are asked."""
        if isinstance(policy, Chaos) and policy.fault in {"error", "outcome"}:
            self._injected[id(policy)] = [
                codes.CHAOS_FAILED if isinstance(reply, ChaosError) else self._placing.replies.code(reply)
                for reply in policy.replies
            ]

    def layer(self, policy: Any, number: int) -> Row | None:
        """Return the layer of a policy that stands in a place; None for one that is not such a policy."""
        if id(policy) not in self._known:
            row = self._row(policy, number)
            if row is None:
                return None
            self._known[id(policy)] = row
        return self._known[id(policy)]

    def arrays(self) -> dict[str, npt.NDArray[Any]]:
        """Return the arrays that the kernel works on."""
        return {
            "admissions": np.concatenate(self._records) if self._records else np.zeros(1, ADMISSION),
            "counts": np.array([*self._counts, 0], np.int64),
            "numbers": np.array([*self._numbers, 0.0]),
        }

    def _row(self, policy: Any, number: int) -> Row | None:
        if isinstance(policy, RateLimiter):
            return self._limiter(policy)
        if isinstance(policy, ClientThrottle):
            return self._throttle(policy)
        if isinstance(policy, AdaptiveLimit):
            return self._adaptive_limit(policy, number)
        return self._faults(policy, number) if isinstance(policy, Chaos) else None

    def _limiter(self, policy: RateLimiter) -> Row:
        row: Row = {"keyed": policy.key_of is not None, "costed": policy.cost_of is not None}
        keys = self._keys_in(policy) if row["keyed"] else 1
        if row["costed"]:
            self._check_costs(policy)
        if policy.machine is gcra:
            return row | {"kind": codes.LIMIT, "index": self._placing.machine("gcra", policy, keys)}
        name = _machine_name(policy.machine)
        numbers = [self._kept(self._limiter_record(policy, name)) for _ in range(keys)]
        return row | {"kind": LIMITERS[name], "admission": numbers[0]}

    def _limiter_record(self, policy: RateLimiter, name: str) -> npt.NDArray[Any]:
        record = _record_with({name: (policy.parameters, policy.machine.State())})
        if name == "sliding_log":
            record["first"] = _extended(self._numbers, [-math.inf] * policy.parameters.limit)
        return record

    def _keys_in(self, policy: RateLimiter) -> int:
        keys = len(self._placing.requests.key_stream.values)
        if policy.shared is None and keys > policy.states.max_keys:
            msg = (
                f"{policy!r} remembers {policy.states.max_keys:,} keys, and {keys:,} are asked for: "
                "which of them it forgets is not simulated; expected a max_keys of as many"
            )
            raise SimulationError(msg)
        return keys

    def _check_costs(self, policy: RateLimiter) -> None:
        for cost in self._placing.requests.cost_stream.values:
            try:
                policy.checked_cost(cost)
            except PolicyError as error:
                msg = f"{policy!r} cannot be simulated: {error}"
                raise SimulationError(msg) from error

    def _throttle(self, policy: ClientThrottle) -> Row:
        record = _record_with({"client_throttle": (policy.parameters, type(policy.memory)())})
        record["first"] = _extended(self._counts, [0] * (2 * policy.parameters.buckets))
        return {
            "kind": codes.THROTTLE,
            "admission": self._kept(record),
            "failures": self._placing.replies.failures(lambda error: not policy.was_accepted(error)),
        }

    def _adaptive_limit(self, policy: AdaptiveLimit, number: int) -> Row:
        name = _machine_name(policy.algorithm.machine)
        record = _record_with(
            {name: policy.algorithm.begin(0.0), "sampling": (policy.sampling, type(policy.window)())}
        )
        record["algorithm"], record["stream"] = ALGORITHMS[name], number
        self._placing.owners["bulkhead"].append(policy)
        places = bulkhead.Parameters(policy.algorithm.initial, policy.parameters.queue)
        return {
            "kind": codes.ADAPT,
            "index": self._placing.append("bulkhead", places, bulkhead.State()),
            "admission": self._kept(record),
            "failures": self._placing.replies.failures(policy.on.include),
        }

    def _faults(self, policy: Chaos, number: int) -> Row:
        if policy.is_up_to_functions:
            msg = f"{policy!r} cannot be simulated: its rate, or whether it is enabled, is up to a function"
            raise SimulationError(msg)
        if not policy.enabled:
            return {"kind": codes.PASS}
        record = _record_with({"chaos": (policy.parameters, type(policy.memory)())})
        record["fault"], record["stream"] = FAULTS[policy.fault], number
        record["seeded"], record["seed"] = policy.is_seeded, np.uint64(policy.seed % 2**64).astype(np.int64)
        if policy.fault == "latency":
            self._delay(policy, record)
        injected = self._injected.get(id(policy), [])
        if injected:
            record["first"], record["several"] = _extended(self._counts, injected), len(injected)
        return {"kind": codes.CHAOS, "admission": self._kept(record)}

    def _delay(self, policy: Chaos, record: Any) -> None:
        delay = policy.delay
        if isinstance(delay, Distribution):
            table = delay.table().tolist()
            record["distribution"], (record["a"], record["b"]) = delay.code, delay.parameters()
            record["first"], record["several"] = _extended(self._numbers, table), len(table)
        elif isinstance(delay, int | float):
            record["distribution"], record["a"] = codes.CONSTANT, delay
        else:
            expected = "expected seconds, or a distribution of workbench.reliability"
            msg = f"{policy!r} cannot be simulated: its delay is a function; {expected}"
            raise SimulationError(msg)

    def _kept(self, record: npt.NDArray[Any]) -> int:
        self._records.append(record)
        return len(self._records) - 1


def _machine_name(machine: Any) -> str:
    return str(machine.__name__.rpartition(".")[2])


def _record_with(machines: dict[str, tuple[Any, Any]]) -> npt.NDArray[Any]:
    """Return a record that holds the parameters and the state of some machines."""
    found = np.zeros(1, ADMISSION)
    for name, (parameters, state) in machines.items():
        found[f"{name}_parameters"], found[f"{name}_state"] = record_of(parameters), record_of(state)
    return found


def _extended(values: list[Any], more: list[Any]) -> int:
    """Append some values; return where they begin."""
    values.extend(more)
    return len(values) - len(more)
