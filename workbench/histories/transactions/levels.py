"""Isolation levels: what each forbids, from the weakest to the strongest.

::

    read-uncommitted    PL-1      no G0, and no read of what nobody wrote
    read-committed      PL-2      and no G1a, G1b, G1c
    consistent-view     PL-2+     and no G-single
    snapshot            PL-SI     and no cycle on which anti-dependencies stand apart (long fork)
    repeatable-read     PL-2.99   no G1, no G2-item
    serializable        PL-3      no G1, no G2: the same here, where reads are of keys and not of predicates

A cycle forbidden at ``snapshot`` is one in which no two rw edges follow each other: exactly those that no
choice of snapshots and commits explains (Cerone & Gotsman 2018). ``consistent-view`` and Parallel Snapshot
Isolation forbid the same cycles. With the order in which each process did its transactions these levels are
``strong-session-...``, with real time ``strong-snapshot`` and ``strict-serializable``.
"""

from dataclasses import dataclass
from typing import Literal

from workbench.histories.transactions.errors import TransactionError

__all__ = ["IsolationLevel", "isolation_levels"]

DATA, PROCESS, REALTIME = 0, 1, 2  # which order counts, beside that of the data
UNCOMMITTED, COMMITTED, VIEW, SNAPSHOT, SERIALIZABLE = 0, 1, 2, 3, 4  # what is forbidden
ORDER_NAMES = ("", " (process)", " (realtime)")

Name = Literal[
    "read-uncommitted",
    "read-committed",
    "consistent-view",
    "snapshot",
    "repeatable-read",
    "serializable",
    "strong-session-snapshot",
    "strong-session-serializable",
    "strong-snapshot",
    "strict-serializable",
]

FIRST_FORBIDDEN = {
    "unwritten read": UNCOMMITTED,
    "internal": UNCOMMITTED,
    "duplicate elements": UNCOMMITTED,
    "G0": UNCOMMITTED,
    "G1a": COMMITTED,
    "dirty update": COMMITTED,
    "incompatible order": COMMITTED,
    "G1b": COMMITTED,
    "G1c": COMMITTED,
    "non-repeatable read": VIEW,
    "lost update": VIEW,
    "G-single": VIEW,
    "long fork": SNAPSHOT,
    "G2-item": SERIALIZABLE,
}


@dataclass(frozen=True, slots=True)
class IsolationLevel:
    """What a level forbids.

    Attributes
    ----------
    name : str
    portable_name : str
        Adya's, "PL-3", or Parallel Snapshot Isolation's.
    strength : int
        Anomalies of this strength, and of all smaller ones, are forbidden.
    order : int
        0: the order of the data alone; 1: also that of each process; 2: also real time.
    """

    name: Name
    portable_name: str
    strength: int
    order: int = DATA

    def forbids(self, anomaly: str) -> bool:
        """Tell whether the level forbids an anomaly of a name, as ``"G-single (process)"``."""
        plain, _, order = anomaly.partition(" (")
        needed = ORDER_NAMES.index(f" ({order}" if order else "")
        return FIRST_FORBIDDEN[plain] <= self.strength and needed <= self.order


LEVELS: dict[str, IsolationLevel] = {
    level.name: level
    for level in (
        IsolationLevel("read-uncommitted", "PL-1", UNCOMMITTED),
        IsolationLevel("read-committed", "PL-2", COMMITTED),
        IsolationLevel("consistent-view", "PL-2+", VIEW),
        IsolationLevel("snapshot", "PL-SI", SNAPSHOT),
        IsolationLevel("strong-session-snapshot", "", SNAPSHOT, PROCESS),
        IsolationLevel("strong-snapshot", "", SNAPSHOT, REALTIME),
        IsolationLevel("repeatable-read", "PL-2.99", SERIALIZABLE),
        IsolationLevel("serializable", "PL-3", SERIALIZABLE),
        IsolationLevel("strong-session-serializable", "", SERIALIZABLE, PROCESS),
        IsolationLevel("strict-serializable", "PL-SS", SERIALIZABLE, REALTIME),
    )
}
ALIASES = {
    **{level.portable_name: level.name for level in LEVELS.values() if level.portable_name},
    "snapshot-isolation": "snapshot",
    "parallel-snapshot": "consistent-view",
    "strong-serializable": "strict-serializable",
}


def isolation_levels() -> tuple[IsolationLevel, ...]:
    """Return all levels that `isolation` knows, from the weakest.

    Examples
    --------
    >>> [level.name for level in isolation_levels() if level.forbids("lost update")][:2]
    ['consistent-view', 'snapshot']
    """
    return tuple(LEVELS.values())


def level_named(name: str) -> IsolationLevel:
    """Return the level of a name, Adya's names included.

    Raises
    ------
    TransactionError
        When there is none; says which there are.
    """
    found = LEVELS.get(ALIASES.get(name, name))
    if found is None:
        msg = f"there is no isolation level {name!r}: give one of {', '.join(LEVELS)}"
        raise TransactionError(msg)
    return found
