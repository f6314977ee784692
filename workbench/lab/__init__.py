"""The laboratory in Jupyter: JupyterLab itself, and the harness that keeps notebooks as regression tests.

A notebook is a test: its stored outputs are what it promises, and a fresh kernel must print the same text::

    pytest --nbval notebooks              the harness is a pytest plugin (`pytest_plugin`) on top of nbval
    workbench notebooks record            re-executes, and rewrites what is promised
    workbench notebooks list              what there is, and which rules it breaks

In a script the same things are `check_notebook`, `record_notebook` and `find_notebooks`; `NotebookProject` is
a project with settings of its own.
"""

from typing import TYPE_CHECKING

from workbench._lazy import lazy_names

if TYPE_CHECKING:
    from workbench.lab import errors, pytest_plugin
    from workbench.lab._environment import kernel_environment
    from workbench.lab._finding import Finding
    from workbench.lab._jupyterlab import launch
    from workbench.lab._notebook import find_notebooks
    from workbench.lab._project import NotebookProject, NotebookSummary
    from workbench.lab._record import Recorded, record_notebook
    from workbench.lab._rules import check_notebook
    from workbench.lab._settings import NotebookSettings
    from workbench.lab.errors import LabError

__all__ = [
    "Finding",
    "LabError",
    "NotebookProject",
    "NotebookSettings",
    "NotebookSummary",
    "Recorded",
    "check_notebook",
    "errors",
    "find_notebooks",
    "kernel_environment",
    "launch",
    "pytest_plugin",
    "record_notebook",
]

__getattr__, __dir__ = lazy_names(
    __name__,
    {
        "Finding": "_finding",
        "LabError": "errors",
        "NotebookProject": "_project",
        "NotebookSettings": "_settings",
        "NotebookSummary": "_project",
        "Recorded": "_record",
        "check_notebook": "_rules",
        "errors": "errors",
        "find_notebooks": "_notebook",
        "kernel_environment": "_environment",
        "launch": "_jupyterlab",
        "pytest_plugin": "pytest_plugin",
        "record_notebook": "_record",
    },
    extra="lab",
)
