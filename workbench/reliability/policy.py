"""What all policies have in common: a machine, a clock, random numbers, listeners, and three ways in."""

import copy
import functools
import random
import threading
import weakref
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, ParamSpec, Protocol, TypeVar

from workbench.clock import DEFAULT_CLOCK, Clock
from workbench.errors import WorkbenchError
from workbench.reliability.fusing.chain import Chain, way_in
from workbench.reliability.fusing.decorated import objection
from workbench.reliability.fusing.layers import Layer

__all__ = ["Event", "Generator", "Policy", "PolicyError"]

P = ParamSpec("P")
R = TypeVar("R")
C = TypeVar("C", bound="_Remade")


class _Remade(Protocol):
    """What knows its clock, and how to make another of its kind."""

    clock: Clock

    def __reduce__(self) -> Any: ...


class PolicyError(WorkbenchError, ValueError):
    """Raised for an argument that a policy cannot work with: it says which, and what would be right."""


class Generator(Protocol):
    """What gives random numbers: `random.Random` does, and so does `numpy.random.Generator`."""

    def random(self) -> float:
        """Return a number from [0, 1)."""
        ...


@dataclass(frozen=True, slots=True)
class Event:
    """Something that a policy decided or learnt: what, when (seconds of its clock), and particulars."""

    policy: str
    kind: str
    at_s: float
    details: tuple[tuple[str, Any], ...] = ()


Listener = Callable[[Event], None]
_wiring = threading.RLock()  # who listens to what, and what is part of which chain: changed seldom


class Policy:
    """A machine around calls.

    Subclasses hold their machine's records in `parameters` and `memory`, and say in `layer` what they do
    around a call. A policy is a decorator, of functions and of async functions.
    """

    kind = "policy"
    parameters: Any
    memory: Any
    made_with: tuple[tuple[Any, ...], dict[str, Any]]

    def __init_subclass__(cls, **options: Any) -> None:
        """Have policies of the subclass keep the arguments that they are made with, as `made_with`."""
        super().__init_subclass__(**options)
        if "__init__" in vars(cls):
            cls.__init__ = _keeping_arguments(cls.__init__)  # type: ignore[method-assign]

    def __init__(
        self, *, name: str | None = None, clock: Clock | None = None, rng: Generator | None = None
    ) -> None:
        self.name = _checked_name(name) or self.kind
        self.clock: Clock = checked_clock(clock)
        self.rng: Generator = random.Random() if rng is None else _checked_rng(rng)  # noqa: S311 - no secrets here
        self.lock = threading.RLock()
        self._listeners: tuple[Listener, ...] = ()
        self._successor: Policy | None = None
        self._chains: weakref.WeakSet[Chain] = weakref.WeakSet()
        self._own = self.in_chain(Chain((self,), vars(self)))

    def layer(self) -> Layer:
        """Return what is done around a call, with all that is constant until the policy changes."""
        raise NotImplementedError

    def reset(self) -> None:
        """Forget what was learnt and counted."""
        with self.lock:
            fresh = type(self.memory)()
            for name in fresh.__slots__:
                setattr(self.memory, name, getattr(fresh, name))

    def adopt(self, old: Any) -> bool:
        """Go on with what a policy of its kind has learnt and counted; tell whether it can.

        What it goes on with is shared, not copied: calls that are out through the old one still count.
        """
        del old  # what a subclass may share is for it to say
        return False

    def adopt_counts(self, old: Any) -> bool:
        """Go on with the machine's state of a policy of its kind, and what guards it."""
        self.memory, self.lock = old.memory, old.lock
        return True

    def __call__(self, function: Callable[P, R]) -> Callable[P, R]:
        """Return a function that calls another through this policy; an async one for an async one.

        Raises
        ------
        PolicyError
            When it is no function, or one that returns at once and works later: a generator function.
        """
        if isinstance(function, classmethod | staticmethod):
            return type(function)(self(function.__func__))
        if problem := objection(function):
            raise PolicyError(problem)
        return self._own.wrap(function)

    @way_in("_own")
    def call(self, function: Callable[P, R], /, *args: P.args, **kwargs: P.kwargs) -> R:
        """Call a function through this policy."""
        found: R = self._own.call(function, *args, **kwargs)
        return found

    @way_in("_own")
    async def acall(self, function: Callable[P, Awaitable[R]], /, *args: P.args, **kwargs: P.kwargs) -> R:
        """Await an async function through this policy."""
        found: R = await self._own.acall(function, *args, **kwargs)
        return found

    def listen(self, listener: Listener) -> Callable[[], None]:
        """Have a function called with each event; return what ends it. Events cost nothing without."""
        with _wiring:
            self._listeners = (*self._listeners, listener)
        self.changed()

        def end() -> None:
            policy: Policy | None = self
            while policy is not None:
                with _wiring:
                    left = (known for known in policy._listeners if known is not listener)  # noqa: SLF001 - of our kind
                    policy._listeners = tuple(left)  # noqa: SLF001 - as above
                policy.changed()
                policy = policy._successor  # noqa: SLF001 - as above

        return end

    @property
    def listening(self) -> bool:
        """Whether somebody listens."""
        return bool(self._listeners)

    def take_over_listeners(self, policy: "Policy") -> None:
        """Have those told who listen to the policy in whose place this one comes, until they end it there."""
        with _wiring:
            known = {id(listener) for listener in self._listeners}
            theirs = tuple(each for each in policy._listeners if id(each) not in known)  # noqa: SLF001 - of our kind
            self._listeners = (*self._listeners, *theirs)
            self._successor, policy._successor = None, self  # noqa: SLF001 - as above
        self.changed()

    def emit(self, kind: str, at_s: float, **details: Any) -> None:
        """Tell all listeners."""
        event = Event(self.name, kind, at_s, tuple(details.items()))
        for listener in self._listeners:
            listener(event)

    def __reduce__(self) -> tuple[object, ...]:
        """Pickle and copy what it was made with: the other one has learnt nothing, and nobody listens."""
        return _made_again, (type(self), *self.made_with)

    def __deepcopy__(self, memo: dict[int, Any]) -> "Policy":
        """Copy what it was made with, but not time: the copy goes by the same clock."""
        return deep_copy_but_clock(self, memo)

    def in_chain(self, chain: Chain) -> Chain:
        """Note a chain that this policy is part of: it is fused anew when the policy changes."""
        with _wiring:
            self._chains.add(chain)
        return chain

    def out_of_chain(self, chain: Chain) -> None:
        """Note that this policy is no longer part of a chain."""
        with _wiring:
            self._chains.discard(chain)

    def changed(self) -> None:
        """Fuse all chains anew that this policy is part of."""
        with _wiring:
            chains = list(self._chains)
        for chain in chains:
            chain.change()


def deep_copy_but_clock(value: C, memo: dict[int, Any]) -> C:
    """Return a copy of what was made with copies, and with its own clock."""
    clock = value.clock
    memo[id(clock)] = clock
    make, arguments = value.__reduce__()
    found: C = make(*copy.deepcopy(arguments, memo))
    return found


def _made_again(kind: type[Policy], args: tuple[Any, ...], kwargs: dict[str, Any]) -> Policy:
    return kind(*args, **kwargs)


def checked_clock(clock: Clock | None) -> Clock:
    """Return a clock; the default one where none is given.

    Raises
    ------
    PolicyError
        For what is no clock.
    """
    if clock is None:
        return DEFAULT_CLOCK
    if not all(callable(getattr(clock, name, None)) for name in ("now", "sleep", "asleep")):
        msg = f"clock is {clock!r:.80}, expected one with now, sleep and asleep, as VirtualClock()"
        raise PolicyError(msg)
    return clock


def _checked_rng(rng: Generator) -> Generator:
    if not callable(getattr(rng, "random", None)):
        msg = f"rng is {rng!r:.80}, expected what gives random numbers, as random.Random(7)"
        raise PolicyError(msg)
    return rng


def _checked_name(name: object) -> str | None:
    if name is not None and not isinstance(name, str):
        msg = f"name is {name!r:.80}, expected a text"
        raise PolicyError(msg)
    return name


def _keeping_arguments(init: Any) -> Any:
    @functools.wraps(init)
    def keeping(self: Policy, *args: Any, **kwargs: Any) -> None:
        if not hasattr(self, "made_with"):  # else it is the class above that is made
            self.made_with = args, kwargs
        init(self, *args, **kwargs)

    return keeping
