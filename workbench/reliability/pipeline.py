"""`Pipeline`: policies around each other, fused into one function."""

from collections.abc import Awaitable, Callable
from typing import ParamSpec, TypeVar

from workbench.reliability.fusing.chain import Chain
from workbench.reliability.policy import Policy

__all__ = ["Pipeline"]

P = ParamSpec("P")
R = TypeVar("R")


class Pipeline:
    """Policies around each other, the first outermost.

    Parameters
    ----------
    *policies : Policy
    """

    def __init__(self, *policies: Policy) -> None:
        self._chain = Chain(policies)
        for policy in policies:
            policy.in_chain(self._chain)

    @property
    def policies(self) -> tuple[Policy, ...]:
        """The policies, the first outermost."""
        return self._chain.policies

    def __call__(self, function: Callable[P, R]) -> Callable[P, R]:
        """Return a function that calls another through all policies."""
        return self._chain.wrap(function)

    def call(self, function: Callable[P, R], /, *args: P.args, **kwargs: P.kwargs) -> R:
        """Call a function through all policies."""
        found: R = self._chain.caller(asynchronous=False)(function, *args, **kwargs)
        return found

    async def acall(self, function: Callable[P, Awaitable[R]], /, *args: P.args, **kwargs: P.kwargs) -> R:
        """Await an async function through all policies."""
        found: R = await self._chain.caller(asynchronous=True)(function, *args, **kwargs)
        return found
