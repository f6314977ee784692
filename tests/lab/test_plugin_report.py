"""What a failed notebook leaves behind for its reader."""

import re
import shutil
import subprocess

import nbformat
import pytest

from workbench.lab._diff_page import FailedCell, diff_page

pytestmark = pytest.mark.slow

PIXEL = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mP8z8BQDwAEhQGAhKmMIQAAAABJRU5ErkJggg=="
DRAW = f"""import base64
from IPython.display import Image, display
display(Image(base64.b64decode('{PIXEL}')))
print('left <b>', 2)"""


@pytest.fixture(scope="module")
def failed(module_project, nb):
    """A notebook that fails twice, with text and pictures, and breaks a rule."""
    cells = [
        nb.code("x = 1"),
        nb.code(
            DRAW,
            nb.result("<IPython.core.display.Image object>", 2, png=PIXEL),
            nb.stdout("left <b> 1\nsame\n"),
        ),
        nb.code("raise ValueError('sudden <i>')", nb.result("4", 3)),
        nb.code("5", nb.result("5", 4)),
    ]
    module_project.path = module_project.add("deep/a", nb.notebook(*cells, conclusion=None))
    module_project.opt_in(stop_at_first_failure="false")
    module_project.run_ = module_project.pytest("--nbval", "notebooks")
    module_project.left = module_project.folder / ".workbench/notebooks/notebooks/deep"
    module_project.page = (module_project.left / "a.diff.html").read_text()
    return module_project


def test_the_page_is_named_in_the_failure_and_in_the_summary(failed):
    page = ".workbench/notebooks/notebooks/deep/a.diff.html"
    assert f"report: {page}" in failed.run_.messages["a.ipynb::Cell 1"]
    summary = failed.run_.said.partition("notebooks: expected against got")[2]
    assert page in summary


def test_the_executed_notebook_has_the_outputs_of_the_run(failed):
    executed = nbformat.read(failed.left / "a.executed.ipynb", 4)
    outputs = [cell.outputs for cell in executed.cells if cell.cell_type == "code"]
    assert [len(each) for each in outputs] == [0, 2, 1, 1]
    assert outputs[1][1].text == "left <b> 2\n"
    assert outputs[2][0].ename == "ValueError"
    assert [cell.execution_count for cell in executed.cells if cell.cell_type == "code"] == [1, 2, 3, 4]


def test_text_stands_side_by_side_with_its_differences_marked(failed):
    assert (
        "<td><pre>left &lt;b&gt; <del>1</del></pre></td><td><pre>left &lt;b&gt; <ins>2</ins></pre></td>"
        in failed.page
    )
    assert "<td><pre><del>same</del></pre></td><td><pre></pre></td>" in failed.page


def test_pictures_stand_side_by_side(failed):
    image = rf'<img alt="image/png" src="data:image/png;base64,{re.escape(PIXEL)}">'
    assert re.search(rf"<td>{image}</td><td>{image}</td>", failed.page)


def test_tracebacks_are_readable_and_everything_is_escaped(failed):
    assert "ValueError: sudden &lt;i&gt;" in failed.page
    assert "\x1b" not in failed.page
    assert "<i>" not in failed.page
    assert "<b>" not in failed.page


def test_failing_cells_are_linked_and_say_how_to_run_them_again(failed):
    assert '<li><a href="#cell-3">cell 3 (In [2])</a>' in failed.page
    assert '<section id="cell-3">' in failed.page
    assert '<a href="#cell-4">cell 4 (In [3]) &rarr;</a>' in failed.page
    assert '<a href="#cell-3">&larr; cell 3 (In [2])</a>' in failed.page
    assert "pytest --nbval &#x27;notebooks/deep/a.ipynb::Cell 1&#x27;" in failed.page


def test_broken_rules_are_listed(failed):
    assert "notebooks/deep/a.ipynb, cell 5 (In [4]): " not in failed.page
    assert "has no conclusion [no-conclusion]" in failed.page


def test_the_page_stands_alone_in_light_and_dark(failed):
    assert "<script" not in failed.page
    assert not re.findall(r'(?:src|href)="(?!data:|#|a\.executed\.ipynb)', failed.page)
    assert "color-scheme: light dark" in failed.page


def test_reports_ignore_themselves_in_git(failed):
    if shutil.which("git") is None:
        pytest.skip("git is not here")
    subprocess.run(["git", "init", "-q"], cwd=failed.folder, check=True)
    command = ["git", "status", "--short", "--untracked-files=all"]
    status = subprocess.run(command, cwd=failed.folder, capture_output=True, text=True, check=True)
    assert ".workbench" not in status.stdout


def test_a_notebook_that_passes_removes_its_report_but_one_cell_does_not(failed, nb):
    failed.add("deep/a", nb.notebook(nb.code("1", nb.result("1", 1)), nb.code("2", nb.result("2", 2))))
    assert failed.pytest("--nbval", "notebooks/deep/a.ipynb::Cell 1").code == 0
    assert (failed.left / "a.diff.html").exists()
    assert failed.pytest("--nbval", "notebooks").code == 0
    assert not failed.left.exists()


def test_pictures_inside_html_stand_side_by_side_too(nb):
    """As `workbench.display` draws them; the markup around them is left out."""
    pixel = f'<div onclick="x()"><img src="data:image/png;base64,{PIXEL}"></div>'
    output = nb.result("timeline of 2 spans", 1, html=pixel)
    cell = FailedCell(1, "cell 1", "", "differs", "", [output], [output], "pytest")
    page = diff_page("a.ipynb", [cell], [], executed="a.executed.ipynb")
    assert page.count(f'src="data:image/png;base64,{PIXEL}"') == 2
    assert "onclick" not in page


def test_vector_pictures_are_images_too(nb):
    output = nb.result("x", 1, svg="<svg xmlns='http://www.w3.org/2000/svg'><script>no</script></svg>")
    cell = FailedCell(1, "cell 1", "x", "differs", "", [output], [], "pytest")
    page = diff_page("a.ipynb", [cell], [], executed="a.executed.ipynb")
    assert 'src="data:image/svg+xml;base64,' in page
    assert "<script" not in page
