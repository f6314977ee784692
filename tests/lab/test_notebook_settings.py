"""What a project may set, and how a wrong table is refused."""

import pytest

from workbench.lab import LabError, NotebookSettings


def table(tmp_path, text):
    (tmp_path / "pyproject.toml").write_text(text)
    return NotebookSettings.read(tmp_path)


def test_a_project_without_the_table_has_no_settings(tmp_path):
    assert NotebookSettings.read(tmp_path) is None
    assert table(tmp_path, "[tool.other]\nx = 1\n") is None


def test_an_empty_table_opts_in_with_the_defaults(tmp_path):
    assert table(tmp_path, "[tool.workbench.notebooks]\n") == NotebookSettings()


def test_every_setting_can_be_set(tmp_path):
    settings = table(
        tmp_path,
        "[tool.workbench.notebooks]\npaths = ['a', 'b/c.ipynb']\nmax_seconds = 5\nmax_bytes = 10_000\n"
        "stop_at_first_failure = false\nreports = 'out'\ncell_seconds = 2.5\n",
    )
    assert settings == NotebookSettings(("a", "b/c.ipynb"), 5, 10_000, False, "out", 2.5)


def test_an_unknown_setting_is_refused_with_the_valid_ones_and_the_nearest(tmp_path):
    with pytest.raises(LabError) as caught:
        table(tmp_path, "[tool.workbench.notebooks]\nmax_second = 5\n")
    said = str(caught.value)
    assert "pyproject.toml" in said
    assert "no setting 'max_second' (did you mean 'max_seconds'?)" in said
    assert "valid are paths, max_seconds, max_bytes, stop_at_first_failure, reports, cell_seconds" in said


@pytest.mark.parametrize(
    "line",
    ["paths = 'notebooks'", "paths = []", "paths = [1]", "max_seconds = 0", "max_seconds = 'long'",
     "max_seconds = true", "max_bytes = -1", "stop_at_first_failure = 'no'", "reports = ''",
     "cell_seconds = 0"],
)  # fmt: skip
def test_a_value_of_the_wrong_kind_is_refused_by_name(tmp_path, line):
    with pytest.raises(LabError, match=rf"{line.split()[0]} = .*: expected"):
        table(tmp_path, f"[tool.workbench.notebooks]\n{line}\n")


def test_a_table_that_is_no_table_and_broken_toml_are_named_errors(tmp_path):
    with pytest.raises(LabError, match="expected a table"):
        table(tmp_path, "[tool.workbench]\nnotebooks = 3\n")
    with pytest.raises(LabError, match=r"pyproject\.toml: "):
        table(tmp_path, "[tool.")
