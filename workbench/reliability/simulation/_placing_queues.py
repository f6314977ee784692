"""Bulkheads and load shedders as the kernel's layers, and the queues before them."""

import math
from typing import Any

import numpy as np

from workbench.reliability.machines import adaptive_lifo, codel, fair_queue
from workbench.reliability.machines._records import record_of
from workbench.reliability.policies._fair_order import REMEMBERED
from workbench.reliability.policies.adaptive import AdaptiveLimit
from workbench.reliability.policies.bulkhead import Bulkhead
from workbench.reliability.policies.shedder import LoadShedder
from workbench.reliability.simulation import _codes as codes
from workbench.reliability.simulation._queues import FLOW, QUEUE, Queues, lines
from workbench.reliability.simulation.errors import SimulationError
from workbench.reliability.simulation.requests import MOST_VALUES, Requests

__all__ = ["bulkhead_layer", "queues_of"]

ORDERS = {"fifo": codes.FIFO, "lifo": codes.LIFO, "priority": codes.PRIORITY}


def bulkhead_layer(policy: Bulkhead | LoadShedder, placing: Any) -> dict[str, Any]:
    """Return the layer of a bulkhead or a load shedder."""
    return {"kind": codes.BULKHEAD, "index": placing.machine("bulkhead", policy)}


def queues_of(owners: list[Any], requests: Requests) -> Queues:
    """Return the queues of bulkheads and their kin, each with flows for what it tells apart in calls."""
    queues = np.zeros(max(1, len(owners)), QUEUE)
    weights: list[float] = []
    levels = 0
    for queue, policy in zip(queues, owners, strict=False):
        described = _described(policy, requests)
        shares = described.pop("shares")
        for name, value in {**described, "first_level": levels, "first_flow": len(weights)}.items():
            queue[name] = value
        levels += described["levels"]
        weights += shares * described["levels"]
        if len(weights) > MOST_VALUES:
            msg = f"{policy!r} would have {len(weights):,} flows: expected {MOST_VALUES:,} at most"
            raise SimulationError(msg)
    flows = np.zeros(len(weights) + 1, FLOW)
    flows["head"] = flows["tail"] = codes.NONE
    return Queues(
        queues,
        lines(len(queues)),
        lines(len(queues)),
        lines(levels + 1),
        flows,
        np.concatenate([record_of(fair_queue.Flow(weight)) for weight in [*weights, 1.0]]),
        _parameters(owners, "codel_parameters", codel.Parameters(0.0, 0.0)),
        np.repeat(record_of(codel.State()), len(flows)),
        _parameters(owners, "lifo_parameters", adaptive_lifo.Parameters(0.0, 0.0)),
        np.repeat(record_of(adaptive_lifo.State()), len(queues)),
    )


def _parameters(owners: list[Any], name: str, without: Any) -> Any:
    return np.concatenate([record_of(getattr(policy, name, None) or without) for policy in owners or [None]])


def _described(policy: Any, requests: Requests) -> dict[str, Any]:
    """Return what the kernel knows of a policy's queue, and the shares of the tenants that it tells apart."""
    max_wait_s = policy.max_wait_s
    found: dict[str, Any] = {
        "order": codes.FIFO,
        "refusal": codes.BULKHEAD_FULL,
        "patience_s": math.inf if max_wait_s is None else max_wait_s,
        "levels": 0,
        "tenants": 0,
        "shares": [],
    }
    levels, tenants = len(requests.level_stream.values), requests.tenant_stream.values
    if isinstance(policy, LoadShedder):
        shares = [policy.weights.get(tenant, 1.0) for tenant in tenants]
        drops, adapts = policy.codel_parameters is not None, policy.lifo_parameters is not None
        found |= {"order": codes.FAIR, "refusal": codes.LOAD_SHED, "judges": drops, "adapts": adapts}
        found["remembered"] = REMEMBERED
        return found | {"levels": levels, "tenants": len(tenants), "shares": shares}
    order = policy.order_name if isinstance(policy, Bulkhead) else policy.order
    found |= {"order": ORDERS[order]}
    if order == "priority":
        found |= {"levels": levels, "tenants": 1, "shares": [1.0]}
    if isinstance(policy, AdaptiveLimit):
        found |= {"refusal": codes.LOAD_SHED}
    return found
