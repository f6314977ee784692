"""`IsolationVerdict`: whether a level holds, every anomaly with its cycle, and which levels hold at most."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from workbench import display
from workbench.histories.transactions import _drawing as drawing
from workbench.histories.transactions.anomalies import Anomaly
from workbench.histories.transactions.columns import Transactions
from workbench.histories.transactions.levels import LEVELS

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["IsolationVerdict"]

SHOWN = 5


@dataclass(frozen=True, slots=True)
class IsolationVerdict:
    """How isolated transactions were.

    Attributes
    ----------
    level : str
        The level asked for.
    holds : bool or None
        Whether it holds; None where nothing forbids it and nothing proves it.
    reason : str
        Why nothing proves it, or why it does not hold where no anomaly says so.
    levels : mapping of str to bool or None
        What is known of every level, from the weakest; those with the order of processes or of real time are
        there when the level asked for has one.
    anomalies : tuple of Anomaly
        The worst first; not more of each name than were asked for.
    counts : mapping of str to int
        How many anomalies of each name were found.
    transactions : Transactions
    """

    level: str
    holds: bool | None
    reason: str
    levels: Mapping[str, bool | None]
    anomalies: tuple[Anomaly, ...] = field(repr=False)
    counts: Mapping[str, int]
    transactions: Transactions = field(repr=False)

    @property
    def violations(self) -> tuple[Anomaly, ...]:
        """The anomalies that the level asked for forbids."""
        return tuple(anomaly for anomaly in self.anomalies if LEVELS[self.level].forbids(anomaly.name))

    @property
    def weakest_violated(self) -> str | None:
        """The weakest level that does not hold."""
        return next((name for name, holds in self.levels.items() if holds is False), None)

    @property
    def strongest(self) -> str | None:
        """The strongest level that holds; of two as strong, the one with the stronger order."""
        holding = [LEVELS[name] for name, holds in self.levels.items() if holds]
        best = max(holding, key=lambda level: (level.strength, level.order, level.name), default=None)
        return None if best is None else best.name

    def graph(self, number: int = 0) -> display.Picture:
        """Draw the cycle of an anomaly: its transactions, and what makes each come before the next.

        Parameters
        ----------
        number : int
            Which of `anomalies`.

        Raises
        ------
        TransactionError
            When there is no such anomaly.
        """
        return drawing.draw_cycle(self.transactions, drawing.chosen(self.anomalies, number))

    def timeline(self, number: int = 0) -> display.Picture:
        """Draw when the transactions of an anomaly ran; in the order of the history where they have no times.

        Raises
        ------
        TransactionError
            When there is no such anomaly.
        """
        return drawing.draw_times(self.transactions, drawing.chosen(self.anomalies, number))

    def table(self) -> display.Table:
        """Return which levels hold, and the anomalies that each forbids beyond those before it."""
        return drawing.level_table(self.levels, self.counts, str(self).partition("\n")[0])

    def to_pandas(self) -> "pd.DataFrame":
        """Return a row for each anomaly: name, transactions, what happened, and its cycle."""
        import pandas as pd  # noqa: PLC0415 - only for those who ask for tables

        rows = [
            (each.name, list(each.transactions), each.text, [str(edge) for edge in each.cycle])
            for each in self.anomalies
        ]
        return pd.DataFrame(rows, columns=["name", "transactions", "text", "cycle"])

    def __bool__(self) -> bool:
        return self.holds is True

    def __repr__(self) -> str:
        word = {True: "holds", False: "does not hold", None: "is not known to hold"}[self.holds]
        total = sum(self.counts.values())
        count = f"{total:,} anomal{'y' if total == 1 else 'ies'}" if total else "no anomaly"
        most = "" if self.holds else f"; at most {self.strongest}" if self.strongest else "; no level holds"
        in_all = f"in {display.plural(len(self.transactions), 'transaction')}"
        return f"{self.level} {word}: {count} {in_all}{most}"

    def __str__(self) -> str:
        lines = [repr(self), *([self.reason] if self.reason else [])]
        lines += [str(anomaly) for anomaly in self.anomalies[:SHOWN]]
        rest = sum(self.counts.values()) - min(len(self.anomalies), SHOWN)
        return "\n".join([*lines, f"... and {rest:,} more"] if rest > 0 else lines)

    def _repr_html_(self) -> str:
        parts = [self.table()._repr_html_()]
        if self.reason:
            parts.append(display.table(["why"], [[self.reason]])._repr_html_())
        drawn = next((number for number, each in enumerate(self.anomalies) if each.cycle), None)
        if drawn is not None:
            parts.append(self.graph(drawn)._repr_mimebundle_()["text/html"])
        if self.anomalies:
            parts.append(drawing.anomaly_table(self.anomalies, self.counts)._repr_html_())
        return "\n".join(parts)
