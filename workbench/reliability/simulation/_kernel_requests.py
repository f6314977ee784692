"""In what the calls differ that come: recorded, or drawn by their numbers."""

from typing import Any

from workbench.kernels.parts import inlined
from workbench.reliability.simulation import _codes as codes
from workbench.reliability.simulation._kernel_random import uniform

__all__ = ["tell_apart"]


@inlined
def tell_apart(w: Any, this: Any) -> None:
    """Give a call that comes its importance, its tenant, its key and its cost."""
    d, seed, serial = w.differences, w.service[0].seed, this.serial
    this.level = _value(d.levels, d.level_shares, seed, codes.LEVELS, serial)
    this.tenant = _value(d.tenants, d.tenant_shares, seed, codes.TENANTS, serial)
    this.key = _value(d.keys, d.key_shares, seed, codes.KEYS, serial)
    this.cost = d.cost_values[_value(d.costs, d.cost_shares, seed, codes.COSTS, serial)]


@inlined
def _value(recorded: Any, shares: Any, seed: Any, stream: Any, serial: Any) -> Any:
    if len(recorded) > 0:
        return recorded[serial % len(recorded)]
    first, last = 0, len(shares) - 1
    if last > 0:
        u = uniform(seed, stream, serial)
        while first < last:
            middle = (first + last) >> 1
            if shares[middle] > u:
                last = middle
            else:
                first = middle + 1
    return first
