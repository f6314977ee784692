"""`classify`: what an exception means, whoever raised it.

In this order, and the first that knows decides:

1. rules that you registered, from the exception's own class up to its most general one;
2. our rules for Python, its standard library and the drivers that people use with it, in the same order;
3. the cause (``raise ... from cause``), when neither says anything of the exception itself;
4. TRANSIENT. Who guards a call expects it to fail in passing. What surely is permanent (a programming
   error, a refusal, bad input) has a rule; for the rest a needless retry costs an attempt and is bounded by
   the policy, while a wrong PERMANENT would turn the policy off.

The context in which an exception was raised is not asked: in a loop of retries it is the failure of the
attempt before.

A group of exceptions has one class, found from its leaves, in any order and however nested:

* CANCELLED when one of them asks the program to stop, or when all of them are CANCELLED; otherwise those
  that were cancelled do not count, as a task group cancels the siblings of what failed;
* else the worst: PERMANENT (a retry cannot succeed), BUDGET_EXHAUSTED, OPEN, OVERLOAD, THROTTLED, TIMEOUT,
  TRANSIENT.
"""

from collections.abc import Callable, Iterable, Iterator
from threading import Lock
from typing import Any

from workbench.errors import WorkbenchError
from workbench.reliability.errors._python_rules import STOP_REQUESTS
from workbench.reliability.errors._rulebook import BUILT_IN, Rulebook, qualified_name
from workbench.reliability.errors.rejections import ReliabilityError
from workbench.reliability.errors.taxonomy import ErrorClass

__all__ = [
    "RuleError",
    "cause_chain",
    "classify",
    "is_retryable",
    "leaves",
    "register",
    "unregister",
]

UNKNOWN = ErrorClass.TRANSIENT
SEVERITY = {
    each: rank
    for rank, each in enumerate(
        (
            ErrorClass.CANCELLED,
            ErrorClass.TRANSIENT,
            ErrorClass.TIMEOUT,
            ErrorClass.THROTTLED,
            ErrorClass.OVERLOAD,
            ErrorClass.OPEN,
            ErrorClass.BUDGET_EXHAUSTED,
            ErrorClass.PERMANENT,
        )
    )
}


class RuleError(WorkbenchError, TypeError):
    """Raised when a rule is for what is no exception class, or answers with what is no ErrorClass."""


def classify(exc: BaseException) -> ErrorClass:
    """Return what an exception means.

    Costs one look-up for types seen before, and a call where the rule is a function.

    Raises
    ------
    RuleError
        When a registered function answers with something else than an ErrorClass, an exception or None.

    Examples
    --------
    >>> classify(ConnectionResetError()), classify(KeyError("name"))
    (ErrorClass.TRANSIENT, ErrorClass.PERMANENT)
    >>> classify(ExceptionGroup("both", [TimeoutError(), ValueError()]))
    ErrorClass.PERMANENT
    """
    for rule in _book.rules_for(type(exc)):
        answer = rule if isinstance(rule, ErrorClass) else rule(exc)
        if isinstance(answer, ErrorClass):
            return answer
        if answer is not None:
            break
    return _Inquiry().ask(exc) or UNKNOWN


def is_retryable(exc: BaseException) -> bool:
    """Return whether another attempt makes sense: that of its class, except where no time is left for one.

    Examples
    --------
    >>> from workbench.reliability import AttemptTimeoutError, DeadlineExceededError
    >>> is_retryable(AttemptTimeoutError()), is_retryable(DeadlineExceededError())
    (True, False)
    """
    own = exc.retryable if isinstance(exc, ReliabilityError) else True
    return own and classify(exc).retryable


def register(
    target: type[BaseException] | str,
    rule: ErrorClass | Callable[[Any], ErrorClass | BaseException | None],
) -> None:
    """Say what exceptions of a class, and of those derived from it, mean; before all rules of ours.

    Parameters
    ----------
    target : exception class, or its qualified name
        A name, ``"module.Class"``, needs no import; it is that of the module where the class says it is
        defined. A name without a dot is one of Python's.
    rule : ErrorClass, or function of the exception
        A function returns an ErrorClass, another exception that decides in its place, or None when it
        cannot tell, so that the next rule is asked. It may be asked twice of one exception.

    Raises
    ------
    RuleError
        When the target is no exception class or name, or the rule neither an ErrorClass nor callable.

    Examples
    --------
    >>> register("shop.payments.CardDeclined", ErrorClass.PERMANENT)
    >>> unregister("shop.payments.CardDeclined")
    """
    _check_rule(rule)
    _replace(_name_of(target), rule)


def unregister(target: type[BaseException] | str) -> None:
    """Forget what was registered for a class; nothing happens where nothing was."""
    _replace(_name_of(target), None)


def leaves(exc: BaseException) -> Iterator[BaseException]:
    """Yield the exceptions of a group that are no groups themselves, in order; of any other, itself.

    Examples
    --------
    >>> [str(leaf) for leaf in leaves(ExceptionGroup("", [OSError("a"), ExceptionGroup("", [OSError("b")])]))]
    ['a', 'b']
    """
    waiting = [exc]
    while waiting:
        found = waiting.pop()
        if isinstance(found, BaseExceptionGroup):
            waiting.extend(reversed(found.exceptions))
        else:
            yield found


def cause_chain(exc: BaseException) -> list[BaseException]:
    """Return an exception, its cause, the cause of that, and so on; the last is the root cause.

    Examples
    --------
    >>> error = RuntimeError("no order")
    >>> error.__cause__ = ConnectionResetError("peer")
    >>> [type(each).__name__ for each in cause_chain(error)]
    ['RuntimeError', 'ConnectionResetError']
    """
    chain, seen = [exc], {id(exc)}
    while (cause := chain[-1].__cause__) is not None and id(cause) not in seen:
        chain.append(cause)
        seen.add(id(cause))
    return chain


def class_of_name(name: str) -> ErrorClass | None:
    """Return the class that a name has by rule; None where there is no rule, or it asks the object."""
    rule = _book.registered.get(name, BUILT_IN.get(name))
    return rule if isinstance(rule, ErrorClass) else None


def class_of_type(kind: type) -> ErrorClass | None:
    """Return the class of all exceptions of a type; None where there is no rule, or it asks the object."""
    rules = _book.rules_for(kind) if issubclass(kind, BaseException) else ()
    return rules[0] if rules and isinstance(rules[0], ErrorClass) else None


class _Inquiry:
    """One classification that asks more than a type; knows what it asked, as causes may go in circles."""

    __slots__ = ("answers", "asked")

    def __init__(self) -> None:
        self.answers: dict[int, ErrorClass | None] = {}
        self.asked: list[BaseException] = []  # alive, so that no other takes its id

    def ask(self, exc: BaseException) -> ErrorClass | None:
        """Return the class of an exception, or of the nearest cause that is known; None where none is."""
        chain: list[int] = []
        found, current = None, exc
        while found is None and id(current) not in self.answers:
            self.answers[id(current)] = None  # whoever comes back here while it is asked learns nothing
            self.asked.append(current)
            chain.append(id(current))
            found = self._by_rules(current)
            if found is None and isinstance(current, BaseExceptionGroup):
                found = self._of_group(current)
            current = current if current.__cause__ is None else current.__cause__
        found = found or self.answers[id(current)]
        self.answers.update(dict.fromkeys(chain, found))
        return found

    def _by_rules(self, exc: BaseException) -> ErrorClass | None:
        for rule in _book.rules_for(type(exc)):
            answer: object = rule if isinstance(rule, ErrorClass) else rule(exc)
            if isinstance(answer, BaseException):
                answer = self.ask(answer)
            if isinstance(answer, ErrorClass):
                return answer
            if answer is not None:
                msg = f"the rule {rule!r} answered {answer!r}, expected an ErrorClass, an exception or None"
                raise RuleError(msg)
        return None

    def _of_group(self, group: BaseExceptionGroup[BaseException]) -> ErrorClass:
        members = list(leaves(group))
        if any(isinstance(leaf, STOP_REQUESTS) for leaf in members):
            return ErrorClass.CANCELLED
        return _worst(self.ask(leaf) or UNKNOWN for leaf in members)


def _worst(classes: Iterable[ErrorClass]) -> ErrorClass:
    """Return the class that asks for the most restraint; CANCELLED only where there is no other."""
    return max(classes, key=SEVERITY.__getitem__)


def _check_rule(rule: object) -> None:
    if not isinstance(rule, ErrorClass) and not callable(rule):
        msg = f"the rule is {rule!r}, expected an ErrorClass or a function of the exception"
        raise RuleError(msg)


def _name_of(target: object) -> str:
    if isinstance(target, str) and all(
        part.isidentifier() or part == "<locals>" for part in target.split(".")
    ):
        return target if "." in target else f"builtins.{target}"
    if isinstance(target, type) and issubclass(target, BaseException):
        return qualified_name(target)
    msg = f"cannot register {target!r}, expected an exception class or its name, 'module.Class'"
    raise RuleError(msg)


def _replace(name: str, rule: Any) -> None:
    global _book  # noqa: PLW0603 - the one place where the rules in force change
    with _registering:
        _book = _book.with_rule(name, rule)


_registering = Lock()
_book = Rulebook({})
