"""A reliability laboratory in Jupyter: observe, model, break and verify a system from its real telemetry.

Rooms are imported when first used: ``import workbench`` alone loads no numpy, numba, torch or pyarrow.
"""

from typing import TYPE_CHECKING

from workbench._lazy import lazy_names

if TYPE_CHECKING:
    from workbench import display, errors, histories, kernels, lab, model, otlp, reliability
    from workbench.errors import MissingExtraError, WorkbenchError

__all__ = [
    "MissingExtraError",
    "WorkbenchError",
    "__version__",
    "display",
    "errors",
    "histories",
    "kernels",
    "lab",
    "model",
    "otlp",
    "reliability",
]

__version__ = "0.1.0"

__getattr__, __dir__ = lazy_names(
    __name__,
    {
        "MissingExtraError": "errors",
        "WorkbenchError": "errors",
        "display": "display",
        "errors": "errors",
        "histories": "histories",
        "kernels": "kernels",
        "lab": "lab",
        "model": "model",
        "otlp": "otlp",
        "reliability": "reliability",
    },
)
