"""The rules in force: those that came with the room, those that users registered, and which apply to a type.

A rulebook does not change. Registering makes a new one, so whoever classifies in another thread reads
either the old rules or the new ones, never a mixture; and what was looked up for a type is forgotten with
the old book.
"""

from types import MappingProxyType

from workbench.reliability.errors._grpc_rules import GRPC_RULES
from workbench.reliability.errors._http_rules import HTTP_RULES
from workbench.reliability.errors._messaging_rules import MESSAGING_RULES
from workbench.reliability.errors._python_rules import PYTHON_RULES
from workbench.reliability.errors._rules import Rule, Rules
from workbench.reliability.errors._sql_rules import SQL_RULES
from workbench.reliability.errors._workbench_rules import WORKBENCH_RULES
from workbench.reliability.errors.rejections import ReliabilityError
from workbench.reliability.errors.taxonomy import ErrorClass

__all__ = ["BUILT_IN", "Rulebook", "qualified_name"]

BUILT_IN: Rules = MappingProxyType(
    {
        **PYTHON_RULES,
        **HTTP_RULES,
        **GRPC_RULES,
        **SQL_RULES,
        **MESSAGING_RULES,
        **WORKBENCH_RULES,
    }
)
MOST_TYPES = 4_096  # looked-up types keep their classes alive: a notebook defines them again and again


class Rulebook:
    """The rules in force, by qualified name, and those found for the types seen so far."""

    __slots__ = ("_found", "registered")

    def __init__(self, registered: Rules) -> None:
        self.registered = registered
        self._found: dict[type[BaseException], tuple[Rule, ...]] = {}

    def with_rule(self, name: str, rule: Rule | None) -> "Rulebook":
        """Return a book in which a name has another rule, or none of the user's any more."""
        rules = {known: old for known, old in self.registered.items() if known != name}
        return Rulebook(rules if rule is None else {**rules, name: rule})

    def rules_for(self, kind: type[BaseException]) -> tuple[Rule, ...]:
        """Return the rules to ask about exceptions of a type, first to last."""
        found = self._found.get(kind)
        if found is None:
            if len(self._found) >= MOST_TYPES:
                self._found = {}
            found = self._found[kind] = self._look_up(kind)
        return found

    def _look_up(self, kind: type[BaseException]) -> tuple[Rule, ...]:
        """Walk the classes from the most special one: first the user's rules; none after a certain answer."""
        is_group = issubclass(kind, BaseExceptionGroup)
        names = [
            qualified_name(each)
            for each in kind.__mro__
            if not is_group or issubclass(each, BaseExceptionGroup)
        ]
        rules = [self.registered[name] for name in names if name in self.registered]
        if issubclass(kind, ReliabilityError):
            rules.append(kind.error_class)
        rules += [BUILT_IN[name] for name in names if name in BUILT_IN]
        certain = (position for position, rule in enumerate(rules) if isinstance(rule, ErrorClass))
        return tuple(rules[: next(certain, len(rules)) + 1])


def qualified_name(kind: type) -> str:
    """Return the module and the name of a class, joined by a dot."""
    return f"{kind.__module__}.{kind.__qualname__}"
