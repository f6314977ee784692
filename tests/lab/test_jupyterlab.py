"""`workbench.lab.launch` and `workbench lab`, up to the point where a browser is needed."""

import json
import signal
import socket
import sys
import urllib.parse
from importlib import resources
from pathlib import Path

import nbformat
import psutil
import pytest
from jupyterlab.commands import get_workspaces_dir
from jupyterlab_server.workspaces_handler import WorkspacesManager
from lab.laboratory_driver import serving
from nbformat.sign import NotebookNotary
from nbformat.v4 import new_code_cell, new_notebook, new_output

from workbench.lab import LabError, _jupyterlab, _trust, _workspace, launch

TOUR = "notebooks/00_tour.ipynb"
OVERRIDES = resources.files("workbench.lab") / "jupyter" / "overrides.json"
LAB = Path(sys.prefix, "share", "jupyter", "lab")


@pytest.fixture
def project(tmp_path):
    """A project with a tour that stores a drawing."""
    root = tmp_path / "project"
    (root / TOUR).parent.mkdir(parents=True)
    drawing = new_output("display_data", {"image/svg+xml": "<svg/>", "text/plain": "a drawing"})
    nbformat.write(new_notebook(cells=[new_code_cell("draw()", outputs=[drawing])]), root / TOUR)
    return root


@pytest.fixture(autouse=True)
def jupyter_folders(tmp_path, monkeypatch):
    """Jupyter folders that do not exist yet, as on a new machine."""
    for variable in ("JUPYTER_CONFIG_DIR", "JUPYTER_DATA_DIR", "JUPYTER_RUNTIME_DIR"):
        monkeypatch.setenv(variable, str(tmp_path / "jupyter" / variable))
    monkeypatch.delenv("JUPYTERLAB_WORKSPACES_DIR", raising=False)


@pytest.fixture
def served(monkeypatch):
    """The command lines that JupyterLab would have been run with."""
    lines = []
    monkeypatch.setattr(_jupyterlab, "_serve", lambda arguments: lines.append(arguments) or 0)
    return lines


def trusted(path):
    with NotebookNotary() as notary:
        return notary.check_signature(nbformat.read(path, as_version=4))


class TestProject:
    def test_is_the_nearest_folder_with_notebooks(self, project):
        deep = project / "notebooks" / "otlp"
        deep.mkdir()
        assert _jupyterlab.find_project(deep) == project

    def test_is_the_folder_itself_where_there_are_none(self, tmp_path):
        assert _jupyterlab.find_project(tmp_path) == tmp_path


class TestOptions:
    def test_open_the_tour_in_its_workspace(self, project):
        options = _jupyterlab.options([], root=project, notebook=TOUR)
        assert f"--ServerApp.root_dir={project}" in options
        assert f"--LabApp.default_url=/lab/workspaces/workbench/tree/{TOUR}" in options

    def test_open_nothing_particular_without_a_tour(self, tmp_path):
        options = _jupyterlab.options([], root=tmp_path, notebook=TOUR)
        assert not any("default_url" in option for option in options)

    @pytest.mark.parametrize(("user", "allowed"), [(0, True), (1000, False)])
    def test_allow_root_only_for_root(self, project, monkeypatch, user, allowed):
        monkeypatch.setattr("os.geteuid", lambda: user)
        assert ("--allow-root" in _jupyterlab.options([], root=project, notebook=TOUR)) == allowed

    @pytest.mark.parametrize("name", ["ServerApp.answer_yes", "ServerApp.root_dir", "LabApp.default_url"])
    def test_what_the_user_gives_is_not_given_twice(self, project, name):
        """JupyterLab refuses to start otherwise."""
        options = _jupyterlab.options([f"--{name}=x"], root=project, notebook=TOUR)
        assert not any(option.startswith(f"--{name}") for option in options)

    def test_tour_is_not_opened_below_another_root(self, project):
        options = _jupyterlab.options(["--notebook-dir", "/"], root=project, notebook=TOUR)
        assert not any("_url" in option or "_dir" in option for option in options)


class TestLaunch:
    def test_passes_arguments_on_as_they_are(self, project, served):
        arguments = ["--no-browser", "--port", "8899", "--IdentityProvider.token=x"]
        assert launch(arguments, root=project) == 0
        assert served[0][-4:] == arguments

    def test_trusts_the_notebooks_of_the_clone_it_runs_from(self, project, served, monkeypatch):
        monkeypatch.setattr(_jupyterlab, "_home", lambda: project)
        launch(root=project)
        assert trusted(project / TOUR)

    def test_trusts_no_other_project(self, project, served):
        launch(root=project)
        assert not trusted(project / TOUR)

    def test_without_jupyterlab_names_the_command_that_mends_it(self, monkeypatch):
        monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
        with pytest.raises(LabError, match=r"pip install 'reliability-workbench\[lab\]'"):
            launch()

    @pytest.mark.parametrize(("stop", "code"), [(None, 0), (3, 3), ("port taken", 1)])
    def test_returns_the_exit_code(self, project, monkeypatch, stop, code):
        monkeypatch.setattr("jupyterlab.labapp.main", lambda arguments: sys.exit(stop))
        assert launch(root=project) == code


class TestTrust:
    def test_is_void_when_the_notebook_changes(self, project):
        assert _trust.sign([project / TOUR]) == []
        assert trusted(project / TOUR)
        (project / TOUR).write_text((project / TOUR).read_text().replace("<svg/>", "<svg onload='x()'/>"))
        assert not trusted(project / TOUR)

    @pytest.mark.parametrize("content", [b"", b"[]", b"{}", b"\xff", b'{"nbformat": 99}'])
    def test_returns_what_is_no_notebook(self, project, content):
        broken = project / "notebooks" / "broken.ipynb"
        broken.write_bytes(content)
        assert _trust.sign([broken, project / TOUR]) == [broken]
        assert trusted(project / TOUR)


class TestWorkspace:
    def test_is_found_by_jupyterlab(self):
        """Its file name and folder are JupyterLab's, its content is what JupyterLab reads."""
        _workspace.prepare(TOUR)
        loaded = WorkspacesManager(get_workspaces_dir()).load("workbench")
        assert loaded["metadata"]["id"] == "workbench"
        assert loaded["data"] == _workspace.layout(TOUR)["data"]

    def test_stays_as_the_user_left_it(self):
        path = _workspace.prepare(TOUR)
        path.write_text("the user's")
        assert _workspace.prepare(TOUR) == path
        assert path.read_text() == "the user's"

    def test_address_quotes_the_notebook(self):
        address = _workspace.address("notebooks/a b?.ipynb")
        assert urllib.parse.unquote(urllib.parse.urlsplit(address).path).endswith(
            "/tree/notebooks/a b?.ipynb"
        )


class TestOverrides:
    def test_are_installed_where_jupyterlab_looks(self):
        installed = LAB / "settings" / "overrides.d" / "workbench.json"
        assert installed.is_file(), "run: pip install -e ."
        assert json.loads(installed.read_text()) == json.loads(OVERRIDES.read_text())

    def test_name_settings_that_jupyterlab_has(self):
        for plugin, values in json.loads(OVERRIDES.read_text()).items():
            package, _, name = plugin.partition(":")
            schema = json.loads((LAB / "schemas" / package / f"{name}.json").read_text())
            assert set(values) <= set(schema["properties"])


@pytest.mark.slow
@pytest.mark.parametrize("sign", [signal.SIGINT, signal.SIGTERM], ids=["Ctrl-C", "SIGTERM"])
def test_stopping_leaves_no_process_and_frees_the_port(project, tmp_path, sign):
    home = tmp_path / "served"
    with serving(project, home) as server:
        server.ask("/api/kernels", {"name": "python3"})
        running = server.processes()
        assert len(running) >= 2
        assert server.stop(sign) == 0
        assert psutil.wait_procs(running, timeout=5)[1] == []
        assert server.processes() == []
        with socket.create_server(("127.0.0.1", server.port)):
            pass
        assert "y/[n]" not in server.log
