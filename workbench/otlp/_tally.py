"""What to do with a record that cannot be read: raise, or leave it out and count it."""

from typing import Literal

from workbench.otlp.errors import OtlpError

__all__ = ["OnError", "Tally"]

OnError = Literal["raise", "skip"]


class Tally:
    """Raises each error in strict reading; counts it in lenient reading, so that nothing is lost silently."""

    def __init__(self, on_error: OnError) -> None:
        if on_error not in ("raise", "skip"):
            msg = f"on_error must be 'raise' or 'skip', got {on_error!r}"
            raise ValueError(msg)
        self.strict = on_error == "raise"
        self.skipped = 0

    def refuse(self, error: OtlpError) -> None:
        """Raise the error, or count it as one skipped record."""
        if self.strict:
            raise error
        self.skipped += 1
