"""Anomalies that show without a search for cycles: in single reads, and in pairs that replace one version."""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from workbench.histories.operation import Nil
from workbench.histories.transactions import _codes as codes
from workbench.histories.transactions._explaining import Explainer
from workbench.histories.transactions._reads import Flags, Integers, Reads
from workbench.histories.transactions._versions import Versions
from workbench.histories.transactions.anomalies import Anomaly, Dependency

__all__ = ["Found", "direct_anomalies"]


@dataclass
class Found:
    """Anomalies, at most so many of each name, and how many there are in all."""

    most: int
    anomalies: list[Anomaly] = field(default_factory=list)
    counts: Counter[str] = field(default_factory=Counter)

    def add(self, name: str, places: Integers, make: Callable[[int], Anomaly]) -> None:
        """Count the anomalies at these places, and make the first of them."""
        if len(places):
            self.counts[name] += len(places)
            self.anomalies += [make(int(place)) for place in places[: self.most]]


def direct_anomalies(reads: Reads, versions: Versions, most: int) -> Found:
    """Return what is wrong with single reads and pairs of them."""
    found = Found(most)
    search = _Search(reads, versions, Explainer(reads, versions))
    search.internal(found)
    search.orders(found)
    search.odd_lists(found)
    search.registers(found)
    search.intermediate(found)
    search.repeated(found)
    search.lost_updates(found)
    return found


@dataclass(frozen=True)
class _Search:
    r: Reads
    v: Versions
    explainer: Explainer

    # What a transaction sees of itself

    def internal(self, found: Found) -> None:
        r, t = self.r, self.r.transactions
        a_read = (t.kind == codes.READ_LIST) | (t.kind == codes.READ)
        missed = np.flatnonzero(r.committed & a_read & (r.external == codes.BAD))
        found.add("internal", missed, lambda row: self._one("internal", row, "misses its own writes: {did}"))
        early = np.flatnonzero(
            r.committed
            & (t.kind == codes.READ)
            & (r.external == 1)
            & (r.source >= 0)
            & (r.owner[r.source] == r.owner)
        )
        lists = np.flatnonzero(self.v.writers[self.v.versions] == r.owner[self.v.reads])
        early = np.concatenate([early, self.v.reads[lists]])
        found.add(
            "internal", early, lambda row: self._one("internal", row, "sees its own write too early: {did}")
        )

    # The order of each list

    def orders(self, found: Found) -> None:
        """Look at the longest list of each key: who wrote its elements, and whether they did so once."""
        r = self.r
        keys = np.repeat(np.arange(r.keys), np.diff(r.order_bounds))
        readers = r.longest[keys]
        self._unwritten(found, np.flatnonzero(r.order < 0), readers, r.order_values)
        place_of = np.full(len(r.transactions.kind), -1, np.int64)
        known = np.flatnonzero(r.order >= 0)
        place_of[r.order[known]] = known
        twice = known[place_of[r.order[known]] != known]
        self._twice(found, twice, readers, r.order_values)
        self._aborted(found, keys)
        self._shuffled(found, place_of)

    def _unwritten(self, found: Found, places: Integers, readers: Integers, values: Integers) -> None:
        name = self.r.transactions.value_name
        found.add(
            "unwritten read",
            places,
            lambda place: self._one(
                "unwritten read", int(readers[place]), f"{{did}}: nobody wrote {name(values[place])!r}"
            ),
        )

    def _twice(self, found: Found, places: Integers, readers: Integers, values: Integers) -> None:
        name = self.r.transactions.value_name
        found.add(
            "duplicate elements",
            places,
            lambda place: self._one(
                "duplicate elements",
                int(readers[place]),
                f"{{did}}: {name(values[place])!r} was appended once",
            ),
        )

    def _aborted(self, found: Found, keys: Integers) -> None:
        """Find reads of aborted appends, and committed appends on top of such."""
        r, t = self.r, self.r.transactions
        dirty = np.flatnonzero((r.order >= 0) & (r.fate[r.owner[r.order]] == codes.ABORTED))
        if not len(dirty):
            return
        first = np.full(r.keys, np.iinfo(np.int64).max)
        np.minimum.at(first, keys[dirty], dirty - r.order_bounds[keys[dirty]])
        sees = (t.kind == codes.READ_LIST) & r.agrees & (r.external > first[r.key])
        source = {int(key): int(place) for key, place in zip(keys[dirty][::-1], dirty[::-1], strict=True)}
        found.add(
            "G1a",
            np.flatnonzero(sees),
            lambda row: self._read_of("G1a", row, int(r.order[source[int(r.key[row])]])),
        )
        kept = (r.order >= 0) & (r.fate[r.owner[r.order]] == codes.COMMITTED)
        last = np.full(r.keys, -1, np.int64)
        np.maximum.at(last, keys[kept], np.flatnonzero(kept))
        found.add("dirty update", dirty[last[keys[dirty]] > dirty], self._dirty)

    def _dirty(self, place: int) -> Anomaly:
        r = self.r
        row = int(r.order[place])
        above = place + 1
        while r.order[above] < 0 or r.fate[r.owner[r.order[above]]] != codes.COMMITTED:
            above += 1
        wrote, builds = int(r.owner[row]), int(r.owner[r.order[above]])
        upper, lower = self._did(int(r.order[above])), self._did(row)
        text = f"{upper} of T{builds} committed on top of {lower} of T{wrote}, which aborted"
        return Anomaly("dirty update", (wrote, builds), (), text)

    def _shuffled(self, found: Found, place_of: Integers) -> None:
        """Find appends of one transaction that do not stand in the order in which it made them."""
        r = self.r
        later = np.flatnonzero(
            (r.transactions.kind == codes.APPEND) & r.committed & (r.own_before >= 0) & (place_of >= 0)
        )
        before = place_of[r.own_before[later]]
        wrong = later[(before < 0) | (before > place_of[later])]
        found.add(
            "internal",
            wrong,
            lambda row: self._one("internal", row, "appended {did} after another that is not before it"),
        )

    # Lists that do not fit the order

    def odd_lists(self, found: Found) -> None:
        """Look at lists that do not begin the longest one."""
        r, t = self.r, self.r.transactions
        odd = np.flatnonzero(r.committed & (t.kind == codes.READ_LIST) & (r.external >= 0) & ~r.agrees)
        found.add("incompatible order", odd, self._incompatible)
        if not len(odd):
            return
        source = r.find_writes(odd)
        sizes = t.lists[odd + 1] - t.lists[odd]
        readers = np.repeat(odd, sizes)
        values = np.concatenate([t.elements[t.lists[row] : t.lists[row + 1]] for row in odd])
        self._unwritten(found, np.flatnonzero(source < 0), readers, values)
        pairs = np.stack([readers, values], axis=1)
        _, firsts = np.unique(pairs, axis=0, return_index=True)
        self._twice(found, np.setdiff1d(np.arange(len(values)), firsts), readers, values)
        dirty = np.flatnonzero((source >= 0) & (r.fate[r.owner[source]] == codes.ABORTED))
        _, once = np.unique(readers[dirty], return_index=True)
        found.add(
            "G1a", dirty[once], lambda place: self._read_of("G1a", int(readers[place]), int(source[place]))
        )

    def _incompatible(self, row: int) -> Anomaly:
        other = int(self.r.longest[self.r.key[row]])
        first, second = int(self.r.owner[row]), int(self.r.owner[other])
        text = f"T{first} did {self._did(row)}, T{second} did {self._did(other)}: neither begins the other"
        return Anomaly("incompatible order", (first, second), (), text)

    # Registers

    def registers(self, found: Found) -> None:
        """Look at the writes that reads of registers have seen."""
        r, t = self.r, self.r.transactions
        single = r.committed & (t.kind == codes.READ) & (r.external == 1)
        rows = np.flatnonzero(single & (r.source < 0) & (t.value != codes.INITIAL))
        found.add(
            "unwritten read", rows, lambda row: self._one("unwritten read", row, "{did}: nobody wrote that")
        )
        seen = np.flatnonzero(single & (r.source >= 0))
        aborted = seen[r.fate[r.owner[r.source[seen]]] == codes.ABORTED]
        found.add("G1a", aborted, lambda row: self._read_of("G1a", row, int(r.source[row])))

    # Versions

    def intermediate(self, found: Found) -> None:
        """Find reads of what its writer wrote over, or appended to, in the same transaction."""
        r, v = self.r, self.v
        source = v.rows[v.versions]
        half: Flags = (source >= 0) & ~r.final[source] & (v.writers[v.versions] != r.owner[v.reads])
        found.add(
            "G1b",
            np.flatnonzero(half),
            lambda place: self._read_of("G1b", int(v.reads[place]), int(source[place])),
        )

    def repeated(self, found: Found) -> None:
        """Find transactions that read two versions of one key from others."""
        r, v = self.r, self.v
        earlier = r.read_before[v.reads]
        before = np.where(earlier >= 0, v.of_row[earlier], -1)
        places = np.flatnonzero((before >= 0) & (before != v.versions))
        found.add(
            "non-repeatable read",
            places,
            lambda place: self._repeated(int(v.reads[place]), int(before[place]), int(v.versions[place])),
        )

    def _repeated(self, row: int, first: int, second: int) -> Anomaly:
        txn, v = int(self.r.owner[row]), self.v
        values = [self._value(version) for version in (first, second)]
        text = f"T{txn} read {self.explainer.key_of(first)} twice: {values[0]}, then {values[1]}"
        old, new = sorted((first, second), key=lambda version: (v.writers[version] >= 0, version))
        writer = int(v.writers[new])
        key, values = self.explainer.key_of(new), [self.explainer.value_of(version) for version in (old, new)]
        cycle = (Dependency(txn, writer, "rw", key, *values), Dependency(writer, txn, "wr", key, values[1]))
        return Anomaly("non-repeatable read", (txn, writer), cycle if writer not in (-1, txn) else (), text)

    def lost_updates(self, found: Found) -> None:
        """Find versions that several transactions have read and replaced."""
        r, v = self.r, self.v
        writes = np.flatnonzero(r.final & r.committed & (r.replaced >= 0))
        replaced = v.of_row[r.replaced[writes]]
        writes, replaced = writes[replaced >= 0], replaced[replaced >= 0]
        counts = np.bincount(replaced, minlength=len(v.rows))
        shared = np.flatnonzero(counts > 1)
        order = np.argsort(replaced, kind="stable")
        ends = np.cumsum(counts)
        found.add(
            "lost update",
            shared,
            lambda version: self._lost(
                version, writes[order[ends[version] - counts[version] : ends[version]]]
            ),
        )

    def _lost(self, version: int, rows: Integers) -> Anomaly:
        key, value = self.explainer.key_of(version), self.explainer.value_of(version)
        t = self.r.transactions
        txns = [int(self.r.owner[row]) for row in rows]
        wrote = [t.value_name(t.value[row]) for row in rows]
        first, second = txns[:2]
        cycle = (
            Dependency(first, second, "rw", key, value, wrote[1]),
            Dependency(second, first, "rw", key, value, wrote[0]),
        )
        who = " and ".join(f"T{txn}" for txn in txns[:4]) + (
            f" and {len(txns) - 4} more" if len(txns) > 4 else ""
        )
        return Anomaly(
            "lost update",
            tuple(txns),
            cycle,
            f"{who} read {key} = {self._value(version)}, and each replaced it",
        )

    # Words

    def _one(self, name: str, row: int, text: str) -> Anomaly:
        txn = int(self.r.owner[row])
        return Anomaly(name, (txn,), (), f"T{txn} " + text.replace("{did}", self._did(row)))

    def _read_of(self, name: str, row: int, source: int) -> Anomaly:
        reader, writer = int(self.r.owner[row]), int(self.r.owner[source])
        why = {"G1a": "which aborted", "G1b": "which then wrote more"}[name]
        text = f"T{reader} did {self._did(row)}: it saw {self._did(source)} of T{writer}, {why}"
        return Anomaly(name, (writer, reader), (), text)

    def _did(self, row: int) -> str:
        function, key, value = self.r.transactions.micro_operation(row)
        if function != "read":
            return f"{function}({key}, {value!r})"
        shown = f"[… {len(value) - 8} more, {repr(value[-8:])[1:]}" if _is_long(value) else repr(value)
        return f"read({key}) -> {shown}"

    def _value(self, version: int) -> str:
        value: Any = self.explainer.value_of(version)
        return "nothing" if isinstance(value, Nil) else repr(value)


def _is_long(value: object) -> bool:
    return isinstance(value, list) and len(value) > 12
