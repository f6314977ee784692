"""Telemetry as a polars data frame."""

from typing import TYPE_CHECKING, Any

from workbench.otlp.storage._extras import import_extra
from workbench.otlp.storage._plain_columns import with_hexadecimal_ids

if TYPE_CHECKING:
    import polars as pl

    from workbench.otlp.telemetry import Telemetry

__all__ = ["to_polars"]


def to_polars(telemetry: "Telemetry") -> "pl.DataFrame":
    """Return a row a record, a column an attribute: ids as hexadecimal digits."""
    polars: Any = import_extra("polars", "tables", "to_polars")
    return polars.from_arrow(with_hexadecimal_ids(telemetry.to_arrow()))
