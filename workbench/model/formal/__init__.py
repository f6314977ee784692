"""Formal models: state machines in plain Python, explored, and held against real traces."""

from typing import TYPE_CHECKING

from workbench._lazy import lazy_names

if TYPE_CHECKING:
    from workbench.model.formal import library
    from workbench.model.formal._declaring import (
        action,
        action_property,
        constraint,
        invariant,
        predicate,
        terminal,
        view,
    )
    from workbench.model.formal._enabling import Guards, why_not
    from workbench.model.formal._guards import require
    from workbench.model.formal._models import Model
    from workbench.model.formal._replaying import assert_mended, replay
    from workbench.model.formal._statistics import Statistics
    from workbench.model.formal._storages import Bitstate, HashCompaction, Omissions
    from workbench.model.formal.checking import check
    from workbench.model.formal.domains.collections import Array, Map, Record, Seq, Tuple
    from workbench.model.formal.domains.scalars import Bool, Enum, Int, Maybe, Value
    from workbench.model.formal.domains.sets import Set
    from workbench.model.formal.domains.symmetric import Symmetric
    from workbench.model.formal.errors import (
        ActionError,
        CheckpointError,
        DomainError,
        FormalError,
        MappingError,
        ModelError,
        NotCompilableError,
        NotExportableError,
        ReplayError,
    )
    from workbench.model.formal.exporting.promela import to_promela
    from workbench.model.formal.exporting.tla import to_tla
    from workbench.model.formal.ladders import Ladder, Prediction, Rung, ladder
    from workbench.model.formal.reaching import Reachability, reachable
    from workbench.model.formal.refining import refines
    from workbench.model.formal.state_graphs import StateGraph, graph
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
    from workbench.model.formal.validating.coverage import Coverage
    from workbench.model.formal.validating.judging_traces import validate
    from workbench.model.formal.validating.mappings import Observed
    from workbench.model.formal.validating.spans import Span
    from workbench.model.formal.validating.validations import TraceValidation, Validation
    from workbench.model.formal.verdicts import Step, Verdict, Violation
    from workbench.model.formal.walking import simulate, walk

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
    "Bitstate",
    "Bool",
    "CheckpointError",
    "Coverage",
    "DomainError",
    "Enum",
    "FormalError",
    "Guards",
    "HashCompaction",
    "Int",
    "Ladder",
    "Map",
    "MappingError",
    "Maybe",
    "Model",
    "ModelError",
    "NotCompilableError",
    "NotExportableError",
    "Observed",
    "Omissions",
    "Prediction",
    "Reachability",
    "Record",
    "ReplayError",
    "Rung",
    "Seq",
    "Set",
    "Span",
    "StateGraph",
    "Statistics",
    "Step",
    "Symmetric",
    "TraceValidation",
    "Tuple",
    "Validation",
    "Value",
    "Verdict",
    "Violation",
    "action",
    "action_property",
    "always",
    "assert_mended",
    "check",
    "constraint",
    "eventually",
    "formula",
    "graph",
    "invariant",
    "ladder",
    "leads_to",
    "library",
    "next",
    "predicate",
    "reachable",
    "refines",
    "release",
    "replay",
    "require",
    "simulate",
    "terminal",
    "to_promela",
    "to_tla",
    "until",
    "validate",
    "view",
    "walk",
    "why_not",
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
        "Bitstate": "_storages",
        "Bool": "domains.scalars",
        "CheckpointError": "errors",
        "Coverage": "validating.coverage",
        "DomainError": "errors",
        "EF": "temporal.formulas",
        "EG": "temporal.formulas",
        "EU": "temporal.formulas",
        "EX": "temporal.formulas",
        "Enum": "domains.scalars",
        "FormalError": "errors",
        "Guards": "_enabling",
        "HashCompaction": "_storages",
        "Int": "domains.scalars",
        "Ladder": "ladders",
        "Map": "domains.collections",
        "MappingError": "errors",
        "Maybe": "domains.scalars",
        "Model": "_models",
        "ModelError": "errors",
        "NotCompilableError": "errors",
        "NotExportableError": "errors",
        "Observed": "validating.mappings",
        "Omissions": "_storages",
        "Prediction": "ladders",
        "Reachability": "reaching",
        "Record": "domains.collections",
        "ReplayError": "errors",
        "Rung": "ladders",
        "Seq": "domains.collections",
        "Set": "domains.sets",
        "Span": "validating.spans",
        "StateGraph": "state_graphs",
        "Statistics": "_statistics",
        "Step": "verdicts",
        "Symmetric": "domains.symmetric",
        "TraceValidation": "validating.validations",
        "Tuple": "domains.collections",
        "Validation": "validating.validations",
        "Value": "domains.scalars",
        "Verdict": "verdicts",
        "Violation": "verdicts",
        "action": "_declaring",
        "action_property": "_declaring",
        "always": "temporal.formulas",
        "assert_mended": "_replaying",
        "check": "checking",
        "constraint": "_declaring",
        "eventually": "temporal.formulas",
        "formula": "temporal.formulas",
        "graph": "state_graphs",
        "invariant": "_declaring",
        "ladder": "ladders",
        "leads_to": "temporal.formulas",
        "library": "library",
        "next": "temporal.formulas",
        "predicate": "_declaring",
        "reachable": "reaching",
        "refines": "refining",
        "release": "temporal.formulas",
        "replay": "_replaying",
        "require": "_guards",
        "simulate": "walking",
        "terminal": "_declaring",
        "to_promela": "exporting.promela",
        "to_tla": "exporting.tla",
        "until": "temporal.formulas",
        "validate": "validating.judging_traces",
        "view": "_declaring",
        "walk": "walking",
        "why_not": "_enabling",
    },
)
