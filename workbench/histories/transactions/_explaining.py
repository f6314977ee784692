"""Edges of the dependency graph as sentences' worth of facts: which key, which values."""

from dataclasses import dataclass
from typing import Any

from workbench.histories.operation import NIL
from workbench.histories.transactions import _codes as codes
from workbench.histories.transactions._dependencies import Graph
from workbench.histories.transactions._kernel_edges import place_in
from workbench.histories.transactions._reads import Reads
from workbench.histories.transactions._versions import Versions
from workbench.histories.transactions.anomalies import Dependency

__all__ = ["Explainer"]


@dataclass(frozen=True)
class Explainer:
    """Says what an edge rests on."""

    reads: Reads
    versions: Versions

    def cycle(self, cycle: Graph) -> tuple[Dependency, ...]:
        """Return the dependencies of a cycle, nodes that are no transactions left out."""
        steps = cycle.steps()
        targets = [source for _, _, source in [*steps[1:], steps[0]]]
        return tuple(
            self.dependency(kind, proof, source, target)
            for (kind, proof, source), target in zip(steps, targets, strict=True)
        )

    def dependency(self, kind: int, proof: int, before: int, after: int) -> Dependency:
        """Return what an edge rests on."""
        if kind == codes.PROCESS:
            return Dependency(before, after, "process")
        if kind == codes.REALTIME:
            return Dependency(before, after, "realtime")
        version = proof if kind == codes.WW else int(self.versions.versions[proof])
        key, value = self.key_of(version), self.value_of(version)
        if kind == codes.WR:
            return Dependency(before, after, "wr", key, value)
        return Dependency(
            before, after, "ww" if kind == codes.WW else "rw", key, value, self._next(version, after)
        )

    def key_of(self, version: int) -> Any:
        """Return the key of a version as it was given."""
        return self.reads.transactions.key_name(self.reads.key_names[self.versions.keys[version]])

    def value_of(self, version: int) -> Any:
        """Return the value that was written or appended last in a version."""
        row = int(self.versions.rows[version])
        t = self.reads.transactions
        return NIL if row < 0 else t.value_name(t.value[row])

    def _next(self, version: int, after: int) -> Any:
        v, t = self.versions, self.reads.transactions
        begin, end = int(v.bounds[version]), int(v.bounds[version + 1])
        place = int(place_in(v.successors, begin, end, after))
        return t.value_name(t.value[v.successor_rows[place]])
