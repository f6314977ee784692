"""The engine: a kernel that runs cells, ends in time, and leaves nothing behind."""

import os
import subprocess
import tempfile
import time

import psutil
import pytest

from workbench.lab import LabError
from workbench.lab._session import Session

DEAF = """import time
while True:
    try:
        time.sleep(1)
    except KeyboardInterrupt:
        pass"""

LISTENS_THE_SECOND_TIME = """import time
try:
    time.sleep(60)
except KeyboardInterrupt:
    time.sleep(60)"""


@pytest.fixture(scope="module")
def session(tmp_path_factory):
    with Session(tmp_path_factory.mktemp("kernel")) as session:
        yield session


def said(run):
    return "".join(output.get("text", "") for output in run.outputs)


@pytest.fixture
def left_behind(tmp_path, monkeypatch):
    """Look at what kernels could leave: processes, ports, connection files, scratch folders."""
    runtime, scratch = tmp_path / "runtime", tmp_path / "scratch"
    scratch.mkdir()
    monkeypatch.setenv("JUPYTER_RUNTIME_DIR", str(runtime))
    monkeypatch.setattr(tempfile, "tempdir", str(scratch))

    def look():
        here = psutil.Process()
        children = {child.pid for child in here.children(recursive=True)}
        sockets = {connection.laddr for connection in here.net_connections("tcp")}
        return children, sockets, [*runtime.glob("*")], [*scratch.glob("*")]

    return look


def test_cells_share_a_kernel_and_its_history(session):
    session.run("x = 20")
    run = session.run("x + 22")
    assert run.outputs[0].data["text/plain"] == "42"
    assert session.run("_").outputs[0].data["text/plain"] == "42"


def test_a_trailing_semicolon_hides_the_value(session):
    assert session.run("x;").outputs == []


def test_the_kernel_has_the_pinned_environment_and_no_profile_of_the_user(session):
    code = (
        "import os, sys; from IPython import get_ipython; "
        "print(os.environ['TZ'], os.environ['COLUMNS'], sys.flags.hash_randomization, "
        "get_ipython().profile_dir.location.startswith(os.environ['IPYTHONDIR']))"
    )
    assert said(session.run(code)) == "UTC 80 0 True\n"


def test_an_error_is_an_output(session):
    run = session.run("1 / 0")
    assert (run.end, run.error.ename) == ("done", "ZeroDivisionError")


def test_input_is_an_error_and_not_a_hang(session):
    assert session.run("input()").error.ename == "StdinNotImplementedError"


def test_a_cell_that_takes_too_long_is_interrupted_and_its_kernel_lives_on(session):
    run = session.run("import time\nprint('begun')\ntime.sleep(60)", seconds=2)
    assert (run.end, run.error.ename, said(run)) == ("out of time", "KeyboardInterrupt", "begun\n")
    assert said(session.run("print('alive')")) == "alive\n"


def test_a_cell_that_prints_for_ever_runs_out_of_time_too(tmp_path):
    """Its kernel may not survive: an interrupt may leave the lock of its standard output taken."""
    with Session(tmp_path) as session:
        run = session.run("while True: print('more', flush=True)", seconds=0.5)
    assert run.end == "out of time"


def test_an_interrupt_that_is_lost_is_repeated(session):
    run = session.run(LISTENS_THE_SECOND_TIME, seconds=0.5)
    assert (run.end, run.error.ename) == ("out of time", "KeyboardInterrupt")
    assert said(session.run("print('alive')")) == "alive\n"


def test_a_torn_message_is_an_error_unless_an_interrupt_tore_it(tmp_path):
    with Session(tmp_path) as session:
        session.run(
            "def tear(): get_ipython().kernel.iopub_thread.send_multipart([b'stream', b'<IDS|MSG>', b'x'])"
        )
        with pytest.raises(LabError, match="published what is no message"):
            session.run("tear()")
        assert session.run("while True: pass", seconds=0.5).end == "out of time"
        assert session.run("tear(); 42").outputs[0].data["text/plain"] == "42"


@pytest.mark.slow
def test_a_cell_that_does_not_listen_loses_its_kernel(left_behind, tmp_path):
    before = left_behind()
    with Session(tmp_path) as session:
        run = session.run(DEAF, seconds=1)
        assert run.end == "out of time"
        assert session.run("1").end == "kernel died"
    assert left_behind() == before


@pytest.mark.parametrize(
    ("code", "words"),
    [("import os; os._exit(3)", "exit code 3"), ("import os; os.kill(os.getpid(), 9)", "killed by SIGKILL")],
)
def test_a_kernel_that_dies_is_noticed_and_says_how(left_behind, tmp_path, code, words):
    before = left_behind()
    with Session(tmp_path) as session:
        run = session.run(code, seconds=30)
        assert (run.end, run.last_words) == ("kernel died", words)
        assert not session.is_alive()
    assert left_behind() == before


@pytest.mark.slow
def test_stopping_takes_along_what_the_notebook_started(left_behind, tmp_path):
    before = left_behind()
    with Session(tmp_path) as session:
        run = session.run("import subprocess; print(subprocess.Popen(['sleep', '300']).pid)")
        assert psutil.pid_exists(int(said(run)))
    assert left_behind() == before
    assert _is_gone(int(said(run)))


def test_exit_handlers_of_the_notebook_run(tmp_path):
    with Session(tmp_path) as session:
        session.run("import atexit, pathlib; atexit.register(pathlib.Path('bye').write_text, 'bye')")
    assert (tmp_path / "bye").read_text() == "bye"


def test_an_exception_in_the_middle_of_a_cell_leaves_nothing(left_behind, tmp_path, monkeypatch):
    before = left_behind()
    with Session(tmp_path) as session:
        monkeypatch.setattr(session, "_hear", _interrupt)
        with pytest.raises(KeyboardInterrupt):
            session.run("import time; time.sleep(60)")
    assert left_behind() == before


def test_a_kernel_that_is_not_there_is_a_named_error_and_leaves_nothing(left_behind, tmp_path):
    before = left_behind()
    with pytest.raises(LabError, match="no kernel named 'julia-9'"):
        Session(tmp_path, kernel_name="julia-9")
    assert left_behind() == before


@pytest.mark.slow
def test_a_killed_owner_takes_the_kernel_along(tmp_path, monkeypatch):
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setenv("JUPYTER_RUNTIME_DIR", str(tmp_path))
    script = (
        "from pathlib import Path; from workbench.lab._session import Session\n"
        "session = Session(Path('.')); print(session.manager.provisioner.pid, flush=True)\n"
        "session.run('while True: pass')"
    )
    owner = subprocess.Popen(
        [os.sys.executable, "-c", script], cwd=tmp_path, stdout=subprocess.PIPE, text=True
    )
    with owner:
        kernel = int(owner.stdout.readline())
        time.sleep(0.5)
        owner.kill()
    assert _is_gone(kernel)


def _interrupt(_seconds):
    raise KeyboardInterrupt


def _is_gone(pid):
    """Say whether a process has ended, or does so within ten seconds."""
    try:
        psutil.Process(pid).wait(10)
    except psutil.NoSuchProcess:
        return True
    except psutil.TimeoutExpired:
        return psutil.Process(pid).status() == psutil.STATUS_ZOMBIE
    return True
