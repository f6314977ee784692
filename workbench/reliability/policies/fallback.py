"""`Fallback`: something else instead of a failure."""

import inspect
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Self

from workbench.clock import Clock
from workbench.reliability.errors.rejections import ReliabilityError
from workbench.reliability.fusing.layers import Layer, in_world
from workbench.reliability.machines import fallback as machine
from workbench.reliability.machines.fallback import FAILED, REFUSED, replace, succeed
from workbench.reliability.policies._arguments import check_mapping
from workbench.reliability.policies._outcomes import Failures, On
from workbench.reliability.policies._statistics import Statistics
from workbench.reliability.policy import Generator, Policy, PolicyError

__all__ = ["Fallback", "FallbackStatistics", "RefusedResultError"]

Replacement = Callable[[Exception], Any]
MISSING: Any = object()


if TYPE_CHECKING:  # constants of the layer: the compiler puts their values in
    JUDGED = RESULTS = bool()  # noqa: UP018 - a literal is known to be false


def fall_back(q: Any, proceed: Any) -> None:
    """Replace what a call raises, or returns."""
    s, failures, replaced, areplaced = q.memory, q.failures, q.replaced, q.areplaced
    try:
        result = proceed()
    except failures as error:
        if JUDGED and not q.judge(error):
            raise
        result = in_world(replaced, areplaced)(error, FAILED)
    else:
        if RESULTS and q.on_result(result):
            refusal = q.refusal(result)
            result = in_world(replaced, areplaced)(refusal, REFUSED)
        else:
            succeed(s)


class RefusedResultError(ReliabilityError):
    """What a fallback is given where not an exception, but a result was refused; it is in `result`."""

    def __init__(self, policy: str = "", result: Any = None) -> None:
        self.args = (policy, result)

    def __str__(self) -> str:
        return f"fallback {self.policy!r} refused the result {self.result!r:.80}"

    @property
    def result(self) -> Any:
        """The result that was refused."""
        return self.args[1] if len(self.args) > 1 else None


@dataclass(frozen=True, slots=True)
class Constant:
    """A function that returns a value, whatever it is."""

    value: Any

    def __call__(self) -> Any:
        return self.value


@dataclass(frozen=True, slots=True, repr=False)
class FallbackStatistics(Statistics):
    """What a fallback did.

    Attributes
    ----------
    succeeded : int
        Calls that needed no replacement.
    hidden, refused : int
        Calls whose exception, or whose result, was replaced.
    failed : int
        Calls that needed a replacement, but making it raised.
    by_type : mapping of str to int
        How many exceptions of each type were replaced.
    """

    succeeded: int
    hidden: int
    refused: int
    failed: int
    by_type: Mapping[str, int] = field(default_factory=dict)

    def to_dict(self) -> dict[str, Any]:
        """Return the counts by their names; those of the types as "hidden TypeName"."""
        counts = {name: getattr(self, name) for name in ("succeeded", "hidden", "refused", "failed")}
        return counts | {f"hidden {name}": count for name, count in self.by_type.items()}


class Fallback(Policy):
    """Something else instead of a failure: a value, what a function returns, or either by type of exception.

    What is hidden is not lost: it is counted by type, and listeners get it as an event "hidden" with the
    exception.

    Parameters
    ----------
    replacement : value or function, optional
        A value, or a function of the exception (or of nothing, such as a class). An async function's result
        is awaited around async calls. `Fallback.value` takes a value that happens to be callable.
    by_type : mapping of exception types to values or functions, optional
        What replaces exceptions of these types; the nearest base counts. Without `replacement`, others pass.
    on, ignore : exception type, ErrorClass, function of an exception, or several of them
        Which exceptions are replaced; `ignore` wins. Cancellation and what else is no `Exception` always
        passes.
    on_result : function of a result, optional
        Tells whether a result is replaced: the function then gets a `RefusedResultError`.
    name, clock, rng
        As for all policies.

    Raises
    ------
    PolicyError
        When there is neither a replacement nor a type, or an argument is none that the parameter takes.

    Notes
    -----
    All exceptions are replaced by default, as in Polly 8; resilience4j asks for the types. A replacement
    that raises ends the call with its own exception, whose `__context__` is the one that it should have
    replaced.

    Examples
    --------
    >>> Fallback("unknown").call(lambda: {}["name"])
    'unknown'
    >>> Fallback(by_type={KeyError: lambda error: f"no {error.args[0]}"}).call(lambda: {}["name"])
    'no name'
    """

    kind = "fallback"
    parameters = None
    memory: machine.State

    def __init__(  # noqa: PLR0913 - what can be said about a fallback
        self,
        replacement: Any = MISSING,
        *,
        by_type: Mapping[type[Exception], Any] | None = None,
        on: On | None = None,
        ignore: On = (),
        on_result: Callable[[Any], bool] | None = None,
        name: str | None = None,
        clock: Clock | None = None,
        rng: Generator | None = None,
    ) -> None:
        if replacement is MISSING and not by_type:
            msg = "nothing to fall back to: give a value, a function, or by_type={...}"
            raise PolicyError(msg)
        if by_type is not None:
            check_mapping("by_type", by_type, "of exception types to what replaces them")
        self._by_type = {kind: _function(kind, each) for kind, each in (by_type or {}).items()}
        self._otherwise = None if replacement is MISSING else _replacement(replacement)
        if on is None:
            on = Exception if self._otherwise is not None else tuple(self._by_type)
        failures = Failures.of(on, ignore, least=Exception)
        self.failures, self.judge = failures.types, failures.judge
        if on_result is not None and (not callable(on_result) or self._otherwise is None):
            msg = "on_result needs a function of a result, and a replacement for those it refuses"
            raise PolicyError(msg)
        self.on_result = on_result
        self._hidden: Counter[str] = Counter()
        self.memory = machine.State()
        super().__init__(name=name, clock=clock, rng=rng)

    @classmethod
    def value(cls, value: Any, **more: Any) -> Self:
        """Return a fallback to a value, even if that is callable."""
        return cls(Constant(value), **more)

    def adopt(self, old: "Fallback") -> bool:
        """Go on with the counts of another one."""
        self._hidden = old._hidden  # noqa: SLF001 - of our kind
        return self.adopt_counts(old)

    def layer(self) -> Layer:
        """Return how it surrounds a call."""
        constants = (("JUDGED", self.judge is not None), ("RESULTS", self.on_result is not None))
        return Layer(fall_back, constants)

    @property
    def statistics(self) -> FallbackStatistics:
        """What it did."""
        with self.lock:
            s = self.memory
            by_type = MappingProxyType(dict(sorted(self._hidden.items())))
            return FallbackStatistics(s.succeeded, s.hidden, s.refused, s.failed, by_type)

    def reset(self) -> None:
        """Forget what was counted."""
        with self.lock:
            super().reset()
            self._hidden.clear()

    def replaced(self, error: Exception, outcome: int) -> Any:
        """Return what replaces an exception."""
        make = self._maker(error)
        if make is None:
            raise error
        try:
            result = make(error)
            if inspect.isawaitable(result):
                if inspect.iscoroutine(result):
                    result.close()
                msg = f"{self.name}: the replacement is async, the call is not"
                raise PolicyError(msg)  # noqa: TRY301 - it is counted like what replacements raise
        except BaseException as raised:
            self._count(error, outcome, raised)
            raise
        self._count(error, outcome, None)
        return result

    async def areplaced(self, error: Exception, outcome: int) -> Any:
        """Return what replaces an exception; await it if it has to be."""
        make = self._maker(error)
        if make is None:
            raise error
        try:
            result = make(error)
            if inspect.isawaitable(result):
                result = await result
        except BaseException as raised:
            self._count(error, outcome, raised)
            raise
        self._count(error, outcome, None)
        return result

    def refusal(self, result: Any) -> RefusedResultError:
        """Return what stands for a result that was refused."""
        return RefusedResultError(self.name, result)

    def _maker(self, error: Exception) -> Replacement | None:
        return next(
            (self._by_type[kind] for kind in type(error).__mro__ if kind in self._by_type), self._otherwise
        )

    def _count(self, error: Exception, outcome: int, raised: BaseException | None) -> None:
        with self.lock:
            replace(self.memory, outcome, raised is None)
            if raised is None and outcome == FAILED:
                self._hidden[type(error).__qualname__] += 1
        if self.listening:
            kind = "failed" if raised is not None else "hidden" if outcome == FAILED else "refused"
            self.emit(kind, self.clock.now(), error=error)

    def __repr__(self) -> str:
        types = [kind.__name__ for kind in self._by_type]
        return f"Fallback({', '.join([repr(self.name), *types])})"


def _function(kind: Any, given: Any) -> Replacement:
    if not (isinstance(kind, type) and issubclass(kind, Exception)):
        msg = f"by_type: {kind!r} is no type of exceptions"
        raise PolicyError(msg)
    return _replacement(given)


def _replacement(given: Any) -> Replacement:
    """Return a function of the exception."""
    if not callable(given):
        return lambda _: given
    if isinstance(given, type):
        return lambda _: given()
    try:
        inspect.signature(given).bind(None)
    except TypeError:
        return lambda _: given()
    except ValueError:  # a builtin that does not tell
        pass
    found: Replacement = given
    return found
