"""One run over many notebooks, most of which must fail: every rule and every comparison, as a user meets it.

The first project has opted in, the second has not; the third run is nbval alone, to show what it lets pass.
"""

import pytest

pytestmark = pytest.mark.slow

MAX_SECONDS = 3

RICH = """class A:
    def __repr__(self): return "as text"
    def _repr_html_(self): return "<b>new</b>"
    def _repr_svg_(self): return "<svg>new</svg>"
A()"""


def compared(nb):
    """Make a notebook with a cell for everything that is compared, or is not; one is wrong."""
    code, result, stdout, error = nb.code, nb.result, nb.stdout, nb.error
    return nb.notebook(
        code("x = 20"),
        code("x + 22", result("42", 2)),
        code("object()", result("<object at 0x1234abcd>", 3)),
        code("_", result("<object at 0x5>", 4)),
        code(RICH, result("as text", 5, html="<b>old</b>", svg="<svg>old</svg>")),
        code("import sys; print('w', file=sys.stderr); print('out')", stdout("out\n")),
        code("raise ValueError('no')", error("ValueError", "no"), tags=["raises-exception"]),
        code("import time; time.time()", result("1.5", 8), tags=["nbval-ignore-output"]),
        code("1 / 0", count=None, tags=["nbval-skip"]),
        code("print('p99 = 12.5 ms')", stdout("p99 = 12.6 ms\n"), count=9),
        code("print('after')", stdout("after\n"), count=10),
    )


CELLS = ["start", "value", "address", "history", "html", "stderr", "tagged", "measured",
         "skipped", "simulated", "after"]  # fmt: skip


def fill(project, nb):
    code, notebook = nb.code, nb.notebook
    project.add("compared", compared(nb))
    project.add("stripped", notebook(code("print('anything')", count=None), code("1 / 1", count=None)))
    project.add("disordered", notebook(code("a = 1", count=2), code("b = 2", count=1)))
    project.add("pathetic", notebook(nb.text("Look into /home/ann/x.csv.")))
    project.add("large", notebook(nb.text("x" * 30_000)))
    project.add("silenced", notebook(code("x = 20"), code("x;")))
    project.add("untitled", notebook(nb.text("prose"), title=None))
    project.add("unconcluded", notebook(nb.text("prose"), conclusion=None))
    return project


def cell(run, name):
    return run.of("compared")[f"Cell {CELLS.index(name)}"]


@pytest.fixture(scope="module")
def opted_in(module_project, nb):
    fill(module_project, nb).opt_in(max_seconds=MAX_SECONDS, max_bytes=20_000)
    module_project.add("erring", nb.notebook(nb.code("raise ValueError('no')", nb.error("ValueError", "no"))))
    module_project.add(
        "endless", nb.notebook(nb.code("a = 1"), nb.code("while True: pass"), nb.code("b = 2"))
    )
    module_project.add(
        "crashing", nb.notebook(nb.code("a = 1"), nb.code("import os; os._exit(1)"), nb.code("b = 2"))
    )
    return module_project.pytest("--nbval", "notebooks")


@pytest.fixture(scope="module")
def plain(tmp_path_factory, nb, make_project):
    return fill(make_project(tmp_path_factory.mktemp("plain")), nb).pytest("--nbval", "notebooks")


@pytest.fixture(scope="module")
def bare(tmp_path_factory, nb, make_project):
    return fill(make_project(tmp_path_factory.mktemp("bare")), nb).pytest(
        "-p", "no:workbench", "--nbval", "notebooks"
    )


def test_a_notebook_that_keeps_the_rules_passes_them(opted_in):
    assert opted_in.of("compared")["rules"] == "passed"
    assert [cell(opted_in, name) for name in ("start", "value")] == ["passed", "passed"]


@pytest.mark.parametrize(
    ("name", "rule", "cell"),
    [
        ("stripped", "not-executed", "cell 2"),
        ("disordered", "out-of-order", "cell 2 (In [2])"),
        ("silenced", "silenced", "cell 3 (In [2])"),
        ("erring", "untagged-error", "cell 2 (In [1])"),
        ("pathetic", "absolute-path", "cell 2"),
        ("large", "too-large", "cell 2"),
        ("untitled", "no-title", "cell 1"),
        ("unconcluded", "no-conclusion", "cell 2"),
    ],
)
def test_a_broken_rule_fails_with_notebook_and_cell(opted_in, name, rule, cell):
    assert opted_in.of(name)["rules"] == "failed"
    said = opted_in.messages[f"{name}.ipynb::rules"]
    assert f"notebooks/{name}.ipynb, {cell}: " in said
    assert f"[{rule}]" in said


def test_only_the_broken_notebooks_fail_their_rules(opted_in):
    failed = {
        key.partition(".")[0]
        for key, value in opted_in.outcomes.items()
        if (value, key[-5:]) == ("failed", "rules")
    }
    assert failed == {
        "stripped",
        "disordered",
        "erring",
        "pathetic",
        "large",
        "silenced",
        "untitled",
        "unconcluded",
    }
    assert opted_in.code == 1


def test_nbval_alone_passes_a_stripped_notebook_vacuously(bare, plain):
    assert bare.of("stripped") == plain.of("stripped") == {"Cell 0": "passed", "Cell 1": "passed"}


def test_a_stripped_cell_fails_by_itself_so_that_choosing_cells_does_not_pass_vacuously(opted_in):
    assert opted_in.of("stripped") == {"rules": "failed", "Cell 0": "failed", "Cell 1": "skipped"}
    assert "was never executed" in opted_in.messages["stripped.ipynb::Cell 0"]


@pytest.mark.parametrize(
    ("name", "with_harness", "with_nbval_alone"),
    [
        ("simulated", "failed", "failed"),
        ("address", "passed", "failed"),
        ("history", "passed", "failed"),
        ("html", "passed", "failed"),
        ("stderr", "passed", "failed"),
        ("tagged", "passed", "passed"),
        ("measured", "passed", "passed"),
        ("skipped", "skipped", "skipped"),
    ],
)
def test_what_is_compared(opted_in, plain, bare, name, with_harness, with_nbval_alone):
    """Simulated times are results; addresses, html, svg, stderr are not; `_` is JupyterLab's."""
    outcomes = [cell(opted_in, name), cell(plain, name), cell(bare, name)]
    assert outcomes == [with_harness, with_harness, with_nbval_alone]


def test_a_semicolon_hides_a_value_as_in_jupyterlab_but_not_from_nbval(opted_in, plain, bare):
    outcomes = [run.of("silenced")["Cell 1"] for run in (opted_in, plain, bare)]
    assert outcomes == ["passed", "passed", "failed"]


def test_a_failure_shows_expected_and_got(opted_in):
    said = opted_in.messages[f"compared.ipynb::Cell {CELLS.index('simulated')}"]
    assert "notebooks/compared.ipynb, cell 11 (In [9]): Cell outputs differ" in said
    assert "p99 = 12.6 ms" in said
    assert "p99 = 12.5 ms" in said


def test_a_notebook_stops_at_its_first_failure_and_the_others_go_on(opted_in, plain):
    assert (cell(opted_in, "after"), cell(plain, "after")) == ("skipped", "passed")
    said = opted_in.messages[f"compared.ipynb::Cell {CELLS.index('after')}"]
    assert "an earlier cell failed: cell 11 (In [9])" in said
    assert opted_in.of("erring")["Cell 0"] == "failed"


def test_an_error_that_is_not_tagged_fails_with_its_traceback(opted_in):
    said = opted_in.messages["erring.ipynb::Cell 0"]
    assert "notebooks/erring.ipynb, cell 2 (In [1]): raised ValueError: no" in said
    assert "Traceback (most recent call last)" in said


def test_a_notebook_over_its_time_is_interrupted_and_the_cell_named(opted_in):
    assert opted_in.of("endless") == {
        "rules": "passed",
        "Cell 0": "passed",
        "Cell 1": "failed",
        "Cell 2": "skipped",
    }
    said = opted_in.messages["endless.ipynb::Cell 1"]
    assert f"notebooks/endless.ipynb, cell 3 (In [2]): the notebook takes over {MAX_SECONDS} s" in said
    assert "[too-slow]" in said


def test_a_crashing_kernel_fails_the_cell_that_crashed_it(opted_in):
    assert opted_in.of("crashing") == {
        "rules": "passed",
        "Cell 0": "passed",
        "Cell 1": "failed",
        "Cell 2": "skipped",
    }
    said = opted_in.messages["crashing.ipynb::Cell 1"]
    assert "notebooks/crashing.ipynb, cell 3 (In [2]): the kernel died in this cell (exit code 1)" in said


def test_a_project_without_the_table_is_refused_nothing(plain):
    assert not [key for key in plain.outcomes if key.endswith("rules")]
    for name in ("stripped", "disordered", "pathetic", "large", "untitled", "unconcluded"):
        assert set(plain.of(name).values()) <= {"passed"}
    assert "no [tool.workbench.notebooks]" in plain.said


def test_a_project_without_the_table_finds_no_reports_in_its_folder(plain, tmp_path_factory):
    assert not [*tmp_path_factory.getbasetemp().glob("plain*/project/.workbench")]
