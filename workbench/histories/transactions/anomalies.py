"""`Anomaly`: what transactions did that an isolation level forbids, and the dependencies that prove it.

::

    unwritten read        a read of what nobody wrote                                        every level
    internal              a transaction misses its own writes, or sees them too early        every level
    duplicate elements    one append twice in a list                                         every level
    G0                    a cycle of ww: writes interleave                                   read uncommitted
    G1a                   aborted read                                                       read committed
    dirty update          a committed write on top of an aborted one                         read committed
    incompatible order    two lists of a key, neither of which begins the other              read committed
    G1b                   intermediate read: a value its writer wrote over                   read committed
    G1c                   a cycle of ww and wr: circular flow of information                 read committed
    non-repeatable read   one transaction reads two versions of a key                        consistent view
    lost update           two transactions replace the same version of a key                 consistent view
    G-single              a cycle with one rw                                                consistent view
    long fork             a cycle with several rw, no two of which follow each other         snapshot
    G2-item               a cycle with rw, two of which follow each other; write skew        serializable

An edge ``ww`` leads from the writer of a version to that of the next, ``wr`` from a writer to who read it,
``rw`` (an anti-dependency) from who read a version to the writer of the next. Cycles that need an edge of the
order of a process, or of real time, have its name behind theirs: ``G-single (realtime)``.

Sources: A. Adya, Weak Consistency (MIT, 1999), chapters 3 and 4; K. Kingsbury, P. Alvaro, Elle: Inferring
Isolation Anomalies from Experimental Observations (VLDB 2020); A. Cerone, A. Gotsman, Analysing Snapshot
Isolation (JACM 2018).
"""

from dataclasses import dataclass
from typing import Any, Literal

from workbench.histories.operation import Nil

__all__ = ["Anomaly", "Dependency"]


@dataclass(frozen=True, slots=True)
class Dependency:
    """One edge of a cycle: why one transaction comes before another.

    Attributes
    ----------
    before, after : int
        The numbers of the transactions.
    kind : {"ww", "wr", "rw", "process", "realtime"}
    key : object
        The key that both used; None for the orders of processes and of real time.
    value, next_value : object
        The version that `before` wrote (ww, wr) or read (rw), and the later one that `after` wrote (ww, rw).
    """

    before: int
    after: int
    kind: Literal["ww", "wr", "rw", "process", "realtime"]
    key: Any = None
    value: Any = None
    next_value: Any = None

    @property
    def label(self) -> str:
        """A few words for pictures: ``rw x: 1 → 2``."""
        if self.kind in ("process", "realtime"):
            return self.kind
        change = "" if self.kind == "wr" else f" → {_short(self.next_value)}"
        return f"{self.kind} {self.key}: {_short(self.value)}{change}"

    def __str__(self) -> str:
        before, after = f"T{self.before}", f"T{self.after}"
        if self.kind == "process":
            return f"{before} came before {after} in one process"
        if self.kind == "realtime":
            return f"{before} returned before {after} was called"
        value, later = _short(self.value), _short(self.next_value)
        texts = {
            "ww": f"{before} wrote {self.key} = {value}, which {after} followed with {later}",
            "wr": f"{after} read {self.key} = {value}, which {before} wrote",
            "rw": f"{before} read {self.key} = {value}, which {after} followed with {later}",
        }
        return texts[self.kind]


@dataclass(frozen=True, slots=True)
class Anomaly:
    """What transactions did that an isolation level forbids.

    Attributes
    ----------
    name : str
        As above.
    transactions : tuple of int
        Those that took part, a cycle's in its order.
    cycle : tuple of Dependency
        The dependencies that close a cycle; empty for what is wrong in itself.
    text : str
        What happened, in one sentence.
    """

    name: str
    transactions: tuple[int, ...]
    cycle: tuple[Dependency, ...]
    text: str

    def __str__(self) -> str:
        if not self.cycle:
            return f"{self.name}: {self.text}"
        return "\n".join([f"{self.name}: {self.text}", *(f"  {edge}" for edge in self.cycle)])

    def __repr__(self) -> str:
        names = " -> ".join(f"T{txn}" for txn in self.transactions)
        closing = f" -> T{self.transactions[0]}" if self.cycle else ""
        return f"Anomaly({self.name}: {names}{closing})"


def _short(value: object) -> str:
    text = "nothing" if value is None or isinstance(value, Nil) else repr(value)
    return text if len(text) <= 24 else f"{text[:23]}…"
