"""The course of one call through a retry, from its first failure on: what is next, what to say at the end.

Off the hot path: a call that succeeds at once never makes one.
"""

import math
from typing import TYPE_CHECKING, Any

from workbench.reliability._deadline_scopes import innermost
from workbench.reliability.deadlines import current_deadline
from workbench.reliability.errors.provenance import Provenance, record_provenance
from workbench.reliability.errors.rejections import BudgetExhaustedError, DeadlineExceededError
from workbench.reliability.machines.budget import withdraw
from workbench.reliability.machines.retry import (
    DECORRELATED,
    EXHAUSTED,
    FATAL,
    NO_HINT_S,
    OUT_OF_TIME,
    PERMANENT,
    RETRYABLE,
    SUCCEEDED,
    TOLD_TO_WAIT,
    decide,
    following,
    refuse,
)

if TYPE_CHECKING:
    from workbench.reliability.policies.budget import RetryBudget
    from workbench.reliability.policies.retry import Retry

__all__ = ["Course"]

OUT_OF_BUDGET = -6.0
REASONS = {
    PERMANENT: "permanent",
    EXHAUSTED: "exhausted",
    TOLD_TO_WAIT: "told to wait",
    OUT_OF_TIME: "out of time",
    OUT_OF_BUDGET: "out of budget",
}
MOST_EARLIER = 19  # of the failures before the last one: the newest, so that 20 are known in all


class Course:
    """Attempts that have failed so far.

    Attributes
    ----------
    attempt : int
        How many have ended.
    delay_s : float
        How long to wait before the next one; negative when there is none, and then it says why.
    """

    __slots__ = ("attempt", "deadline_s", "delay_s", "earlier", "policy", "previous_s", "started_s")

    def __init__(self, policy: "Retry", started_s: float) -> None:
        self.policy, self.started_s = policy, started_s
        self.attempt = 0
        self.delay_s = 0.0
        self.previous_s = 0.0
        self.deadline_s = math.inf
        self.earlier: list[BaseException] = []

    def failed(self, error: BaseException) -> bool:
        """Learn that an attempt raised; tell whether there is another one.

        Raises
        ------
        BudgetExhaustedError, DeadlineExceededError
            From the error, where there is no other attempt for these reasons.
        ExceptionGroup
            Of all failures, where that was asked for.
        """
        policy = self.policy
        goes_on = self._goes_on(RETRYABLE if policy.repeatable.include(error) else FATAL, error)
        if goes_on:
            self.earlier.append(error)
            if len(self.earlier) > MOST_EARLIER:
                del self.earlier[0]
            return True
        self._raise_other(error)
        return False

    def returned(self, result: object) -> bool:
        """Learn that an attempt returned what is not wanted; tell whether there is another one."""
        goes_on = self._goes_on(RETRYABLE, result)
        if not goes_on:
            self.earlier = []
        return goes_on

    def succeeded(self) -> None:
        """Learn that an attempt returned what is wanted."""
        policy = self.policy
        self.attempt += 1
        self.earlier = []  # their tracebacks hold the frame that holds this object
        with policy.lock:
            decide(
                policy.parameters, policy.memory, self.attempt, SUCCEEDED, 0.0, 0.0, NO_HINT_S, 0.0, math.inf
            )
        if policy.listening:
            policy.emit("recovered", policy.clock.now(), attempt=self.attempt)

    def _goes_on(self, outcome: int, reply: object) -> bool:
        policy, p, s = self.policy, self.policy.parameters, self.policy.memory
        self.attempt = attempt = self.attempt + 1
        now = policy.clock.now()
        self.deadline_s = deadline_s = self._deadline_s(now)
        u = policy.rng.random()
        hint_s = NO_HINT_S
        if outcome == RETRYABLE and policy.retry_after is not None:
            asked_s = policy.retry_after(reply)
            if asked_s is not None:
                hint_s = float(asked_s)
        with policy.lock:
            delay_s = decide(p, s, attempt, outcome, self.previous_s, u, hint_s, now, deadline_s)
            if delay_s >= 0.0:
                if policy.budget is not None and not self._is_granted(policy.budget, now):
                    refuse(s)
                    delay_s = OUT_OF_BUDGET
                elif p.jitter >= DECORRELATED:  # others do not look back
                    self.previous_s = following(p, self.previous_s, delay_s)
        self.delay_s = delay_s
        if policy.listening:
            self._announce(now, reply)
        return bool(delay_s >= 0.0)

    def _is_granted(self, budget: "RetryBudget", now: float) -> bool:
        at_s = now if budget.clock is self.policy.clock else budget.clock.now()
        with budget.lock:
            return withdraw(budget.parameters, budget.memory, at_s)

    def _deadline_s(self, now: float) -> float:
        """Return until when all attempts must be done, by the policy's clock."""
        own_s = self.started_s + self.policy.timeout_s
        scope = innermost()
        if scope is None:
            return own_s
        limit = scope.limit
        return min(own_s, limit.at_s if limit.clock is self.policy.clock else now + limit.left_s())

    def _announce(self, now: float, reply: object) -> None:
        policy = self.policy
        said: dict[str, Any] = {"attempt": self.attempt}
        said |= {"error": reply} if isinstance(reply, BaseException) else {"result": reply}
        if self.delay_s >= 0.0:
            policy.emit("retry", now, delay_s=self.delay_s, **said)
        else:
            policy.emit("gave_up", now, reason=REASONS[self.delay_s], **said)

    def _raise_other(self, error: BaseException) -> None:
        """Say on the error what has been tried; raise another where that is what ended the call."""
        policy, earlier = self.policy, self.earlier
        self.earlier = []
        self._describe(error, earlier)
        if self.delay_s == OUT_OF_BUDGET and policy.budget is not None:
            raise BudgetExhaustedError(policy.budget.name, policy.budget.wait_s()) from error
        if self.delay_s == OUT_OF_TIME:
            raise self._too_late() from error
        if policy.errors == "group" and earlier and self.delay_s == EXHAUSTED:
            msg = f"{policy.described}: {self.attempt} attempts failed"
            raise ExceptionGroup(msg, [*_exceptions(earlier), *_exceptions([error])])
        _chain(error, earlier)

    def _describe(self, error: BaseException, earlier: list[BaseException]) -> None:
        now = self.policy.clock.now()
        left_s = None if self.deadline_s == math.inf else self.deadline_s - now
        elapsed_s = max(0.0, now - self.started_s)
        record_provenance(error, Provenance(self.policy.described, self.attempt, elapsed_s, left_s))
        if earlier:
            first = self.attempt - len(earlier)
            tried = (f"attempt {first + n}: {_short(each)}" for n, each in enumerate(earlier))
            error.add_note("failed before: " + "; ".join(tried))

    def _too_late(self) -> DeadlineExceededError:
        limit = current_deadline()
        if self.started_s + self.policy.timeout_s <= self.deadline_s or limit is None:
            return DeadlineExceededError(self.policy.name, self.policy.timeout_s)
        return DeadlineExceededError(limit.name, limit.timeout_s)


def _chain(error: BaseException, earlier: list[BaseException]) -> None:
    """Put the failures before behind an error, as what it happened in the context of."""
    known = {id(error)}
    last = error
    for before in reversed(earlier):
        while last.__context__ is not None and id(last.__context__) not in known:
            last = last.__context__
            known.add(id(last))
        if id(before) in known:
            continue
        if not known.isdisjoint(_contexts(before)):
            break
        last.__context__ = before
        last = before
        known.add(id(last))


def _contexts(error: BaseException) -> set[int]:
    found: set[int] = set()
    each: BaseException | None = error
    while each is not None and id(each) not in found:
        found.add(id(each))
        each = each.__context__
    return found


def _exceptions(errors: list[BaseException]) -> list[Exception]:
    return [each for each in errors if isinstance(each, Exception)]


def _short(error: BaseException) -> str:
    text = repr(error)
    return text if len(text) <= 120 else f"{text[:117]}..."
