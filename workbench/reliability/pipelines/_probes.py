"""Probes: layers that do nothing but tell when a call comes by, and how it comes back.

A probe stands between two layers of a pipeline, and is fused like them. Where nobody looks there are none:
the fused function is what it is without them.
"""

from collections.abc import Callable
from typing import Any, Protocol

from workbench.reliability.fusing.layers import Layer, with_call

__all__ = ["Observer", "Probe"]


def probe(q: Any, proceed: Any) -> None:
    """Tell when a call comes by, and how it comes back."""
    enter, leave = q.enter, q.leave
    step = with_call(enter)
    try:
        result = proceed()  # noqa: F841 - what all layers share
    except BaseException as error:
        leave(step, error)
        raise
    leave(step, None)


class Probe:
    """A layer that tells.

    Parameters
    ----------
    enter : callable
        Gets the function that is called, and its arguments; what it returns is handed to `leave`. It may not
        raise.
    leave : callable
        Gets that, and what the call raised or None. It may not raise.
    """

    __slots__ = ("enter", "leave")
    clock = None  # it reads none

    def __init__(self, enter: Callable[..., Any], leave: Callable[[Any, BaseException | None], None]) -> None:
        self.enter, self.leave = enter, leave

    def layer(self) -> Layer:
        """Return how it surrounds a call."""
        return Layer(probe)


class Observer(Protocol):
    """Who looks at the calls of a pipeline, by probes and as a listener of its policies."""

    def attach(self, policies: tuple[Any, ...]) -> None:
        """Listen to these policies from now on, and to no others."""

    def around(self, layers: tuple[Any, ...]) -> tuple[Any, ...]:
        """Return layers with probes between them."""
        ...
