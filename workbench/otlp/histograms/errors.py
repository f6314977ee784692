"""What can be wrong with a histogram.

::

    WorkbenchError
    └── HistogramError      (also a ValueError) values, buckets or a question that no histogram can have
"""

from workbench.errors import WorkbenchError

__all__ = ["HistogramError"]


class HistogramError(WorkbenchError, ValueError):
    """Raised for values that cannot be counted, buckets that do not fit, and quantiles of nothing."""
