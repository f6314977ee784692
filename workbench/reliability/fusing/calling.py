"""How a fused function takes its arguments and passes them on: by name where the called function is simple.

Collecting ``*args, **kwargs`` and spreading them again costs more than a whole policy; a function with plain
parameters gets a fused one with the same parameters.
"""

import builtins
import inspect
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

__all__ = ["Calling"]

RESERVED = frozenset({"function", "link", "result", *vars(builtins)})


@dataclass(frozen=True, slots=True)
class Calling:
    """Parameters of the fused function, arguments of the called one, and those of a renewed fused one.

    Where the called function `varies`, it is the first argument of the fused one.
    """

    parameters: str
    arguments: str
    renewed: str
    varies: bool = False

    @classmethod
    def of(cls, function: Callable[..., Any] | None) -> "Calling":
        """Return how to call a function, or whatever function is given with each call."""
        if function is None:
            return cls(
                "function, /, *args, **kwargs", "*args, **kwargs", "function, *args, **kwargs", varies=True
            )
        names = _plain_names(function)
        if names is None:
            return cls("*args, **kwargs", "*args, **kwargs", "*args, **kwargs")
        arguments = ", ".join(names)
        return cls(arguments, arguments, arguments)


def _plain_names(function: Callable[..., Any]) -> list[str] | None:
    """Return the parameters of a function that has only positional ones without defaults."""
    if not inspect.isfunction(function):
        return None
    parameters = list(inspect.signature(function, follow_wrapped=False).parameters.values())
    plain = all(
        parameter.kind is parameter.POSITIONAL_OR_KEYWORD
        and parameter.default is parameter.empty
        and _is_free(parameter.name)
        for parameter in parameters
    )
    return [parameter.name for parameter in parameters] if plain else None


def _is_free(name: str) -> bool:
    """Tell whether a name is none that fused functions use: those end in digits, are reserved or built in."""
    return name not in RESERVED and not name[-1].isdigit()
