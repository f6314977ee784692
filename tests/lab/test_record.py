"""Recording: the same bytes every time, the whole file or nothing, and only what keeps the rules."""

import errno
import json
import os
import signal
import stat
import time

import nbformat
import psutil
import pytest

from workbench.lab import LabError, NotebookSettings, record_notebook
from workbench.lab._canonical import canonical, stored_form
from workbench.lab._write import write_whole
from workbench.lab.errors import CellError, RefusedError

pytestmark = pytest.mark.slow

WORKBENCH = "-c", "from workbench.cli import app; app()"
RAISE = "def deep(x):\n    return 1 / x\ndeep(0)"


def outputs(path, number):
    return nbformat.read(path, 4).cells[number - 1].outputs


@pytest.fixture(scope="module")
def recorded(module_project, nb):
    """A notebook with everything that would change from run to run, recorded twice."""
    cells = [
        nb.code("x = 3\nx = x", count=7),
        nb.code("import sys\nfor n in range(3):\n    print(n)\n    print('w', file=sys.stderr)", count=None),
        nb.code("class A: pass\nprint([A(), repr(A())])", count=None),
        nb.code("import time\ntime.perf_counter()", count=None, tags=["nbval-ignore-output"]),
        nb.code(RAISE, count=None, tags=["raises-exception"]),
        nb.code("import json\njson.loads('{')", count=None, tags=["raises-exception"]),
        nb.code("import pandas as pd\npd.DataFrame({'a': [1]}).style", count=None),
        nb.code("login()", nb.stdout("by hand\n"), count=3, tags=["nbval-skip"]),
        nb.code("  ", nb.stdout("old\n"), count=9),
        nb.code("from IPython.display import display, clear_output\nfor n in range(3):\n"
                "    clear_output(wait=True)\n    display(n)", count=None),
        nb.code("{'b', 'a', 'c'}, list({'b', 'a', 'c'}) == list({'b', 'a', 'c'})", count=None),
        nb.code("import warnings; warnings.warn('careful')", count=None),
    ]  # fmt: skip
    content = nb.notebook(*cells)
    content.cells[1].metadata["execution"] = {"iopub.execute_input": "2026-11-25T21:35:00Z"}
    content.metadata.update(
        widgets={"state": {}}, language_info={"name": "python", "version": "3.9.1"}, mine=1
    )
    path = module_project.add("a", content)
    path.chmod(0o640)
    module_project.first = record_notebook(path, NotebookSettings())
    module_project.bytes = path.read_bytes()
    module_project.second = record_notebook(path, NotebookSettings())
    module_project.path = path
    return module_project


def test_a_second_recording_writes_the_same_bytes(recorded):
    assert recorded.first.changes
    assert recorded.second.changes == ()
    assert recorded.path.read_bytes() == recorded.bytes


def test_counts_are_those_of_a_fresh_kernel_and_outputs_those_of_jupyterlab(recorded):
    cells = [cell for cell in nbformat.read(recorded.path, 4).cells if cell.cell_type == "code"]
    assert [cell.execution_count for cell in cells] == [1, 2, 3, 4, 5, 6, 7, None, None, 8, 9, 10]
    assert cells[0].outputs == []
    assert [output.text for output in cells[1].outputs] == ["0\n1\n2\n", "w\nw\nw\n"]
    assert cells[7].outputs[0].text == "by hand\n"  # nbval-skip: never executed, left alone
    assert cells[8].outputs == []
    assert [output.data["text/plain"] for output in cells[9].outputs] == ["2"]


def test_what_changes_from_run_to_run_is_not_stored(recorded):
    said = recorded.bytes.decode()
    assert "at 0x..." in said
    assert "T_00000_row0_col0" in said
    for trace in ("at 0x7", "iopub", "widgets", "3.9.1", "ipykernel_", str(recorded.folder)):
        assert trace not in said


def test_tracebacks_name_libraries_by_name_and_not_by_place(recorded):
    traceback = "\n".join(outputs(recorded.path, 7)[0].traceback)
    assert "/json/__init__.py" in traceback
    assert "lib/python3." in traceback
    assert "/lib/python3." not in traceback


def test_the_file_has_the_layout_of_nbformat_and_its_mode(recorded):
    text = recorded.bytes.decode()
    assert text == json.dumps(json.loads(text), indent=1, sort_keys=True, ensure_ascii=False) + "\n"
    assert stat.S_IMODE(recorded.path.stat().st_mode) == 0o640
    metadata = json.loads(text)["metadata"]
    assert metadata["kernelspec"]["name"] == "python3"
    assert metadata["language_info"] == {"name": "python"}
    assert metadata["mine"] == 1


def test_a_measurement_stays_until_its_code_changes_or_a_fresh_one_is_asked_for(project, nb):
    cell = nb.code("import time\ntime.time()", count=None, tags=["nbval-ignore-output"])
    path = project.add("a", nb.notebook(nb.code("x = 1"), cell))

    def measured():
        return outputs(path, 3)[0].data["text/plain"]

    record_notebook(path)
    first = measured()
    record_notebook(path)
    assert measured() == first
    path.write_text(path.read_text().replace("x = 1", "x = 2"))
    record_notebook(path)
    second = measured()
    assert second != first
    record_notebook(path, fresh=True)
    assert measured() != second


def test_what_was_recorded_passes_with_the_harness_and_with_nbval_alone(project, nb):
    cells = [nb.code("import os\nprint(1.5, {1: 'a'})", count=None), nb.code("sum(range(10))", count=None)]
    path = project.add("a", nb.notebook(*cells))
    record_notebook(path, NotebookSettings())
    assert project.opt_in().pytest("--nbval", "notebooks").code == 0
    assert project.pytest("-p", "no:workbench", "--nbval", "notebooks").code == 0


@pytest.mark.parametrize(
    ("code", "settings", "said"),
    [
        ("1 / 0", None, "raised ZeroDivisionError: division by zero"),
        ("import os; os._exit(3)", None, "the kernel died in this cell (exit code 3)"),
        ("while True: pass", NotebookSettings(max_seconds=1), "the notebook takes over 1 s"),
        ("while True: pass", NotebookSettings(cell_seconds=1), "takes over 1 s, the time limit of one cell"),
    ],
)
def test_a_cell_that_fails_leaves_the_file_untouched_and_is_named(project, nb, code, settings, said):
    path = project.add("a", nb.notebook(nb.code("x = 1", count=None), nb.code(code, count=None)))
    before = path.read_bytes(), path.stat().st_mtime_ns
    with pytest.raises(CellError) as caught:
        record_notebook(path, settings)
    assert f"a.ipynb, cell 3 (In [2]): {said}" in str(caught.value)
    assert (path.read_bytes(), path.stat().st_mtime_ns) == before
    assert [entry.name for entry in path.parent.iterdir()] == ["a.ipynb"]


def test_a_notebook_that_breaks_the_rules_is_not_written(project, nb):
    path = project.add(
        "a", nb.notebook(nb.code("import os; os.getcwd()", count=None), title=None, conclusion=None)
    )
    before = path.read_bytes()
    with pytest.raises(RefusedError) as caught:
        record_notebook(path, NotebookSettings(max_bytes=100))
    rules = [finding.rule for finding in caught.value.findings]
    assert rules == ["absolute-path", "too-large", "no-title", "no-conclusion"]
    assert path.read_bytes() == before
    assert record_notebook(path).changes  # without settings nothing is refused


def test_without_writing_the_changes_are_reported_and_the_file_stays(project, nb):
    path = project.add("a", nb.notebook(nb.code("1", nb.result("2", 1)), nb.code("2", nb.result("2", 2))))
    before = path.read_bytes()
    assert record_notebook(path, write=False).changes == ("cell 2 (In [1]): outputs",)
    assert path.read_bytes() == before


def test_progress_is_told_cell_by_cell(project, nb):
    path = project.add("a", nb.notebook(nb.code("1"), nb.text("x"), nb.code("2")))
    told = []
    recorded = record_notebook(path, on_cell=lambda *progress: told.append(progress))
    assert told == [(1, 2), (2, 2)]
    assert recorded.cells == 2


def test_a_missing_notebook_is_a_named_error(tmp_path):
    with pytest.raises(LabError, match="No such file"):
        record_notebook(tmp_path / "none.ipynb")


def test_a_notebook_of_another_language_is_left_alone(project, nb):
    content = nb.notebook(nb.code("1"))
    content.metadata["kernelspec"] = {"name": "ir", "display_name": "R", "language": "R"}
    with pytest.raises(LabError, match="a R notebook; only Python"):
        record_notebook(project.add("a", content))


def test_cells_keep_their_ids_and_get_stable_ones(nb, tmp_path):
    """Ids that are missing, invalid or taken are made of position and content: the same on every machine."""
    cells = [{"cell_type": "markdown", "metadata": {}, "source": f"{n}"} for n in range(4)]
    cells[0]["id"], cells[1]["id"], cells[2]["id"] = "mine", "mine", "not valid!"
    written = json.dumps({"cells": cells, "metadata": {}, "nbformat": 4, "nbformat_minor": 5}).encode()

    def identifiers():
        content = v4_read(written)
        canonical(content, written, tmp_path)
        stored_form(content)
        return [cell.id for cell in content.cells]

    assert identifiers() == identifiers()
    assert identifiers()[0] == "mine"
    assert len(set(identifiers())) == 4


def v4_read(written):
    import warnings

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return nbformat.reads(written.decode(), 4)


def test_an_old_notebook_is_brought_to_the_format_with_ids(project, nb):
    content = nb.notebook(nb.code("1", nb.result("1", 1)))
    content.nbformat_minor = 2
    for cell in content.cells:
        del cell["id"]
    path = project.add("a", content)
    record_notebook(path)
    first = path.read_bytes()
    assert json.loads(first)["nbformat_minor"] == 5
    path.write_text(nbformat.writes(content))
    record_notebook(path)
    assert path.read_bytes() == first


def test_a_file_is_replaced_whole_or_not_at_all(tmp_path, monkeypatch):
    path = tmp_path / "a"
    path.write_bytes(b"old")
    link = tmp_path / "link"
    link.symlink_to(path)
    write_whole(link, b"new")
    assert (path.read_bytes(), link.is_symlink()) == (b"new", True)
    monkeypatch.setattr(os, "fsync", _fail)
    with pytest.raises(OSError, match="disk full"):
        write_whole(path, b"half")
    assert path.read_bytes() == b"new"
    assert sorted(entry.name for entry in tmp_path.iterdir()) == ["a", "link"]


def _fail(_descriptor):
    raise OSError(errno.ENOSPC, "disk full")


@pytest.mark.parametrize(
    ("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGKILL, -signal.SIGKILL)]
)
def test_an_interrupted_or_killed_recording_leaves_file_and_machine_as_they_were(project, nb, number, code):
    path = project.add("a", nb.notebook(nb.code("open('begun', 'w').close()\nwhile True: pass", count=None)))
    before = path.read_bytes()
    with project.start(*WORKBENCH, "notebooks", "record") as process:
        _wait_for((path.parent / "begun").exists)
        kernels = psutil.Process(process.pid).children(recursive=True)
        process.send_signal(number)
        process.communicate(timeout=20)
    assert process.returncode == code
    assert kernels
    _wait_for(lambda: not any(_runs(kernel) for kernel in kernels))
    assert path.read_bytes() == before
    assert sorted(entry.name for entry in path.parent.iterdir()) == ["a.ipynb", "begun"]


def _runs(process):
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def _wait_for(condition):
    deadline = time.monotonic() + 30
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.05)
