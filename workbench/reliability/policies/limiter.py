"""`RateLimiter`: at most so many calls a second."""

from typing import Any

from workbench.clock import Clock
from workbench.reliability.errors import RateLimitedError
from workbench.reliability.fusing.layers import Layer, entry_time
from workbench.reliability.machines import gcra
from workbench.reliability.machines.gcra import take
from workbench.reliability.policy import Generator, Policy

__all__ = ["RateLimiter"]


def limit_rate(q: Any, proceed: Any) -> None:
    """Let a call pass, or refuse it."""
    p, s, clock = q.parameters, q.memory, q.clock
    entered = entry_time(clock)
    wait_s = take(p, s, entered, 1.0)
    if wait_s > 0.0:
        raise q.refusal(wait_s)
    result = proceed()  # noqa: F841 - what all layers share


class RateLimiter(Policy):
    """At most so many calls a second, some of them at once."""

    kind = "limiter"

    def __init__(
        self,
        parameters: Any,
        memory: Any,
        *,
        name: str | None = None,
        clock: Clock | None = None,
        rng: Generator | None = None,
    ) -> None:
        self.parameters, self.memory = parameters, memory
        super().__init__(name=name, clock=clock, rng=rng)

    @classmethod
    def gcra(cls, *, rate_hz: float, burst: int = 1, **more: Any) -> "RateLimiter":
        """Return a limiter by the generic cell rate algorithm."""
        return cls(gcra.Parameters(1.0 / rate_hz, burst / rate_hz), gcra.State(), **more)

    def layer(self) -> Layer:
        """Return how it surrounds a call."""
        return Layer(limit_rate)

    def refusal(self, wait_s: float) -> RateLimitedError:
        """Return the error of a call that comes too early."""
        return RateLimitedError(self.name, retry_after_s=wait_s)
