"""Caches and hedges as the kernel's layers."""

import math
from typing import Any

import numpy as np

from workbench.reliability.machines import budget, cache, latency_quantile
from workbench.reliability.machines._records import record_of
from workbench.reliability.policies.cache import Cache
from workbench.reliability.policies.hedge import Hedge
from workbench.reliability.simulation import _codes as codes
from workbench.reliability.simulation._caches import CACHE, ENTRY, Caches, no_caches
from workbench.reliability.simulation._hedges import HEDGE, Hedges, no_hedges
from workbench.reliability.simulation._queues import lines
from workbench.reliability.simulation._replies import Replies
from workbench.reliability.simulation.requests import Requests

__all__ = ["cache_layer", "caches_of", "hedge_layer", "hedges_of"]


def cache_layer(policy: Cache, placing: Any) -> dict[str, Any]:
    """Return the layer of a cache."""
    return {"kind": codes.CACHE, "index": placing.number("cache", policy)}


def hedge_layer(policy: Hedge, placing: Any) -> dict[str, Any]:
    """Return the layer of a hedge."""
    return {"kind": codes.HEDGE, "index": placing.number("hedge", policy)}


def _none(_error: BaseException) -> bool:
    return False


def caches_of(owners: list[Any], requests: Requests, replies: Replies) -> Caches:
    """Return the records of caches that have seen nothing; all have the same keys."""
    if not owners:
        return no_caches()
    keys = len(requests.key_stream.values)
    entries = np.zeros(len(owners) * keys, ENTRY)
    entries["leader"] = entries["head"] = entries["tail"] = codes.NONE
    rows = [
        (
            number * keys,
            keys,
            each.max_entries,
            1 << codes.OK | replies.failures(_none, each.keeps),
            replies.failures(each.rescues),
            replies.failures(each.remembers),
        )
        for number, each in enumerate(owners)
    ]
    return Caches(
        np.array(rows, CACHE),
        lines(len(owners)),
        entries,
        np.concatenate([record_of(each.parameters) for each in owners]),
        np.concatenate([record_of(each.errors) for each in owners]),
        np.repeat(record_of(cache.State()), len(owners) + 1),
    )


def hedges_of(owners: list[Any], replies: Replies) -> Hedges:
    """Return the records of hedges that have seen nothing."""
    if not owners:
        return no_hedges()
    rows = [
        (each.hedges, replies.failures(each.is_failure), math.nan if each.fixed_s is None else each.fixed_s)
        for each in owners
    ]
    return Hedges(
        np.array(rows, HEDGE),
        np.concatenate([record_of(each.parameters) for each in owners]),
        np.repeat(record_of(budget.State()), len(owners)),
        np.concatenate([record_of(each.learning) for each in owners]),
        np.repeat(record_of(latency_quantile.State()), len(owners)),
        np.zeros((len(owners), latency_quantile.BINS), np.int64),
    )
