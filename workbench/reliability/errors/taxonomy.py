"""`ErrorClass`: what a failure means to the one who decides what to do next.

================ ======== ======================================================================
class            retried  because
================ ======== ======================================================================
TRANSIENT        yes      the same call may well succeed in a moment
TIMEOUT          yes      no answer in time; whether the work was done is not known
THROTTLED        yes      the callee limits us, and often says when to come back
OVERLOAD         yes      resources are short, there or here: later, and less
PERMANENT        no       the same call fails again
CANCELLED        no       somebody no longer wants the answer
OPEN             no       a breaker is open: it says so at once until it lets a probe through
BUDGET_EXHAUSTED no       what may be spent on retries is spent; more of them would feed the overload
================ ======== ======================================================================

The classes follow the canonical codes of gRPC, the status codes of RFC 9110 and the classes of SQLSTATE where
these agree; where they do not, the rule says so beside its code.
"""

import enum
from typing import Self

__all__ = ["ErrorClass"]


class ErrorClass(enum.Enum):
    """What a failure means to the one who decides whether to try again.

    Examples
    --------
    >>> [each.value for each in ErrorClass if each.retryable]
    ['transient', 'throttled', 'timeout', 'overload']
    >>> print(ErrorClass.PERMANENT.meaning)
    The same call would fail again: it is wrong, refused or unsupported.
    """

    meaning: str
    retryable: bool

    TRANSIENT = ("transient", "A passing fault: the same call may succeed in a moment.", True)
    PERMANENT = ("permanent", "The same call would fail again: it is wrong, refused or unsupported.", False)
    THROTTLED = (
        "throttled",
        "The caller sends more than it may: slow down, and wait if told how long.",
        True,
    )
    TIMEOUT = ("timeout", "No answer came in time; whether the work was done is not known.", True)
    CANCELLED = ("cancelled", "The caller, or the program, no longer wants the answer.", False)
    OVERLOAD = ("overload", "Memory, connections, queues or disks are full, at the callee or here.", True)
    OPEN = ("open", "A circuit breaker refuses calls until it probes the callee again.", False)
    BUDGET_EXHAUSTED = ("budget exhausted", "The budget for retries or hedges is spent.", False)

    def __new__(cls, name: str, meaning: str = "", retryable: bool = False) -> Self:  # noqa: FBT001, FBT002
        """Return a member whose value is its name in words."""
        member = object.__new__(cls)
        member._value_ = name
        member.meaning = meaning
        member.retryable = retryable
        return member

    def __repr__(self) -> str:
        return f"ErrorClass.{self.name}"
