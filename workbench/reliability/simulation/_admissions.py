"""The records of limiters, throttles, adaptive limits and injected faults, as the kernels take them.

Each such policy has one record with room for the parameters and the state of any of their machines: a kernel
compiles several times faster with one array of these than with two arrays a machine.
"""

from typing import Any

import numpy as np

from workbench.reliability.machines import (
    aimd,
    chaos,
    client_throttle,
    fixed_window,
    gradient2,
    leaky_bucket,
    sampling,
    sliding_log,
    sliding_window,
    token_bucket,
    vegas,
)
from workbench.reliability.machines._records import record_dtype

__all__ = ["ADMISSION", "MACHINES"]

MACHINES = {
    "token_bucket": token_bucket,
    "leaky_bucket": leaky_bucket,
    "fixed_window": fixed_window,
    "sliding_window": sliding_window,
    "sliding_log": sliding_log,
    "client_throttle": client_throttle,
    "sampling": sampling,
    "aimd": aimd,
    "vegas": vegas,
    "gradient2": gradient2,
    "chaos": chaos,
}
# Where what it has stands in `counts` or `numbers`, its random numbers, its algorithm, and what it injects
INTEGERS = "first several stream draws algorithm last_first fault seeded seed distribution"


def _record() -> np.dtype[Any]:
    found: list[tuple[str, Any]] = [(name, np.int64) for name in INTEGERS.split()]
    found += [("a", np.float64), ("b", np.float64)]
    for name, machine in MACHINES.items():
        found.append((f"{name}_parameters", record_dtype(machine.Parameters)))
        found.append((f"{name}_state", record_dtype(machine.State)))
    return np.dtype(found, align=True)


ADMISSION = _record()
