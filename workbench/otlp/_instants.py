"""Points in time, in whatever form a user has them, as nanoseconds since 1970-01-01 UTC."""

import datetime as dt
from typing import Any, TypeAlias

import numpy as np
import pandas as pd
import pyarrow as pa

from workbench.otlp.errors import InstantError

__all__ = ["Instant", "to_unix_nano"]

Instant: TypeAlias = (
    int | str | dt.datetime | np.datetime64
)  # 1700000000000000000, "2026-11-25T12:00:00Z", ...


def to_unix_nano(instant: Instant) -> int:
    """Return nanoseconds since the epoch: from nanoseconds, ISO 8601 text, or a datetime of any library.

    A time without a zone is UTC, as OTLP's are.
    """
    if isinstance(instant, bool | float | np.floating):
        msg = f"expected a datetime, ISO 8601 text or whole nanoseconds, got {instant!r}"
        raise InstantError(msg)
    if isinstance(instant, int | np.integer):
        return int(instant)
    if isinstance(instant, pa.Scalar):
        instant = instant.as_py()
    try:
        stamp: Any = pd.Timestamp(instant).as_unit("ns")
    except (ValueError, TypeError, OverflowError) as error:
        msg = f"expected a datetime, ISO 8601 text or whole nanoseconds, got {instant!r}"
        raise InstantError(msg) from error
    if stamp is pd.NaT:
        msg = "expected a point in time, got a missing one (NaT)"
        raise InstantError(msg)
    utc = stamp.tz_localize("UTC") if stamp.tzinfo is None else stamp.tz_convert("UTC")
    return int(utc.value)
