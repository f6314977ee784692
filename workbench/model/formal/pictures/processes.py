"""Who acts: the processes of a model, found in its text.

Where an action has a parameter that is the first index of a field, as ``p`` in ``s.flag[p]``, the field's
keys are processes, the field belongs to them, and an action with that parameter is done by one of them.
"""

import ast
import inspect
import textwrap
from collections import Counter
from collections.abc import Hashable, Iterator
from dataclasses import dataclass

from workbench.model.formal._declaring import Action
from workbench.model.formal._models import Specification
from workbench.model.formal.domains.collections import Array
from workbench.model.formal.verdicts import Step

__all__ = ["Processes", "processes_of"]


@dataclass(frozen=True, slots=True)
class Processes:
    """The processes of a model.

    Attributes
    ----------
    keys : tuple
        Empty when the model has no processes.
    fields : frozenset of str
        Those that have a value for each process.
    parameters : dict of str to str
        By action, the parameter that says who acts.
    name : str
        What a process is called in the model's text: its usual parameter.
    """

    keys: tuple[Hashable, ...]
    fields: frozenset[str]
    parameters: dict[str, str]
    name: str

    def actor(self, step: Step) -> Hashable | None:
        """Return who does a step, or None."""
        parameter = self.parameters.get(step.action or "")
        return None if parameter is None else step.args.get(parameter)

    def called(self, key: Hashable) -> str:
        """Return a process's name for a reader."""
        return key if isinstance(key, str) else f"{self.name} {key}"


def processes_of(declared: Specification) -> Processes:
    """Return the processes of a model: the keys that most actions are done by."""
    arrays = {name: domain.keys for name, domain in declared.fields.items() if isinstance(domain, Array)}
    found = [
        (action, parameter, field)
        for action in declared.actions
        for field, parameter in _indexed(action)
        if field in arrays and set(action.parameters[parameter]) <= set(arrays[field])
    ]
    if not found:
        return Processes((), frozenset(), {}, "")
    counted = Counter(arrays[field] for _, _, field in found)
    keys = max(counted, key=lambda each: counted[each])
    mine = [each for each in found if arrays[each[2]] == keys]
    actors = {action.name: _first(action, {p for a, p, _ in mine if a is action}) for action, _, _ in mine}
    fields = frozenset(field for action, parameter, field in mine if actors[action.name] == parameter)
    name = Counter(actors.values()).most_common(1)[0][0]
    return Processes(keys, fields, actors, name)


def _first(action: Action, among: set[str]) -> str:
    return next(name for name in action.parameters if name in among)


def _indexed(action: Action) -> Iterator[tuple[str, str]]:
    """Yield fields with the parameter that is their first index, as the action's text has them."""
    try:
        tree = ast.parse(textwrap.dedent(inspect.getsource(action.function)))
    except (OSError, TypeError, SyntaxError):
        return
    state = action.function.__code__.co_varnames[0]
    for node in ast.walk(tree):
        match node:
            case ast.Subscript(
                value=ast.Attribute(value=ast.Name(id=owner), attr=field), slice=ast.Name(id=parameter)
            ) if owner == state and parameter in action.parameters:
                yield field, parameter
