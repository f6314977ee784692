"""What went wrong, in one language: for whoever raises, retries, counts or reads errors.

::

    classify(exc) -> ErrorClass           transient, permanent, throttled, timeout, cancelled, overload, ...
    register(type_or_name, rule)          what exceptions of yours mean
    retry_after_s(exc_or_response)        when the callee wants to be asked again
    provenance_of(exc)                    the policies that it passed through, outermost first
    ReliabilityError, RejectedError, ...  what policies raise
    ErrorReport.of(exceptions)            counts by class, by root cause and by call site; draws itself
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

__all__ = [
    "AttemptTimeoutError",
    "BudgetExhaustedError",
    "BulkheadFullError",
    "CallSite",
    "Cause",
    "ChaosError",
    "CircuitOpenError",
    "DeadlineExceededError",
    "ErrorClass",
    "ErrorEntry",
    "ErrorReport",
    "LoadShedError",
    "Provenance",
    "ProvenanceError",
    "RateLimitedError",
    "RejectedError",
    "ReliabilityError",
    "ReportError",
    "RuleError",
    "StatusError",
    "ThrottledError",
    "cause_chain",
    "classify",
    "classify_grpc_code",
    "classify_http_status",
    "classify_sqlstate",
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
        "AttemptTimeoutError": "rejections",
        "BudgetExhaustedError": "rejections",
        "BulkheadFullError": "rejections",
        "CallSite": "_call_sites",
        "Cause": "_causes",
        "ChaosError": "rejections",
        "CircuitOpenError": "rejections",
        "DeadlineExceededError": "rejections",
        "ErrorClass": "taxonomy",
        "ErrorEntry": "report",
        "ErrorReport": "report",
        "LoadShedError": "rejections",
        "Provenance": "provenance",
        "ProvenanceError": "provenance",
        "RateLimitedError": "rejections",
        "RejectedError": "rejections",
        "ReliabilityError": "rejections",
        "ReportError": "report",
        "RuleError": "classification",
        "StatusError": "status",
        "ThrottledError": "rejections",
        "cause_chain": "classification",
        "classify": "classification",
        "classify_grpc_code": "status",
        "classify_http_status": "status",
        "classify_sqlstate": "status",
        "is_retryable": "classification",
        "leaves": "classification",
        "provenance_of": "provenance",
        "record_provenance": "provenance",
        "register": "classification",
        "retry_after_s": "retry_delays",
        "unregister": "classification",
    },
)
