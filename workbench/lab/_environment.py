"""The environment of every kernel that tests or records a notebook: one table, the same everywhere.

What a notebook prints depends on more than its cells: on the order of sets (hash seed), the time zone, the
width of the terminal, the number of threads that add floats, colours, progress bars, and what the user's
shell happens to export. `PINNED` fixes them; `REMOVED` takes away what would change Python or the cells from
outside. Everything else is inherited. A kernel also gets an empty ``IPYTHONDIR`` of its own: no profile,
start-up file or history of the user takes part, and none is written.
"""

import os
from types import MappingProxyType

__all__ = ["PINNED", "REMOVED", "kernel_environment"]

PINNED = MappingProxyType(
    {
        "PYTHONHASHSEED": "0",  # sets of strings keep their order
        "TZ": "UTC",
        "LC_ALL": "C.UTF-8",
        "LANG": "C.UTF-8",
        "COLUMNS": "80",  # rich, pandas and argparse ask for the width
        "LINES": "24",
        "NO_COLOR": "1",
        "TQDM_DISABLE": "1",  # progress is time made visible
        "MPLBACKEND": "module://matplotlib_inline.backend_inline",
        "SOURCE_DATE_EPOCH": "0",  # matplotlib writes it where it would write today's date
        "OMP_NUM_THREADS": "1",  # one thread adds floats in one order
        "OPENBLAS_NUM_THREADS": "1",
        "MKL_NUM_THREADS": "1",
        "NUMBA_NUM_THREADS": "2",  # the smallest number that is still parallel
    }
)

REMOVED = frozenset(
    {
        "FORCE_COLOR",
        "PY_COLORS",
        "CLICOLOR_FORCE",
        "LANGUAGE",
        "PYTHONSTARTUP",
        "PYTHONWARNINGS",
        "PYTHONOPTIMIZE",  # would switch the assertions of a notebook off
        "PYTHONINSPECT",
        "PYTHONDEVMODE",
        "PYTEST_ADDOPTS",
        "PYTEST_CURRENT_TEST",
        "PYTEST_VERSION",
        "PYTEST_XDIST_TESTRUNUID",
        "PYTEST_XDIST_WORKER",
        "PYTEST_XDIST_WORKER_COUNT",
    }
)


def kernel_environment() -> dict[str, str]:
    """Return the environment of a kernel: this process's, without `REMOVED`, with `PINNED` on top.

    Examples
    --------
    >>> environment = kernel_environment()
    >>> environment["TZ"], environment["PYTHONHASHSEED"], environment["COLUMNS"]
    ('UTC', '0', '80')
    """
    inherited = {name: value for name, value in os.environ.items() if name not in REMOVED}
    return inherited | PINNED
