"""The laboratory itself: JupyterLab of this environment, opened on a project's tour.

`launch` prepares, then runs JupyterLab in this very process. So Ctrl-C and signals reach the server directly,
its exit code is the command's, and no second process stands by that could be left behind.
"""

import importlib
import importlib.util
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from workbench.lab import _trust, _workspace
from workbench.lab.errors import LabError

__all__ = ["TOUR", "find_project", "launch", "options"]

TOUR = "notebooks/00_tour.ipynb"


def launch(arguments: Sequence[str] = (), *, root: Path | None = None, notebook: str = TOUR) -> int:
    """Run JupyterLab until it is stopped, with `notebook` open in a workspace prepared for it.

    It serves in this process and takes over its signals: Ctrl-C and SIGTERM stop the server and its kernels,
    without asking.

    Parameters
    ----------
    arguments
        Passed to JupyterLab as they are; an option given here replaces the one that `launch` would give.
    root
        JupyterLab's root folder; default: the nearest folder at or above the current one that holds
        ``notebooks/``, else the current folder.
    notebook
        What to open, relative to `root`, with ``/``; if there is no such file, JupyterLab opens as usual.

    Returns
    -------
    int
        JupyterLab's exit code: 0 if it was stopped, something else if it could not start.

    Raises
    ------
    LabError
        If JupyterLab is not installed beside this Python.

    Notes
    -----
    The workspace is written when there is none of its name; from then on it is the user's, and the next
    launch opens what the user left, with `notebook` in front.

    If `root` is the folder that workbench itself was imported from (a clone, installed editable), the
    notebooks under its ``notebooks/`` are signed as trusted, so that their stored pictures show before
    anything is run. Other projects' notebooks stay as they are: to use workbench there is not to trust them.
    """
    if importlib.util.find_spec("jupyterlab") is None:
        msg = f"JupyterLab is not installed beside {sys.executable}: pip install 'reliability-workbench[lab]'"
        raise LabError(msg)
    root = find_project(Path.cwd()) if root is None else root.resolve()
    if (root / notebook).is_file():
        _workspace.prepare(notebook)
    if root == _home():
        _trust.sign(_notebooks(root))
    return _serve([*options(arguments, root=root, notebook=notebook), *arguments])


def find_project(folder: Path) -> Path:
    """Return the nearest of `folder` and its parents that holds ``notebooks/``, else `folder`."""
    return next((place for place in (folder, *folder.parents) if (place / "notebooks").is_dir()), folder)


def options(arguments: Sequence[str], *, root: Path, notebook: str) -> list[str]:
    """Return the options of JupyterLab that `arguments` leave open."""
    ours = {"ServerApp.answer_yes": "True"}  # Ctrl-C asks nothing: nobody may be there to answer
    if not _gives(arguments, "ServerApp.root_dir", "notebook-dir"):
        ours["ServerApp.root_dir"] = str(root)
        if (root / notebook).is_file():
            ours["LabApp.default_url"] = _workspace.address(notebook)
    root_user = ["--allow-root"] if os.geteuid() == 0 else []
    return root_user + [f"--{name}={value}" for name, value in ours.items() if not _gives(arguments, name)]


def _gives(arguments: Sequence[str], *names: str) -> bool:
    """Say whether `arguments` give one of these options: JupyterLab refuses to be told a value twice."""
    return any(given.partition("=")[0] == f"--{name}" for given in arguments for name in names)


def _notebooks(root: Path) -> list[Path]:
    """Return the notebooks of a project, without JupyterLab's own copies of them."""
    found = (root / "notebooks").rglob("*.ipynb")
    return sorted(path for path in found if ".ipynb_checkpoints" not in path.parts)


def _home() -> Path:
    """Return the folder that this workbench was imported from."""
    return Path(__file__).resolve().parents[2]


def _serve(arguments: Sequence[str]) -> int:
    """Run JupyterLab in this process, and return its exit code."""
    try:
        importlib.import_module("jupyterlab.labapp").main(list(arguments))
    except SystemExit as stop:
        return stop.code if isinstance(stop.code, int) else int(bool(stop.code))
    return 0
