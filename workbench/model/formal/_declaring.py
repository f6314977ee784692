"""The decorators that say what a function of a model is: an action, an invariant, a constraint, ...

A decorated function stays a function: it may be called with a state, in a test or by another action.
"""

from collections.abc import Callable, Hashable, Iterable, Mapping
from dataclasses import dataclass, field
from itertools import product
from typing import TYPE_CHECKING, Any, Literal, overload

from workbench.model.formal.errors import ModelError

if TYPE_CHECKING:
    from workbench.model.formal.temporal.formulas import Formula

__all__ = [
    "Action",
    "Declared",
    "action",
    "action_property",
    "constraint",
    "invariant",
    "predicate",
    "terminal",
    "view",
]

Fairness = Literal["weak", "strong"]
Arguments = Mapping[str, Hashable]  # e.g. {"k": 1}


@dataclass(frozen=True, slots=True, eq=False)
class Declared:
    """A function of a model, and what it was declared to be."""

    kind: str
    function: Callable[..., Any]

    @property
    def name(self) -> str:
        """The function's name."""
        return self.function.__name__

    def __set_name__(self, owner: type, name: str) -> None:
        """Name a function without a name, `p = predicate(lambda s: ...)`, as the attribute that it is."""
        if self.function.__name__ == "<lambda>":
            self.function.__name__ = name

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Call the function."""
        return self.function(*args, **kwargs)

    def __get__(self, state: Any, owner: type | None = None) -> Any:
        """Bind the function to a state, as a method is bound."""
        return self if state is None else self.function.__get__(state, owner)

    def _formula(self) -> "Formula":
        from workbench.model.formal.temporal.formulas import formula  # noqa: PLC0415 - which is made of these

        return formula(self)

    def __bool__(self) -> bool:
        """Refuse `and`, `or` and `not` between predicates, by which Python would drop one in silence.

        Raises
        ------
        ModelError
            Always.
        """
        msg = f"{self.name} is true or false of a state only: join formulas by &, |, ~ and >>"
        raise ModelError(msg)

    def __invert__(self) -> "Formula":
        return ~self._formula()

    def __and__(self, other: Any) -> "Formula":
        return self._formula() & other

    def __or__(self, other: Any) -> "Formula":
        return self._formula() | other

    def __rshift__(self, other: Any) -> "Formula":
        return self._formula() >> other

    def __rand__(self, other: Any) -> "Formula":
        return other & self._formula()

    def __ror__(self, other: Any) -> "Formula":
        return other | self._formula()

    def __rrshift__(self, other: Any) -> "Formula":
        return other >> self._formula()


@dataclass(frozen=True, slots=True, eq=False)
class Action(Declared):
    """What a system may do: a change of the state, for each choice of the parameters' values."""

    parameters: Mapping[str, tuple[Hashable, ...]] = field(default_factory=dict)
    fair: Fairness | None = None

    @property
    def choices(self) -> tuple[Arguments, ...]:
        """The parameters' values, one mapping for each successor; the last parameter changes fastest."""
        names = tuple(self.parameters)
        return tuple(dict(zip(names, chosen, strict=True)) for chosen in product(*self.parameters.values()))


@overload
def action(function: Callable[..., Any], /) -> Action: ...


@overload
def action(
    *, fair: Fairness | None = None, **parameters: Iterable[Hashable]
) -> Callable[[Callable[..., Any]], Action]: ...


def action(
    function: Callable[..., Any] | None = None,
    /,
    *,
    fair: Fairness | None = None,
    **parameters: Iterable[Hashable],
) -> Any:
    """Declare an action: `@action`, or `@action(k=range(2))` for one successor for each value of `k`.

    Parameters
    ----------
    fair : "weak" or "strong", optional
        How the action may be put off, for liveness: a weakly fair one is taken if it stays enabled for
        ever, a strongly fair one if it is enabled again and again; each choice of parameters for itself.
    parameters
        The finite sets that the function's other arguments range over.
    """
    if fair not in (None, "weak", "strong"):
        msg = f"fair must be 'weak' or 'strong', got {fair!r}"
        raise ModelError(msg)

    def declare(function: Callable[..., Any]) -> Action:
        names = function.__code__.co_varnames[1 : function.__code__.co_argcount]
        if set(names) != set(parameters):
            msg = (
                f"action {function.__name__} takes {', '.join(names) or 'no parameters'}, "
                f"and is declared with {', '.join(parameters) or 'none'}: each needs its set of values"
            )
            raise ModelError(msg)
        chosen = {name: tuple(parameters[name]) for name in names}
        return Action("action", function, chosen, fair)

    return declare if function is None else declare(function)


def _declares(kind: str, arguments: int, meaning: str) -> Callable[[Callable[..., Any]], Declared]:
    def declare(function: Callable[..., Any]) -> Declared:
        taken = function.__code__.co_argcount
        if taken != arguments:
            msg = f"{kind} {function.__name__} must take {arguments} argument(s), takes {taken}"
            raise ModelError(msg)
        return Declared(kind, function)

    declare.__name__ = kind.replace(" ", "_")
    declare.__doc__ = meaning
    return declare


invariant = _declares("invariant", 1, "Declare what must be true of every state that can be reached.")
terminal = _declares("terminal", 1, "Declare states in which nothing more need happen: they are no deadlock.")
constraint = _declares("constraint", 1, "Declare which states are explored further; the others are left out.")
predicate = _declares(
    "predicate", 1, "Declare a name for a set of states, for temporal properties and queries."
)
view = _declares("view", 1, "Declare what of a state counts: two states with one view are explored once.")
action_property = _declares(
    "action property",
    2,
    "Declare what must be true of every step: a function of the states before and after.",
)
