"""`Timeout`: how long one attempt may take."""

from workbench.reliability.policies._limiting import LimitPolicy

__all__ = ["Timeout"]


class Timeout(LimitPolicy):
    """How long one attempt may take: put it within a retry.

    What is called sees the limit in `current_deadline`, and may hand it on to sockets. When it is not kept,
    `AttemptTimeoutError` is raised, after which another attempt makes sense; where a limit around comes
    sooner, that one holds and is named.

    Async code is cancelled. All limits of a call share one timer, and a `CancelledError` that somebody else
    asked for stays what it is. Sync code cannot be cancelled: by default it runs to its end, and its result
    is dropped when it comes too late; see `interrupt`.

    Parameters
    ----------
    timeout_s : float
        No default: Polly's is 30 s and resilience4j's 1 s; only you know how long your calls take.
    interrupt : {"none", "thread", "signal"}
        For sync code: let it run to its end; leave it to a thread of its own and go on; raise the error in it
        by a signal, in the main thread, on POSIX. What each can and cannot stop is in
        `policies._interruption`.

    Raises
    ------
    PolicyError
        When the time is not positive, or this system cannot interrupt so.

    Examples
    --------
    >>> from workbench.clock import VirtualClock
    >>> clock = VirtualClock()
    >>> Timeout(1.0, clock=clock).call(clock.sleep, 3.0)  # doctest: +ELLIPSIS
    Traceback (most recent call last):
    workbench.reliability.errors.rejections.AttemptTimeoutError: timeout 'timeout': ... took longer than 1 s
    timeout: attempt 1, after 3 s, 2 s past the deadline
    """

    kind = "timeout"
    per_attempt = True
