"""The laboratory as its user sees it: `workbench lab`, and JupyterLab in Chromium on the tour.

The tests share one server, one Chromium and one window, and stand in the order in which a user would do this:
look at what is stored, run it all, come back another time.
"""

from pathlib import Path

import pytest
from lab.laboratory_driver import Visit, serving

REPOSITORY = Path(__file__).parents[2]
TOUR = "notebooks/00_tour.ipynb"
pytestmark = [pytest.mark.browser, pytest.mark.slow]


def errors(cells):
    return [output for cell in cells for output in cell["outputs"] if output["output_type"] == "error"]


@pytest.fixture(scope="module")
def laboratory(tmp_path_factory):
    with serving(REPOSITORY, tmp_path_factory.mktemp("jupyter")) as server:
        yield server


@pytest.fixture(scope="module")
def visit(chromium, laboratory):
    """Open the laboratory for the first time."""
    with Visit(chromium, laboratory) as window:
        yield window


@pytest.fixture(scope="module")
def screenshots(request):
    """Where the pictures go that a person looks at afterwards; git ignores it."""
    return request.config.rootpath / ".workbench" / "browser"


@pytest.mark.parametrize("theme", ["Light", "Dark"])
def test_stored_pictures_are_visible_before_anything_is_run(visit, screenshots, theme):
    """A fresh clone shows its drawings at once: they are trusted, loaded and have a size."""
    visit.use_theme(theme)
    found = visit.pictures()
    assert found, "the tour stores no picture"
    for cell in found:
        visit.show(cell["cell"])
        visit.screenshot(screenshots / f"stored-{theme.lower()}-{cell['cell']:02}.png")
        assert cell["pictures"], f"cell {cell['cell']} stores a picture and shows none"
        for picture in cell["pictures"]:
            assert picture["width"] > 0
            assert picture["height"] > 0
            assert picture["loaded"]
            assert picture["visible"]
    assert visit.problems == []


def test_settings_that_come_with_workbench_are_in_force(visit):
    """No news popup and no other question; every cell has line numbers."""
    visit.page.wait_for_load_state("networkidle")
    assert visit.page.locator(".Toastify__toast, .jp-Dialog").count() == 0
    assert visit.page.locator(".jp-CodeCell .cm-editor:not(:has(.cm-lineNumbers))").count() == 0
    assert visit.page.locator(".jp-CodeCell .cm-lineNumbers").count() > 0


def test_tour_runs_from_top_to_bottom(visit, screenshots):
    """Clear all outputs and run all cells: no error, counts 1..N, nothing wrong in the page."""
    cells = visit.run_all()
    assert errors(cells) == []
    assert [cell["count"] for cell in cells] == list(range(1, len(cells) + 1))
    for theme in ("Light", "Dark"):
        visit.use_theme(theme)
        visit.screenshot(screenshots / f"tour-{theme.lower()}.png")
    assert visit.problems == []


def test_error_in_a_cell_is_noticed(visit):
    """What the test above relies on."""
    visit.write_first_cell("1 / 0")
    cells = visit.run_all()
    assert [error["ename"] for error in errors(cells)] == ["ZeroDivisionError"]
    assert [cell["count"] for cell in cells] != list(range(1, len(cells) + 1))


def test_second_visit_finds_the_layout_as_it_was_left(chromium, laboratory, visit):
    """The tour is open, once, and what the first visit hid is hidden."""
    assert visit.open_files() == [TOUR]
    assert not visit.hides_file_browser()
    visit.hide_file_browser()
    with Visit(chromium, laboratory) as again:
        assert again.open_files() == [TOUR]
        assert again.hides_file_browser()
        assert again.problems == []
