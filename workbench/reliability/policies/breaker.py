"""`CircuitBreaker`: stop calling what fails, and try again after a while."""

from typing import Any, Literal

from workbench.clock import Clock
from workbench.reliability.errors import CircuitOpenError
from workbench.reliability.fusing.layers import Layer, entry_time
from workbench.reliability.machines import breaker as machine
from workbench.reliability.machines.breaker import CLOSED, DISABLED, admit, learn
from workbench.reliability.policy import Generator, Policy

__all__ = ["BreakerState", "CircuitBreaker"]

BreakerState = Literal["closed", "open", "half_open", "forced_open", "disabled"]
NAMES: tuple[BreakerState, ...] = ("closed", "open", "half_open", "forced_open", "disabled")
NEVER = 2.0  # a share that is never reached
FAILED, SLOW = 1, 2
NONE = -1  # the generation of calls that are not counted


def break_circuit(q: Any, proceed: Any) -> None:
    """Surround a call with a breaker."""
    p, s, ring, clock, failures = q.parameters, q.memory, q.ring, q.clock, q.on
    if s.state != CLOSED:
        entered = entry_time(clock)
        admitted = admit(p, s, entered)
        if not admitted:
            raise q.refusal(entered)
    generation = s.generation
    if s.state == DISABLED:
        generation = NONE
    if SLOW_CALLS:  # noqa: F821 - a constant of the layer
        started = entry_time(clock)
    try:
        result = proceed()
    except failures:
        now = clock.now()
        outcome = FAILED
        if SLOW_CALLS:  # noqa: F821 - as above
            if now - started >= p.slow_s:
                outcome = FAILED | SLOW
        changed = learn(p, s, ring, generation, outcome, now)
        if changed:
            q.announce(now)
        raise
    outcome = 0
    now = 0.0
    if SLOW_CALLS:  # noqa: F821 - as above
        now = clock.now()
        if now - started >= p.slow_s:
            outcome = SLOW
    elif s.state != CLOSED or s.calls < p.minimum_calls:  # only then can a success change the state
        now = clock.now()
    changed = learn(p, s, ring, generation, outcome, now)
    if changed:
        q.announce(now)


class CircuitBreaker(Policy):
    """Stop calling what fails, and try again after a while.

    Parameters
    ----------
    on : exception types
        What counts as a failure; other exceptions pass uncounted.
    failure_rate, slow_rate : float
        Shares of the calls in the window, from which on it opens; a call is slow from `slow_s` on.
    window, minimum_calls, half_open_calls : int
    open_s : float
        How long it stays open before it lets trial calls through.

    Notes
    -----
    Defaults are those of resilience4j: half of the last 100 calls, 60 s, 10 trial calls.
    """

    kind = "breaker"

    def __init__(
        self,
        *,
        on: type[BaseException] | tuple[type[BaseException], ...] = Exception,
        failure_rate: float = 0.5,
        slow_rate: float = NEVER,
        slow_s: float = 60.0,
        window: int = 100,
        minimum_calls: int = 100,
        open_s: float = 60.0,
        half_open_calls: int = 10,
        name: str | None = None,
        clock: Clock | None = None,
        rng: Generator | None = None,
    ) -> None:
        self.on = on
        self.parameters = machine.Parameters(
            window, minimum_calls, failure_rate, slow_rate, slow_s, open_s, half_open_calls
        )
        self.memory = machine.State()
        self.ring = bytearray(max(window, half_open_calls))
        super().__init__(name=name, clock=clock, rng=rng)

    def layer(self) -> Layer:
        """Return how it surrounds a call."""
        return Layer(break_circuit, (("SLOW_CALLS", self.parameters.slow_rate <= 1.0),))

    @property
    def state(self) -> BreakerState:
        """Which state it is in."""
        return NAMES[self.memory.state]

    def refusal(self, now: float) -> CircuitOpenError:
        """Return the error of a call that may not pass."""
        left_s = self.memory.changed_s + self.parameters.open_s - now
        return CircuitOpenError(self.name, retry_after_s=max(0.0, left_s))

    def announce(self, now: float) -> None:
        """Tell the listeners that the state has changed."""
        if self.listening:
            self.emit("state", now, state=self.state)
