"""The records that the simulator's kernel works on."""

from typing import Any

import numpy as np

__all__ = [
    "ATTEMPT",
    "CALL",
    "CONTROL",
    "EVENT",
    "FAULT",
    "LAYER",
    "LOG",
    "RESERVATION",
    "SCRATCH",
    "SERVICE",
    "TIMERS",
    "WORK",
    "record",
]


def record(integers: str, numbers: str) -> np.dtype[Any]:
    """Return the type of a record with such fields."""
    return np.dtype(
        [(name, np.int64) for name in integers.split()] + [(name, np.float64) for name in numbers.split()]
    )


# One layer of the pipeline: its kind, its machine's number, the outcomes that count as failures (a bit each)
# Of some: the number of its record in `admissions`, whether a retry heeds what the callee asks for, a reply,
# whether a limiter has a record for each key, and whether calls cost what they do
LAYER = record("kind index budget failures admission heeds replacement keyed costed", "limit_s")
# A call under way: which layer it is suspended in, how often it was, its neighbours in the queue it waits in
# Which of these suspensions is about to end (`woken`), and which one does so as the call is cancelled
CALL = record(
    "serial layer version attempt attempts user cancelled_at previous following pending level tenant key"
    " root parent top woken cancelled",
    "arrived_s waited_s hint_s cost",
)
# What a layer remembers of a call
SCRATCH = record("number timer drawn", "time_s delay_s")
# What a limiter remembered before and after a call took a place that it waits for
RESERVATION = record("", "before_1 before_2 before_3 after_1 after_2 after_3")
# A call of the service, which may outlive the call that made it
ATTEMPT = record("call serial number outcome previous following", "issued_s")
# What happens later
EVENT = record("order kind subject layer token following", "at_s")
# The timers of a layer that stand in line
TIMERS = record("head tail", "")
# What is to be done now
WORK = record("direction call version layer outcome steps", "")
# A call that has ended
LOG = record("serial outcome attempts user", "arrived_s finished_s waited_s")
# From when to when the service is not itself
FAULT = record("kind", "start_s end_s amount")
# The service, and who calls it
SERVICE = record(
    "servers distribution discipline queue_limit cancels seed arrival_kind users",
    "a b drop_after_s failure_rate rate_hz think_s until_s warmup_s bin_s",
)
CONTROL = record(
    "started arrivals calls free_call free_attempt free_event events heap order bin work_first work_count"
    " busy queued queue_head queue_tail logged served completed attempts rejected",
    "now_s next_arrival_s waited_s serviced_s queue_area busy_area changed_s",
)
