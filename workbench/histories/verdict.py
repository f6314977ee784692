"""`Verdict`: whether an order explains a history, that order, or what has no place in any."""

from collections.abc import Hashable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NoReturn

from workbench import display
from workbench.histories.history import History
from workbench.histories.operation import Operation

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa

__all__ = ["Verdict"]


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether one object, doing one operation after the other, explains a history.

    It has no truth value, for it may be undecided: ask ``verdict.holds is True``.

    Attributes
    ----------
    holds : bool or None
        None where a bound was reached first.
    condition : str
        What was asked: ``"linearizable"`` or ``"sequentially consistent"``.
    prefix : tuple of Operation
        The order that explains the history; where it does not hold, the longest prefix of the history that
        can be explained: everything that returned before `blocking` did. What never returned is there only
        where the order needs it.
    blocking : Operation or None
        Where it does not hold, the operation whose return no order explains.
    history : History
        What was judged; where one part of it fails, that part.
    part : hashable or None
        The part that failed, as ``model.part_of`` names it.
    model : SequentialModel
    steps : int
        How many steps of the model were tried.
    bound : str
        The bound that stopped the search; empty when it was decided.
    """

    holds: bool | None
    condition: str
    prefix: tuple[Operation, ...]
    blocking: Operation | None
    history: History
    part: Hashable | None
    model: Any
    steps: int
    bound: str = ""

    def __bool__(self) -> NoReturn:
        msg = "a verdict may be True, False or undecided: ask `verdict.holds is True`"
        raise TypeError(msg)

    def timeline(self, title: str = "") -> display.Picture:
        """Draw the history, the order that was found through it, and the operation that cannot be placed."""
        from workbench.histories._pictures import draw_verdict  # noqa: PLC0415 - only when drawn

        return draw_verdict(self, title)

    def to_arrow(self) -> "pa.Table":
        """Return one row an operation of the history, with its place in the order, and whether it blocks."""
        import pyarrow as pa  # noqa: PLC0415 - only for those who ask for tables

        table = self.history.to_arrow()
        table = table.append_column("place", pa.array(self._places(), pa.int64()))
        blocks = [operation == self.blocking for operation in self.history]
        return table.append_column("blocking", pa.array(blocks, pa.bool_()))

    def to_pandas(self) -> "pd.DataFrame":
        """Return one row an operation of the history, with its place in the order, and whether it blocks."""
        import pandas as pd  # noqa: PLC0415 - only for those who ask for tables

        frame = self.history.to_pandas()
        frame["place"] = pd.array(self._places(), dtype="Int64")
        frame["blocking"] = [operation == self.blocking for operation in self.history]
        return frame

    def _places(self) -> list[int | None]:
        found = {operation: place for place, operation in enumerate(self.prefix)}
        return [found.get(operation) for operation in self.history]

    def __repr__(self) -> str:
        operations = display.plural(len(self.history), "operation")
        where = "" if self.part is None else f" in part {self.part!r}"
        if self.holds:
            return f"Verdict: {self.condition}, {operations} explained by an order of {len(self.prefix):,}"
        if self.holds is None:
            return f"Verdict: undecided {self.bound}, {len(self.prefix):,} of {operations} placed{where}"
        return f"Verdict: not {self.condition}{where}, {operations}; no order explains {self.blocking!r}"

    def _repr_html_(self) -> str:
        return self.timeline()._repr_mimebundle_()["text/html"]
