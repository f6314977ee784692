"""Our session under nbval's interface, for what nbval and users' conftest files ask of a kernel."""

from typing import Any

from nbval.cover import setup_coverage, teardown_coverage
from nbval.kernel import RunningKernel

from workbench.lab._session import Session

__all__ = ["NbvalKernel", "cover", "uncover"]


class NbvalKernel(RunningKernel):  # type: ignore[misc]
    """A running kernel as nbval knows it; it belongs to a session, and behaves as in JupyterLab."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self.km, self.kc = session.manager, session.client

    def execute_cell_input(
        self,
        cell_input: str,
        allow_stdin: bool | None = None,  # noqa: FBT001  # nbval's signature
    ) -> str:
        """Execute with history: a trailing ``;``, ``_`` and ``Out`` mean what they do in JupyterLab."""
        message: str = self.kc.execute(
            cell_input, store_history=True, allow_stdin=allow_stdin, stop_on_error=False
        )
        return message

    def is_alive(self) -> bool:
        """Say whether the kernel's process is there."""
        return self._session.is_alive()

    def stop(self) -> None:
        """Stop the session."""
        self._session.stop()


def cover(notebook: Any) -> None:
    """Measure coverage in the kernel, if pytest-cov measures it here."""
    if getattr(notebook.config.option, "cov_source", None):
        setup_coverage(notebook.config, notebook.kernel, notebook.path)


def uncover(notebook: Any) -> None:
    """Save the coverage of a kernel that is still there."""
    if getattr(notebook.config.option, "cov_source", None) and notebook.kernel.is_alive():
        teardown_coverage(notebook.config, notebook.kernel)
