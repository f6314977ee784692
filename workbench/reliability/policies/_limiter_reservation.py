"""`Reservation`: a place in a limiter's future, and how to give it back."""

from dataclasses import dataclass, field
from typing import Any

__all__ = ["Reservation"]


@dataclass(slots=True)
class Reservation:
    """Calls that a limiter lets through, from a moment on.

    Attributes
    ----------
    wait_s : float
        Seconds from the reservation until then; 0 when that is at once.
    at_s : float
        The moment, seconds of the limiter's clock.
    key : hashable or None
    cost : float
    cancelled : bool
        Whether it was given back.
    """

    wait_s: float
    at_s: float
    key: Any
    cost: float
    cancelled: bool = False
    _states: Any = field(default=None, repr=False, compare=False)
    _before: Any = field(default=None, repr=False, compare=False)
    _after: Any = field(default=None, repr=False, compare=False)

    def cancel(self) -> bool:
        """Give it back, where nobody has taken anything of the same key since; tell whether it was.

        Later ones were given times after this one's, and keep them. If its place went to somebody else, more
        might come at once than the limit allows, so in that case it stays empty.
        """
        if not self.cancelled and self._states is not None:
            self.cancelled = self._states.restore(self.key, self._before, self._after)
            if self.cancelled:
                self._states.cancelled += 1
            self._states = None
        return self.cancelled

    async def acancel(self) -> bool:
        """Do what `cancel` does, where an asynchronous client has to ask a server."""
        if not hasattr(self._states, "arestore"):
            return self.cancel()
        if not self.cancelled:
            self.cancelled = await self._states.arestore(self.key, self._before, self._after)
            self._states.cancelled += self.cancelled
            self._states = None
        return self.cancelled
