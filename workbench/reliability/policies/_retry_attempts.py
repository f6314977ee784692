"""Attempts as blocks: ``for attempt in retry: with attempt: ...``, and the same with ``async``."""

from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

from workbench.reliability.machines.budget import deposit
from workbench.reliability.policies._retry_course import Course
from workbench.reliability.policy import PolicyError

if TYPE_CHECKING:
    from workbench.reliability.policies.retry import Retry

__all__ = ["Attempt", "Attempts"]

MISSING = object()


class Attempt:
    """One attempt, a block: a failure within is swallowed while there is another attempt.

    Attributes
    ----------
    number : int
        1 for the first.
    result : Any
        Set it within the block where the policy has `on_result`.
    """

    __slots__ = ("_attempts", "number", "result")

    def __init__(self, attempts: "Attempts", number: int) -> None:
        self._attempts = attempts
        self.number = number
        self.result: Any = MISSING

    def __enter__(self) -> Self:
        self._attempts.begin()
        return self

    def __exit__(
        self, _kind: type[BaseException] | None, error: BaseException | None, _traceback: TracebackType | None
    ) -> bool:
        return self._attempts.end(self.result, error)

    async def __aenter__(self) -> Self:
        return self.__enter__()

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> bool:
        return self.__exit__(kind, error, traceback)

    def __repr__(self) -> str:
        return f"Attempt(number={self.number})"


class Attempts:
    """The attempts of one block, for ``for`` and ``async for``."""

    def __init__(self, policy: "Retry") -> None:
        self._policy = policy
        self._course: Course | None = None
        self._started_s = 0.0
        self._number = 0
        self._begun = True
        self._over = False

    def __iter__(self) -> "Attempts":
        return self

    def __next__(self) -> Attempt:
        if self._is_over():
            raise StopIteration
        if self._course is not None:
            self._policy.clock.sleep(self._course.delay_s)
        return self._next()

    def __aiter__(self) -> "Attempts":
        return self

    async def __anext__(self) -> Attempt:
        if self._is_over():
            raise StopAsyncIteration
        if self._course is not None:
            await self._policy.clock.asleep(self._course.delay_s)
        return self._next()

    def begin(self) -> None:
        """Note that the block of the attempt was entered."""
        self._begun = True

    def end(self, result: object, error: BaseException | None) -> bool:
        """Learn how the block of an attempt ended; tell whether its error is swallowed."""
        self._over = True
        if error is None:
            self._over = not self._is_unwanted(result)
            return False
        if isinstance(error, Exception):
            self._over = not self._so_far().failed(error)
        return not self._over

    def _is_over(self) -> bool:
        if not self._begun:
            msg = "an attempt was not used: write `with attempt:` (or `async with attempt:`) in the loop"
            raise PolicyError(msg)
        return self._over

    def _next(self) -> Attempt:
        if self._number == 0:
            self._start()
        self._number += 1
        self._begun = False
        return Attempt(self, self._number)

    def _start(self) -> None:
        self._started_s = self._policy.clock.now()
        budget = self._policy.budget
        if budget is not None:
            with budget.lock:
                deposit(budget.parameters, budget.memory)

    def _is_unwanted(self, result: object) -> bool:
        on_result = self._policy.on_result
        if on_result is not None and result is not MISSING and on_result(result):
            return self._so_far().returned(result)
        if self._course is not None:
            self._course.succeeded()
        return False

    def _so_far(self) -> Course:
        if self._course is None:
            self._course = Course(self._policy, self._started_s)
        return self._course
