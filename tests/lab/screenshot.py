"""Take a picture of a notebook in JupyterLab, after running all of it.

::

    python tests/lab/screenshot.py notebooks/00_tour.ipynb OUT.png [--dark] [--cell N]

The notebook's project is the nearest folder above it that holds ``notebooks/``; nothing is saved in it. The
window is 1400 x 1000, scrolled to cell N (counted from 0, all kinds), or else to the first cell that shows a
picture.
"""

import argparse
import sys
import tempfile
from pathlib import Path

from laboratory_driver import Visit, browsing, find_chromium, serving

from workbench.lab._jupyterlab import find_project


def main():
    """Run the command line."""
    wanted = _arguments()
    program = find_chromium() or sys.exit("no Chromium or Chrome found: apt-get install chromium")
    notebook = wanted.notebook.resolve(strict=True)
    project = find_project(notebook.parent)
    with (
        tempfile.TemporaryDirectory() as home,
        serving(project, Path(home)) as server,
        browsing(program) as browser,
        Visit(browser, server, notebook.relative_to(project).as_posix()) as visit,
    ):
        _take(visit, wanted)


def _arguments():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("notebook", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--dark", action="store_true", help="in the dark theme")
    parser.add_argument("--cell", type=int, help="scroll to this cell")
    return parser.parse_args()


def _take(visit, wanted):
    if wanted.dark:
        visit.use_theme("Dark")
    visit.run_all()
    with_pictures = [found["cell"] for found in visit.pictures()]
    visit.show(wanted.cell if wanted.cell is not None else next(iter(with_pictures), 0))
    visit.screenshot(wanted.out)


if __name__ == "__main__":
    main()
