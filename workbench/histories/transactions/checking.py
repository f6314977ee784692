"""`isolation`: which isolation level a history of transactions keeps, and what breaks the others.

The transactions are the nodes of a graph; edges say who must have come before whom, and are inferred from
what was read alone (Kingsbury & Alvaro 2020). Nothing is assumed of the database, but that each value is
written to a key once. Every anomaly reported is one in every execution that could have shown these reads.

Cost: linear in micro-operations and elements read, as long as the history is nearly as isolated as asked for.
"""

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import numpy as np

from workbench.histories.transactions import _codes as codes
from workbench.histories.transactions._certifying import certify
from workbench.histories.transactions._cycles import Cycle, all_cycles
from workbench.histories.transactions._dependencies import Graph, dependencies, process_order, realtime_order
from workbench.histories.transactions._direct import Found, direct_anomalies
from workbench.histories.transactions._explaining import Explainer
from workbench.histories.transactions._reads import Integers, Reads, read_all
from workbench.histories.transactions._versions import Versions, versions_of
from workbench.histories.transactions.anomalies import Anomaly
from workbench.histories.transactions.columns import Transactions
from workbench.histories.transactions.errors import TransactionError
from workbench.histories.transactions.levels import (
    COMMITTED,
    FIRST_FORBIDDEN,
    LEVELS,
    ORDER_NAMES,
    REALTIME,
    SERIALIZABLE,
    VIEW,
    IsolationLevel,
    level_named,
)
from workbench.histories.transactions.verdict import IsolationVerdict

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from workbench.histories.history import History

__all__ = ["isolation"]

NAMES = {
    "G0": "writes interleave: each wrote over another",
    "G1c": "information flows in a circle",
    "G-single": "one read missed a write that it depends on",
    "long fork": "reads disagree about which writes came first",
    "G2-item": "each read what another wrote over (write skew)",
}


def isolation(
    history: "History | Transactions",
    level: str = "serializable",
    *,
    initial: "Mapping[Any, Any] | None" = None,
    version_order: "Mapping[Any, Sequence[Any]] | None" = None,
    most: int = 100,
) -> IsolationVerdict:
    """Judge whether transactions were as isolated as a level promises, and name what they did otherwise.

    Parameters
    ----------
    history : History or Transactions
        Operations as `transaction` makes them: appends to lists and reads of them, from which everything can
        be inferred, or writes and reads of registers, where some orders of versions stay open.
    level : str
        ``"read-uncommitted"``, ``"read-committed"``, ``"consistent-view"``, ``"snapshot"``,
        ``"repeatable-read"``, ``"serializable"``, ``"strong-session-snapshot"``, ``"strong-snapshot"``,
        ``"strong-session-serializable"``, ``"strict-serializable"``, or Adya's name, as ``"PL-2.99"``.
    initial : mapping of key to value, optional
        What registers hold before any write, where that is something.
    version_order : mapping of key to values, optional
        The order in which the values of registers were installed, where it is known; see
        `Transactions.with_version_order`.
    most : int
        How many anomalies of one name to explain; all are counted.

    Returns
    -------
    IsolationVerdict
        `holds` is True, False, or None where no anomaly shows and yet no order of versions was found that
        proves the level.

    Raises
    ------
    TransactionError
        When there is no such level, an operation is no transaction, a value is written to a key twice, or a
        level of real time is asked for without times.

    Notes
    -----
    An indeterminate transaction committed if a committed one has seen its writes; otherwise nobody can tell,
    and it is left out. Cycles are shortest ones through their edges; of very many, not all are looked for.

    Examples
    --------
    >>> from workbench.histories import History, isolation, transaction
    >>> skew = History([
    ...     transaction(("read", "x", []), ("append", "y", 1), process="A"),
    ...     transaction(("read", "y", []), ("append", "x", 2), process="B"),
    ...     transaction(("read", "x", [2]), ("read", "y", [1]), process="C", call_s=1),
    ... ])
    >>> print(isolation(skew))
    serializable does not hold: 1 anomaly in 3 transactions; at most snapshot
    G2-item: each read what another wrote over (write skew)
      T0 read x = nothing, which T1 followed with 2
      T1 read y = nothing, which T0 followed with 1
    """
    asked = level_named(level)
    made = _columns(history, initial)
    if version_order is not None:
        made = made.with_version_order(version_order)
    if asked.order != REALTIME or made.has_times:
        return _Judgement(made, asked, most).verdict()
    msg = f"{asked.name} orders transactions by real time, but they have no times: give call_s and return_s"
    raise TransactionError(msg)


def _columns(history: "History | Transactions", initial: "Mapping[Any, Any] | None") -> Transactions:
    if not isinstance(history, Transactions | Iterable):
        msg = f"expected a History or Transactions, got {history!r}"
        raise TransactionError(msg)
    if not isinstance(history, Transactions):
        return Transactions.from_history(history, initial=initial)
    if initial is not None:
        msg = "columns say themselves what is initial: give `initial` to Transactions.from_history"
        raise TransactionError(msg)
    return history


class _Judgement:
    """One history under one level: everything found on the way."""

    def __init__(self, transactions: Transactions, asked: IsolationLevel, most: int) -> None:
        self.transactions, self.asked, self.most = transactions, asked, most
        self.reads: Reads = read_all(transactions)
        given = transactions._version_order  # noqa: SLF001 - handed over, not shown
        self.versions: Versions = versions_of(self.reads, self.reads.chain_of(given) if given else None)
        self.found: Found = direct_anomalies(self.reads, self.versions, most)
        self.explainer = Explainer(self.reads, self.versions)
        self.reasons: dict[str, str] = {}

    def verdict(self) -> IsolationVerdict:
        levels: dict[str, bool | None] = {}
        data = dependencies(self.reads, self.versions)
        for order in range(self.asked.order + 1):
            graph, extra = self._with_order(data, order)
            levels |= self._judge(graph, extra, order)
        levels = {name: levels[name] for name in LEVELS if name in levels}
        ranked = sorted(
            self.found.anomalies, key=lambda anomaly: FIRST_FORBIDDEN[anomaly.name.partition(" (")[0]]
        )
        return IsolationVerdict(
            level=self.asked.name,
            holds=levels[self.asked.name],
            reason=self.reasons.get(self.asked.name, ""),
            levels=levels,
            anomalies=tuple(ranked),
            counts=dict(self.found.counts),
            transactions=self.transactions,
        )

    def _with_order(self, data: Graph, order: int) -> tuple[Graph, Graph | None]:
        if order == 0:
            return data, None
        extra = process_order(self.reads)
        if order == REALTIME:
            extra = extra.joined(realtime_order(self.reads))
        return data.joined(extra), extra

    def _judge(self, graph: Graph, extra: Graph | None, order: int) -> dict[str, bool | None]:
        """Return what holds of the levels of one order."""
        exact, acyclic = self._add_cycles(graph, order)
        verdicts: dict[int, bool | None] = {}
        for strength in range(SERIALIZABLE + 1):
            verdicts[strength] = not any(
                IsolationLevel("serializable", "", strength, order).forbids(name)
                for name in self.found.counts
            )
        if not exact and verdicts[VIEW]:
            verdicts[VIEW] = None
            self._because(VIEW, order, "there are too many cycles to tell those of one rw from others")
        self._weigh_open_orders(verdicts, graph, extra, order, acyclic=acyclic)
        return {level.name: verdicts[level.strength] for level in LEVELS.values() if level.order == order}

    def _add_cycles(self, graph: Graph, order: int) -> tuple[bool, bool]:
        """Add the cycles that an order closes; return whether all of one rw were looked for, and if any."""
        cycles = all_cycles(graph)
        new = [cycle for cycle in cycles.found if cycle.name.endswith(ORDER_NAMES[order])]
        new = [cycle for cycle in new if (order or "(" not in cycle.name) and not self._is_lost_update(cycle)]
        by_name: dict[str, list[Cycle]] = {}
        for cycle in new:
            by_name.setdefault(cycle.name, []).append(cycle)
        for name, of_name in by_name.items():
            self.found.counts[name] += len(of_name)
            self.found.anomalies += [self._explained(cycle) for cycle in of_name[: self.most]]
        return cycles.is_exact, not cycles.found

    def _is_lost_update(self, cycle: Cycle) -> bool:
        """Whether each of the transactions read one version and replaced it, which is named elsewhere."""
        steps = cycle.edges.steps()
        read = {int(self.versions.versions[proof]) for kind, proof, _ in steps if kind == codes.RW}
        return cycle.name == "G2-item" and len(read) == 1 and all(kind == codes.RW for kind, _, _ in steps)

    def _explained(self, cycle: Cycle) -> Anomaly:
        text = NAMES[cycle.name.partition(" (")[0]]
        return Anomaly(cycle.name, cycle.members, self.explainer.cycle(cycle.edges), text)

    def _weigh_open_orders(
        self,
        verdicts: dict[int, bool | None],
        graph: Graph,
        extra: Graph | None,
        order: int,
        *,
        acyclic: bool,
    ) -> None:
        """Let what holds in no known order of versions not hold."""
        open_keys = self.versions.keys[self.versions.undecided]
        beyond = [strength for strength, holds in verdicts.items() if strength > COMMITTED and holds]
        if not beyond or len(open_keys) == 0 or (acyclic and not self._has_open_registers(open_keys)):
            return
        certificate = certify(self.reads, self.versions, graph, extra)
        for strength in beyond:
            if strength < certificate.holds_below:
                continue
            verdicts[strength] = False if certificate.is_exhaustive else None
            self._because(
                strength,
                order,
                f"none of the {certificate.orders:,} orders of versions tried explains all reads",
            )

    def _has_open_registers(self, open_keys: Integers) -> bool:
        is_open = np.zeros(self.reads.keys, np.bool_)
        is_open[open_keys] = True
        return bool((is_open[self.reads.key] & (self.transactions.kind == codes.WRITE)).any())

    def _because(self, strength: int, order: int, reason: str) -> None:
        names = (
            level.name for level in LEVELS.values() if (level.strength, level.order) == (strength, order)
        )
        self.reasons |= dict.fromkeys(names, reason)
