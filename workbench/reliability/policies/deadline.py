"""`Deadline`: how long a call may take with all its attempts and waits."""

from workbench.reliability.policies._limiting import LimitPolicy

__all__ = ["Deadline"]


class Deadline(LimitPolicy):
    """How long a call may take with all its attempts and waits: put it around a retry.

    What is called sees it in `current_deadline`, down to other threads, processes and servers (see
    `workbench.reliability.deadlines`). A retry within starts no attempt that comes too late. When it is not
    kept, `DeadlineExceededError` is raised, after which no other attempt makes sense. It works as `Timeout`
    does in all else, and takes the same arguments.

    Examples
    --------
    >>> from workbench.clock import VirtualClock
    >>> from workbench.reliability.deadlines import current_deadline
    >>> Deadline(2.0, clock=VirtualClock()).call(lambda: current_deadline().left_s())
    2.0
    """

    kind = "deadline"
    per_attempt = False
