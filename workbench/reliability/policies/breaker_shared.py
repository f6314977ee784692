"""How breakers of several processes share their state: the one thing that whatever ties them has to offer.

Each process counts its own calls, so the path of a call needs no network. What is shared is the decision::

    shared.join(breaker)             once, when `CircuitBreaker(shared=shared)` is made
    shared.changed(breaker, state)   after the breaker changed its state by itself, or by hand
    breaker.follow(state, since_s=)  what `shared` calls, from any thread, when it learns that another one did

`breaker.name` tells which breakers belong together. `changed` runs in the thread of the call that changed
the state: it should hand the news on and return. What it raises reaches that call, so it should raise
nothing. `follow` is idempotent, and its change is not told to `shared` again: news does not go in circles.
`since_s` is the age of the news, for clocks of processes have nothing in common. Each process sends trial
calls of its own.
"""

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from workbench.reliability.policies._breaker_statistics import BreakerStatus
    from workbench.reliability.policies.breaker import CircuitBreaker

__all__ = ["SharedBreakers"]


class SharedBreakers(Protocol):
    """What ties breakers of several processes; see the module."""

    def join(self, breaker: "CircuitBreaker") -> None:
        """Learn of a breaker, and tell it what others know, by `follow`."""
        ...

    def changed(self, breaker: "CircuitBreaker", state: "BreakerStatus") -> None:
        """Tell others that a breaker has changed its state."""
        ...
