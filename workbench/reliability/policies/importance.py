"""How important a call is, and for whom it is made: said once, and read by all policies within.

Source of the four values: B. Beyer et al., Site Reliability Engineering (2016), chapter 21, "Criticality".
"""

import enum
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

__all__ = ["Criticality", "criticality", "current_criticality"]


class Criticality(enum.IntEnum):
    """How important a call is; the smaller, the more.

    Examples
    --------
    >>> Criticality.CRITICAL < Criticality.SHEDDABLE
    True
    """

    CRITICAL_PLUS = 0
    """Its failure is a serious, user-visible impact; capacity is provisioned for it."""

    CRITICAL = 1
    """Its failure is visible to users; the default."""

    SHEDDABLE_PLUS = 2
    """Partial unavailability is expected, as of batch jobs, which retry minutes later."""

    SHEDDABLE = 3
    """Frequent partial, and sometimes full unavailability is expected."""


_current: ContextVar[tuple[int, object]] = ContextVar("criticality", default=(Criticality.CRITICAL, None))


@contextmanager
def criticality(level: int | None = None, *, key: object = None) -> Iterator[None]:
    """Say how important the calls of a block are, and for whom they are made.

    It holds for the block's own code and for the tasks that it starts; blocks nest.

    Parameters
    ----------
    level : int, optional
        One of `Criticality`, or any number: the smaller, the more important. Without it, that of the block
        around.
    key : hashable, optional
        Between whom to be fair: a tenant, a user, a route. Without it, that of the block around.

    Examples
    --------
    >>> with criticality(Criticality.SHEDDABLE, key="reports"):
    ...     with criticality(key="monthly report"):
    ...         current_criticality()
    (3, 'monthly report')
    """
    around = _current.get()
    token = _current.set((around[0] if level is None else int(level), around[1] if key is None else key))
    try:
        yield
    finally:
        _current.reset(token)


def current_criticality() -> tuple[int, object]:
    """Return how important calls are here, and for whom they are made."""
    return _current.get()
