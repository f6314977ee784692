"""`Finding` and `Findings`: what a check of a pipeline has found, as values and as a table."""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING, Literal, overload

from workbench import display

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa

__all__ = ["Finding", "Findings"]

Severity = Literal["error", "warning", "info"]
ORDER = ("error", "warning", "info")


@dataclass(frozen=True, slots=True)
class Finding:
    """Something that is likely to go wrong.

    Attributes
    ----------
    rule : str
        The name of the rule that found it.
    severity : {"error", "warning", "info"}
        It will go wrong; it may; it may be meant.
    layers : tuple of str
        The layers that it is about, the first outermost.
    problem, remedy : str
        What is wrong, and what would be right.
    numbers : mapping of str to float
        What it was computed from and to.
    """

    rule: str
    severity: Severity
    layers: tuple[str, ...]
    problem: str
    remedy: str
    numbers: Mapping[str, float] = field(default_factory=lambda: MappingProxyType({}))

    def __post_init__(self) -> None:
        object.__setattr__(self, "numbers", MappingProxyType(dict(self.numbers)))

    def __str__(self) -> str:
        return f"{self.severity}: {self.rule} ({', '.join(self.layers)}): {self.problem}. {self.remedy}."


@dataclass(frozen=True, slots=True, repr=False)
class Findings(Sequence[Finding]):
    """What a check of a pipeline has found, the worst first; it draws itself as a table.

    Attributes
    ----------
    found : tuple of Finding
    worst_attempts : float
        How often the function is called for one call, at worst; may be infinite.
    worst_time_s : float
        How long one call takes at worst, seconds; may be infinite. See `_worst_case`.
    """

    found: tuple[Finding, ...]
    worst_attempts: float
    worst_time_s: float

    @overload
    def __getitem__(self, which: int) -> Finding: ...

    @overload
    def __getitem__(self, which: slice) -> Sequence[Finding]: ...

    def __getitem__(self, which: int | slice) -> Finding | Sequence[Finding]:
        return self.found[which]

    def __len__(self) -> int:
        return len(self.found)

    def of(self, rule: str) -> tuple[Finding, ...]:
        """Return what one rule has found."""
        return tuple(each for each in self.found if each.rule == rule)

    @property
    def rules(self) -> tuple[str, ...]:
        """The names of the rules that found something, each once."""
        return tuple(dict.fromkeys(each.rule for each in self.found))

    @property
    def table(self) -> display.Table:
        """One row a finding."""
        rows = [
            (each.severity, each.rule, ", ".join(each.layers), each.problem, each.remedy, _numbers(each))
            for each in self.found
        ]
        names = ("severity", "rule", "layers", "problem", "what would be right", "numbers")
        return display.table(names, rows, title=self._summary(), max_rows=max(1, len(rows)))

    def to_arrow(self) -> "pa.Table":
        """Return one row a finding; `numbers` is a map."""
        import pyarrow as pa  # noqa: PLC0415 - only where it is asked for

        return pa.table(
            {
                "severity": pa.array([each.severity for each in self.found], pa.string()),
                "rule": pa.array([each.rule for each in self.found], pa.string()),
                "layers": pa.array([list(each.layers) for each in self.found], pa.list_(pa.string())),
                "problem": pa.array([each.problem for each in self.found], pa.string()),
                "remedy": pa.array([each.remedy for each in self.found], pa.string()),
                "numbers": pa.array(
                    [list(each.numbers.items()) for each in self.found], pa.map_(pa.string(), pa.float64())
                ),
            }
        )

    def to_pandas(self) -> "pd.DataFrame":
        """Return a data frame with one row a finding."""
        return self.to_arrow().to_pandas()

    def __repr__(self) -> str:
        return f"Findings({self._summary()})"

    def __str__(self) -> str:
        return "\n".join([self._summary(), *map(str, self.found)])

    def _repr_html_(self) -> str:
        return self.table._repr_html_()

    def _summary(self) -> str:
        counts = [(kind, sum(each.severity == kind for each in self.found)) for kind in ORDER]
        said = [
            display.plural(count, "remark" if kind == "info" else kind) for kind, count in counts if count
        ]
        worst = f"at worst {number_text(self.worst_attempts)} attempts and {number_text(self.worst_time_s)} s"
        return f"{', '.join(said) or 'nothing found'}; {worst}"


def by_severity(found: Iterator[Finding]) -> tuple[Finding, ...]:
    """Return findings, the worst first."""
    return tuple(sorted(found, key=lambda each: ORDER.index(each.severity)))


def number_text(value: float) -> str:
    """Return a number as it is said in findings."""
    return "endless" if value == math.inf else f"{value:,.4g}" if value < 1e6 else f"{value:.3g}"


def _numbers(finding: Finding) -> str:
    return ", ".join(f"{name}={number_text(value)}" for name, value in finding.numbers.items())
