"""`Retry`: try again what failed, after a while, and not for ever."""

import math
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass
from typing import Any, Literal, ParamSpec, TypeVar

from workbench.backoff import Backoff, Exponential
from workbench.clock import Clock
from workbench.reliability.errors.rejections import ReliabilityError
from workbench.reliability.errors.retry_delays import retry_after_s
from workbench.reliability.fusing.decorated import is_generator
from workbench.reliability.fusing.layers import Layer, entry_time, in_world
from workbench.reliability.machines import retry as machine
from workbench.reliability.machines.budget import deposit
from workbench.reliability.machines.retry import UNLIMITED
from workbench.reliability.policies._arguments import check_count, check_seconds
from workbench.reliability.policies._outcomes import Failures, On
from workbench.reliability.policies._retry_attempts import Attempt, Attempts
from workbench.reliability.policies._retry_course import Course
from workbench.reliability.policies._retry_streams import Resume, retried_stream
from workbench.reliability.policies._statistics import Statistics
from workbench.reliability.policies.budget import RetryBudget
from workbench.reliability.policy import Generator, Policy, PolicyError

__all__ = ["Retry", "RetryStatistics"]

P = ParamSpec("P")
R = TypeVar("R")


def retry(q: Any, proceed: Any) -> None:
    """Surround a call with attempts."""
    clock, p, s = q.clock, q.budget_parameters, q.budget_memory
    entered = entry_time(clock)
    if BUDGET:  # type: ignore[name-defined] # noqa: F821 - a constant of the layer
        deposit(p, s)
    course = None
    while True:
        try:
            result = proceed()
        except Exception as error:
            course = in_world(q.failed, q.afailed)(course, entered, error)
            if course is None:
                raise
        else:
            if RESULTS:  # type: ignore[name-defined] # noqa: F821, SIM102 - as above
                if q.on_result(result):
                    course = in_world(q.returned, q.areturned)(course, entered, result)
                    if course.delay_s >= 0.0:
                        continue
                    course = None
            break
    if course is not None:
        course.succeeded()


@dataclass(frozen=True, slots=True, repr=False)
class RetryStatistics(Statistics):
    """What became of calls whose first attempt failed; those that succeed at once are not counted.

    Attributes
    ----------
    retries : int
        Attempts after first ones.
    recovered : int
        Calls that succeeded in the end.
    permanent, exhausted, told_to_wait, out_of_time, out_of_budget : int
        Calls that failed in the end: not worth another try, all attempts made, the callee asked for more
        patience than there is, the deadline was too near, the budget was spent.
    """

    retries: int
    recovered: int
    permanent: int
    exhausted: int
    told_to_wait: int
    out_of_time: int
    out_of_budget: int


class Retry(Policy):
    """Try again what failed, after a while, and not for ever.

    Decorates functions, async functions, generator functions and async generator functions (see `stream`),
    and goes around blocks::

        for attempt in retry:                  async for attempt in retry:
            with attempt:                          async with attempt:
                ...                                    ...

    Parameters
    ----------
    attempts : int or None
        Calls at most, the first included; None for no limit but `timeout_s`, the deadline and the budget.
    backoff : Backoff
        How long to wait; see `workbench.backoff`.
    on : exception types, ErrorClass values, predicates, or several of these; optional
        What is tried again. By default every `Exception`, but not our own that say they are not retryable (an
        open breaker, an exhausted budget, a deadline that has passed). A group of exceptions is tried again
        if all its members are. Never tried again is what is no `Exception`: KeyboardInterrupt, SystemExit,
        CancelledError.
    ignore : like `on`
        What is not tried again, although `on` says so.
    on_result : callable, optional
        Tells of a result whether to try again. When attempts end, the last result is returned.
    budget : RetryBudget, optional
        Shared with others: `BudgetExhaustedError` when it is spent.
    timeout_s : float
        No attempt starts later than this after the first one. The deadline that holds where it is called
        counts as well. An attempt that runs is not interrupted by this: put a `Deadline` around, or a
        `Timeout` within.
    least_attempt_s : float
        Time that an attempt needs: none starts with less left.
    retry_after : callable, optional
        Returns for an exception or a result how long the callee asks to be left alone, in seconds, or None.
        By default `retry_after_s`, which knows Retry-After and its kin; None to ignore it. The delay is at
        least that long.
    retry_after_max_s : float
        It gives up when the callee asks for more.
    errors : {"last", "group"}
        What is raised when all attempts failed: the last error, with a note of the earlier ones, which are
        its context; or an ExceptionGroup of all (the last 20).

    Raises
    ------
    PolicyError
        For arguments that make no sense.

    Notes
    -----
    Defaults: 3 attempts, 1 s doubled up to 20 s with full jitter, as in the standard mode of the
    AWS SDKs. resilience4j makes 3 attempts as well, Polly 4 (it counts 3 retries); both wait a constant time
    without jitter (0.5 s and 2 s), which keeps clients together that failed together. That is why they were
    not followed. A callee's wish of up to 60 s is granted, as in the clients of several large APIs.

    Examples
    --------
    >>> from workbench.clock import VirtualClock
    >>> replies = iter([ConnectionError("reset"), "hello"])
    >>> def call():
    ...     reply = next(replies)
    ...     if isinstance(reply, Exception):
    ...         raise reply
    ...     return reply
    >>> Retry(attempts=3, on=ConnectionError, clock=VirtualClock()).call(call)
    'hello'
    """

    kind = "retry"

    def __init__(  # noqa: PLR0913 - what may be said of a retry
        self,
        *,
        attempts: int | None = 3,
        backoff: Backoff | None = None,
        on: On | None = None,
        ignore: On = (),
        on_result: Callable[[Any], object] | None = None,
        budget: RetryBudget | None = None,
        timeout_s: float = math.inf,
        least_attempt_s: float = 0.0,
        retry_after: Callable[[Any], float | None] | None = retry_after_s,
        retry_after_max_s: float = 60.0,
        errors: Literal["last", "group"] = "last",
        name: str | None = None,
        clock: Clock | None = None,
        rng: Generator | None = None,
    ) -> None:
        self.backoff = Exponential() if backoff is None else backoff
        self.attempts, self.on_result, self.budget = attempts, on_result, budget
        self.timeout_s = check_seconds("timeout_s", timeout_s, endless=True)
        self.retry_after, self.errors = retry_after, errors
        self._check()
        self.parameters = machine.parameters_of(
            self.backoff,
            attempts=UNLIMITED if attempts is None else attempts,
            hint_max_s=check_seconds("retry_after_max_s", retry_after_max_s, zero=True, endless=True),
            least_s=check_seconds("least_attempt_s", least_attempt_s, zero=True),
        )
        self.memory = machine.State()
        self.repeatable = Failures.of(_is_worth_it if on is None else on, ignore, least=Exception)
        self.budget_parameters = None if budget is None else budget.parameters
        self.budget_memory = None if budget is None else budget.memory
        super().__init__(name=name, clock=clock, rng=rng)
        if budget is not None:
            self.lock = budget.lock  # the layer changes the budget: who shares it must share what guards it

    def _check(self) -> None:
        if self.attempts is not None:
            check_count("attempts", self.attempts)
        functions = "a function or None"
        right: dict[str, tuple[bool, str]] = {
            "backoff": (isinstance(self.backoff, Backoff), "one of workbench.backoff, as Exponential(0.1)"),
            "budget": (isinstance(self.budget, RetryBudget | None), "a RetryBudget or None"),
            "errors": (self.errors in ("last", "group"), "'last' or 'group'"),
            "on_result": (self.on_result is None or callable(self.on_result), functions),
            "retry_after": (self.retry_after is None or callable(self.retry_after), functions),
        }
        for name, (fits, expected) in right.items():
            if not fits:
                msg = f"{name} is {getattr(self, name)!r}, expected {expected}"
                raise PolicyError(msg)

    def adopt(self, old: "Retry") -> bool:
        """Go on with the counts of another one, and with what is left of its budget of the same name."""
        self.memory = old.memory
        if self.budget is None:
            self.lock = old.lock
        else:
            self._adopt_budget(self.budget, old.budget)
        return True

    def _adopt_budget(self, budget: RetryBudget, old: RetryBudget | None) -> None:
        if old is not None and budget is not old and budget.name == old.name:
            if budget.parameters == old.parameters and budget.clock is old.clock:
                self.budget = budget = old
                self.budget_parameters = old.parameters
            else:
                budget.adopt(old)
        self.budget_memory, self.lock = budget.memory, budget.lock

    def layer(self) -> Layer:
        """Return how it surrounds a call."""
        constants = (("BUDGET", self.budget is not None), ("RESULTS", self.on_result is not None))
        return Layer(retry, constants, waits=True)

    @property
    def statistics(self) -> RetryStatistics:
        """What became of calls whose first attempt failed."""
        with self.lock:
            s = self.memory
            return RetryStatistics(*(getattr(s, name) for name in RetryStatistics.__slots__))

    @property
    def described(self) -> str:
        """What it is, and its name if it has one."""
        return self.kind if self.name == self.kind else f"{self.kind} {self.name!r}"

    def __repr__(self) -> str:
        return f"Retry(attempts={self.attempts}, backoff={self.backoff!r})"

    # Blocks and generators

    def __iter__(self) -> Iterator[Attempt]:
        """Yield attempts for ``with``, until one succeeds."""
        return Attempts(self)

    def __aiter__(self) -> AsyncIterator[Attempt]:
        """Yield attempts for ``async with``, until one succeeds."""
        return Attempts(self)

    def __call__(self, function: Callable[P, R]) -> Callable[P, R]:
        """Return a function that calls another through this policy; of a generator function, one as well."""
        if is_generator(function):
            return retried_stream(self, function, None)
        return super().__call__(function)

    def stream(self, *, resume: Resume | None = None) -> Callable[[Callable[P, R]], Callable[P, R]]:
        """Return a decorator of generator functions and async generator functions.

        Until the first item has come, a failure starts the generator anew; nobody has seen anything of it.
        After that a failure is raised, as what was yielded cannot be taken back; unless `resume` knows how to
        go on.

        Parameters
        ----------
        resume : callable, optional
            ``resume(progress, *args, **kwargs)`` returns a generator of the items that are missing;
            `Progress` has the `count` of those that came, and the `last` of them. Failures of it count as
            further attempts.
        """

        def decorate(function: Callable[P, R]) -> Callable[P, R]:
            if isinstance(function, classmethod | staticmethod):
                return type(function)(decorate(function.__func__))
            if not is_generator(function):
                msg = f"{function!r} is no generator function and no async one"
                raise PolicyError(msg)
            return retried_stream(self, function, resume)

        return decorate

    # What a failure costs, off the hot path

    def retries_on(self, error: BaseException) -> bool:
        """Tell whether an error is tried again while there are attempts."""
        return self.repeatable.include(error)

    def failed(self, course: Course | None, entered: float, error: Exception) -> Course | None:
        """Wait for the next attempt, or return None when there is none."""
        course = course or Course(self, entered)
        if not course.failed(error):
            return None
        self.clock.sleep(course.delay_s)
        return course

    async def afailed(self, course: Course | None, entered: float, error: Exception) -> Course | None:
        """Wait for the next attempt, or return None when there is none."""
        course = course or Course(self, entered)
        if not course.failed(error):
            return None
        await self.clock.asleep(course.delay_s)
        return course

    def returned(self, course: Course | None, entered: float, result: object) -> Course:
        """Wait for the next attempt if there is one."""
        course = course or Course(self, entered)
        if course.returned(result):
            self.clock.sleep(course.delay_s)
        return course

    async def areturned(self, course: Course | None, entered: float, result: object) -> Course:
        """Wait for the next attempt if there is one."""
        course = course or Course(self, entered)
        if course.returned(result):
            await self.clock.asleep(course.delay_s)
        return course


def _is_worth_it(error: BaseException) -> bool:
    """Tell whether an error is none of ours that says that another try is useless."""
    return not isinstance(error, ReliabilityError) or error.retryable
