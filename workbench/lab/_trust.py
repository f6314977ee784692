"""Trust in stored outputs: JupyterLab shows a notebook's stored drawings only if this user has signed it.

A notebook that arrives from elsewhere may hold any script among its outputs, so JupyterLab removes SVG and
active HTML from outputs until the user has run the cells, or has signed the notebook. A signature is a keyed
hash of the whole content, kept in the user's Jupyter data directory, void once anything in the file changes.

`sign` is for notebooks of a project whose code the user already runs: whoever could plant a script in their
outputs could as well have put it into that code.
"""

from collections.abc import Iterable
from pathlib import Path

__all__ = ["sign"]


def sign(notebooks: Iterable[Path]) -> list[Path]:
    """Sign `notebooks` as they are now; return the files that are none, which JupyterLab will complain of."""
    from jupyter_core.paths import jupyter_data_dir  # noqa: PLC0415  # comes with JupyterLab, so may be missing
    from nbformat import ValidationError, read  # noqa: PLC0415  # likewise
    from nbformat.sign import NotebookNotary  # noqa: PLC0415  # likewise

    folder = Path(jupyter_data_dir())
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    unreadable = []
    with NotebookNotary(data_dir=str(folder)) as notary:  # type: ignore[no-untyped-call]
        for path in notebooks:
            try:
                notebook = read(path, as_version=4)  # type: ignore[no-untyped-call]
            except (OSError, ValueError, AttributeError, ValidationError):
                unreadable.append(path)
            else:
                notary.sign(notebook)
    return unreadable
