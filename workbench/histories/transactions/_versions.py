"""Versions of keys, who wrote and read each, and which writes may come next: the second half of inference.

A list has one version for each element of its longest read, and its initial one; the appends that nobody has
read come after the last. A register has the last value that each transaction wrote; where no order is given,
a transaction that read a version and then wrote has replaced it, and all others come after the initial one.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from workbench.histories.transactions import _codes as codes
from workbench.histories.transactions._reads import Flags, Integers, Reads
from workbench.histories.transactions.errors import TransactionError

__all__ = ["Versions", "versions_of"]


@dataclass(frozen=True)
class Versions:
    """All versions of all keys.

    Attributes
    ----------
    writers : (v,) int32
        The transaction that wrote each version, or -1.
    rows : (v,) int64
        The row that wrote it, or -1.
    keys : (v,) int64
    bounds : (v + 1,) int64, successors : (s,) int32, successor_rows : (s,) int64
        The writers of what comes next; ascending for each version.
    ordered : (v,) bool
        Whether what comes next is known without a read by its writer.
    reads : (r,) int64
        The rows that read a version, and which.
    versions : (r,) int64
    """

    writers: npt.NDArray[np.int32]
    rows: Integers
    keys: Integers
    bounds: Integers
    successors: npt.NDArray[np.int32]
    successor_rows: Integers
    ordered: Flags
    reads: Integers
    versions: Integers
    of_row: Integers  # for each row the version that it read, or -1

    @property
    def undecided(self) -> Integers:
        """The versions of which it is not known which comes next."""
        return np.flatnonzero(np.diff(self.bounds) > 1)


def versions_of(reads: Reads, chain: Integers | None = None) -> Versions:
    """Return the versions of all keys.

    Parameters
    ----------
    reads : Reads
    chain : (w,) int64, optional
        Writes in the order in which they come, those of a key together, where reads leave it open: of a
        register the last writes of all that committed, of a list the appends that nobody has read.
    """
    return _Builder(reads, np.empty(0, np.int64) if chain is None else chain).build()


class _Builder:
    """Versions while they are put together."""

    def __init__(self, reads: Reads, chain: Integers) -> None:
        self.r, self.t = reads, reads.transactions
        appends = self.t.kind[chain] == codes.APPEND
        self.appends, self.writes = chain[appends], chain[~appends]
        writer = np.where(reads.order >= 0, reads.owner[reads.order], -1) if len(reads.order) else reads.order
        self.valid = (writer >= 0) & (reads.fate[writer] == codes.COMMITTED) if len(writer) else writer > 0
        self.before = np.concatenate([[0], np.cumsum(self.valid)])
        self.order_keys = np.repeat(np.arange(reads.keys), np.diff(reads.order_bounds))
        self.initial = self.before[reads.order_bounds[:-1]] + np.arange(reads.keys)  # version of each key
        self.last = self.before[reads.order_bounds[1:]] + np.arange(reads.keys)
        self.count = int(self.before[-1]) + reads.keys

    def build(self) -> Versions:
        r, t = self.r, self.t
        elements = np.flatnonzero(self.valid)
        in_list = r.order[elements]
        list_versions = self.before[elements + 1] + self.order_keys[elements]
        final = np.flatnonzero(r.final & r.committed & (t.kind == codes.WRITE))
        register_versions = self.count + np.arange(len(final))
        half = np.flatnonzero(self._half_read())
        half_versions = self.count + len(final) + np.arange(len(half))
        after, unread = self._unread(in_list, self.count + len(final) + len(half))
        total = self.count + len(final) + len(half) + len(self.appends)
        rows = np.full(total, -1, np.int64)
        rows[list_versions], rows[register_versions], rows[half_versions] = in_list, final, r.source[half]
        rows[total - len(self.appends) :] = self.appends
        keys = np.zeros(total, np.int64)
        keys[self.initial] = np.arange(r.keys)
        keys[rows >= 0] = r.key[rows[rows >= 0]]
        of_write = np.full(len(t.kind), -1, np.int64)
        of_write[final] = register_versions
        of_row = self._versions_read(of_write, half, half_versions)
        links = [(self.before[elements] + self.order_keys[elements], in_list), (after, unread)]
        ordered = np.zeros(total, np.bool_)
        ordered[: self.count] = True
        ordered[total - len(self.appends) :] = True
        links += self._register_links(final, of_write, of_row, ordered)
        bounds, successor_rows = _grouped(links, total)
        seen = np.flatnonzero(of_row >= 0)
        writers = np.full(total, -1, np.int32)
        writers[rows >= 0] = r.owner[rows[rows >= 0]]
        return Versions(
            writers, rows, keys, bounds, r.owner[successor_rows], successor_rows, ordered,
            seen, of_row[seen], of_row,
        )  # fmt: skip

    def _half_read(self) -> Flags:
        """Which register reads have seen what their writer wrote over in the same transaction."""
        r = self.r
        seen: Any = (r.external == 1) & r.committed & (self.t.kind == codes.READ) & (r.source >= 0)
        return seen & (r.fate[r.owner[r.source]] == codes.COMMITTED) & ~r.final[r.source]

    def _versions_read(self, of_write: Integers, half: Integers, half_versions: Integers) -> Integers:
        """Return for each row the version that it read, or -1."""
        r, kind = self.r, self.t.kind
        found = np.full(len(kind), -1, np.int64)
        lists = np.flatnonzero((kind == codes.READ_LIST) & r.committed & r.agrees & (r.external >= 0))
        found[lists] = self.before[r.order_bounds[r.key[lists]] + r.external[lists]] + r.key[lists]
        single = np.flatnonzero((kind == codes.READ) & r.committed & (r.external == 1))
        found[single] = np.where(r.source[single] >= 0, of_write[r.source[single]], -1)
        nothing = single[self.t.value[single] == codes.INITIAL]
        found[nothing] = self.initial[r.key[nothing]]
        found[half] = half_versions
        own = single[(r.source[single] >= 0) & (r.owner[r.source[single]] == r.owner[single])]
        found[own] = -1
        return found

    def _unread(self, in_list: Integers, first: int) -> tuple[Integers, Integers]:
        """Return after which version each append comes that nobody has read, and these appends.

        By default that is the last one of its key; a chain makes new versions, counted from `first`.
        """
        r = self.r
        seen = np.zeros(len(self.t.kind), np.bool_)
        seen[in_list] = True
        rows = np.flatnonzero((self.t.kind == codes.APPEND) & r.final & r.committed & ~seen)
        after = self.last[r.key[rows]]
        new = first + np.arange(len(self.appends))
        places = np.searchsorted(rows, self.appends)
        after[places] = self._previous(self.appends, new, self.last)
        return after, rows

    def _previous(self, chain: Integers, versions: Integers, begins: Integers) -> Integers:
        """Return the version before each of a chain: that of the write before, or where its key begins."""
        keys = self.r.key[chain]
        found = begins[keys]
        follows = np.flatnonzero(keys[1:] == keys[:-1]) + 1
        found[follows] = versions[follows - 1]
        return found

    def _register_links(
        self, final: Integers, of_write: Integers, of_row: Integers, ordered: Flags
    ) -> list[tuple[Integers, Integers]]:
        """Return after which version each last write to a register comes."""
        r = self.r
        source = r.replaced[final]
        previous = np.where(source >= 0, of_row[source], -1)
        known = (previous >= 0) & (previous < self.count + len(final))
        previous = np.where(known, previous, self.initial[r.key[final]])
        if len(self.writes):
            self._check_chain(final)
            versions = of_write[self.writes]
            places = np.searchsorted(final, self.writes)
            previous[places] = self._previous(self.writes, versions, self.initial)
            ordered[versions] = True
        return [(previous, final)]

    def _check_chain(self, final: Integers) -> None:
        """Raise where a chain is not of all last writes to its registers."""
        chosen = np.zeros(self.r.keys, np.bool_)
        chosen[self.r.key[self.writes]] = True
        wanted = final[chosen[self.r.key[final]]]
        if np.array_equal(np.sort(self.writes), wanted):
            return
        wrong = sorted({*self.writes.tolist()} ^ {*wanted.tolist()})[:4]
        found = "; ".join(
            f"{self.t.micro_operation(row)} of transaction {self.r.owner[row]}" for row in wrong
        )
        msg = (
            "a version order must hold the last value that each committed transaction wrote to a register, "
            f"once; missing, or not such a value: {found}"
        )
        raise TransactionError(msg)


def _grouped(links: list[tuple[Integers, Integers]], total: int) -> tuple[Integers, Integers]:
    """Return rows by the version that they come after, ascending, and where each group begins."""
    versions = np.concatenate([after for after, _ in links])
    rows = np.concatenate([row for _, row in links])
    order = np.argsort(versions, kind="stable")  # rows ascend already; linear where the versions do
    return np.concatenate([[0], np.cumsum(np.bincount(versions, minlength=total))]), rows[order]
