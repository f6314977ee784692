"""Formal models: state machines in plain Python, explored, and held against real traces."""

from typing import TYPE_CHECKING

from workbench._lazy import lazy_names

if TYPE_CHECKING:
    from workbench.model.formal import library
    from workbench.model.formal.checking import check
    from workbench.model.formal.declaring import (
        action,
        action_property,
        constraint,
        invariant,
        predicate,
        terminal,
        view,
    )
    from workbench.model.formal.domains.collections import Array, Map, Record, Seq, Tuple
    from workbench.model.formal.domains.scalars import Bool, Enum, Int, Maybe, Value
    from workbench.model.formal.domains.sets import Set
    from workbench.model.formal.errors import (
        ActionError,
        DomainError,
        FormalError,
        ModelError,
        NotCompilableError,
        ReplayError,
    )
    from workbench.model.formal.guards import require
    from workbench.model.formal.models import Model
    from workbench.model.formal.statistics import Statistics
    from workbench.model.formal.verdicts import Step, Verdict, Violation

__all__ = [
    "ActionError",
    "Array",
    "Bool",
    "DomainError",
    "Enum",
    "FormalError",
    "Int",
    "Map",
    "Maybe",
    "Model",
    "ModelError",
    "NotCompilableError",
    "Record",
    "ReplayError",
    "Seq",
    "Set",
    "Statistics",
    "Step",
    "Tuple",
    "Value",
    "Verdict",
    "Violation",
    "action",
    "action_property",
    "check",
    "constraint",
    "invariant",
    "library",
    "predicate",
    "require",
    "terminal",
    "view",
]

__getattr__, __dir__ = lazy_names(
    __name__,
    {
        "ActionError": "errors",
        "Array": "domains.collections",
        "Bool": "domains.scalars",
        "DomainError": "errors",
        "Enum": "domains.scalars",
        "FormalError": "errors",
        "Int": "domains.scalars",
        "Map": "domains.collections",
        "Maybe": "domains.scalars",
        "Model": "models",
        "ModelError": "errors",
        "NotCompilableError": "errors",
        "Record": "domains.collections",
        "ReplayError": "errors",
        "Seq": "domains.collections",
        "Set": "domains.sets",
        "Statistics": "statistics",
        "Step": "verdicts",
        "Tuple": "domains.collections",
        "Value": "domains.scalars",
        "Verdict": "verdicts",
        "Violation": "verdicts",
        "action": "declaring",
        "action_property": "declaring",
        "check": "checking",
        "constraint": "declaring",
        "invariant": "declaring",
        "library": "library",
        "predicate": "declaring",
        "require": "guards",
        "terminal": "declaring",
        "view": "declaring",
    },
)
