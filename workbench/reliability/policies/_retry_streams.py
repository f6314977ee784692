"""Generators, tried again until their first item has come; after that only where somebody knows how to go on.

What is sent or thrown into the generator reaches the one that runs, as with ``yield from``.
"""

import functools
from collections.abc import AsyncGenerator, Callable, Generator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from workbench.reliability.fusing.decorated import is_async_generator, named_like
from workbench.reliability.machines.budget import deposit
from workbench.reliability.policies._retry_course import Course

if TYPE_CHECKING:
    from workbench.reliability.policies.retry import Retry

__all__ = ["Progress", "Resume", "retried_stream"]

Resume = Callable[..., Any]


@dataclass(frozen=True, slots=True)
class Progress:
    """How many items came before a failure, and the last of them."""

    count: int
    last: Any


class _Start:
    """Makes generators: the first one, and those after failures."""

    def __init__(
        self,
        policy: "Retry",
        function: Callable[..., Any],
        resume: Resume | None,
        args: tuple[Any, ...],
        kwargs: dict[str, Any],
    ) -> None:
        self._policy, self._function, self._resume = policy, function, resume
        self._args, self._kwargs = args, kwargs
        self._course = Course(policy, policy.clock.now())
        self.count = 0
        self.last: Any = None
        self.thrown: BaseException | None = None
        if policy.budget is not None:
            with policy.budget.lock:
                deposit(policy.budget.parameters, policy.budget.memory)

    def make(self) -> Any:
        if self.count == 0 or self._resume is None:
            return self._function(*self._args, **self._kwargs)
        return self._resume(Progress(self.count, self.last), *self._args, **self._kwargs)

    def came(self, item: Any) -> None:
        """Note an item."""
        self.count += 1
        self.last = item

    def delay_s(self, error: Exception) -> float | None:
        """Return how long to wait before the next generator, or None when the error is final."""
        if error is self.thrown or (self.count and self._resume is None):
            return None
        return self._course.delay_s if self._course.failed(error) else None

    def ended(self) -> None:
        if self._course.attempt:
            self._course.succeeded()


def retried_stream(policy: "Retry", function: Callable[..., Any], resume: Resume | None) -> Any:
    """Return a generator function, or an async one, that starts its generators again when they fail."""
    wrapper = _async_stream if is_async_generator(function) else _stream
    return wrapper(policy, function, resume)


def _stream(policy: "Retry", function: Callable[..., Any], resume: Resume | None) -> Callable[..., Any]:
    def stream(*args: Any, **kwargs: Any) -> Generator[Any, Any, Any]:
        start = _Start(policy, function, resume, args, kwargs)
        while True:
            try:
                result = yield from _noted(start.make(), start)
            except Exception as error:
                delay_s = start.delay_s(error)
                if delay_s is None:
                    raise
                policy.clock.sleep(delay_s)
            else:
                start.ended()
                return result

    return named_like(stream, function)


def _noted(items: Any, start: _Start) -> Generator[Any, Any, Any]:
    """Yield what a generator yields, and note it; pass on what is sent and thrown."""
    step: Callable[[], Any] = functools.partial(next, items)
    try:
        while True:
            try:
                item = step()
            except StopIteration as end:
                return end.value
            start.came(item)
            step = yield from _reaction(items, item, start)
    finally:
        items.close()


def _reaction(items: Any, item: Any, start: _Start) -> Generator[Any, Any, Callable[[], Any]]:
    """Yield an item, and return how the generator is to go on."""
    try:
        sent = yield item
    except GeneratorExit:
        raise
    except BaseException as thrown:  # noqa: BLE001 - whatever is thrown goes to the generator
        start.thrown = thrown
        return functools.partial(items.throw, thrown)
    return functools.partial(next, items) if sent is None else functools.partial(items.send, sent)


def _async_stream(policy: "Retry", function: Callable[..., Any], resume: Resume | None) -> Callable[..., Any]:
    async def stream(*args: Any, **kwargs: Any) -> AsyncGenerator[Any, Any]:
        start = _Start(policy, function, resume, args, kwargs)
        while True:
            items = start.make()
            step = items.__anext__
            try:
                while True:
                    item = await step()
                    start.came(item)
                    try:
                        sent = yield item
                    except GeneratorExit:
                        raise
                    except BaseException as thrown:  # noqa: BLE001 - as above
                        start.thrown = thrown
                        step = functools.partial(items.athrow, thrown)
                    else:
                        step = functools.partial(items.asend, sent)
            except StopAsyncIteration:
                start.ended()
                return
            except Exception as error:
                delay_s = start.delay_s(error)
                if delay_s is None:
                    raise
                await policy.clock.asleep(delay_s)
            finally:
                await items.aclose()

    return named_like(stream, function)
