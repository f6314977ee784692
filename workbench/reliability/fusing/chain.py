"""A chain of policies around functions: fused when first used, fused anew when it changes."""

import functools
import inspect
import weakref
from collections.abc import Callable
from typing import Any

from workbench.reliability.fusing.layers import fuse

__all__ = ["Chain"]

Function = Callable[..., Any]


class _Link:
    """What ties a fused function to its chain: `current` takes its place once the chain has changed."""

    __slots__ = ("__weakref__", "asynchronous", "current", "function")

    def __init__(self, function: Function | None, *, asynchronous: bool) -> None:
        self.function, self.asynchronous = function, asynchronous
        self.current: Function | None = None


class Chain:
    """Policies in order, the first outermost, and the functions that were fused with them.

    A function that was fused before a change goes on working: it calls the one that replaces it, at the cost of
    one more call.
    """

    def __init__(self, policies: tuple[Any, ...]) -> None:
        self.policies = policies
        self._links: weakref.WeakSet[_Link] = weakref.WeakSet()
        self._callers: dict[bool, Function] = {}

    def wrap(self, function: Function) -> Function:
        """Return a function that calls another through the policies; an async one for an async one."""
        return self._fused(function, asynchronous=inspect.iscoroutinefunction(function))

    def caller(self, *, asynchronous: bool) -> Function:
        """Return the function that calls its first argument with the others, through the policies."""
        if asynchronous not in self._callers:
            self._callers[asynchronous] = self._fused(None, asynchronous=asynchronous)
        return self._callers[asynchronous]

    def change(self, policies: tuple[Any, ...] | None = None) -> None:
        """Fuse anew: policies have other constants, or are others."""
        if policies is not None:
            self.policies = policies
        self._callers.clear()
        old = list(self._links)
        self._links.clear()
        renewed: dict[tuple[Function | None, bool], Function] = {}
        for link in old:
            key = (link.function, link.asynchronous)
            if key not in renewed:
                renewed[key] = self._fused(link.function, asynchronous=link.asynchronous)
            link.current = renewed[key]
        self._links.update(old)

    def _fused(self, function: Function | None, *, asynchronous: bool) -> Function:
        link = _Link(function, asynchronous=asynchronous)
        layers = tuple(policy.layer() for policy in self.policies)
        found: Function = fuse(layers, self.policies, link, function=function, asynchronous=asynchronous)
        self._links.add(link)
        return found if function is None else functools.update_wrapper(found, function)
