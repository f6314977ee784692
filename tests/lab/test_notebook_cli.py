"""``workbench notebooks list | test | record``."""

import json
import os

import pytest
from typer.testing import CliRunner

from workbench.cli.notebooks import app

WORKBENCH = "-c", "from workbench.cli import app; app()"


@pytest.fixture
def cli(project, monkeypatch):
    """Run a command of the group in the project's folder."""
    monkeypatch.chdir(project.folder)
    monkeypatch.setenv("COLUMNS", "200")
    return lambda *arguments: CliRunner().invoke(app, list(arguments))


def test_list_shows_titles_cells_sizes_and_findings(cli, project, nb):
    project.opt_in().add("good", nb.notebook(nb.code("1", nb.result("1", 1)), title="# A good one"))
    project.add("bad", nb.notebook(nb.code("1", count=None)))
    done = cli("list")
    assert done.exit_code == 0
    assert "notebooks/good.ipynb" in done.output
    assert "A good one" in done.output
    assert "notebooks/bad.ipynb, cell 2: 1 of 1 code cells were never executed" in done.output


def test_list_as_json_is_for_programs(cli, project, nb):
    project.opt_in().add("bad", nb.notebook(nb.code("1", count=None), title="# Bad"))
    (row,) = json.loads(cli("list", "--json").output)
    assert row | {"bytes": 0, "findings": 0} == {
        "notebook": "notebooks/bad.ipynb", "title": "Bad",
        "cells": 1, "seconds": None, "bytes": 0, "findings": 0,
    }  # fmt: skip
    assert "[not-executed]" in row["findings"][0]


def test_list_of_a_project_that_has_not_opted_in_finds_nothing_wrong(cli, project, nb):
    project.add("bad", nb.notebook(nb.code("1", count=None), title=None))
    (row,) = json.loads(cli("list", "--json").output)
    assert row["findings"] == []


def test_a_path_that_is_not_there_is_a_message(cli):
    done = cli("list", "none.ipynb")
    assert done.exit_code == 1
    assert "error: none.ipynb: there is no such folder or notebook" in done.output


def test_wrong_settings_are_a_message(cli, project):
    project.opt_in(no_such="1")
    done = cli("record")
    assert done.exit_code == 1
    assert "no setting 'no_such'" in done.output


def test_record_writes_remembers_the_time_and_says_what_changed(cli, project, nb):
    path = project.opt_in().add("a", nb.notebook(nb.code("1", nb.result("2", 1))))
    done = cli("record")
    assert (done.exit_code, "notebooks/a.ipynb, cell 2 (In [1]): outputs" in done.output) == (0, True)
    assert '"1"' in path.read_text()
    assert "changed" not in cli("record", "--check").output
    (row,) = json.loads(cli("list", "--json").output)
    assert 0 < row["seconds"] < 10


def test_record_check_writes_nothing_and_fails_if_anything_would_change(cli, project, nb):
    path = project.add("a", nb.notebook(nb.code("1", nb.result("2", 1))))
    before = path.read_bytes()
    done = cli("record", "--check", os.fspath(path))
    assert done.exit_code == 1
    assert "cell 2 (In [1]): outputs" in done.output
    assert path.read_bytes() == before
    assert not (project.folder / ".workbench").exists()


@pytest.mark.slow
def test_record_names_what_failed_and_goes_on_with_the_others(cli, project, nb):
    bad = project.add("a", nb.notebook(nb.code("1 / 0", count=None)))
    good = project.add("b", nb.notebook(nb.code("1 + 1", count=None)))
    before = bad.read_bytes()
    done = cli("record", "notebooks")
    assert done.exit_code == 1
    assert "notebooks/a.ipynb, cell 2 (In [1]): raised ZeroDivisionError" in done.output
    assert bad.read_bytes() == before
    assert '"2"' in good.read_text()


@pytest.mark.slow
def test_test_passes_arguments_and_the_exit_code_on(project, nb):
    project.opt_in(paths="['notebooks', 'more.ipynb']")
    project.add("a", nb.notebook(nb.code("x = 1"), nb.code("x", nb.result("1", 2))))
    project.add("../more", nb.notebook(nb.code("1 + 1", nb.result("3", 1))))
    command = (*WORKBENCH, "notebooks", "test")
    everything = project.run(*command, "-v")
    assert everything.returncode == 1
    assert "notebooks/a.ipynb::Cell 1 PASSED" in everything.stdout
    assert "more.ipynb::Cell 0 FAILED" in everything.stdout
    chosen = project.run(*command, "notebooks", "-k", "Cell and 1", "-v")
    assert chosen.returncode == 0
    assert "1 passed, 2 deselected" in chosen.stdout
    assert project.run(*command, "notebooks", "-k", "none").returncode == 5


@pytest.mark.slow
def test_test_bare_leaves_the_harness_out(project, nb):
    content = nb.notebook(nb.code("import IPython; IPython.display.HTML('new')", nb.result(
        "<IPython.core.display.HTML object>", 1, html="old")))  # fmt: skip
    project.add("a", content)
    command = (*WORKBENCH, "notebooks", "test", "notebooks")
    assert project.run(*command).returncode == 0
    bare = project.run(*command, "--bare")
    assert bare.returncode == 1
    assert "workbench: notebooks pinned" not in bare.stdout
