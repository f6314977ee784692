"""What all policies have in common: a machine, a clock, a generator of random numbers, listeners, and three ways in."""

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

__all__ = ["Event", "Generator", "Listener", "Policy", "PolicyError"]

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


class Policy:
    """A machine around calls.

    Subclasses hold their machine's records in `parameters` and `memory`, and say in `layer` what they do around a
    call. A policy is a decorator, of functions and of async functions.
    """

    kind = "policy"
    parameters: Any
    memory: Any

    def __init__(
        self, *, name: str | None = None, clock: Clock | None = None, rng: Generator | None = None
    ) -> None:
        self.name = name or self.kind
        self.clock: Clock = DEFAULT_CLOCK if clock is None else clock
        self.rng: Generator = random.Random() if rng is None else rng  # noqa: S311 - no secrets here
        self.lock = threading.RLock()
        self._listeners: tuple[Listener, ...] = ()
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
        """Have a function called with each event; return what ends it. Without listeners events cost nothing."""
        self._listeners = (*self._listeners, listener)
        self.changed()

        def end() -> None:
            self._listeners = tuple(known for known in self._listeners if known is not listener)
            self.changed()

        return end

    @property
    def listening(self) -> bool:
        """Whether somebody listens."""
        return bool(self._listeners)

    def emit(self, kind: str, at_s: float, **details: Any) -> None:
        """Tell all listeners."""
        event = Event(self.name, kind, at_s, tuple(details.items()))
        for listener in self._listeners:
            listener(event)

    def in_chain(self, chain: Chain) -> Chain:
        """Note a chain that this policy is part of: it is fused anew when the policy changes."""
        self._chains.add(chain)
        return chain

    def changed(self) -> None:
        """Fuse all chains anew that this policy is part of."""
        for chain in list(self._chains):
            chain.change()
