"""Every rule has notebooks that break it and notebooks that keep it; nothing is executed here."""

from pathlib import Path

import nbformat
import pytest

from workbench.lab import LabError, NotebookSettings, check_notebook, find_notebooks


@pytest.fixture
def check(tmp_path):
    """Store a notebook, and return its findings."""

    def store_and_check(content, **settings):
        path = tmp_path / "case.ipynb"
        nbformat.write(content, path)
        return check_notebook(path, NotebookSettings(**settings))

    return store_and_check


def rules(findings):
    return [finding.rule for finding in findings]


def test_a_notebook_that_keeps_the_rules_has_no_findings(check, nb):
    cells = [
        nb.code("1 + 1", nb.result("2", 1)),
        nb.text("So it is."),
        nb.code("print('x')", nb.stdout("x\n")),
    ]
    assert check(nb.notebook(*cells)) == []


def test_a_cell_that_was_never_executed_is_refused(check, nb):
    (finding,) = check(nb.notebook(nb.code("x = 1"), nb.code("x", count=None)))
    assert (finding.rule, finding.cell, finding.execution_count) == ("not-executed", 3, None)
    assert "1 of 2 code cells" in str(finding)


def test_a_stripped_notebook_is_refused(check, nb):
    (finding,) = check(nb.notebook(nb.code("x = 1", count=None), nb.code("x", count=None)))
    assert "2 of 2" in finding.message
    assert "workbench notebooks record" in finding.remedy


@pytest.mark.parametrize("counts", [(2, 1), (1, 3), (2, 3), (1, 1)])
def test_cells_executed_out_of_order_are_refused(check, nb, counts):
    findings = check(nb.notebook(*(nb.code(f"x = {count}", count=count) for count in counts)))
    assert rules(findings) == ["out-of-order"]


def test_an_out_of_order_finding_names_the_first_cell_at_fault(check, nb):
    cells = [nb.code("a = 1"), nb.text("prose"), nb.code("b = 2", count=7)]
    (finding,) = check(nb.notebook(*cells))
    assert (finding.cell, finding.execution_count) == (4, 7)
    assert "cell 4 (In [7])" in str(finding)
    assert "In [2] should stand here" in str(finding)


def test_empty_cells_and_skipped_cells_are_not_counted(check, nb):
    cells = [
        nb.code("a = 1", count=1),
        nb.code("  \n", count=None),
        nb.code("interact()", count=None, tags=["nbval-skip"]),
        nb.code("# NBVAL_SKIP\nlogin()", count=9),
        nb.code("a", count=2),
    ]
    assert check(nb.notebook(*cells)) == []


def test_a_stored_error_is_refused_unless_it_is_tagged(check, nb):
    (finding,) = check(nb.notebook(nb.code("raise ValueError('no')", nb.error("ValueError", "no"))))
    assert (finding.rule, finding.cell, finding.execution_count) == ("untagged-error", 2, 1)
    assert "ValueError: no" in finding.message


@pytest.mark.parametrize("tag", ["raises-exception", "nbval-raises-exception"])
def test_a_tagged_error_is_what_the_cell_shows(check, nb, tag):
    assert check(nb.notebook(nb.code("1 / 0", nb.error("ZeroDivisionError"), tags=[tag]))) == []


def test_a_comment_tags_an_error_too(check, nb):
    assert check(nb.notebook(nb.code("# NBVAL_RAISES_EXCEPTION\n1 / 0", nb.error()))) == []


@pytest.mark.parametrize(
    "source",
    [
        "ax.plot(x);",
        "ax.plot(x) ; # no list\n\n",
        "for x in y:\n    x;",
        "!echo it's\nax.plot(x);",
        "f(\n    '%',\n);",
        "%matplotlib inline\nx;",
    ],
)
def test_a_cell_that_a_semicolon_silences_is_refused(check, nb, source):
    (finding,) = check(nb.notebook(nb.code("x = 1"), nb.code(source, count=2)))
    assert (finding.rule, finding.cell, finding.execution_count) == ("silenced", 3, 2)
    assert "ends in ';'" in finding.message


@pytest.mark.parametrize(
    "source",
    [
        "x = 1; y = 2",
        "print(';')  # a;",
        '"""\na;"""',
        "%timeit -n1 f(x);",
        "!ls; pwd;",
        "%%bash\nls;",
        "%%sql\nit's\nselect 1;",
        "!echo it's;",
        "# NBVAL_IGNORE_OUTPUT\nax.plot(x);",
        "# NBVAL_SKIP\nax.plot(x);",
    ],
)
def test_other_semicolons_silence_nothing(check, nb, source):
    assert check(nb.notebook(nb.code(source))) == []


MACHINE_PATHS = [
    "/home/ann/data/x.csv",
    "/Users/ann/x.csv",
    "/root/x",
    "/tmp/run.log",
    "/var/lib/pg/data",
    "/opt/app/bin",
    "/mnt/big/x",
    "/usr/local/share/x",
    "C:\\Users\\ann\\x.csv",
    "C:\\\\Users\\\\ann",
    "D:/Data/x.csv",
    "file:///home/ann/x",
]

NO_MACHINE_PATHS = [
    "https://host/tmp/x",
    "http://127.0.0.1:4318/v1/traces",
    "/v1/traces",
    "/checkout",
    "GET /home/feed/7",
    "POST /tmp/upload",
    "/users/42/orders",
    "/var",
    "/usr",
    "/dev/null",
    "/proc/self/status",
    "./data/x.csv",
    "../datasets/x.csv",
    "data/tmp/x.csv",
    "~/data",
    "s3://bucket/home/ann/x",
    "a/b/home/ann/x",
    "</var><tmp/x>",
    "A:\\n",
    "print('Total:\\n')",
    "x = {a:/b/}",
    "ratio 3/tmp",
    "{root}/tmp/x",
]


@pytest.mark.parametrize("path", MACHINE_PATHS)
def test_a_machine_path_in_the_source_is_refused(check, nb, path):
    (finding,) = check(nb.notebook(nb.code(f"open(r'{path}')")))
    assert (finding.rule, finding.cell) == ("absolute-path", 2)
    assert "the source names" in finding.message


@pytest.mark.parametrize("path", MACHINE_PATHS)
def test_a_machine_path_in_a_stored_output_is_refused(check, nb, path):
    (finding,) = check(nb.notebook(nb.code("where()", nb.stdout(f"read {path}\n"))))
    assert (finding.rule, finding.cell) == ("absolute-path", 2)
    assert "a stored output names" in finding.message


@pytest.mark.parametrize("harmless", NO_MACHINE_PATHS)
def test_routes_urls_and_portable_paths_are_no_machine_paths(check, nb, harmless):
    cell = nb.code("x = '''" + harmless + "'''", nb.stdout(f"{harmless}\n"), nb.result(f"'{harmless}'", 1))
    assert check(nb.notebook(cell)) == []


def test_a_path_is_found_in_prose_html_and_coloured_tracebacks(check, nb):
    traceback = nb.error()
    traceback.traceback = ["File \x1b[32m/home/ann/src/x.py:3\x1b[39m, in f(x)"]
    cells = [
        nb.text("See `/home/ann/notes.md`."),
        nb.code("table", nb.result("table", 1, html="<td>/home/ann/x.csv</td>")),
        nb.code("f(1)", traceback, tags=["raises-exception"]),
    ]
    findings = check(nb.notebook(*cells))
    assert [(finding.rule, finding.cell) for finding in findings] == [
        ("absolute-path", 2 + n) for n in range(3)
    ]


def test_the_folder_of_the_notebook_is_a_machine_path_wherever_it_is(check, nb, tmp_path):
    (finding,) = check(nb.notebook(nb.code("Path.cwd()", nb.result(f"PosixPath('{tmp_path}')", 1))))
    assert finding.rule == "absolute-path"


def test_a_notebook_over_the_size_limit_is_refused_and_its_largest_cell_named(check, nb):
    cells = [nb.code("1"), nb.code("big()", nb.stdout("x" * 30_000)), nb.code("2")]
    (finding,) = check(nb.notebook(*cells), max_bytes=20_000)
    assert (finding.rule, finding.cell, finding.execution_count) == ("too-large", 3, 2)
    assert "over 20 kB" in finding.message
    assert check(nb.notebook(*cells), max_bytes=40_000) == []


def test_the_size_limit_is_400_kb_unless_set():
    assert (NotebookSettings().max_bytes, NotebookSettings().max_seconds) == (400_000, 60)


@pytest.mark.parametrize(
    "title", ["", "## Second level", "Just prose", "#", "#hashtag", "```\n# comment\n```"]
)
def test_a_notebook_without_a_title_is_refused(check, nb, title):
    (finding,) = check(nb.notebook(nb.code("x = 1"), title=title))
    assert finding.rule == "no-title"


@pytest.mark.parametrize("title", ["# One", "\n# One\n\nprose", "One\n===", "# One #"])
def test_a_level_1_heading_in_the_first_cell_is_a_title(check, nb, title):
    assert check(nb.notebook(nb.code("x = 1"), title=title)) == []


def test_a_title_in_a_code_cell_is_none(check, nb):
    assert rules(check(nb.notebook(nb.code("# A title"), title=None))) == ["no-title"]


@pytest.mark.parametrize(
    "conclusion",
    ["", "That is all.", "## What this shows", "## What this shows\n\n---", "## The last plot\n\nIs red.",
     "## References\n\n1. A paper.", "```\n## Conclusion\nno\n```"],
)  # fmt: skip
def test_a_notebook_without_a_conclusion_is_refused(check, nb, conclusion):
    (finding,) = check(nb.notebook(nb.code("x = 1"), conclusion=conclusion))
    assert finding.rule == "no-conclusion"


@pytest.mark.parametrize(
    "conclusion",
    ["## What this shows\n\nIt works.", "# Conclusion\n\nIt works.", "## Summary\nIt works.",
     "### What we saw\n\nIt works.", "## Conclusions\n\n### In numbers\n\nTwo.",
     "## What this shows\n\nIt works.\n\n## Exercises\n\nDo.\n\n### Harder\n\nDo.\n\n## References\n\nIt."],
)  # fmt: skip
def test_a_last_section_that_says_what_was_shown_is_a_conclusion(check, nb, conclusion):
    assert check(nb.notebook(nb.code("x = 1"), conclusion=conclusion)) == []


def test_a_conclusion_that_is_followed_by_more_work_is_none(check, nb):
    cells = [nb.text(nb.CONCLUSION), nb.code("x = 1"), nb.text("## One more thing\n\nLook.")]
    assert rules(check(nb.notebook(*cells, conclusion=None))) == ["no-conclusion"]


def test_all_findings_of_a_notebook_come_together(check, nb):
    cells = [nb.code("open('/tmp/x')", nb.error(), count=None)]
    found = rules(check(nb.notebook(*cells, title="", conclusion="")))
    assert found == ["not-executed", "untagged-error", "absolute-path", "no-title", "no-conclusion"]


def test_a_finding_names_notebook_and_cell(check, nb, tmp_path):
    (finding,) = check(nb.notebook(nb.code("open('/tmp/x')")))
    assert str(finding).startswith(f"{tmp_path / 'case.ipynb'}, cell 2 (In [1]): ")


@pytest.mark.parametrize("content", ["", "{", '{"a": 1}', "[]", '{"cells": 3, "nbformat": 4}', "\xff"])
def test_a_file_that_is_no_notebook_is_a_named_error(tmp_path, content):
    path = tmp_path / "broken.ipynb"
    path.write_bytes(content.encode("latin-1"))
    with pytest.raises(LabError, match=r"broken\.ipynb: this is no notebook"):
        check_notebook(path)


def test_a_missing_notebook_is_a_named_error(tmp_path):
    with pytest.raises(LabError, match="No such file"):
        check_notebook(tmp_path / "none.ipynb")


def test_notebooks_are_found_once_sorted_and_without_checkpoints(project, nb):
    for name in ("b", "a/c", "a/.ipynb_checkpoints/c-checkpoint"):
        project.add(name, nb.notebook())
    folder = project.folder / "notebooks"
    found = find_notebooks([folder, folder / "b.ipynb", str(folder / "a")])
    assert found == [folder / "a/c.ipynb", folder / "b.ipynb"]


def test_a_path_that_holds_no_notebook_is_a_named_error(tmp_path):
    with pytest.raises(LabError, match="there is no such folder or notebook"):
        find_notebooks([tmp_path / "none"])
    assert find_notebooks([Path(tmp_path)]) == []


def test_counts_as_run_all_leaves_them_are_in_order_also_with_a_cell_that_the_harness_skips(check, nb):
    cells = [nb.code("a = 1"), nb.code("b = 2", tags=["nbval-skip"]), nb.code("c = 3")]
    assert check(nb.notebook(*cells)) == []


@pytest.mark.parametrize(
    "source",
    [
        "open('/data/orders.csv')",
        'Path("/srv/x")',
        "pd.read_csv('~/x.csv')",
        r"open('D:\mine\x.csv')",
        r"np.load(r'\\server\x.npy')",
        "fig.savefig('/work/x.png')",
    ],
)
def test_an_absolute_path_that_is_opened_is_refused_wherever_it_lies(check, nb, source):
    assert rules(check(nb.notebook(nb.code(source)))) == ["absolute-path"]


@pytest.mark.parametrize("source", ["open('data/x.csv')", "open('/dev/null')", "client.get('/data/orders')"])
def test_relative_paths_and_routes_are_not(check, nb, source):
    assert check(nb.notebook(nb.code(source))) == []


def test_the_title_is_no_conclusion_and_neither_is_a_comment(check, nb):
    summary = nb.notebook(nb.code("1", nb.result("1", 1)), title="# Summary of it\n\nIntro.", conclusion=None)
    assert rules(check(summary)) == ["no-conclusion"]
    todo = nb.notebook(nb.code("1", nb.result("1", 1)), conclusion="## Conclusion\n\n<!-- todo -->")
    assert rules(check(todo)) == ["no-conclusion"]
    needs = nb.notebook(nb.code("1", nb.result("1", 1)), conclusion="## What you need\n\nPython.")
    assert rules(check(needs)) == ["no-conclusion"]
