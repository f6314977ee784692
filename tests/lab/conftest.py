"""Small projects with small notebooks, and what pytest says about them."""

import itertools
import os
import re
import subprocess
import sys
from dataclasses import dataclass, field
from types import SimpleNamespace
from xml.etree import ElementTree as ET

import nbformat
import pytest
from nbformat import v4

UNNEEDED = "hypothesispytest", "anyio", "platformdirs"  # plugins that take half of a small run's time
TITLE, CONCLUSION = "# A small notebook\n\nWhat it is about.", "## What this shows\n\nThat it works."


def text(source):
    return v4.new_markdown_cell(source)


def code(source, *outputs, tags=(), count="auto"):
    """Make a code cell with stored outputs; its count is the next one unless given."""
    cell = v4.new_code_cell(source, outputs=list(outputs), metadata={"tags": list(tags)} if tags else {})
    cell.execution_count = count
    return cell


def stdout(said):
    return v4.new_output("stream", name="stdout", text=said)


def result(said, count=None, html=None, svg=None, png=None):
    forms = {"text/plain": said, "text/html": html, "image/svg+xml": svg, "image/png": png}
    data = {form: value for form, value in forms.items() if value is not None}
    return v4.new_output("execute_result", data=data, execution_count=count)


def error(name="ValueError", said="no"):
    return v4.new_output("error", ename=name, evalue=said, traceback=[f"{name}: {said}"])


def notebook(*cells, title=TITLE, conclusion=CONCLUSION):
    """Make a notebook that keeps the rules, unless its cells do not."""
    before, after = ([text(title)] if title else []), ([text(conclusion)] if conclusion else [])
    counts = itertools.count(1)
    for cell in cells:
        if cell.cell_type == "code" and cell.execution_count == "auto":
            cell.execution_count = next(counts)
    return v4.new_notebook(cells=[*before, *cells, *after])


@dataclass
class Run:
    """What one pytest run said."""

    code: int
    said: str
    outcomes: dict[str, str] = field(default_factory=dict)  # "a.ipynb::Cell 0" -> passed, failed, skipped
    messages: dict[str, str] = field(default_factory=dict)

    def of(self, name):
        """Outcomes of one notebook, by item."""
        own = {key: value for key, value in self.outcomes.items() if key.startswith(f"{name}.ipynb::")}
        return {key.partition("::")[2]: value for key, value in own.items()}


class Project:
    """A folder with notebooks, and perhaps a pyproject.toml."""

    def __init__(self, folder):
        self.folder = folder
        (folder / "notebooks").mkdir(parents=True)
        self._quick = folder.parent / "quick"
        self._quick.mkdir()
        (self._quick / "rfc3987_syntax.py").write_text("raise ImportError")

    def opt_in(self, pytest_table="", **settings):
        lines = [
            f"{key} = {value if isinstance(value, str) else repr(value)}" for key, value in settings.items()
        ]
        table = "\n".join(["[tool.workbench.notebooks]", *lines])
        (self.folder / "pyproject.toml").write_text(f"{pytest_table}\n{table}\n")
        return self

    def add(self, name, content):
        path = self.folder / "notebooks" / f"{name}.ipynb"
        path.parent.mkdir(parents=True, exist_ok=True)
        nbformat.write(content, path)
        return path

    def write(self, name, source):
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(source)
        return path

    def run(self, *command, check=False, **environment):
        """Run a program of this environment in the project's folder."""
        return subprocess.run(
            [sys.executable, *command], cwd=self.folder, env=self._environment() | environment,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=120, check=check,
        )  # fmt: skip

    def start(self, *command):
        """Start a program of this environment in the project's folder."""
        return subprocess.Popen(
            [sys.executable, *command], cwd=self.folder, env=self._environment(), text=True,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        )  # fmt: skip

    def _environment(self):
        """Return a child's environment: its own temporary folders, and three seconds of imports spared.

        They are other pytest plugins, and a grammar that jsonschema compiles and no notebook needs.
        """
        return _clean() | {
            "PYTHONPATH": os.pathsep.join(filter(None, [str(self._quick), os.environ.get("PYTHONPATH")])),
            "PYTEST_ADDOPTS": " ".join(f"-p no:{plugin}" for plugin in UNNEEDED),
            "TMPDIR": str(self._quick),
            "JUPYTER_RUNTIME_DIR": str(self._quick),
        }

    def pytest(self, *arguments, **environment):
        """Run pytest, and read its JUnit file."""
        report = self.folder / "junit.xml"
        report.unlink(missing_ok=True)
        done = self.run("-m", "pytest", f"--junitxml={report}", *arguments, **environment)
        run = Run(done.returncode, done.stdout)
        if report.exists():
            for case in ET.parse(report).getroot().iter("testcase"):
                _note(run, case)
        return run


def _note(run, case):
    file = case.get("classname").removesuffix(".ipynb").rpartition(".")[2]
    key = f"{file}.ipynb::{case.get('name')}" if ".ipynb" in case.get("classname") else case.get("name")
    kinds = {"failure": "failed", "error": "error", "skipped": "skipped"}
    bad = next((child for child in case if child.tag in kinds), None)
    run.outcomes[key] = "passed" if bad is None else kinds[bad.tag]
    run.messages[key] = "" if bad is None else f"{bad.get('message')}\n{bad.text}"


def _clean():
    """Return this process's environment without what the test run around us put there."""
    ours = re.compile(r"PYTEST_|COV_|COVERAGE_")
    return {name: value for name, value in os.environ.items() if not ours.match(name)}


@pytest.fixture(scope="session")
def nb():
    """How notebooks are built in tests."""
    return SimpleNamespace(
        text=text, code=code, stdout=stdout, result=result, error=error, notebook=notebook,
        TITLE=TITLE, CONCLUSION=CONCLUSION,
    )  # fmt: skip


@pytest.fixture(scope="session")
def make_project():
    """Make an empty project in a folder."""
    return lambda folder: Project(folder / "project")


@pytest.fixture
def project(tmp_path):
    return Project(tmp_path / "project")


@pytest.fixture(scope="module")
def module_project(tmp_path_factory):
    """Make a project whose notebooks one run tests, and many tests look at."""
    return Project(tmp_path_factory.mktemp("module") / "project")
