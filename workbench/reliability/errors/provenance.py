"""Where a failure came through: which policy, on which attempt, after how long, with how much time left.

A policy that lets an exception pass records itself on it. The exception stays the same object of the same
type, so ``except`` clauses and drivers' own handling are not disturbed. People read it as a note under the
traceback (PEP 678), programs by `provenance_of`. The record lies in the exception's ``__dict__``: it lives
as long as the exception, and goes with it through pickle and copy.
"""

import math
from dataclasses import dataclass
from typing import TypeVar

from workbench.errors import WorkbenchError

__all__ = ["Provenance", "ProvenanceError", "provenance_of", "record_provenance"]

AnyError = TypeVar("AnyError", bound=BaseException)

KEY = "_workbench_provenance"
NOTES = "__notes__"
MOST = 32  # an exception that is raised again and again must not grow


class ProvenanceError(WorkbenchError, ValueError):
    """Raised when a provenance says what cannot be, such as attempt 0."""


@dataclass(frozen=True, slots=True)
class Provenance:
    """One policy that a failure passed through.

    Attributes
    ----------
    policy : str
        What it is and its name, such as ``retry 'checkout'``.
    attempt : int
        Which attempt failed, from 1.
    elapsed_s : float
        Seconds since the policy was entered.
    deadline_left_s : float or None
        Seconds left until the deadline, negative when it had passed; None where there was none.

    Raises
    ------
    ProvenanceError
        When the attempt is below 1, or the elapsed time negative or not finite.

    Examples
    --------
    >>> print(Provenance("retry 'checkout'", attempt=3, elapsed_s=1.25, deadline_left_s=0.75))
    retry 'checkout': attempt 3, after 1.25 s, 0.75 s left until the deadline
    """

    policy: str
    attempt: int = 1
    elapsed_s: float = 0.0
    deadline_left_s: float | None = None

    def __post_init__(self) -> None:
        if self.attempt < 1:
            msg = f"attempt is {self.attempt}, expected 1 for the first"
            raise ProvenanceError(msg)
        if not 0 <= self.elapsed_s < math.inf:
            msg = f"elapsed_s is {self.elapsed_s}, expected zero or more seconds"
            raise ProvenanceError(msg)

    def __str__(self) -> str:
        return f"{self.policy}: attempt {self.attempt}, after {self.elapsed_s:.4g} s{self._deadline()}"

    def _deadline(self) -> str:
        if self.deadline_left_s is None:
            return ""
        if self.deadline_left_s < 0:
            return f", {-self.deadline_left_s:.4g} s past the deadline"
        return f", {self.deadline_left_s:.4g} s left until the deadline"


def record_provenance(exc: AnyError, provenance: Provenance) -> AnyError:
    """Say on an exception that it passed through a policy, and return it.

    Call it from the inside out, as the exception rises; `provenance_of` gives the outermost first. The newest
    32 are kept for programs and the first 32 shown as notes, so an exception that is raised again and again
    does not grow.

    Examples
    --------
    >>> error = record_provenance(ConnectionError("reset"), Provenance("retry", attempt=3, elapsed_s=0.5))
    >>> error, error.__notes__
    (ConnectionError('reset'), ['retry: attempt 3, after 0.5 s'])
    """
    kept = exc.__dict__
    kept[KEY] = (provenance, *kept.get(KEY, ())[: MOST - 1])
    notes = kept.setdefault(NOTES, [])  # not add_note(): exceptions that are frozen refuse it
    if isinstance(notes, list) and len(notes) < MOST:
        notes.append(str(provenance))
    return exc


def provenance_of(exc: BaseException) -> tuple[Provenance, ...]:
    """Return the policies that an exception passed through, outermost first; none where none recorded itself.

    Examples
    --------
    >>> error = record_provenance(TimeoutError(), Provenance("timeout"))
    >>> [each.policy for each in provenance_of(record_provenance(error, Provenance("retry", attempt=2)))]
    ['retry', 'timeout']
    """
    recorded: tuple[Provenance, ...] = exc.__dict__.get(KEY, ())
    return recorded
