"""Results and exceptions of one's own, as outcomes: recorded answers, and injected ones.

The kernel knows them by a code. What policies' predicates say of each is asked once, before the simulation:
so any predicate can be simulated that depends on its argument alone.
"""

import asyncio
from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt

from workbench.reliability.errors.retry_delays import retry_after_s
from workbench.reliability.machines.retry import NO_HINT_S
from workbench.reliability.simulation import _codes as codes
from workbench.reliability.simulation._outcomes import failure_bits
from workbench.reliability.simulation.errors import SimulationError

__all__ = ["Replies"]


class Replies:
    """Results and exceptions, each with its code, in the order in which they are met.

    Attributes
    ----------
    results, exceptions : list
        From the codes `RESULTS` and `EXCEPTIONS` on.
    """

    def __init__(self) -> None:
        self.results: list[Any] = []
        self.exceptions: list[BaseException] = []

    def code(self, reply: Any) -> int:
        """Return the code of a result or an exception.

        Raises
        ------
        SimulationError
            When there are too many of them.
        """
        known, first, end = (
            (self.exceptions, codes.EXCEPTIONS, codes.REPLIES_END)
            if isinstance(reply, BaseException)
            else (self.results, codes.RESULTS, codes.EXCEPTIONS)
        )
        for number, each in enumerate(known):
            if each is reply or _are_alike(each, reply):
                return first + number
        if first + len(known) == end:
            msg = f"{reply!r} is one too many: expected at most {end - first} different ones"
            raise SimulationError(msg)
        known.append(reply)
        return first + len(known) - 1

    def failures(
        self, counts: Callable[[BaseException], bool], on_result: Callable[[Any], object] | None = None
    ) -> int:
        """Return which outcomes count as failures, a bit each; the service's good result never does."""
        bits = failure_bits(counts) | (bool(counts(asyncio.CancelledError())) << codes.CANCELLED)
        for number, error in enumerate(self.exceptions):
            bits |= bool(counts(error)) << (codes.EXCEPTIONS + number)
        if on_result is not None:
            for number, result in enumerate(self.results):
                bits |= bool(on_result(result)) << (codes.RESULTS + number)
        return bits

    def hints(self) -> npt.NDArray[np.float64]:
        """Return for how long each asks to be left alone, by code; seconds."""
        found = np.full(codes.REPLIES_END - codes.RESULTS, NO_HINT_S)
        for first, known in ((codes.RESULTS, self.results), (codes.EXCEPTIONS, self.exceptions)):
            for number, reply in enumerate(known):
                hint_s = retry_after_s(reply)
                if hint_s is not None:
                    found[first - codes.RESULTS + number] = hint_s
        return found


def _are_alike(one: Any, other: Any) -> bool:
    """Tell whether two exceptions are of one type and say the same."""
    return isinstance(one, BaseException) and type(one) is type(other) and one.args == other.args
