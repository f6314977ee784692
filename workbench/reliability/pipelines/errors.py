"""Errors of pipelines and of their configuration.

::

    PolicyError (WorkbenchError, ValueError)
    └── PipelineError           what no pipeline can be made of, or a function that none can be put around
        └── ConfigError         a specification that says what cannot be: `.source`, `.path`
"""

from workbench.reliability.policy import PolicyError

__all__ = ["ConfigError", "PipelineError"]


class PipelineError(PolicyError):
    """Raised for what no pipeline can be made of, or put around: it says which, and what would be right."""


class ConfigError(PipelineError):
    """Raised for a specification that is not understood.

    Attributes
    ----------
    source : str
        The file, or empty where it was no file.
    path : str
        Where in it, as ``layers[1].backoff.base_s``; empty for the whole.
    """

    def __init__(self, problem: str, *, source: str = "", path: str = "") -> None:
        self.problem, self.source, self.path = problem, source, path
        super().__init__(": ".join(part for part in (source, path, problem) if part))

    def __reduce__(self) -> tuple[object, ...]:
        return _config_error, (self.problem, self.source, self.path)


def _config_error(problem: str, source: str, path: str) -> ConfigError:
    return ConfigError(problem, source=source, path=path)
