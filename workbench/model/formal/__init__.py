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
    from workbench.model.formal.domains.symmetric import Symmetric
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
    from workbench.model.formal.temporal.formulas import (
        AF,
        AG,
        AU,
        AX,
        EF,
        EG,
        EU,
        EX,
        always,
        eventually,
        formula,
        leads_to,
        next,  # noqa: A004 - the operator's name
        release,
        until,
    )
    from workbench.model.formal.verdicts import Step, Verdict, Violation

__all__ = [
    "AF",
    "AG",
    "AU",
    "AX",
    "EF",
    "EG",
    "EU",
    "EX",
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
    "Symmetric",
    "Tuple",
    "Value",
    "Verdict",
    "Violation",
    "action",
    "action_property",
    "always",
    "check",
    "constraint",
    "eventually",
    "formula",
    "invariant",
    "leads_to",
    "library",
    "next",
    "predicate",
    "release",
    "require",
    "terminal",
    "until",
    "view",
]

__getattr__, __dir__ = lazy_names(
    __name__,
    {
        "AF": "temporal.formulas",
        "AG": "temporal.formulas",
        "AU": "temporal.formulas",
        "AX": "temporal.formulas",
        "ActionError": "errors",
        "Array": "domains.collections",
        "Bool": "domains.scalars",
        "DomainError": "errors",
        "EF": "temporal.formulas",
        "EG": "temporal.formulas",
        "EU": "temporal.formulas",
        "EX": "temporal.formulas",
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
        "Symmetric": "domains.symmetric",
        "Tuple": "domains.collections",
        "Value": "domains.scalars",
        "Verdict": "verdicts",
        "Violation": "verdicts",
        "action": "declaring",
        "action_property": "declaring",
        "always": "temporal.formulas",
        "check": "checking",
        "constraint": "declaring",
        "eventually": "temporal.formulas",
        "formula": "temporal.formulas",
        "invariant": "declaring",
        "leads_to": "temporal.formulas",
        "library": "library",
        "next": "temporal.formulas",
        "predicate": "declaring",
        "release": "temporal.formulas",
        "require": "guards",
        "terminal": "declaring",
        "until": "temporal.formulas",
        "view": "declaring",
    },
)
