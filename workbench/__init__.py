"""A reliability laboratory in Jupyter: observe, model, break and verify a system from its real telemetry.

Rooms are imported when first used: ``import workbench`` alone loads no numpy, numba, torch or pyarrow.
"""

from typing import TYPE_CHECKING

from workbench._lazy import lazy_names

if TYPE_CHECKING:
    from workbench import display, errors, kernels, lab, otlp
    from workbench.errors import MissingExtraError, WorkbenchError

__all__ = [
    "MissingExtraError",
    "WorkbenchError",
    "__version__",
    "display",
    "errors",
    "kernels",
    "lab",
    "otlp",
]

__version__ = "0.1.0"

__getattr__, __dir__ = lazy_names(
    __name__,
    {
        "MissingExtraError": "errors",
        "WorkbenchError": "errors",
        "display": "display",
        "errors": "errors",
        "kernels": "kernels",
        "lab": "lab",
        "otlp": "otlp",
    },
)
