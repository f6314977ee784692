"""Policies that keep a system up, what they raise, and what errors mean.

::

    classify(exc) -> ErrorClass        what an exception means, whoever raised it
    ErrorReport.of(exceptions)         counts by class, by root cause and by call site; draws itself
"""

from typing import TYPE_CHECKING

from workbench._lazy import lazy_names

if TYPE_CHECKING:
    from workbench.reliability.errors._call_sites import CallSite
    from workbench.reliability.errors._causes import Cause
    from workbench.reliability.errors.classification import (
        RuleError,
        cause_chain,
        classify,
        is_retryable,
        leaves,
        register,
        unregister,
    )
    from workbench.reliability.errors.provenance import (
        Provenance,
        ProvenanceError,
        provenance_of,
        record_provenance,
    )
    from workbench.reliability.errors.rejections import (
        AttemptTimeoutError,
        BudgetExhaustedError,
        BulkheadFullError,
        ChaosError,
        CircuitOpenError,
        DeadlineExceededError,
        LoadShedError,
        RateLimitedError,
        RejectedError,
        ReliabilityError,
        ThrottledError,
    )
    from workbench.reliability.errors.report import ErrorEntry, ErrorReport, ReportError
    from workbench.reliability.errors.retry_delays import retry_after_s
    from workbench.reliability.errors.status import (
        StatusError,
        classify_grpc_code,
        classify_http_status,
        classify_sqlstate,
    )
    from workbench.reliability.errors.taxonomy import ErrorClass
    from workbench.reliability.policies.adaptive import AdaptiveLimit
    from workbench.reliability.policies.adaptive_algorithms import AIMD, Gradient2, Vegas
    from workbench.reliability.policies.bulkhead import Bulkhead
    from workbench.reliability.policies.importance import Criticality, criticality
    from workbench.reliability.policies.limit_history import LimitHistory
    from workbench.reliability.policies.shedder import LoadShedder
    from workbench.reliability.policies.throttle import ClientThrottle

__all__ = [
    "AIMD",
    "AdaptiveLimit",
    "AttemptTimeoutError",
    "BudgetExhaustedError",
    "Bulkhead",
    "BulkheadFullError",
    "CallSite",
    "Cause",
    "ChaosError",
    "CircuitOpenError",
    "ClientThrottle",
    "Criticality",
    "DeadlineExceededError",
    "ErrorClass",
    "ErrorEntry",
    "ErrorReport",
    "Gradient2",
    "LimitHistory",
    "LoadShedError",
    "LoadShedder",
    "Provenance",
    "ProvenanceError",
    "RateLimitedError",
    "RejectedError",
    "ReliabilityError",
    "ReportError",
    "RuleError",
    "StatusError",
    "ThrottledError",
    "Vegas",
    "cause_chain",
    "classify",
    "classify_grpc_code",
    "classify_http_status",
    "classify_sqlstate",
    "criticality",
    "is_retryable",
    "leaves",
    "provenance_of",
    "record_provenance",
    "register",
    "retry_after_s",
    "unregister",
]

__getattr__, __dir__ = lazy_names(
    __name__,
    {
        "AIMD": "policies.adaptive_algorithms",
        "AdaptiveLimit": "policies.adaptive",
        "AttemptTimeoutError": "errors.rejections",
        "BudgetExhaustedError": "errors.rejections",
        "Bulkhead": "policies.bulkhead",
        "BulkheadFullError": "errors.rejections",
        "CallSite": "errors._call_sites",
        "Cause": "errors._causes",
        "ChaosError": "errors.rejections",
        "CircuitOpenError": "errors.rejections",
        "ClientThrottle": "policies.throttle",
        "Criticality": "policies.importance",
        "DeadlineExceededError": "errors.rejections",
        "ErrorClass": "errors.taxonomy",
        "ErrorEntry": "errors.report",
        "ErrorReport": "errors.report",
        "Gradient2": "policies.adaptive_algorithms",
        "LimitHistory": "policies.limit_history",
        "LoadShedError": "errors.rejections",
        "LoadShedder": "policies.shedder",
        "Provenance": "errors.provenance",
        "ProvenanceError": "errors.provenance",
        "RateLimitedError": "errors.rejections",
        "RejectedError": "errors.rejections",
        "ReliabilityError": "errors.rejections",
        "ReportError": "errors.report",
        "RuleError": "errors.classification",
        "StatusError": "errors.status",
        "ThrottledError": "errors.rejections",
        "Vegas": "policies.adaptive_algorithms",
        "cause_chain": "errors.classification",
        "classify": "errors.classification",
        "classify_grpc_code": "errors.status",
        "classify_http_status": "errors.status",
        "classify_sqlstate": "errors.status",
        "criticality": "policies.importance",
        "is_retryable": "errors.classification",
        "leaves": "errors.classification",
        "provenance_of": "errors.provenance",
        "record_provenance": "errors.provenance",
        "register": "errors.classification",
        "retry_after_s": "errors.retry_delays",
        "unregister": "errors.classification",
    },
)
