"""`Hedge`: ask again when an answer is late, and take whichever comes first."""

import math
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any

from workbench.clock import Clock
from workbench.reliability.fusing.layers import Layer, in_world
from workbench.reliability.machines import budget as budget_machine
from workbench.reliability.machines import latency_quantile
from workbench.reliability.machines.budget import deposit, withdraw
from workbench.reliability.machines.latency_quantile import observe, quantile
from workbench.reliability.policies._arguments import check_count, check_factor, check_seconds, check_share
from workbench.reliability.policies._hedge_racing import Attempt, arace, race
from workbench.reliability.policies._outcomes import Failures, On
from workbench.reliability.policies._statistics import Statistics
from workbench.reliability.policy import Generator, Policy, PolicyError

__all__ = ["Hedge", "HedgeStatistics"]

LOOK_EVERY = 32  # durations between two looks at the quantile: a look costs as much as some calls
_attempt: ContextVar[Attempt | None] = ContextVar("workbench.hedge.attempt", default=None)


def hedge_call(q: Any, proceed: Any) -> None:
    """Race attempts at a call."""
    run, arun = q.run, q.arun

    def attempt() -> Any:
        result = proceed()
        return result  # noqa: RET504 - the form that is fused

    result = in_world(run, arun)(attempt)  # noqa: F841 - what all layers share


@dataclass(frozen=True, slots=True, repr=False)
class HedgeStatistics(Statistics):
    """What a hedge did.

    Attributes
    ----------
    calls : int
    hedges : int
        Extra attempts that were started.
    won : int
        Calls that an extra attempt answered.
    refused : int
        Extra attempts that the budget did not allow.
    delay_s : float
        How long an answer is waited for now, before an extra attempt; infinite while that is not known.
    abandoned : int
        Attempts of sync calls that are still at work, though their calls have ended.
    """

    calls: int
    hedges: int
    won: int
    refused: int
    delay_s: float
    abandoned: int


class Hedge(Policy):
    """Ask again when an answer is late, and take the first success.

    The call must be safe to repeat. An attempt that fails starts the next one at once; when all have
    failed, the error of the first is raised. Attempts of async calls that are no longer needed are
    cancelled and awaited before the call returns. A sync attempt runs in a thread, and Python cannot stop
    one: it is abandoned, runs to its end beside the program, and is counted until then; inside it,
    ``Hedge.attempt().abandoned`` tells.

    Parameters
    ----------
    delay_s : float, optional
        How long an answer is waited for; without it, as long as the `quantile` of the calls so far took.
    quantile : float
    minimum_calls : int
        From how many calls on the quantile is known; before, there are no extra attempts.
    memory : int
        After so many calls, those before count half.
    hedges : int
        Extra attempts a call.
    budget : float or None
        Extra attempts are at most this share of the calls, and `burst` more; None for as many as there may
        be.
    burst : float
    on : exception type, ErrorClass, function of an exception, or several of them
        After which failures others may win; another exception ends the call.
    name, clock, rng
        As for all policies.

    Raises
    ------
    PolicyError
        When an argument is out of range.

    Notes
    -----
    The 95th percentile is that of J. Dean and L. A. Barroso, The Tail at Scale (CACM 56:2, 2013): hedging
    beyond it adds about 5 % of load. Polly 8 has a fixed delay of 2 s and one extra attempt, and no
    budget. That of a fifth of the calls is failsafe-go's, which counts calls under way; here it is saved up.

    A call teaches one duration: how long its first attempt took, or had taken when another one won. A slow
    first attempt that was cancelled is thus still seen as slow, and the quantile does not creep down.
    """

    kind = "hedge"

    def __init__(  # noqa: PLR0913 - what can be said about a hedge
        self,
        delay_s: float | None = None,
        *,
        quantile: float = 0.95,
        minimum_calls: int = 100,
        memory: int = 10_000,
        hedges: int = 1,
        budget: float | None = 0.2,
        burst: float = 10.0,
        on: On = Exception,
        name: str | None = None,
        clock: Clock | None = None,
        rng: Generator | None = None,
    ) -> None:
        self.fixed_s = None if delay_s is None else check_seconds("delay_s", delay_s, zero=True)
        if not isinstance(quantile, float) or not 0 < quantile < 1:
            msg = f"quantile is {quantile!r}, expected a number between 0 and 1"
            raise PolicyError(msg)
        self.hedges = check_count("hedges", hedges)
        most = check_factor("burst", burst, endless=True)
        share = math.inf if budget is None else check_share("budget", budget, zero=True)
        self.parameters = budget_machine.Parameters(share, 0.0, math.inf if budget is None else most)
        self.memory = budget_machine.State()
        self.learning = latency_quantile.Parameters(
            float(quantile),
            check_count("minimum_calls", minimum_calls),
            check_count("memory", memory, least=100),
        )
        self.learnt = latency_quantile.State()
        self.counts = [0] * latency_quantile.BINS
        self.failures = Failures.of(on, least=Exception)
        self._won = self._abandoned = self._started = 0
        super().__init__(name=name, clock=clock, rng=rng)

    def adopt(self, old: "Hedge") -> bool:
        """Go on with the durations that another one has seen, and its counts; not with who is at work."""
        self.learnt, self.counts, self.lock = old.learnt, old.counts, old.lock
        self._won, self._started = old._won, old._started  # noqa: SLF001 - of our kind
        if self.parameters == old.parameters:
            self.memory = old.memory
        return True

    def layer(self) -> Layer:
        """Return how it surrounds a call."""
        return Layer(hedge_call, waits=True)

    @staticmethod
    def attempt() -> Attempt | None:
        """Return the attempt that this code runs in: its number, from 0, and whether it was abandoned."""
        return _attempt.get()

    @property
    def delay_s(self) -> float:
        """How long an answer is waited for before an extra attempt; infinite while that is not known."""
        return self.learnt.value_s if self.fixed_s is None else self.fixed_s

    @property
    def statistics(self) -> HedgeStatistics:
        """What it did."""
        with self.lock:
            return HedgeStatistics(
                self.memory.calls,
                self._started,
                self._won,
                self.memory.refused,
                self.delay_s,
                self._abandoned,
            )

    def reset(self) -> None:
        """Forget what was learnt and counted; attempts that are still at work stay counted."""
        with self.lock:
            self.memory = budget_machine.State()
            self.learnt = latency_quantile.State()
            self.counts = [0] * latency_quantile.BINS
            self._won = self._started = 0

    def run(self, attempt: Any) -> Any:
        """Race attempts in threads."""
        with self.lock:
            deposit(self.parameters, self.memory)
        return race(self, attempt, _attempt)

    async def arun(self, attempt: Any) -> Any:
        """Race attempts in tasks."""
        with self.lock:
            deposit(self.parameters, self.memory)
        return await arace(self, attempt, _attempt)

    def may_hedge(self, number: int, now: float) -> bool:
        """Tell whether there may be another attempt, and count it."""
        if number > self.hedges:
            return False
        with self.lock:
            granted = withdraw(self.parameters, self.memory, now)
            self._started += granted
        if self.listening:
            self.emit("hedge" if granted else "hedge_refused", now, attempt=number)
        return granted

    def is_failure(self, error: BaseException) -> bool:
        """Tell whether others may win after an exception."""
        return self.failures.include(error)

    def ended(self, winner: int, first_s: float) -> None:
        """Learn from a call: which attempt won (-1 for none), how long the first took or had taken."""
        with self.lock:
            self._won += winner > 0
            if self.fixed_s is None:
                observe(self.learning, self.learnt, self.counts, first_s)
                if self.learnt.observed % LOOK_EVERY == 0 or self.learnt.observed == self.learning.minimum:
                    quantile(self.learning, self.learnt, self.counts)
        if winner > 0 and self.listening:
            self.emit("hedge_won", self.clock.now(), attempt=winner)

    def abandon(self, count: int) -> None:
        """Count attempts that go on without their call, or that have ended at last."""
        with self.lock:
            self._abandoned += count

    def __repr__(self) -> str:
        delay = "late" if self.delay_s == math.inf else f"{self.delay_s:.4g} s"
        kind = (
            f"after {delay}"
            if self.fixed_s is not None
            else f"after p{100 * self.learning.quantile:g} ({delay})"
        )
        return f"Hedge({self.name!r}, {kind})"
