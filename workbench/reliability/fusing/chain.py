"""A chain of policies around functions: fused when first used, fused anew when it changes."""

import threading
import weakref
from collections.abc import Callable
from dataclasses import replace
from typing import Any, TypeVar

from workbench.reliability.fusing.decorated import is_async, named_like
from workbench.reliability.fusing.layers import fuse

__all__ = ["Chain", "way_in"]

Function = Callable[..., Any]
Method = TypeVar("Method", bound=Callable[..., Any])


class _Link:
    """What ties a fused function to its chain: `current` takes its place once the chain has changed."""

    __slots__ = ("__weakref__", "asynchronous", "current", "function")

    def __init__(self, function: Function | None, *, asynchronous: bool) -> None:
        self.function, self.asynchronous = function, asynchronous
        self.current: Function | None = None


class Chain:
    """Policies in order, the first outermost, and the functions that were fused with them.

    A function that was fused before a change goes on working: it calls the one that replaces it, at the cost
    of one more call.

    Parameters
    ----------
    policies : tuple
    ways_in : dict, optional
        Where `call` and `acall` are kept, which call what they are given, from when they are first asked for
        until the chain changes: the attributes of an object with a `way_in` of each name.
    """

    def __init__(self, policies: tuple[Any, ...], ways_in: dict[str, Any] | None = None) -> None:
        self.policies = policies
        self._links: weakref.WeakSet[_Link] = weakref.WeakSet()
        self._ways_in: dict[str, Any] = {} if ways_in is None else ways_in
        self._lock = threading.RLock()  # else a function could be fused with policies that were just replaced

    def wrap(self, function: Function) -> Function:
        """Return a function that calls another through the policies; an async one for an async one."""
        with self._lock:
            return self._fused(function, asynchronous=is_async(function))

    @property
    def call(self) -> Function:
        """The function that calls its first argument with the others, through the policies."""
        return self._way_in("call")

    @property
    def acall(self) -> Function:
        """The function that awaits what its first argument returns for the others."""
        return self._way_in("acall")

    def _way_in(self, name: str) -> Function:
        with self._lock:
            found: Function | None = self._ways_in.get(name)
            if found is None:
                found = self._ways_in[name] = self._fused(None, asynchronous=name == "acall")
            return found

    def change(self, policies: tuple[Any, ...] | None = None) -> None:
        """Fuse anew: policies have other constants, or are others."""
        with self._lock:
            before, old = self.policies, list(self._links)
            if policies is not None:
                self.policies = policies
            try:
                known = {(id(link.function), link.asynchronous): link.function for link in old}
                renewed = {key: self._fused(each, asynchronous=key[1]) for key, each in known.items()}
            except BaseException:
                self.policies = before
                raise
            for name in ("call", "acall"):
                self._ways_in.pop(name, None)
            for link in old:
                link.current = renewed[id(link.function), link.asynchronous]

    def _fused(self, function: Function | None, *, asynchronous: bool) -> Function:
        link = _Link(function, asynchronous=asynchronous)
        clocks = list(dict.fromkeys(id(policy.clock) for policy in self.policies))
        layers = tuple(replace(each.layer(), clock=clocks.index(id(each.clock))) for each in self.policies)
        found: Function = fuse(layers, self.policies, link, function=function, asynchronous=asynchronous)
        self._links.add(link)
        return found if function is None else named_like(found, function)


def way_in(chain: str) -> Callable[[Method], Method]:
    """Return what puts `call` or `acall` of a chain, an attribute of the object, in place of its method.

    So who asks for ``policy.call`` gets the fused function itself; the method says what it does, and its
    types.
    """

    def decorate(method: Method) -> Method:
        found: Any = _WayIn(method, chain)
        return found

    return decorate


class _WayIn:
    def __init__(self, method: Function, chain: str) -> None:
        self._method, self._chain = method, chain

    def __get__(self, owner: Any, kind: type | None = None) -> Function:
        if owner is None:
            return self._method
        found: Function = getattr(getattr(owner, self._chain), self._method.__name__)
        return found
