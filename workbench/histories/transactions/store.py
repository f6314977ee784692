"""`TransactionStore`: a small multi-version store with a switch for its isolation, made to show anomalies.

Each key has its versions in the order of their commits. What a transaction reads and when it must abort:

::

    level               reads                                  must abort when
    read-uncommitted    the newest write, committed or not     it writes a key that another is still writing
    read-committed      the newest committed version           it writes a key that another is still writing
    consistent-view     versions that its replica has seen     another has written a key since its snapshot
    snapshot            the versions of when it began          another has written a key since it began
    serializable        the versions of when it began          another has written what it read or wrote

Below ``consistent-view`` a lock keeps writes from interleaving; in a store without threads nobody can wait
for it, so the second writer aborts at once. ``consistent-view`` is a store of replicas, each of which hears
of the others' commits only when `sync` is called (Parallel Snapshot Isolation: Sovran et al., Transactional
Storage for Geo-replicated Systems, SOSP 2011).

Every call is recorded, on a clock that ticks once for each, so that a test or a notebook decides which
transactions overlap, and `history` is what a client would have seen.
"""

from collections.abc import Hashable
from dataclasses import dataclass, field
from typing import Any, NoReturn, Self

from workbench.histories.history import History
from workbench.histories.operation import NIL, Operation
from workbench.histories.transactions.building import Status, transaction
from workbench.histories.transactions.errors import TransactionError

__all__ = ["StoreTransaction", "TransactionAbortedError", "TransactionStore"]

LEVELS = ("read-uncommitted", "read-committed", "consistent-view", "snapshot", "serializable")

LOCKING = ("read-uncommitted", "read-committed")


class TransactionAbortedError(TransactionError):
    """Raised by a commit or write that would break the store's isolation; the transaction has no effect."""


@dataclass(frozen=True, slots=True)
class _Version:
    """What a transaction has installed under a key, at a place in the order of commits."""

    commit: int
    replica: int
    appended: tuple[Any, ...] = ()
    written: Any = NIL


class TransactionStore:
    """A store of lists and registers by key, in memory, for one thread.

    Parameters
    ----------
    level : {"read-uncommitted", "read-committed", "consistent-view", "snapshot", "serializable"}
    replicas : int
        How many replicas a store of consistent views has.

    Raises
    ------
    TransactionError
        When there is no such level, or replicas at another level.

    Examples
    --------
    >>> store = TransactionStore("snapshot")
    >>> one, two = store.begin("A"), store.begin("B")
    >>> one.append("x", 1), two.append("y", 2), two.read("x")
    (None, None, [])
    >>> one.commit(), two.commit()
    (None, None)
    >>> store.history()
    History: 2 operations of 2 processes in ...
    """

    def __init__(self, level: str, *, replicas: int = 1) -> None:
        if level not in LEVELS:
            msg = f"there is no level {level!r}: give one of {', '.join(LEVELS)}"
            raise TransactionError(msg)
        if replicas < 1 or (replicas > 1 and level != "consistent-view"):
            msg = f"{replicas} replicas of a {level} store: only consistent-view has more than one"
            raise TransactionError(msg)
        self.level, self.replicas = level, replicas
        self.versions: dict[Hashable, list[_Version]] = {}
        self.running: list[StoreTransaction] = []
        self.heard = [dict.fromkeys(range(replicas), 0) for _ in range(replicas)]
        self.commits = 0
        self._operations: list[Operation] = []
        self._ticks = 0

    def begin(self, process: Hashable = 0, *, replica: int = 0) -> "StoreTransaction":
        """Begin a transaction of a process, at a replica."""
        if not 0 <= replica < self.replicas:
            msg = f"there is no replica {replica}: the store has {self.replicas}"
            raise TransactionError(msg)
        return StoreTransaction(self, process, replica, self.tick(), dict(self.heard[replica]))

    def sync(self) -> None:
        """Let every replica hear of all commits."""
        for heard in self.heard:
            heard.update(dict.fromkeys(heard, self.commits))

    def history(self) -> History:
        """Return the transactions as their clients saw them; those still running are indeterminate."""
        return History([*self._operations, *(each.operation("indeterminate", None) for each in self.running)])

    def version_order(self) -> dict[Hashable, list[Any]]:
        """Return the values that were written to each register, in the order of their commits."""
        orders = {
            key: [each.written for each in versions if each.written is not NIL]
            for key, versions in self.versions.items()
        }
        return {key: order for key, order in orders.items() if order}

    def tick(self) -> float:
        """Return the next instant, seconds."""
        self._ticks += 1
        return float(self._ticks)

    def record(self, operation: Operation) -> None:
        """Note a transaction that has ended."""
        self._operations.append(operation)

    def __repr__(self) -> str:
        return f"TransactionStore({self.level!r}): {self.commits:,} commits, {len(self.versions):,} keys"


@dataclass(eq=False)
class StoreTransaction:
    """A transaction of a `TransactionStore`; as a context it commits, or aborts when its block raises."""

    store: TransactionStore
    process: Hashable
    replica: int
    call_s: float
    snapshot: dict[int, int]
    done: list[tuple[Any, ...]] = field(default_factory=list)
    written: dict[Hashable, list[tuple[str, Any]]] = field(default_factory=dict)
    is_over: bool = False

    def __post_init__(self) -> None:
        if self.store.level in ("snapshot", "serializable"):
            self.snapshot = dict.fromkeys(self.snapshot, self.store.commits)
        self.store.running.append(self)

    def read(self, key: Hashable) -> Any:
        """Return the list or the value of a key; of a key that has neither, an empty list."""
        value = self._visible(key)
        self.done.append(("read", key, NIL if value == [] else value))
        return value

    def append(self, key: Hashable, value: Any) -> None:
        """Append a value to the list of a key."""
        self._write("append", key, value)

    def write(self, key: Hashable, value: Any) -> None:
        """Write a value to the register of a key."""
        self._write("write", key, value)

    def commit(self) -> None:
        """Install what was written.

        Raises
        ------
        TransactionAbortedError
            When that would break the level of the store.
        """
        self._check_running()
        if conflict := self._conflict():
            self._give_way(conflict)
        self.store.commits += 1
        for key, writes in self.written.items():
            appended = tuple(value for function, value in writes if function == "append")
            values = [value for function, value in writes if function == "write"]
            version = _Version(self.store.commits, self.replica, appended, values[-1] if values else NIL)
            self.store.versions.setdefault(key, []).append(version)
        self.store.heard[self.replica][self.replica] = self.store.commits
        self._end("committed")

    def abort(self) -> None:
        """Give up: nothing was written."""
        self._check_running()
        self._end("aborted")

    def operation(self, status: Status, return_s: float | None) -> Operation:
        """Return what was done, as an operation of a history."""
        return transaction(
            *self.done, process=self.process, call_s=self.call_s, return_s=return_s, status=status
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        if not self.is_over:
            if kind is None:
                self.commit()
            else:
                self.abort()

    def _write(self, function: str, key: Hashable, value: Any) -> None:
        self._check_running()
        others = (other for other in self.store.running if other is not self)
        if self.store.level in LOCKING and any(key in other.written for other in others):
            self._give_way(f"{key!r} is still being written")
        self.written.setdefault(key, []).append((function, value))
        self.done.append((function, key, value))

    def _give_way(self, conflict: str) -> NoReturn:
        self.abort()
        msg = f"{self.process!r} must abort: {conflict}; begin again, with new values"
        raise TransactionAbortedError(msg)

    def _visible(self, key: Hashable) -> Any:
        """Return what the level lets this transaction see of a key."""
        self._check_running()
        writes = [write for version in self._seen(key) for write in _writes(version)]
        if self.store.level == "read-uncommitted":
            writes += [
                write
                for other in self.store.running
                if other is not self
                for write in other.written.get(key, ())
            ]
        writes += self.written.get(key, [])
        values = [value for function, value in writes if function == "write"]
        return values[-1] if values else [value for _, value in writes]

    def _seen(self, key: Hashable) -> list[_Version]:
        versions = self.store.versions.get(key, [])
        if self.store.level in LOCKING:
            return versions
        return [version for version in versions if not self._is_new(version)]

    def _is_new(self, version: _Version) -> bool:
        return version.commit > self.snapshot[version.replica]

    def _conflict(self) -> str:
        """Return why this transaction must not commit, or nothing."""
        if self.store.level in LOCKING:
            return ""
        keys = set(self.written)
        if self.store.level == "serializable" and self.written:
            keys |= {key for function, key, _ in self.done if function == "read"}
        for key in sorted(keys, key=repr):
            if any(map(self._is_new, self.store.versions.get(key, ()))):
                return f"{key!r} has been written since it began"
        return ""

    def _end(self, status: Status) -> None:
        self.is_over = True
        self.store.running.remove(self)
        self.store.record(self.operation(status, self.store.tick()))

    def _check_running(self) -> None:
        if self.is_over:
            msg = f"the transaction of {self.process!r} has ended: begin another"
            raise TransactionError(msg)


def _writes(version: _Version) -> list[tuple[str, Any]]:
    appended = [("append", value) for value in version.appended]
    return appended if version.written is NIL else [*appended, ("write", version.written)]
