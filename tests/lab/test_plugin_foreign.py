"""workbench is installed, and somebody else's tests run: nothing may change for them."""

import subprocess
import sys

import pytest

TEST = "def test_own():\n    assert True\n"
STRICT = "[tool.pytest]\nstrict = true\nfilterwarnings = ['error']\n"


def test_the_plugin_is_loaded_everywhere_and_imports_nothing_heavy():
    """What importing it adds to a run of pytest: a few small modules, none of Jupyter's."""
    code = (
        "import sys, pytest; before = set(sys.modules)\n"
        "import workbench.lab.pytest_plugin\n"
        "print(*sorted(set(sys.modules) - before))"
    )
    added = subprocess.check_output([sys.executable, "-c", code], text=True).split()
    assert added == [
        "workbench",
        "workbench._lazy",
        "workbench.errors",
        "workbench.lab",
        "workbench.lab.pytest_plugin",
    ]


@pytest.mark.slow
@pytest.mark.parametrize(
    "options", [["-p", "no:nbval"], ["-p", "no:cacheprovider", "-n", "1"]], ids=["no nbval", "xdist"]
)
def test_a_run_without_notebooks_is_what_it_was(project, nb, options):
    """Not even wrong settings are noticed: nothing of the harness is awake."""
    project.write("pyproject.toml", STRICT + "[tool.workbench.notebooks]\nno_such_setting = 1\n")
    project.write("test_own.py", TEST)
    project.add("a", nb.notebook(nb.code("1 / 0")))
    run = project.pytest(*options)
    assert (run.code, run.outcomes) == (0, {"test_own": "passed"})
    assert "workbench: " not in run.said
    assert not (project.folder / ".workbench").exists()


@pytest.mark.slow
@pytest.mark.parametrize(
    "options",
    [
        ["--nbval"],
        ["--nbval-lax", "--nbval-current-env"],
        ["--nbval", "-p", "no:cacheprovider", "-p", "no:xdist"],
    ],
    ids=["nbval", "lax", "alone"],
)
def test_a_strict_project_with_notebooks_passes_with_warnings_as_errors(project, nb, options):
    project.write("pyproject.toml", STRICT)
    project.write("test_own.py", TEST)
    lax = "--nbval-lax" in options
    content = nb.notebook(nb.code("1", nb.result("2" if lax else "1", 1)), title=None, conclusion=None)
    content.metadata["kernelspec"] = {
        "name": "theirs" if lax else "python3",
        "display_name": "P",
        "language": "python",
    }
    project.add("a", content)
    run = project.pytest(*options)
    assert run.code == 0, run.said
    assert run.outcomes == {"test_own": "passed", "a.ipynb::Cell 0": "passed"}


@pytest.mark.slow
def test_a_conftest_that_talks_to_nbvals_kernel_still_can(project, nb):
    project.add("a", nb.notebook(nb.code("x", nb.result("7", 1)), nb.code("y", nb.result("8", 2))))
    project.write(
        "conftest.py",
        "def pytest_collectstart(collector):\n"
        "    if hasattr(collector, 'skip_compare'):\n        collector.skip_compare += ('text/latex',)\n"
        "def pytest_runtest_teardown(item):\n"
        "    kernel = item.parent.kernel\n"
        "    assert kernel.is_alive() and kernel.language == 'python'\n"
        "    done = kernel.execute_cell_input('y = 8', allow_stdin=False)\n"
        "    kernel.await_reply(done, timeout=10); kernel.await_idle(done, timeout=10)\n",
    )
    run = project.pytest("--nbval", "notebooks")
    assert run.of("a") == {"Cell 0": "failed", "Cell 1": "passed"}
