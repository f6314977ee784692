"""A kernel that runs cells: the one engine behind tests and recordings, so that both see the same outputs.

A session owns everything that it starts: the kernel and its process group, its ports, its connection file and
its scratch folder, and `Session.stop` leaves none of it, whatever happened before. No call waits for ever: a
cell has a time limit, after which it is interrupted and, if it does not listen, killed; a kernel that dies is
noticed.
"""

import os
import signal
import tempfile
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field
from pathlib import Path
from queue import Empty
from time import perf_counter
from typing import Any, Literal, Self

import ipykernel.kernelspec
from jupyter_client.kernelspec import KernelSpec, KernelSpecManager, NoSuchKernel
from jupyter_client.manager import KernelManager
from nbformat import NotebookNode

from workbench.lab._environment import kernel_environment
from workbench.lab._outputs import Transcript, merge_streams
from workbench.lab.errors import LabError

__all__ = ["THIS_PYTHON", "CellRun", "Session"]

THIS_PYTHON = "python3"

_POLL_SECONDS = 0.25
_INTERRUPTS = 5  # before the kill: one that falls into a callback, or before the cell's first line, is lost
_SECONDS_PER_INTERRUPT = 1.0

End = Literal["done", "out of time", "kernel died"]


@dataclass(slots=True)
class CellRun:
    """What one execution of one cell left."""

    outputs: list[NotebookNode] = field(default_factory=list)
    execution_count: int | None = None
    seconds: float = 0.0
    end: End = "done"
    last_words: str = ""

    @property
    def error(self) -> NotebookNode | None:
        """The error that the cell raised, if it did."""
        return next((output for output in self.outputs if output.output_type == "error"), None)


class Session:
    """A kernel with the pinned environment, in the notebook's folder.

    Parameters
    ----------
    folder
        Working directory of the kernel.
    kernel_name
        Name of a kernelspec; `THIS_PYTHON` is the interpreter that runs this code, whatever is installed.
    startup_seconds
        How long the kernel may take until it answers.

    Raises
    ------
    LabError
        If there is no such kernel, or it does not answer.
    """

    def __init__(
        self, folder: Path, *, kernel_name: str = THIS_PYTHON, startup_seconds: float = 60.0
    ) -> None:
        self._busy = self._interrupted = False
        with ExitStack() as exits:
            scratch = exits.enter_context(
                tempfile.TemporaryDirectory(prefix="workbench-", ignore_cleanup_errors=True)
            )
            self._last_words = exits.enter_context(tempfile.TemporaryFile())
            self.manager = KernelManager(kernel_name=kernel_name, kernel_spec_manager=_Kernelspecs())
            exits.callback(self._end_kernel)
            self._start(folder, scratch, kernel_name)
            self.client = self.manager.client()
            exits.callback(self.client.stop_channels)
            self.client.start_channels()
            self._await_answer(startup_seconds)
            self._exits = exits.pop_all()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def run(self, source: str, seconds: float | None = None) -> CellRun:
        """Execute a cell as JupyterLab does, and return what it left; at most `seconds` are spent on it."""
        started, transcript = perf_counter(), Transcript()
        deadline = float("inf") if seconds is None else started + seconds
        self._busy = True
        message = self.client.execute(source, store_history=True, allow_stdin=False, stop_on_error=False)
        end = self._listen(message, transcript, deadline)
        self._busy = end == "out of time" and not self._interrupt(message, transcript)
        outputs = merge_streams(transcript.outputs)
        words = self.last_words() if end == "kernel died" else ""
        return CellRun(outputs, transcript.execution_count, perf_counter() - started, end, words)

    def is_alive(self) -> bool:
        """Say whether the kernel's process is there."""
        return bool(self.manager.has_kernel and self.manager.is_alive())

    def last_words(self) -> str:
        """Return how the kernel's process ended, and the end of what it wrote itself, if it did."""
        self._last_words.seek(0)
        lines = self._last_words.read().decode("utf-8", "replace").splitlines()
        own = [line for line in lines if not line.startswith("[IPKernelApp]")]
        return "\n".join([self._exit(), *own[-20:]]).strip()

    def stop(self) -> None:
        """Stop the kernel and everything it left behind; a second call does nothing."""
        self._exits.close()

    def _start(self, folder: Path, scratch: str, kernel_name: str) -> None:
        environment = kernel_environment() | {"IPYTHONDIR": scratch, "MATPLOTLIBRC": _matplotlibrc(scratch)}
        streams = {"stdout": self._last_words, "stderr": self._last_words}
        try:
            self.manager.start_kernel(cwd=str(folder), env=environment, **streams)
        except NoSuchKernel as error:
            msg = f"there is no kernel named {kernel_name!r}; `jupyter kernelspec list` shows which there are"
            raise LabError(msg) from error

    def _await_answer(self, seconds: float) -> None:
        try:
            self.client.wait_for_ready(timeout=seconds)
        except RuntimeError as error:
            msg = f"the kernel did not start: {error}\n{self.last_words()}"
            raise LabError(msg.strip()) from error

    def _listen(self, message: str, transcript: Transcript, deadline: float) -> End:
        """Read what the cell publishes until it is done, out of time or without a kernel."""
        while True:
            heard = self._hear(min(_POLL_SECONDS, max(deadline - perf_counter(), 0.0)))
            if heard is None and not self.is_alive():
                return "kernel died"
            if heard is not None and heard["parent_header"].get("msg_id") == message:
                if _is_idle(heard):
                    return "done"
                transcript.add(heard)
            if perf_counter() >= deadline:
                return "out of time"

    def _hear(self, seconds: float) -> dict[str, Any] | None:
        """Return the next message; what an interrupt tore while it was sent is none."""
        try:
            heard: dict[str, Any] = self.client.get_iopub_msg(timeout=seconds)
        except Empty:
            return None
        except (TypeError, ValueError) as error:
            if self._interrupted:
                return None
            msg = f"the kernel published what is no message: {error}"
            raise LabError(msg) from error
        return heard

    def _interrupt(self, message: str, transcript: Transcript) -> bool:
        """Stop the running cell, and say whether it listened; if not, its kernel is ended."""
        self._interrupted = True
        for _ in range(_INTERRUPTS):
            self.manager.interrupt_kernel()
            if self._listen(message, transcript, perf_counter() + _SECONDS_PER_INTERRUPT) == "done":
                return True
        self._kill()
        return False

    def _end_kernel(self) -> None:
        """Ask an idle kernel to leave, so that exit handlers of the notebook run; end any other at once."""
        with suppress(RuntimeError):
            self.manager.shutdown_kernel(now=self._busy or not self.is_alive())
        self._kill()

    def _exit(self) -> str:
        process = getattr(self.manager.provisioner, "process", None)
        code = None if process is None else process.poll()
        if code is None:
            return ""
        return f"exit code {code}" if code >= 0 else f"killed by {signal.Signals(-code).name}"

    def _kill(self) -> None:
        """End the kernel's process group: what the notebook started belongs to it."""
        group = getattr(self.manager.provisioner, "pgid", None)
        if group:
            with suppress(ProcessLookupError, PermissionError):
                os.killpg(group, signal.SIGKILL)


def _matplotlibrc(folder: str) -> str:
    """Write matplotlib's settings of a kernel: its defaults, and ids in SVG that are the same in each run."""
    path = Path(folder, "matplotlibrc")
    path.write_text("svg.hashsalt: workbench\n", "utf-8")
    return str(path)


class _Kernelspecs(KernelSpecManager):
    """Kernelspecs where ``python3`` is always the interpreter that runs this code."""

    def get_kernel_spec(self, kernel_name: str) -> KernelSpec:
        if kernel_name == THIS_PYTHON:
            return KernelSpec(
                resource_dir=ipykernel.kernelspec.RESOURCES, **ipykernel.kernelspec.get_kernel_dict()
            )
        return super().get_kernel_spec(kernel_name)


def _is_idle(message: dict[str, Any]) -> bool:
    return message["header"]["msg_type"] == "status" and message["content"]["execution_state"] == "idle"
