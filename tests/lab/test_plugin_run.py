"""How a run can be cut, reordered, distributed and interrupted, and still means the same."""

import signal
import time

import psutil
import pytest

from workbench.lab._schedule import scheduler

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def chain(module_project, nb):
    """Cells that need those above them, in a project that has opted in."""
    cells = [
        nb.code("import random; x = [1]", count=1),
        nb.code("x.append(2)\nlen(x)", nb.result("2", 2), count=2),
        nb.code("not defined", count=None, tags=["nbval-skip"]),
        nb.code("raise KeyError(x[-1])", nb.error("KeyError", "2"), tags=["raises-exception"], count=3),
        nb.code("x.append(3)\nx", nb.result("[1, 2, 3]", 4), count=4),
    ]
    module_project.add("chain", nb.notebook(*cells))
    return module_project.opt_in()


def test_one_cell_replays_the_cells_above_it(chain):
    run = chain.pytest("--nbval", "notebooks/chain.ipynb::Cell 4")
    assert run.outcomes == {"chain.ipynb::Cell 4": "passed"}


def test_k_replays_the_cells_above(chain):
    run = chain.pytest("--nbval", "notebooks", "-k", "Cell and 3 or Cell and 4")
    assert run.outcomes == {"chain.ipynb::Cell 3": "passed", "chain.ipynb::Cell 4": "passed"}


def test_any_order_executes_each_cell_once(chain):
    conftest = chain.write("conftest.py", "def pytest_collection_modifyitems(items):\n    items.reverse()\n")
    run = chain.pytest("--nbval", "notebooks", "-k", "chain")
    conftest.unlink()
    assert run.code == 0
    assert "chain.ipynb::rules" in run.outcomes
    assert next(iter(run.outcomes)) == "chain.ipynb::Cell 4"


def test_last_failed_replays_the_cells_above(project, nb):
    cells = [nb.code("x = 1"), nb.code("x", nb.result("2", 2)), nb.code("x + 1", nb.result("2", 3))]
    path = project.add("a", nb.notebook(*cells))
    assert project.pytest("--nbval", "notebooks").of("a") == {
        "Cell 0": "passed",
        "Cell 1": "failed",
        "Cell 2": "passed",
    }
    path.write_text(path.read_text().replace('"2"', '"1"', 1))
    run = project.pytest("--nbval", "notebooks", "--lf")
    assert run.outcomes == {"a.ipynb::Cell 1": "passed"}


def test_an_error_while_replaying_is_reported_as_such(project, nb):
    cells = [nb.code("x = 1"), nb.code("1 / 0"), nb.code("x", nb.result("1", 3))]
    project.add("a", nb.notebook(*cells))
    run = project.pytest("--nbval", "notebooks/a.ipynb::Cell 2")
    said = run.messages["a.ipynb::Cell 2"]
    assert "cell 4 (In [3]): cell 3 (In [2]) above failed while it was replayed for this one" in said
    assert "raised ZeroDivisionError: division by zero" in said


def test_without_the_stop_the_cells_after_a_dead_kernel_say_where_it_died(project, nb):
    cells = [nb.code("import os; os._exit(1)"), nb.code("x = 1"), nb.code("x", nb.result("1", 3))]
    project.add("a", nb.notebook(*cells))
    run = project.opt_in(stop_at_first_failure="false").pytest("--nbval", "notebooks")
    assert run.of("a") == {"rules": "passed", "Cell 0": "failed", "Cell 1": "failed", "Cell 2": "failed"}
    assert "was not executed: the kernel ended in cell 2 (In [1])" in run.messages["a.ipynb::Cell 2"]


def test_with_xdist_a_notebook_stays_on_one_worker(project, nb):
    """Each notebook has one kernel, failures are reported as without xdist, other tests are spread."""
    for name in "ab":
        tell = f"open('{name}', 'a').write(f'{{os.getpid()}} '); x"
        cells = [nb.code("import os; x = 0"), *(nb.code(tell, nb.result("0", n)) for n in range(2, 6))]
        project.add(name, nb.notebook(*cells))
    project.add("c", nb.notebook(nb.code("1 + 1", nb.result("3", 1)), nb.code("2", nb.result("2", 2))))
    project.write(
        "test_n.py", "import pytest\n@pytest.mark.parametrize('n', range(8))\ndef test_n(n): pass\n"
    )
    run = project.opt_in().pytest("--nbval", "-n", "2")
    passed = {"rules": "passed", **{f"Cell {n}": "passed" for n in range(5)}}
    assert run.of("a") == run.of("b") == passed
    assert [len(set((project.folder / "notebooks" / name).read_text().split())) for name in "ab"] == [1, 1]
    assert run.of("c") == {"rules": "passed", "Cell 0": "failed", "Cell 1": "skipped"}
    assert len(run.outcomes) == 6 + 6 + 3 + 8
    page = ".workbench/notebooks/notebooks/c.diff.html"
    assert run.said.count(page) >= 2  # in the failure, and in the summary
    assert (project.folder / page).is_file()


@pytest.mark.parametrize(
    ("mode", "apart"),
    [("load", True), ("worksteal", True), ("loadgroup", True), ("loadscope", None), ("no", None)],
)
def test_however_tests_are_spread_a_notebook_is_one_piece(pytestconfig, monkeypatch, mode, apart):
    monkeypatch.setattr(pytestconfig.option, "dist", mode)
    monkeypatch.setattr(pytestconfig.option, "tx", ["popen"])
    ours = scheduler(pytestconfig, None)
    if apart is None:
        assert ours is None  # xdist's own keeps a file together
        return
    cells = ["n/a.ipynb::Cell 0", "n/a.ipynb::Cell 1", "n/a.ipynb::rules"]
    assert {ours._split_scope(cell) for cell in cells} == {"n/a.ipynb"}
    assert ours._split_scope("test_x.py::test_1") == "test_x.py::test_1"
    assert ours._split_scope("test_x.py::test_1@group") == (
        "group" if mode == "loadgroup" else "test_x.py::test_1@group"
    )


def test_kernels_are_pinned_tests_beside_them_are_not_and_the_users_sanitizer_is_merged(project, nb):
    code = "import os\nos.environ['TZ'], os.environ['COLUMNS'], os.environ.get('PYTEST_CURRENT_TEST')"
    cells = [
        nb.code(code, nb.result("('UTC', '80', None)", 1)),
        nb.code("print('2026-11-25', repr(object()))", nb.stdout("2026-01-01 <object object at 0x11>\n")),
    ]
    project.add("a", nb.notebook(*cells))
    project.write("clean.cfg", "[date]\nregex: \\d{4}-\\d\\d-\\d\\d\nreplace: DATE\n")
    project.write(
        "test_zone.py", "import os\ndef test_zone():\n    assert os.environ['TZ'] == 'Asia/Tokyo'\n"
    )
    around = {"TZ": "Asia/Tokyo", "COLUMNS": "200", "PYTHONHASHSEED": "7"}
    run = project.pytest("--nbval", "--nbval-sanitize-with=clean.cfg", **around)
    assert run.outcomes == {"a.ipynb::Cell 0": "passed", "a.ipynb::Cell 1": "passed", "test_zone": "passed"}


def test_a_kernelspec_of_another_machine_is_an_error_that_names_it(project, nb):
    content = nb.notebook(nb.code("1", nb.result("1", 1)))
    content.metadata["kernelspec"] = {"name": "theirs", "display_name": "Theirs", "language": "python"}
    project.add("a", content)
    run = project.pytest("--nbval", "notebooks")
    said = run.messages["a.ipynb::Cell 0"]
    assert "notebooks/a.ipynb, cell 2 (In [1]): was not executed: there is no kernel named 'theirs'" in said


def test_a_broken_notebook_is_a_collection_error_that_names_it(project, nb):
    project.write("notebooks/broken.ipynb", "{")
    run = project.opt_in().pytest("--nbval", "notebooks")
    assert run.code == 2
    assert "broken.ipynb: this is no notebook that can be read" in run.said


def test_a_wrong_setting_stops_the_run_with_a_message(project):
    run = project.opt_in(max_second=3).pytest("--nbval", "notebooks")
    assert run.code == 4
    assert "no setting 'max_second' (did you mean 'max_seconds'?)" in run.said


def test_ctrl_c_in_the_middle_of_a_cell_leaves_no_kernel(project, nb):
    project.add("a", nb.notebook(nb.code("open('begun', 'w').close()\nwhile True: pass")))
    with project.start("-m", "pytest", "--nbval", "notebooks") as process:
        _wait_for((project.folder / "notebooks" / "begun").exists)
        kernels = psutil.Process(process.pid).children(recursive=True)
        process.send_signal(signal.SIGINT)
        said, _ = process.communicate(timeout=20)
    assert process.returncode == 2
    assert "KeyboardInterrupt" in said
    assert kernels
    assert not any(kernel.is_running() for kernel in kernels)


def _wait_for(condition):
    deadline = time.monotonic() + 30
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.05)
