"""What `Timeout` and `Deadline` share: a limit around a call, and what happens when it comes."""

from dataclasses import dataclass
from typing import Any, ClassVar

from workbench.clock import Clock
from workbench.reliability._deadline_scopes import (
    Scope,
    close_scope,
    end_watch,
    innermost,
    leave_scope,
    open_scope,
    watch_scope,
)
from workbench.reliability.deadline_limits import TimeLimit
from workbench.reliability.errors.provenance import Provenance, record_provenance
from workbench.reliability.fusing.layers import Layer, entry_time
from workbench.reliability.machines import timeout as machine
from workbench.reliability.machines.timeout import abandon, expire, refuse
from workbench.reliability.policies._arguments import check_seconds
from workbench.reliability.policies._interruption import Interrupt, abandoning, alarm, check_interrupt
from workbench.reliability.policies._statistics import Statistics
from workbench.reliability.policy import Generator, Policy

__all__ = ["LimitPolicy", "TimeoutStatistics"]


def limit_time(q: Any, proceed: Any) -> None:
    """Surround a call with a limit."""
    clock = q.clock
    entered = entry_time(clock)
    if ASYNC:  # type: ignore[name-defined] # noqa: F821 - a constant of every layer
        scope = q.watched(entered)
        try:
            result = proceed()
        except BaseException as error:
            q.unwatch(scope, error)
            raise
        leave_scope(scope)
    else:
        scope = q.opened(entered)
        try:
            if SIGNAL:  # type: ignore[name-defined] # noqa: F821 - of this layer
                with alarm(scope.limit):
                    result = proceed()
            elif THREAD:  # type: ignore[name-defined] # noqa: F821 - as above

                def attempt() -> Any:
                    result = proceed()
                    return result  # noqa: RET504 - the form that is understood

                result = q.abandoning(scope, attempt)
            else:
                result = proceed()  # noqa: F841 - what all layers share
        except Exception as error:
            q.failed(scope, error)
            raise
        finally:
            close_scope(scope)
        if scope.has_passed(clock.now(), clock):
            raise q.late(scope)


@dataclass(frozen=True, slots=True, repr=False)
class TimeoutStatistics(Statistics):
    """Calls that took too long, did not start as no time was left, or go on though nobody waits for them."""

    timed_out: int
    refused: int
    abandoned: int


class LimitPolicy(Policy):
    """A limit around a call."""

    per_attempt: ClassVar[bool]

    def __init__(
        self,
        timeout_s: float,
        *,
        interrupt: Interrupt = "none",
        name: str | None = None,
        clock: Clock | None = None,
        rng: Generator | None = None,
    ) -> None:
        check_interrupt(interrupt)
        self.interrupt = interrupt
        self.timeout_s = check_seconds("timeout_s", timeout_s)
        self.parameters = machine.Parameters(self.timeout_s)
        self.memory = machine.State()
        super().__init__(name=name, clock=clock, rng=rng)

    @property
    def statistics(self) -> TimeoutStatistics:
        """How many calls did not keep the limit."""
        with self.lock:
            s = self.memory
            return TimeoutStatistics(s.timed_out, s.refused, s.abandoned)

    def adopt(self, old: "LimitPolicy") -> bool:
        """Go on with the counts of another one."""
        return self.adopt_counts(old)

    def layer(self) -> Layer:
        """Return how it surrounds a call."""
        constants = (("SIGNAL", self.interrupt == "signal"), ("THREAD", self.interrupt == "thread"))
        return Layer(limit_time, constants)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.timeout_s:g})"

    # Entering

    def opened(self, entered: float) -> Scope:
        """Enter a block whose limit is checked when it ends."""
        outer = innermost()
        if outer is not None and outer.has_passed(entered, self.clock):
            self._refuse(outer.limit)
        return open_scope(entered + self.timeout_s, self, outer)

    def watched(self, entered: float) -> Scope:
        """Enter a block of the running task, which is cancelled when the limit comes."""
        outer = innermost()
        if outer is not None and outer.has_passed(entered, self.clock):
            self._refuse(outer.limit)
        return watch_scope(entered + self.timeout_s, self, outer)

    def _refuse(self, limit: TimeLimit) -> None:
        with self.lock:
            refuse(self.memory)
        self._tell("refused", limit)
        raise limit.error(started=False)

    # Leaving

    def unwatch(self, scope: Scope, error: BaseException) -> None:
        """Leave a block of a task; raise the limit's error if it has come."""
        try:
            end_watch(scope, error)
        except TimeoutError as late:
            raise self._counted(scope, late) if scope.due is scope else late from error

    def failed(self, scope: Scope, error: Exception) -> None:
        """Learn that the call raised: it may be the limit's own error, raised within."""
        if scope.until is scope and isinstance(error, TimeoutError):
            own = scope.own.error(started=True)
            if type(error) is type(own) and error.args == own.args:
                self._counted(scope, error)

    def late(self, scope: Scope) -> TimeoutError:
        """Return the error of a call that returned too late."""
        error = scope.limit.error(started=True)
        return self._counted(scope, error) if scope.until is scope else error

    def abandoning(self, scope: Scope, attempt: Any) -> Any:
        """Call in a thread of its own; go on without it when time is up."""
        ended, result = abandoning(scope.limit, attempt)
        if ended:
            return result
        with self.lock:
            abandon(self.memory)
        raise scope.limit.error(started=True)

    def _counted(self, scope: Scope, late: TimeoutError) -> TimeoutError:
        with self.lock:
            expire(self.memory)
        own = scope.own
        self._tell("timed_out", own)
        elapsed_s = max(0.0, own.clock.now() - own.at_s + own.timeout_s)
        described = self.kind if self.name == self.kind else f"{self.kind} {self.name!r}"
        return record_provenance(late, Provenance(described, 1, elapsed_s, scope.limit.left_s()))

    def _tell(self, kind: str, limit: TimeLimit) -> None:
        if self.listening:
            self.emit(kind, self.clock.now(), limit=limit.name, timeout_s=limit.timeout_s)
