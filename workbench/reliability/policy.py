"""What all policies have in common: a machine, a clock, random numbers, listeners, and three ways in."""

import functools
import random
import threading
import weakref
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, ParamSpec, Protocol, TypeVar

from workbench.clock import DEFAULT_CLOCK, Clock
from workbench.errors import WorkbenchError
from workbench.reliability.fusing.chain import Chain
from workbench.reliability.fusing.layers import Layer

__all__ = ["Event", "Generator", "Policy", "PolicyError"]

P = ParamSpec("P")
R = TypeVar("R")


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
        self.name = name or self.kind
        self.clock: Clock = DEFAULT_CLOCK if clock is None else clock
        self.rng: Generator = random.Random() if rng is None else rng  # noqa: S311 - no secrets here
        self.lock = threading.RLock()
        self._listeners: tuple[Listener, ...] = ()
        self._successor: Policy | None = None
        self._chains: weakref.WeakSet[Chain] = weakref.WeakSet()
        self._own = self.in_chain(Chain((self,)))

    def layer(self) -> Layer:
        """Return what is done around a call, with all that is constant until the policy changes."""
        raise NotImplementedError

    def reset(self) -> None:
        """Forget what was learnt and counted."""
        with self.lock:
            fresh = type(self.memory)()
            for name in fresh.__slots__:
                setattr(self.memory, name, getattr(fresh, name))

    def __call__(self, function: Callable[P, R]) -> Callable[P, R]:
        """Return a function that calls another through this policy."""
        return self._own.wrap(function)

    def call(self, function: Callable[P, R], /, *args: P.args, **kwargs: P.kwargs) -> R:
        """Call a function through this policy."""
        found: R = self._own.caller(asynchronous=False)(function, *args, **kwargs)
        return found

    async def acall(self, function: Callable[P, Awaitable[R]], /, *args: P.args, **kwargs: P.kwargs) -> R:
        """Await an async function through this policy."""
        found: R = await self._own.caller(asynchronous=True)(function, *args, **kwargs)
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


def _keeping_arguments(init: Any) -> Any:
    @functools.wraps(init)
    def keeping(self: Policy, *args: Any, **kwargs: Any) -> None:
        if not hasattr(self, "made_with"):  # else it is the class above that is made
            self.made_with = args, kwargs
        init(self, *args, **kwargs)

    return keeping
