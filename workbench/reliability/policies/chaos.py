"""`Chaos`: faults injected on purpose, to see what the policies around them make of it."""

import inspect
import math
import secrets
from collections.abc import Callable, Sequence
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any, Literal, Self

from workbench.clock import Clock
from workbench.reliability.errors.rejections import ChaosError
from workbench.reliability.fusing.layers import Layer, in_world
from workbench.reliability.machines import chaos as machine
from workbench.reliability.machines.chaos import choose, inject, uniform
from workbench.reliability.policies._arguments import check_function, check_seconds, check_share
from workbench.reliability.policies._statistics import Statistics
from workbench.reliability.policy import Generator, Policy, PolicyError

__all__ = ["Chaos", "ChaosStatistics"]

Kind = Literal["latency", "error", "outcome", "behaviour"]
Rate = float | Callable[[], float]
Enabled = bool | Callable[[], bool] | ContextVar[bool]
Error = BaseException | type[BaseException] | Callable[[], BaseException]


def inject_latency(q: Any, proceed: Any) -> None:
    """Keep some calls waiting before they proceed."""
    clock = q.clock
    injected, u = q.draw()
    if injected:
        delay_s = q.delay_s(u)
        in_world(clock.sleep, clock.asleep)(delay_s)
    result = proceed()  # noqa: F841 - what all layers share


def inject_error(q: Any, proceed: Any) -> None:
    """Raise instead of some calls."""
    draw = q.draw
    injected, u = draw()
    if injected:
        raise q.error_of(u)
    result = proceed()  # noqa: F841 - what all layers share


def inject_outcome(q: Any, proceed: Any) -> None:
    """Return something else instead of some calls."""
    draw = q.draw
    injected, u = draw()
    if injected:  # noqa: SIM108 - the form that is fused
        result = q.outcome_of(u)
    else:
        result = proceed()  # noqa: F841 - what all layers share


def inject_behaviour(q: Any, proceed: Any) -> None:
    """Do something before some calls proceed."""
    draw, act, aact = q.draw, q.act, q.aact
    injected, u = draw()
    if injected:
        in_world(act, aact)(u)
    result = proceed()  # noqa: F841 - what all layers share


def inject_nothing(q: Any, proceed: Any) -> None:
    """Let all calls proceed."""
    name = q.name  # noqa: F841 - a layer begins by taking something
    result = proceed()  # noqa: F841 - what all layers share


TEMPLATES: dict[Kind, Any] = {
    "latency": inject_latency,
    "error": inject_error,
    "outcome": inject_outcome,
    "behaviour": inject_behaviour,
}


@dataclass(frozen=True, slots=True, repr=False)
class ChaosStatistics(Statistics):
    """How many calls came while it was enabled, how many were hit, and the seed that hits them again."""

    calls: int
    injected: int
    seed: int


class Chaos(Policy):
    """Faults injected on purpose into a share of the calls. Put it innermost: what is around it is tested.

    ::

        Chaos.latency(rate=0.1, delay_s=2.0)             some calls wait first
        Chaos.error(rate=0.05, error=ConnectionError)    some calls raise instead
        Chaos.outcome(rate=0.05, result=None)            some calls return this instead
        Chaos.behaviour(rate=0.01, action=pool.clear)    something is done before some calls

    Parameters
    ----------
    rate : float or function
        Share of the calls that are hit, or what returns it.
    seed : int, optional
        Which calls are hit depends on the seed and on the number of the call alone (`machines.chaos`).
        Without one, it is random; `seed` tells it.
    enabled : bool, function, or ContextVar of bool
        Whether anything is injected: a switch (`enable`, `disable`), or what is asked at each call. A
        context variable that is not set counts as False. Calls that come while it is not enabled have no
        number.
    name, clock, rng
        As for all policies; a given `rng` takes the place of the seed.

    Raises
    ------
    PolicyError
        When an argument is out of range.

    Notes
    -----
    The four kinds are those of Polly 8 (Simmy), and so is the rate of 0.001 where none is given.

    Examples
    --------
    >>> shaken = Chaos.outcome(rate=0.5, result="wrong", seed=1)
    >>> [shaken.call(lambda: "right") for _ in range(4)]
    ['right', 'right', 'wrong', 'right']
    """

    kind = "chaos"
    memory: machine.State

    def __init__(  # noqa: PLR0913 - what can be said about it
        self,
        fault: Kind,
        what: Any,
        *,
        rate: Rate = 0.001,
        seed: int | None = None,
        enabled: Enabled = True,
        name: str | None = None,
        clock: Clock | None = None,
        rng: Generator | None = None,
    ) -> None:
        if fault not in TEMPLATES:
            msg = f"fault is {fault!r}, expected one of {', '.join(TEMPLATES)}"
            raise PolicyError(msg)
        if seed is not None and (isinstance(seed, bool) or not isinstance(seed, int)):
            msg = f"seed is {seed!r}, expected a whole number"
            raise PolicyError(msg)
        if not isinstance(enabled, bool | ContextVar):
            check_function("enabled", enabled, "of nothing, a bool or a ContextVar")
        self.fault, self._what = fault, what
        self._rate = rate if callable(rate) else check_share("rate", rate, zero=True)
        self.seed = secrets.randbits(63) if seed is None else seed
        self._numbered = rng is None
        self.is_seeded = seed is not None and rng is None
        self._enabled = enabled
        self.parameters = machine.Parameters(math.nan if callable(rate) else float(rate))
        self.memory = machine.State()
        super().__init__(name=name or f"chaos {fault}", clock=clock, rng=rng)

    @classmethod
    def latency(cls, rate: Rate = 0.001, *, delay_s: Any = 30.0, **more: Any) -> Self:
        """Return one that keeps calls waiting.

        `delay_s` are seconds (30, as in Polly), a function of a random number from [0, 1), or a
        distribution with `ppf`, such as those of `scipy.stats`.
        """
        if not callable(getattr(delay_s, "ppf", delay_s)):
            check_seconds("delay_s", delay_s, zero=True)
        return cls("latency", getattr(delay_s, "ppf", delay_s), rate=rate, **more)

    @classmethod
    def error(cls, rate: Rate = 0.001, *, error: Error | Sequence[Error] | None = None, **more: Any) -> Self:
        """Return one that raises `error`: an exception, what a type or function makes, or one of several."""
        several = tuple(error) if isinstance(error, Sequence) else (error,)
        for each in several:
            if each is not None and not isinstance(each, BaseException):
                check_function("error", each, "that makes an exception, a type of exceptions, or one of them")
        if not several:
            msg = "error is empty, expected at least one"
            raise PolicyError(msg)
        return cls("error", several, rate=rate, **more)

    @classmethod
    def outcome(cls, rate: Rate = 0.001, *, result: Any = None, **more: Any) -> Self:
        """Return one that answers in place of the call: with `result`, or with what that returns."""
        return cls("outcome", result, rate=rate, **more)

    @classmethod
    def behaviour(cls, rate: Rate = 0.001, *, action: Callable[[], Any], **more: Any) -> Self:
        """Return one that calls `action` first, and around async calls awaits what it returns."""
        check_function("action", action, "of nothing")
        return cls("behaviour", action, rate=rate, **more)

    def adopt(self, old: "Chaos") -> bool:
        """Go on with the number of the call of another one, and its seed unless one is given."""
        if self.fault != old.fault:
            return False
        if "seed" not in self.made_with[1]:
            self.seed = old.seed
        return self.adopt_counts(old)

    def layer(self) -> Layer:
        """Return how it surrounds a call."""
        if self._enabled is False:
            return Layer(inject_nothing)
        return Layer(TEMPLATES[self.fault], waits=self.fault in {"latency", "behaviour"})

    @property
    def enabled(self) -> bool:
        """Whether a call that came now could be hit."""
        enabled = self._enabled
        if isinstance(enabled, bool):
            return enabled
        return bool(enabled.get(False) if isinstance(enabled, ContextVar) else enabled())

    def enable(self) -> None:
        """Inject from now on."""
        self._switch(to=True)

    def disable(self) -> None:
        """Inject nothing from now on."""
        self._switch(to=False)

    @property
    def statistics(self) -> ChaosStatistics:
        """How many calls there were, and how many were hit."""
        with self.lock:
            return ChaosStatistics(self.memory.calls, self.memory.injected, self.seed)

    def reset(self) -> None:
        """Count from the first call again: the same ones are hit."""
        super().reset()

    # What a simulation asks

    @property
    def is_up_to_functions(self) -> bool:
        """Whether the rate, or whether it is enabled, is asked at each call."""
        return callable(self._rate) or not isinstance(self._enabled, bool)

    @property
    def delay(self) -> Any:
        """How long calls wait: seconds, a function, or a distribution."""
        return getattr(self._what, "__self__", self._what)

    @property
    def replies(self) -> tuple[Any, ...]:
        """What calls that are hit may get instead: one of each result or exception."""
        if self.fault == "outcome":
            return (self.outcome_of(0.0),)
        several = len(self._what) if self.fault == "error" else 0
        return tuple(self.error_of(number / several) for number in range(several))

    # What its layer calls

    def draw(self) -> tuple[bool, float]:
        """Return whether a call is hit, and a random number for what happens then."""
        if not self.enabled:
            return False, 0.0
        rate = self._rate if isinstance(self._rate, float) else check_share("rate", self._rate(), zero=True)
        with self.lock:
            number = self.memory.calls
            u = uniform(self.seed, number) if self._numbered else self.rng.random()
            hit = inject(self.memory, rate, u)
            second = (uniform(self.seed, number, 1) if self._numbered else self.rng.random()) if hit else 0.0
        if hit and self.listening:
            self.emit("injected", self.clock.now(), fault=self.fault, call=number)
        return hit, second

    def delay_s(self, u: float) -> float:
        """Return how long a call waits."""
        delay_s = self._what(u) if callable(self._what) else self._what
        return check_seconds("delay_s", float(delay_s), zero=True)

    def error_of(self, u: float) -> BaseException:
        """Return the exception instead of a call."""
        chosen = self._what[choose(len(self._what), u)]
        if chosen is None:
            return ChaosError(self.name, "an error")
        if isinstance(chosen, BaseException):
            return chosen.with_traceback(None)
        made = chosen()
        if not isinstance(made, BaseException):
            msg = f"{self.name}: {chosen!r} made {made!r}, expected an exception"
            raise PolicyError(msg)
        return made

    def outcome_of(self, _: float) -> Any:
        """Return what is returned instead of a call."""
        return self._what() if callable(self._what) else self._what

    def act(self, _: float) -> None:
        """Do what is done before a call."""
        done = self._what()
        if inspect.isawaitable(done):
            if inspect.iscoroutine(done):
                done.close()
            msg = f"{self.name}: the action is async, the call is not"
            raise PolicyError(msg)

    async def aact(self, _: float) -> None:
        """Do what is done before a call, and await it if it has to be."""
        done = self._what()
        if inspect.isawaitable(done):
            await done

    def _switch(self, *, to: bool) -> None:
        if self._enabled is not to:
            self._enabled = to
            self.changed()

    def __repr__(self) -> str:
        rate = "as a function says" if callable(self._rate) else f"rate {self._rate:g}"
        return f"Chaos.{self.fault}({self.name!r}, {rate}, seed {self.seed})"
