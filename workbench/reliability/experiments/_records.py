"""The record of a call in an experiment."""

import numpy as np

__all__ = ["CALL"]

# A call: its number, when it was due, when it really began, when it ended
CALL = np.dtype(
    [(name, np.int64) for name in ("serial", "outcome", "attempts")]
    + [(name, np.float64) for name in ("arrived_s", "started_s", "finished_s")]
)
