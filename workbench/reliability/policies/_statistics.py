"""Statistics of a policy: a frozen dataclass that draws itself."""

from dataclasses import fields
from typing import TYPE_CHECKING, Any

from workbench import display

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa

__all__ = ["Statistics"]


class Statistics:
    """What dataclasses of statistics have in common: one line as text, a table in HTML, one row in frames."""

    __slots__ = ()

    def __repr__(self) -> str:
        shown = ", ".join(f"{name}={_shown(value)}" for name, value in self.to_dict().items())
        return f"{type(self).__name__}({shown})"

    def _repr_html_(self) -> str:
        rows = [(name.replace("_", " "), _shown(value)) for name, value in self.to_dict().items()]
        return display.table(("statistic", "value"), rows, title=type(self).__name__)._repr_html_()

    def to_dict(self) -> dict[str, Any]:
        """Return the values by their names."""
        return {field.name: getattr(self, field.name) for field in fields(self)}  # type: ignore[arg-type]

    def to_arrow(self) -> "pa.Table":
        """Return a table of one row."""
        import pyarrow as pa  # noqa: PLC0415 - only where it is asked for

        return pa.Table.from_pylist([self.to_dict()])

    def to_pandas(self) -> "pd.DataFrame":
        """Return a data frame of one row."""
        return self.to_arrow().to_pandas()


def _shown(value: object) -> str:
    return f"{value:.4g}" if isinstance(value, float) else f"{value:,}" if type(value) is int else str(value)
