"""A pipeline as a picture: the caller, the layers from the outermost in, and what is called."""

import math
from itertools import pairwise
from typing import TYPE_CHECKING

from workbench import display
from workbench.reliability.pipelines._config_writing import arguments_of
from workbench.reliability.pipelines._labels import layer_names

if TYPE_CHECKING:
    from workbench.reliability.policy import Policy

__all__ = ["describe", "draw_layers"]

CALLER, CALLEE = "caller", "the call"
LONGEST = 34


def describe(policy: "Policy") -> str:
    """Return in a few words what a policy was made with."""
    given = {
        name: value for name, value in arguments_of(policy).items() if isinstance(value, int | float | str)
    }
    given.pop("name", None)
    if list(given) == ["timeout_s"]:
        return _seconds(given["timeout_s"])
    text = ", ".join(
        f"{name.removesuffix('_s').removesuffix('_hz').replace('_', ' ')} {_said(name, value)}"
        for name, value in given.items()
    )
    return text if len(text) <= LONGEST else f"{text[: LONGEST - 1].rstrip(', ')}…"


def draw_layers(policies: "tuple[Policy, ...]", title: str) -> display.Picture:
    """Draw the layers in their order, from left (outermost) to right."""
    names = [CALLER, *layer_names(policies), CALLEE]
    edges = list(pairwise(names))
    words = {
        name: text for name, policy in zip(names[1:], policies, strict=False) if (text := describe(policy))
    }
    return display.graph(edges, node_label=words, title=title)


def _said(name: str, value: float | str) -> str:
    if isinstance(value, bool | str):
        return str(value)
    return (
        _seconds(value) if name.endswith("_s") else f"{value:g} Hz" if name.endswith("_hz") else f"{value:g}"
    )


def _seconds(value: float | str) -> str:
    return value if isinstance(value, str) else "endless" if value == math.inf else f"{value:g} s"
