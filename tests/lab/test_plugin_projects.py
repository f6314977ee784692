"""Which project a notebook belongs to decides what is asked of it, whatever pytest's root is."""

import subprocess

import pytest

from workbench.lab._diff_page import FailedCell, diff_page

pytestmark = pytest.mark.slow

FIGURE = """%config InlineBackend.figure_formats = ['svg']
import matplotlib.pyplot as plt
fig, ax = plt.subplots(figsize=(1, 1)); ax.fill_between([0, 1], [0, 1])
plt.show()"""


@pytest.fixture
def untitled(nb):
    return nb.notebook(nb.code("1", nb.result("1", 1)), title=None)


def test_two_projects_in_one_run_keep_their_own_rules(module_project, nb, untitled):
    strict = module_project.folder / "strict"
    plain = module_project.folder / "plain"
    for folder in (strict, plain):
        module_project.write(f"{folder.name}/pyproject.toml", "")
        module_project.add(f"../{folder.name}/{folder.name}", untitled)
    (strict / "pyproject.toml").write_text("[tool.workbench.notebooks]")
    for order in (["strict", "plain"], ["plain", "strict"]):
        run = module_project.pytest("--nbval", *order)
        assert run.of("strict")["rules"] == "failed"
        assert run.of("plain") == {"Cell 0": "passed"}


def test_drawings_in_svg_are_the_same_in_each_recording(module_project, nb):
    path = module_project.add("figure", nb.notebook(nb.code(FIGURE, count=None)))
    written = []
    for _ in range(2):
        module_project.run(
            "-c", "from workbench.cli import app; app()", "notebooks", "record", str(path), check=True
        )
        written.append(path.read_bytes())
    assert b"<svg" in written[0]
    assert written[0] == written[1]


def test_sigterm_ends_a_run_and_leaves_no_kernel(module_project, nb):
    sleeping = "import os, time; print(os.getpid(), file=open('pid', 'w'), flush=True); time.sleep(60)"
    module_project.add("sleeping", nb.notebook(nb.code(sleeping)))
    run = module_project.start("-m", "pytest", "--nbval", "notebooks/sleeping.ipynb")
    pid = module_project.folder / "notebooks" / "pid"
    while not (pid.exists() and pid.read_text().strip()):
        assert run.poll() is None
    run.terminate()
    run.communicate(timeout=30)
    assert run.returncode == 2
    assert (
        subprocess.run(["ps", "-p", pid.read_text().strip()], capture_output=True, check=False).returncode
        == 1
    )


def test_large_differences_make_a_page_without_waiting(nb):
    """Ten thousand different lines, and one line of a hundred thousand characters: both are shown."""
    old = [nb.stdout("".join(f"old {n}\n" for n in range(10_000)) + "a" * 100_000)]
    new = [nb.stdout("".join(f"new {n}\n" for n in range(10_000)) + "b" * 100_000)]
    page = diff_page("a.ipynb", [FailedCell(1, "cell 1", "", "", "", old, new, "")], [], executed="a")
    assert "new</ins> 9999" in page or "new 9999" in page
