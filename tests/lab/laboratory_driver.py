"""Drives the laboratory as its user does: `workbench lab` as a program, and JupyterLab in headless Chromium.

`serving` starts the program with Jupyter folders of its own, `browsing` starts Chromium, `Visit` is one
browser window on a notebook. All of it stays on 127.0.0.1, and is gone when its ``with`` block ends, or when
the process that entered it is killed.
"""

import ctypes
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

import psutil

__all__ = ["Server", "Visit", "browsing", "find_chromium", "free_port", "serving"]

TOKEN = "browser-test"
PROGRAMS = ("/usr/bin/chromium", "chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
FLAGS = (
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-gpu",
    "--disable-quic",
    "--disable-sync",
    "--headless",
    "--no-first-run",
    "--no-sandbox",
)
LIBC, PR_SET_PDEATHSIG = ctypes.CDLL(None), 1
STARTED_S, LOADED_S, RAN_S, STOPPED_S = 60, 60, 180, 20

# JupyterLab's application object, which --expose-app-in-browser puts into the page, is what these ask.
PANEL = "window.jupyterapp?.shell.currentWidget"
CONNECTED = f"""() => {{
    const kernel = {PANEL}?.sessionContext?.session?.kernel;
    return kernel?.status === 'idle' && kernel.connectionStatus === 'connected' }}"""
ALL_IDLE = f"""() => {{
    const cells = {PANEL}.content.widgets.filter(cell => cell.model.type === 'code');
    return cells.some(cell => cell.model.executionCount)
        && cells.every(cell => cell.model.executionState === 'idle') }}"""
CODE_CELLS = f"""() => {PANEL}.content.widgets.filter(cell => cell.model.type === 'code').map(cell => ({{
    source: cell.model.sharedModel.source,
    count: cell.model.executionCount,
    outputs: cell.model.outputs.toJSON() }}))"""
OPEN_FILES = "() => [...window.jupyterapp.shell.widgets('main')].map(widget => widget.context?.path)"
PICTURES = f"""async () => {{
    const notebook = {PANEL}.content;
    const drawn = output => ['image/png', 'image/svg+xml', 'text/html'].some(
        kind => output.data?.[kind] && (kind !== 'text/html' || /<(svg|img)/.test(output.data[kind])));
    const measure = picture => {{
        const box = picture.getBoundingClientRect();
        return {{ tag: picture.tagName.toLowerCase(), width: box.width, height: box.height,
                  loaded: picture.tagName !== 'IMG' || picture.naturalWidth > 0,
                  visible: picture.checkVisibility() }} }};
    const found = [];
    for (const [index, cell] of notebook.widgets.entries()) {{
        if (cell.model.type !== 'code' || !cell.model.outputs.toJSON().some(drawn)) continue;
        await notebook.scrollToItem(index, 'start');
        await new Promise(resolve => setTimeout(resolve, 150));
        const outputs = cell.outputArea.node;
        const pictures = outputs.querySelectorAll('.jp-OutputArea-output :is(img, svg:not(svg svg))');
        found.push({{ cell: index, pictures: [...pictures].map(measure) }});
    }}
    return found }}"""
WRITE_FIRST_CELL = f"""source => {PANEL}.content.widgets.find(
    cell => cell.model.type === 'code').model.sharedModel.setSource(source)"""
SHOW_CELL = f"async index => {{ await {PANEL}.content.scrollToItem(index, 'start') }}"
CHANGE_THEME = "theme => window.jupyterapp.commands.execute('apputils:change-theme', {theme})"
HIDE_LEFT = "() => window.jupyterapp.commands.execute('application:toggle-left-area')"
LEFT_IS_HIDDEN = "() => window.jupyterapp.shell.leftCollapsed"


def find_chromium():
    """Return the path of a Chromium or Chrome, or None."""
    return next((found for name in PROGRAMS if (found := shutil.which(name))), None)


def free_port():
    """Return a TCP port that nobody listens on."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


@dataclass(frozen=True, slots=True)
class Server:
    """A running `workbench lab`."""

    process: subprocess.Popen
    port: int
    home: Path  # its Jupyter folders, and its log

    @property
    def url(self):
        """Return where it listens."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def entrance(self):
        """Return the address that the program opens in a browser: the server decides where that leads."""
        return f"{self.url}/?token={TOKEN}"

    def address(self, notebook):
        """Return the address of a notebook, alone in a window."""
        return f"{self.url}/lab/workspaces/alone/tree/{quote(notebook)}?token={TOKEN}"

    @property
    def log(self):
        """Return what it printed so far."""
        return (self.home / "log").read_text()

    def ask(self, path, body=None):
        """Return the server's answer, from JSON; with a `body`, to a POST."""
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(f"{self.url}{path}", data, {"Authorization": f"token {TOKEN}"})
        with urllib.request.urlopen(request, timeout=10) as answer:
            return json.load(answer)

    def processes(self):
        """Return all processes that are the server, or were started by it, however indirectly."""
        mark = str(self.home / "runtime")
        return [
            each for each in psutil.process_iter() if _environment(each).get("JUPYTER_RUNTIME_DIR") == mark
        ]

    def stop(self, sign=signal.SIGTERM):
        """Send `sign` to the program alone, and return its exit code."""
        self.process.send_signal(sign)
        return self.process.wait(STOPPED_S)


def _environment(process):
    with suppress(psutil.Error):
        return process.environ()
    return {}


@contextmanager
def serving(root, home):
    """Run `workbench lab` on the project at `root`; whatever it leaves behind is killed at the end."""
    port = free_port()
    with _terminal() as terminal:
        server = Server(_start(root, home, port, terminal), port, home)
        try:
            _wait_until_up(server)
            yield server
            if server.process.poll() is None:
                server.stop()
        finally:
            for process in server.processes():
                process.kill()
            server.process.wait(STOPPED_S)


@contextmanager
def _terminal():
    """Open a terminal in which nobody types: JupyterLab asks its questions only where it sees one."""
    leader, terminal = os.openpty()
    try:
        yield terminal
    finally:
        os.close(terminal)
        os.close(leader)


def _start(root, home, port, terminal):
    _keep_files_as_they_are(home / "settings")
    program = [
        *(Path(sys.executable).with_name("workbench"), "lab", "--no-browser"),
        *("--port", str(port), "--ServerApp.port_retries=0", f"--IdentityProvider.token={TOKEN}"),
        *("--expose-app-in-browser", f"--FileCheckpoints.checkpoint_dir={home / 'checkpoints'}"),
    ]
    with (home / "log").open("w") as log:
        return subprocess.Popen(
            program,
            cwd=root,
            env=os.environ | _own_folders(home),
            stdin=terminal,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            preexec_fn=_stop_with_parent,  # noqa: PLW1509  # makes one system call and nothing else
        )


def _stop_with_parent():
    """Ask Linux to send SIGTERM to this process when the one that started it ends, even if killed."""
    LIBC.prctl(PR_SET_PDEATHSIG, signal.SIGTERM)


def _own_folders(home):
    names = {
        "IPYTHONDIR": "ipython",
        "JUPYTERLAB_SETTINGS_DIR": "settings",
        "JUPYTERLAB_WORKSPACES_DIR": "workspaces",
        "JUPYTER_CONFIG_DIR": "config",
        "JUPYTER_DATA_DIR": "data",
        "JUPYTER_RUNTIME_DIR": "runtime",
    }
    return {variable: str(home / name) for variable, name in names.items()}


def _keep_files_as_they_are(settings):
    """Turn autosave off: what a test runs in the browser must not change the repository."""
    folder = settings / "@jupyterlab" / "docmanager-extension"
    folder.mkdir(parents=True)
    (folder / "plugin.jupyterlab-settings").write_text('{"autosave": false}')


def _wait_until_up(server):
    deadline = time.monotonic() + STARTED_S
    while time.monotonic() < deadline and server.process.poll() is None:
        with suppress(OSError):
            server.ask("/api/status")
            return
        time.sleep(0.05)
    msg = f"`workbench lab` did not come up within {STARTED_S} s:\n{server.log[-3000:]}"
    raise RuntimeError(msg)


@contextmanager
def browsing(program):
    """Run Chromium."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=FLAGS)
        try:
            yield browser
        finally:
            browser.close()


class Visit:
    """A browser window of its own on the laboratory; `problems` is what went wrong in it."""

    def __init__(self, browser, server, notebook=None):
        self.browser, self.server = browser, server
        self.notebook = notebook  # other than the one that the laboratory opens
        self.problems = []  # page errors, failed requests, requests to elsewhere

    def __enter__(self):
        """Open the window, and in it what `workbench lab` opens."""
        self.page = self.browser.new_context(viewport={"width": 1400, "height": 1000}).new_page()
        self.page.on("pageerror", lambda error: self.problems.append(f"page error: {error}"))
        self.page.on("requestfailed", lambda sent: self.problems.append(f"failed: {sent.url} {sent.failure}"))
        self.page.on("request", self._note_foreign)
        self.go(self.server.entrance if self.notebook is None else self.server.address(self.notebook))
        return self

    def __exit__(self, *_):
        """Close the window."""
        self.page.context.close()

    def _note_foreign(self, sent):
        if not sent.url.startswith((self.server.url, "data:", "blob:")):
            self.problems.append(f"to elsewhere: {sent.url}")

    def go(self, address):
        """Open `address`, and wait until a notebook is there and its kernel is really connected."""
        self.page.goto(address)
        self.page.wait_for_selector("#jupyterlab-splash", state="detached", timeout=LOADED_S * 1000)
        self.page.wait_for_selector(".jp-NotebookPanel .jp-Cell", timeout=LOADED_S * 1000)
        self.page.wait_for_function(CONNECTED, timeout=LOADED_S * 1000)

    def choose(self, menu, item):
        """Click a menu item."""
        self.page.locator(".lm-MenuBar-item", has_text=menu).first.click()
        self.page.get_by_role("menuitem", name=item, exact=True).click()

    def run_all(self):
        """Clear all outputs, run all cells, wait until none runs or waits; return the code cells."""
        self.choose("Edit", "Clear Outputs of All Cells")
        self.choose("Run", "Run All Cells")
        self.page.wait_for_function(ALL_IDLE, timeout=RAN_S * 1000)
        return self.code_cells()

    def write_first_cell(self, source):
        """Change the source of the first code cell, in the window only: nothing is saved."""
        self.page.evaluate(WRITE_FIRST_CELL, source)

    def code_cells(self):
        """Return source, execution count and outputs of each code cell that has a source."""
        return [cell for cell in self.page.evaluate(CODE_CELLS) if cell["source"].strip()]

    def pictures(self):
        """Return, for each cell that should show pictures, its index and the pictures' measures."""
        return self.page.evaluate(PICTURES)

    def open_files(self):
        """Return the paths of what is open in the main area."""
        return self.page.evaluate(OPEN_FILES)

    def hide_file_browser(self):
        """Hide the left side, and wait until JupyterLab has saved this layout."""
        with self.page.expect_response(lambda answer: _saves_hidden_left(answer.request)):
            self.page.evaluate(HIDE_LEFT)

    def hides_file_browser(self):
        """Say whether the left side is hidden."""
        return self.page.evaluate(LEFT_IS_HIDDEN)

    def use_theme(self, name):
        """Change to 'Light' or 'Dark', and wait until its style sheet is in force."""
        self.page.evaluate(CHANGE_THEME, f"JupyterLab {name}")
        light = str(name == "Light").lower()
        self.page.wait_for_selector(
            f"body[data-jp-theme-light={light}]", state="attached", timeout=LOADED_S * 1000
        )
        self.page.wait_for_load_state("networkidle")

    def show(self, cell):
        """Scroll to the cell with this index."""
        self.page.evaluate(SHOW_CELL, cell)

    def screenshot(self, path):
        """Write a PNG of the window."""
        path.parent.mkdir(parents=True, exist_ok=True)
        self.page.screenshot(path=path)


def _saves_hidden_left(request):
    if request.method != "PUT" or "/api/workspaces/" not in request.url:
        return False
    return request.post_data_json["data"]["layout-restorer:data"]["left"]["collapsed"]
