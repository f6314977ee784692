"""What to do with a record that cannot be read: raise, or leave it out, count it and remember why.

What counts as one: a span, metric, log record or profile that is left out; and a stretch of the input in
which no record can be told from another, such as a broken frame, text that is no JSON, or the rest of a
message that breaks off; and, in a folder of tables, a row that belongs to no row of its parent's table.
"""

from collections.abc import Iterable
from typing import Literal, Self

from workbench.otlp.errors import OtlpError

__all__ = ["MOST_ERRORS", "OnError", "Skipped", "Tally"]

OnError = Literal["raise", "skip"]
MOST_ERRORS = 100  # that are remembered; all are counted


class Skipped(int):
    """How many records were left out: a number that knows what was wrong with the first of them.

    One error may have cost several records: without its resource or scope a record says something else.

    Attributes
    ----------
    errors : tuple of OtlpError
        The first hundred, in the input's order.
    """

    errors: tuple[OtlpError, ...]

    def __new__(cls, count: int = 0, errors: Iterable[OtlpError] = ()) -> Self:
        made = super().__new__(cls, count)
        made.errors = tuple(errors)[:MOST_ERRORS]
        return made

    def __add__(self, more: int) -> "Skipped":
        return Skipped(int(self) + int(more), self.errors + _errors(more))

    def __radd__(self, before: int) -> "Skipped":
        return Skipped(int(before) + int(self), _errors(before) + self.errors)

    def __sub__(self, before: int) -> "Skipped":
        """Return what was skipped since a count of the same tally was taken."""
        return Skipped(int(self) - int(before), self.errors[len(_errors(before)) :])

    def __reduce__(self) -> tuple[type["Skipped"], tuple[int, tuple[OtlpError, ...]]]:
        return Skipped, (int(self), self.errors)


NONE_SKIPPED = Skipped()


def _errors(count: int) -> tuple[OtlpError, ...]:
    return count.errors if isinstance(count, Skipped) else ()


class Tally:
    """Raises each error in strict reading; counts it in lenient reading, so that nothing is lost silently."""

    def __init__(self, on_error: OnError) -> None:
        if on_error not in ("raise", "skip"):
            msg = f"on_error must be 'raise' or 'skip', got {on_error!r}"
            raise ValueError(msg)
        self.strict = on_error == "raise"
        self.skipped = NONE_SKIPPED

    @property
    def remembers_more(self) -> bool:
        """Tell whether the next error will be remembered: one that is slow to describe need not be."""
        return len(self.skipped.errors) < MOST_ERRORS

    def refuse(self, error: OtlpError, records: int = 1) -> None:
        """Raise the error, or count the records that it costs."""
        if self.strict:
            raise error
        self.leave_out(Skipped(records, (error,)))

    def leave_out(self, lost: Skipped) -> None:
        """Count what was lost."""
        for error in lost.errors:
            error.__traceback__ = error.__context__ = None  # they would keep the input in memory
        self.skipped += lost
