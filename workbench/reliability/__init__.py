"""Policies that keep a system up, what they raise, and what errors mean.

::

    simulate(pipeline, service, arrivals) -> Result      the same policies before a simulated service
    vulnerability_map(pipeline, service, loads, triggers) -> Map    where an outage outlives itself
    await drive(pipeline, call, arrivals) -> Driven      the same clients, calling what is real
    InProcessService(service)          a simulation's service, as something to await
    LoopbackService(service)           a simulation's service, as HTTP on this machine
    replay(pipeline, schedule), decisions(policy, at_s)  the same policies over recorded calls
    operating_curve(settings, recordings)    detection against false opening, of many settings of a breaker
    admissions(limiters, at_s) -> Admissions    which limiter lets which of them through
    classify(exc) -> ErrorClass        what an exception means, whoever raised it
    ErrorReport.of(exceptions)         counts by class, by root cause and by call site; draws itself
"""

from typing import TYPE_CHECKING

from workbench._lazy import lazy_names
from workbench.clock import VirtualClock, virtual_time

if TYPE_CHECKING:
    from workbench.reliability._deadline_headers import DeadlineHeaderError
    from workbench.reliability.deadline_executors import DeadlineExecutor, with_deadline
    from workbench.reliability.deadline_limits import TimeLimit
    from workbench.reliability.deadlines import DeadlineBlock, current_deadline, deadline
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
    from workbench.reliability.experiments.admitted import Admissions
    from workbench.reliability.experiments.admitting import admissions
    from workbench.reliability.experiments.driven import Driven
    from workbench.reliability.experiments.driving import drive
    from workbench.reliability.experiments.errors import ExperimentError
    from workbench.reliability.experiments.in_process import InProcessService
    from workbench.reliability.experiments.loopback import LoopbackService
    from workbench.reliability.fusing.decorated import AsyncFunctionError
    from workbench.reliability.pipeline import Pipeline
    from workbench.reliability.pipelines.errors import ConfigError, PipelineError
    from workbench.reliability.pipelines.explanation import Explanation, Step
    from workbench.reliability.pipelines.findings import Finding, Findings
    from workbench.reliability.pipelines.reloading import Reloaded
    from workbench.reliability.pipelines.statistics import PipelineStatistics
    from workbench.reliability.pipelines.telemetry import instrument
    from workbench.reliability.pipelines.watching import Watch
    from workbench.reliability.policies._breaker_statistics import BreakerStatistics
    from workbench.reliability.policies._retry_attempts import Attempt
    from workbench.reliability.policies._retry_streams import Progress
    from workbench.reliability.policies.adaptive import AdaptiveLimit, AdaptiveLimitStatistics
    from workbench.reliability.policies.adaptive_algorithms import (
        AIMD,
        Algorithm,
        AlgorithmName,
        Gradient2,
        Vegas,
    )
    from workbench.reliability.policies.breaker import CircuitBreaker
    from workbench.reliability.policies.breaker_registry import BreakerRegistry, RegistryStatistics
    from workbench.reliability.policies.breaker_shared import SharedBreakers
    from workbench.reliability.policies.budget import BudgetStatistics, RetryBudget
    from workbench.reliability.policies.bulkhead import Bulkhead, BulkheadStatistics
    from workbench.reliability.policies.cache import Cache, CacheKeyError, CacheStatistics
    from workbench.reliability.policies.chaos import Chaos, ChaosStatistics
    from workbench.reliability.policies.deadline import Deadline
    from workbench.reliability.policies.fallback import Fallback, FallbackStatistics, RefusedResultError
    from workbench.reliability.policies.hedge import Hedge, HedgeStatistics
    from workbench.reliability.policies.importance import Criticality, criticality, current_criticality
    from workbench.reliability.policies.limit_history import LimitHistory
    from workbench.reliability.policies.limiter import (
        LimiterOptions,
        LimiterStatistics,
        RateLimiter,
        Reservation,
        SharedStore,
        UnattainableCostError,
    )
    from workbench.reliability.policies.retry import Retry, RetryStatistics
    from workbench.reliability.policies.shedder import Discipline, LoadShedder, LoadShedderStatistics
    from workbench.reliability.policies.throttle import ClientThrottle, ThrottleStatistics
    from workbench.reliability.policies.timeout import Timeout
    from workbench.reliability.policy import Event, Generator, Policy, PolicyError
    from workbench.reliability.shared.breakers import SharedBreakerState
    from workbench.reliability.shared.limits import SharedClientError, SharedLimits
    from workbench.reliability.simulation.decisions import decisions
    from workbench.reliability.simulation.distributions import (
        Constant,
        Distribution,
        Empirical,
        Exponential,
        LogNormal,
        Pareto,
        Uniform,
        Weibull,
    )
    from workbench.reliability.simulation.errors import (
        ServiceDroppedError,
        ServiceError,
        ServiceFailedError,
        ServiceFullError,
        SimulationError,
    )
    from workbench.reliability.simulation.replay import Replayed, Schedule, replay
    from workbench.reliability.simulation.replications import Interval, Measure, Replications, simulate_seeds
    from workbench.reliability.simulation.requests import Requests, zipf_shares
    from workbench.reliability.simulation.result import Result
    from workbench.reliability.simulation.service import (
        Arrivals,
        Closed,
        Errors,
        Even,
        Fault,
        Outage,
        Poisson,
        Recorded,
        Service,
        Slowdown,
        Surge,
    )
    from workbench.reliability.simulation.simulate import simulate
    from workbench.reliability.simulation.vulnerability import Map, vulnerability_map
    from workbench.reliability.tuning.course import BreakerCourse, breaker_course
    from workbench.reliability.tuning.errors import TuningError
    from workbench.reliability.tuning.operating import OperatingCurve, operating_curve
    from workbench.reliability.tuning.recorded import KnownFault, RecordedCalls

__all__ = [
    "AIMD",
    "AdaptiveLimit",
    "AdaptiveLimitStatistics",
    "Admissions",
    "Algorithm",
    "AlgorithmName",
    "Arrivals",
    "AsyncFunctionError",
    "Attempt",
    "AttemptTimeoutError",
    "BreakerCourse",
    "BreakerRegistry",
    "BreakerStatistics",
    "BudgetExhaustedError",
    "BudgetStatistics",
    "Bulkhead",
    "BulkheadFullError",
    "BulkheadStatistics",
    "Cache",
    "CacheKeyError",
    "CacheStatistics",
    "CallSite",
    "Cause",
    "Chaos",
    "ChaosError",
    "ChaosStatistics",
    "CircuitBreaker",
    "CircuitOpenError",
    "ClientThrottle",
    "Closed",
    "ConfigError",
    "Constant",
    "Criticality",
    "Deadline",
    "DeadlineBlock",
    "DeadlineExceededError",
    "DeadlineExecutor",
    "DeadlineHeaderError",
    "Discipline",
    "Distribution",
    "Driven",
    "Empirical",
    "ErrorClass",
    "ErrorEntry",
    "ErrorReport",
    "Errors",
    "Even",
    "Event",
    "ExperimentError",
    "Explanation",
    "Exponential",
    "Fallback",
    "FallbackStatistics",
    "Fault",
    "Finding",
    "Findings",
    "Generator",
    "Gradient2",
    "Hedge",
    "HedgeStatistics",
    "InProcessService",
    "Interval",
    "KnownFault",
    "LimitHistory",
    "LimiterOptions",
    "LimiterStatistics",
    "LoadShedError",
    "LoadShedder",
    "LoadShedderStatistics",
    "LogNormal",
    "LoopbackService",
    "Map",
    "Measure",
    "OperatingCurve",
    "Outage",
    "Pareto",
    "Pipeline",
    "PipelineError",
    "PipelineStatistics",
    "Poisson",
    "Policy",
    "PolicyError",
    "Progress",
    "Provenance",
    "ProvenanceError",
    "RateLimitedError",
    "RateLimiter",
    "Recorded",
    "RecordedCalls",
    "RefusedResultError",
    "RegistryStatistics",
    "RejectedError",
    "ReliabilityError",
    "Reloaded",
    "Replayed",
    "Replications",
    "ReportError",
    "Requests",
    "Reservation",
    "Result",
    "Retry",
    "RetryBudget",
    "RetryStatistics",
    "RuleError",
    "Schedule",
    "Service",
    "ServiceDroppedError",
    "ServiceError",
    "ServiceFailedError",
    "ServiceFullError",
    "SharedBreakerState",
    "SharedBreakers",
    "SharedClientError",
    "SharedLimits",
    "SharedStore",
    "SimulationError",
    "Slowdown",
    "StatusError",
    "Step",
    "Surge",
    "ThrottleStatistics",
    "ThrottledError",
    "TimeLimit",
    "Timeout",
    "TuningError",
    "UnattainableCostError",
    "Uniform",
    "Vegas",
    "VirtualClock",
    "Watch",
    "Weibull",
    "admissions",
    "breaker_course",
    "cause_chain",
    "classify",
    "classify_grpc_code",
    "classify_http_status",
    "classify_sqlstate",
    "criticality",
    "current_criticality",
    "current_deadline",
    "deadline",
    "decisions",
    "drive",
    "instrument",
    "is_retryable",
    "leaves",
    "operating_curve",
    "provenance_of",
    "record_provenance",
    "register",
    "replay",
    "retry_after_s",
    "simulate",
    "simulate_seeds",
    "unregister",
    "virtual_time",
    "vulnerability_map",
    "with_deadline",
    "zipf_shares",
]

__getattr__, __dir__ = lazy_names(
    __name__,
    {
        "AIMD": "policies.adaptive_algorithms",
        "AdaptiveLimit": "policies.adaptive",
        "AdaptiveLimitStatistics": "policies.adaptive",
        "Admissions": "experiments.admitted",
        "Algorithm": "policies.adaptive_algorithms",
        "AlgorithmName": "policies.adaptive_algorithms",
        "Arrivals": "simulation.service",
        "AsyncFunctionError": "fusing.decorated",
        "Attempt": "policies._retry_attempts",
        "AttemptTimeoutError": "errors.rejections",
        "BreakerCourse": "tuning.course",
        "BreakerRegistry": "policies.breaker_registry",
        "BreakerStatistics": "policies._breaker_statistics",
        "BudgetExhaustedError": "errors.rejections",
        "BudgetStatistics": "policies.budget",
        "Bulkhead": "policies.bulkhead",
        "BulkheadFullError": "errors.rejections",
        "BulkheadStatistics": "policies.bulkhead",
        "Cache": "policies.cache",
        "CacheKeyError": "policies.cache",
        "CacheStatistics": "policies.cache",
        "CallSite": "errors._call_sites",
        "Cause": "errors._causes",
        "Chaos": "policies.chaos",
        "ChaosError": "errors.rejections",
        "ChaosStatistics": "policies.chaos",
        "CircuitBreaker": "policies.breaker",
        "CircuitOpenError": "errors.rejections",
        "ClientThrottle": "policies.throttle",
        "Closed": "simulation.service",
        "ConfigError": "pipelines.errors",
        "Constant": "simulation.distributions",
        "Criticality": "policies.importance",
        "Deadline": "policies.deadline",
        "DeadlineBlock": "deadlines",
        "DeadlineExceededError": "errors.rejections",
        "DeadlineExecutor": "deadline_executors",
        "DeadlineHeaderError": "_deadline_headers",
        "Discipline": "policies.shedder",
        "Distribution": "simulation.distributions",
        "Driven": "experiments.driven",
        "Empirical": "simulation.distributions",
        "ErrorClass": "errors.taxonomy",
        "ErrorEntry": "errors.report",
        "ErrorReport": "errors.report",
        "Errors": "simulation.service",
        "Even": "simulation.service",
        "Event": "policy",
        "ExperimentError": "experiments.errors",
        "Explanation": "pipelines.explanation",
        "Exponential": "simulation.distributions",
        "Fallback": "policies.fallback",
        "FallbackStatistics": "policies.fallback",
        "Fault": "simulation.service",
        "Finding": "pipelines.findings",
        "Findings": "pipelines.findings",
        "Generator": "policy",
        "Gradient2": "policies.adaptive_algorithms",
        "Hedge": "policies.hedge",
        "HedgeStatistics": "policies.hedge",
        "InProcessService": "experiments.in_process",
        "Interval": "simulation.replications",
        "KnownFault": "tuning.recorded",
        "LimitHistory": "policies.limit_history",
        "LimiterOptions": "policies.limiter",
        "LimiterStatistics": "policies.limiter",
        "LoadShedError": "errors.rejections",
        "LoadShedder": "policies.shedder",
        "LoadShedderStatistics": "policies.shedder",
        "LogNormal": "simulation.distributions",
        "LoopbackService": "experiments.loopback",
        "Map": "simulation.vulnerability",
        "Measure": "simulation.replications",
        "OperatingCurve": "tuning.operating",
        "Outage": "simulation.service",
        "Pareto": "simulation.distributions",
        "Pipeline": "pipeline",
        "PipelineError": "pipelines.errors",
        "PipelineStatistics": "pipelines.statistics",
        "Poisson": "simulation.service",
        "Policy": "policy",
        "PolicyError": "policy",
        "Progress": "policies._retry_streams",
        "Provenance": "errors.provenance",
        "ProvenanceError": "errors.provenance",
        "RateLimitedError": "errors.rejections",
        "RateLimiter": "policies.limiter",
        "Recorded": "simulation.service",
        "RecordedCalls": "tuning.recorded",
        "RefusedResultError": "policies.fallback",
        "RegistryStatistics": "policies.breaker_registry",
        "RejectedError": "errors.rejections",
        "ReliabilityError": "errors.rejections",
        "Reloaded": "pipelines.reloading",
        "Replayed": "simulation.replay",
        "Replications": "simulation.replications",
        "ReportError": "errors.report",
        "Requests": "simulation.requests",
        "Reservation": "policies.limiter",
        "Result": "simulation.result",
        "Retry": "policies.retry",
        "RetryBudget": "policies.budget",
        "RetryStatistics": "policies.retry",
        "RuleError": "errors.classification",
        "Schedule": "simulation.replay",
        "Service": "simulation.service",
        "ServiceDroppedError": "simulation.errors",
        "ServiceError": "simulation.errors",
        "ServiceFailedError": "simulation.errors",
        "ServiceFullError": "simulation.errors",
        "SharedBreakerState": "shared.breakers",
        "SharedBreakers": "policies.breaker_shared",
        "SharedClientError": "shared.limits",
        "SharedLimits": "shared.limits",
        "SharedStore": "policies.limiter",
        "SimulationError": "simulation.errors",
        "Slowdown": "simulation.service",
        "StatusError": "errors.status",
        "Step": "pipelines.explanation",
        "Surge": "simulation.service",
        "ThrottleStatistics": "policies.throttle",
        "ThrottledError": "errors.rejections",
        "TimeLimit": "deadline_limits",
        "Timeout": "policies.timeout",
        "TuningError": "tuning.errors",
        "UnattainableCostError": "policies.limiter",
        "Uniform": "simulation.distributions",
        "Vegas": "policies.adaptive_algorithms",
        "Watch": "pipelines.watching",
        "Weibull": "simulation.distributions",
        "admissions": "experiments.admitting",
        "breaker_course": "tuning.course",
        "cause_chain": "errors.classification",
        "classify": "errors.classification",
        "classify_grpc_code": "errors.status",
        "classify_http_status": "errors.status",
        "classify_sqlstate": "errors.status",
        "criticality": "policies.importance",
        "current_criticality": "policies.importance",
        "current_deadline": "deadlines",
        "deadline": "deadlines",
        "decisions": "simulation.decisions",
        "drive": "experiments.driving",
        "instrument": "pipelines.telemetry",
        "is_retryable": "errors.classification",
        "leaves": "errors.classification",
        "operating_curve": "tuning.operating",
        "provenance_of": "errors.provenance",
        "record_provenance": "errors.provenance",
        "register": "errors.classification",
        "replay": "simulation.replay",
        "retry_after_s": "errors.retry_delays",
        "simulate": "simulation.simulate",
        "simulate_seeds": "simulation.replications",
        "unregister": "errors.classification",
        "vulnerability_map": "simulation.vulnerability",
        "with_deadline": "deadline_executors",
        "zipf_shares": "simulation.requests",
    },
)
