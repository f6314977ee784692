"""Statistics of a pipeline: those of its policies, in their order."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from workbench import display

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa

    from workbench.reliability.policy import Policy

__all__ = ["PipelineStatistics"]


@dataclass(frozen=True, slots=True, repr=False)
class PipelineStatistics:
    """What the policies of a pipeline have counted.

    Attributes
    ----------
    layers : tuple of (str, object)
        Each policy's name with its statistics, the first outermost.
    """

    layers: tuple[tuple[str, Any], ...]

    def __getitem__(self, which: int | str) -> Any:
        """Return the statistics of a layer by its place, or of the first one of a name."""
        if isinstance(which, int):
            return self.layers[which][1]
        for name, statistics in self.layers:
            if name == which:
                return statistics
        raise KeyError(which)

    def __len__(self) -> int:
        return len(self.layers)

    def __iter__(self) -> Iterator[Any]:
        return (statistics for _, statistics in self.layers)

    def __repr__(self) -> str:
        return f"PipelineStatistics({', '.join(f'{name}: {each!r}' for name, each in self.layers)})"

    def _repr_html_(self) -> str:
        return display.table(
            ("layer", "policy", "statistic", "value"),
            self._rows(),
            title="Statistics of a pipeline",
            max_rows=200,
        )._repr_html_()

    def to_dict(self) -> list[dict[str, Any]]:
        """Return one dictionary a layer."""
        return [{"policy": name, **_values(statistics)} for name, statistics in self.layers]

    def to_arrow(self) -> "pa.Table":
        """Return a table with a row for each number: layer, policy, statistic, value (as text)."""
        import pyarrow as pa  # noqa: PLC0415 - only where it is asked for

        columns = list(zip(*self._rows(), strict=True)) or [(), (), (), ()]
        kinds = (pa.int64(), pa.string(), pa.string(), pa.string())
        names = ("layer", "policy", "statistic", "value")
        arrays = [pa.array(column, kind) for column, kind in zip(columns, kinds, strict=True)]
        return pa.Table.from_arrays(arrays, names=list(names))

    def to_pandas(self) -> "pd.DataFrame":
        """Return a data frame with a row for each number."""
        return self.to_arrow().to_pandas()

    def _rows(self) -> list[tuple[int, str, str, str]]:
        return [
            (
                number,
                name,
                statistic.replace("_", " "),
                f"{value:.4g}" if isinstance(value, float) else str(value),
            )
            for number, (name, each) in enumerate(self.layers)
            for statistic, value in _values(each).items()
        ]


def statistics_of(policies: "tuple[Policy, ...]") -> PipelineStatistics:
    """Return the statistics of policies; of one that has none, nothing."""
    return PipelineStatistics(tuple((each.name, getattr(each, "statistics", None)) for each in policies))


def _values(statistics: Any) -> dict[str, Any]:
    return {} if statistics is None else statistics.to_dict()
