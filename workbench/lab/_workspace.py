"""The layout that JupyterLab opens on: one notebook in the main area, the file browser in its folder.

JupyterLab keeps a layout, called a workspace, in one JSON file: what is open in each area, and the state of
each open thing under its key. From the first visit on, the browser rewrites that file whenever the user moves
anything. So the prepared workspace is written once, when there is none; afterwards it is the user's layout.
"""

import hashlib
import json
import os
from pathlib import Path, PurePosixPath
from urllib.parse import quote

__all__ = ["NAME", "address", "layout", "prepare"]

NAME = "workbench"


def address(notebook: str) -> str:
    """Return the address, on the server, of the prepared workspace with `notebook` open."""
    return f"/lab/workspaces/{NAME}/tree/{quote(notebook)}"


def layout(notebook: str) -> dict[str, object]:
    """Return the prepared workspace, in the form in which JupyterLab saves one."""
    opened = f"notebook:{notebook}"
    return {
        "data": {
            "layout-restorer:data": {
                "main": {
                    "dock": {"type": "tab-area", "currentIndex": 0, "widgets": [opened]},
                    "current": opened,
                },
                "left": {"collapsed": False, "visible": True, "current": "filebrowser"},
                "right": {"collapsed": True, "visible": True},
            },
            "file-browser-filebrowser:cwd": {"path": str(PurePosixPath(notebook).parent)},
            opened: {"data": {"path": notebook, "factory": "Notebook"}},
        },
        "metadata": {"id": NAME},
    }


def prepare(notebook: str) -> Path:
    """Write the prepared workspace among JupyterLab's own, unless there is one; return its file."""
    path = _file()
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        with path.open("x", encoding="utf-8") as stream:
            stream.write(json.dumps(layout(notebook)))
    except FileExistsError:
        pass  # the user's own layout by now
    return path


def _file() -> Path:
    """Return the file in which JupyterLab keeps this workspace; its own functions say it too, 1.7 s later."""
    from jupyter_core.paths import jupyter_config_dir  # noqa: PLC0415  # comes with JupyterLab, so may be missing

    folder = os.environ.get("JUPYTERLAB_WORKSPACES_DIR") or Path(jupyter_config_dir(), "lab", "workspaces")
    signature = hashlib.sha256(NAME.encode()).hexdigest()[:4]
    return Path(folder, f"{NAME}-{signature}.jupyterlab-workspace")
