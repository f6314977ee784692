"""Telemetry as Arrow tables: OTLP is read, asked, drawn.

::

    read(path) -> Traces | Metrics | Logs | Profiles
    Traces     spans with events and links; .services() .service_map() .timeline(id) .slowest(n)
    Metrics    metrics with data points and exemplars; .points(name)
    Logs       log records; .trace(id)
    Profiles   profiles with their stacks and dictionary; .samples()
    read_batches(path)               files larger than memory, a batch at a time
    write(telemetry, path)           OTLP protobuf, JSON, JSON Lines; Parquet, Arrow: a folder of tables
    convert(source, target)          the same telemetry in another form
    Receiver()                       OTLP over HTTP and gRPC into this process; a faulty peer, on demand
    DurableReceiver(to)              the same into Parquet files, acknowledged when on disk
    Exporter(endpoint)               telemetry to an OTLP server
    find_faults(traces) -> Faults    when was the system slow or failing, and whose fault was it?
    red(traces, by) -> Red           rate, errors and duration of spans by any attributes
    critical_paths(traces)           critical and self time of each span and operation; draws a flame
    service_graph(traces)            requests between services, databases and peers without spans
    compare(before, after)           what differs between two sets of traces, ranked, and the culprit
    explain(traces, mask)            attribute values that the chosen spans have and others have not
    check_traces(traces)             orphans, roots, ids used twice, times that cannot be
    clock_skew(traces)               how far the services' clocks are apart, with bounds
    ExponentialHistogram.of(values)  counts with quantiles of known error; merges, changes scale and bounds
    to_delta(metrics), to_cumulative(metrics)   increments for totals, and back
    search(logs["body"], "timeout")  a mask of the records whose text holds, starts with, matches that
    mine_templates(logs["body"])     the templates that texts were written from (Drain)
    TailSampler(policies).sample(traces)   the Collector's tail sampling, with its memory and its time
    estimate(sampled, by) -> Estimates     what the kept spans say about all, with confidence intervals
"""

from typing import TYPE_CHECKING

from workbench._lazy import lazy_names

if TYPE_CHECKING:
    from workbench.otlp._schema import Signal
    from workbench.otlp._tally import OnError
    from workbench.otlp.analysis._change import Change
    from workbench.otlp.analysis._explanation import Explanation
    from workbench.otlp.analysis._service_map import ServiceMap
    from workbench.otlp.analysis._structure import SpanStructure
    from workbench.otlp.analysis.attributes import explain
    from workbench.otlp.analysis.comparison import Comparison, ComparisonError, compare
    from workbench.otlp.analysis.critical import CriticalPaths, critical_paths
    from workbench.otlp.analysis.faults import Faults, find_faults
    from workbench.otlp.analysis.health import TraceHealth, check_traces
    from workbench.otlp.analysis.red import Red, red
    from workbench.otlp.analysis.servicing import ServiceGraph, service_graph
    from workbench.otlp.analysis.skew import ClockSkew, SkewError, clock_skew, corrected_times
    from workbench.otlp.analysis.windowing import traces_started
    from workbench.otlp.decoder import Decoder, concat
    from workbench.otlp.errors import (
        AmbiguousSignalError,
        BinError,
        CompressionError,
        EmptyInputError,
        InstantError,
        MalformedError,
        MaskError,
        OtlpError,
        TableError,
        TraceIdError,
        TruncatedError,
        UnknownFormatError,
        UnknownKeyError,
    )
    from workbench.otlp.histograms.buckets import Buckets
    from workbench.otlp.histograms.errors import HistogramError
    from workbench.otlp.histograms.explicit import ExplicitHistogram
    from workbench.otlp.histograms.exponential import ExponentialHistogram
    from workbench.otlp.histograms.quantile import Quantile
    from workbench.otlp.histograms.temporality import Restated, TemporalityReport, to_cumulative, to_delta
    from workbench.otlp.logs import Logs
    from workbench.otlp.metrics import Metrics
    from workbench.otlp.profiles import Profiles
    from workbench.otlp.sampling import policies
    from workbench.otlp.sampling.errors import (
        EstimateError,
        OttlEngineError,
        PolicyError,
        SamplerError,
        TraceStateError,
    )
    from workbench.otlp.sampling.estimates import Estimates, estimate
    from workbench.otlp.sampling.head import (
        AlwaysOff,
        AlwaysOn,
        ConsistentProbability,
        HeadSampler,
        ParentBased,
        ParentThreshold,
        TraceIdRatioBased,
    )
    from workbench.otlp.sampling.probabilistic import ProbabilisticSampler, SamplerMode
    from workbench.otlp.sampling.sampled import Sampled, adjusted_counts
    from workbench.otlp.sampling.tail import TailSampler
    from workbench.otlp.sampling.tail_sampled import TailSampled
    from workbench.otlp.sampling.tracestate import (
        OtelTraceState,
        decode_threshold,
        encode_threshold,
        probability_to_threshold,
        threshold_to_probability,
    )
    from workbench.otlp.storage.converting import convert
    from workbench.otlp.storage.errors import EmptyMessageError, SqlError, TensorError
    from workbench.otlp.storage.reading import read, read_batches
    from workbench.otlp.storage.sql_result import SqlResult
    from workbench.otlp.storage.tensors import Tensors
    from workbench.otlp.storage.writing import Written, write
    from workbench.otlp.telemetry import Telemetry
    from workbench.otlp.text._arrow_strings import TextColumnError
    from workbench.otlp.text.mining import mine_templates
    from workbench.otlp.text.searching import PatternError, search
    from workbench.otlp.text.templates import MiningError, Templates
    from workbench.otlp.traces import Traces
    from workbench.otlp.transport._faults import (
        Faulty,
        GzipBomb,
        Oversize,
        PartialSuccess,
        Reset,
        Slow,
        Status,
        Throttle,
    )
    from workbench.otlp.transport._retrying import RetryPolicy
    from workbench.otlp.transport._statistics import ExportStats
    from workbench.otlp.transport.durable import DurableReceiver
    from workbench.otlp.transport.errors import (
        ConfigurationError,
        EndpointError,
        ExporterClosedError,
        JournalError,
        ReceiverClosedError,
        UnsupportedPayloadError,
        WaitTimeoutError,
    )
    from workbench.otlp.transport.exporter import Exporter
    from workbench.otlp.transport.fan_out import FanOut
    from workbench.otlp.transport.receiver import Receiver

__all__ = [
    "AlwaysOff",
    "AlwaysOn",
    "AmbiguousSignalError",
    "BinError",
    "Buckets",
    "Change",
    "ClockSkew",
    "Comparison",
    "ComparisonError",
    "CompressionError",
    "ConfigurationError",
    "ConsistentProbability",
    "CriticalPaths",
    "Decoder",
    "DurableReceiver",
    "EmptyInputError",
    "EmptyMessageError",
    "EndpointError",
    "EstimateError",
    "Estimates",
    "Explanation",
    "ExplicitHistogram",
    "ExponentialHistogram",
    "ExportStats",
    "Exporter",
    "ExporterClosedError",
    "FanOut",
    "Faults",
    "Faulty",
    "GzipBomb",
    "HeadSampler",
    "HistogramError",
    "InstantError",
    "JournalError",
    "Logs",
    "MalformedError",
    "MaskError",
    "Metrics",
    "MiningError",
    "OnError",
    "OtelTraceState",
    "OtlpError",
    "OttlEngineError",
    "Oversize",
    "ParentBased",
    "ParentThreshold",
    "PartialSuccess",
    "PatternError",
    "PolicyError",
    "ProbabilisticSampler",
    "Profiles",
    "Quantile",
    "Receiver",
    "ReceiverClosedError",
    "Red",
    "Reset",
    "Restated",
    "RetryPolicy",
    "Sampled",
    "SamplerError",
    "SamplerMode",
    "ServiceGraph",
    "ServiceMap",
    "Signal",
    "SkewError",
    "Slow",
    "SpanStructure",
    "SqlError",
    "SqlResult",
    "Status",
    "TableError",
    "TailSampled",
    "TailSampler",
    "Telemetry",
    "Templates",
    "TemporalityReport",
    "TensorError",
    "Tensors",
    "TextColumnError",
    "Throttle",
    "TraceHealth",
    "TraceIdError",
    "TraceIdRatioBased",
    "TraceStateError",
    "Traces",
    "TruncatedError",
    "UnknownFormatError",
    "UnknownKeyError",
    "UnsupportedPayloadError",
    "WaitTimeoutError",
    "Written",
    "adjusted_counts",
    "check_traces",
    "clock_skew",
    "compare",
    "concat",
    "convert",
    "corrected_times",
    "critical_paths",
    "decode_threshold",
    "encode_threshold",
    "estimate",
    "explain",
    "find_faults",
    "mine_templates",
    "policies",
    "probability_to_threshold",
    "read",
    "read_batches",
    "red",
    "search",
    "service_graph",
    "threshold_to_probability",
    "to_cumulative",
    "to_delta",
    "traces_started",
    "write",
]

__getattr__, __dir__ = lazy_names(
    __name__,
    {
        "AlwaysOff": "sampling.head",
        "AlwaysOn": "sampling.head",
        "AmbiguousSignalError": "errors",
        "BinError": "errors",
        "Buckets": "histograms.buckets",
        "Change": "analysis._change",
        "ClockSkew": "analysis.skew",
        "Comparison": "analysis.comparison",
        "ComparisonError": "analysis.comparison",
        "CompressionError": "errors",
        "ConfigurationError": "transport.errors",
        "ConsistentProbability": "sampling.head",
        "CriticalPaths": "analysis.critical",
        "Decoder": "decoder",
        "DurableReceiver": "transport.durable",
        "EmptyInputError": "errors",
        "EmptyMessageError": "storage.errors",
        "EndpointError": "transport.errors",
        "EstimateError": "sampling.errors",
        "Estimates": "sampling.estimates",
        "Explanation": "analysis._explanation",
        "ExplicitHistogram": "histograms.explicit",
        "ExponentialHistogram": "histograms.exponential",
        "ExportStats": "transport._statistics",
        "Exporter": "transport.exporter",
        "ExporterClosedError": "transport.errors",
        "FanOut": "transport.fan_out",
        "Faults": "analysis.faults",
        "Faulty": "transport._faults",
        "GzipBomb": "transport._faults",
        "HeadSampler": "sampling.head",
        "HistogramError": "histograms.errors",
        "InstantError": "errors",
        "JournalError": "transport.errors",
        "Logs": "logs",
        "MalformedError": "errors",
        "MaskError": "errors",
        "Metrics": "metrics",
        "MiningError": "text.templates",
        "OnError": "_tally",
        "OtelTraceState": "sampling.tracestate",
        "OtlpError": "errors",
        "OttlEngineError": "sampling.errors",
        "Oversize": "transport._faults",
        "ParentBased": "sampling.head",
        "ParentThreshold": "sampling.head",
        "PartialSuccess": "transport._faults",
        "PatternError": "text.searching",
        "PolicyError": "sampling.errors",
        "ProbabilisticSampler": "sampling.probabilistic",
        "Profiles": "profiles",
        "Quantile": "histograms.quantile",
        "Receiver": "transport.receiver",
        "ReceiverClosedError": "transport.errors",
        "Red": "analysis.red",
        "Reset": "transport._faults",
        "Restated": "histograms.temporality",
        "RetryPolicy": "transport._retrying",
        "Sampled": "sampling.sampled",
        "SamplerError": "sampling.errors",
        "SamplerMode": "sampling.probabilistic",
        "ServiceGraph": "analysis.servicing",
        "ServiceMap": "analysis._service_map",
        "Signal": "_schema",
        "SkewError": "analysis.skew",
        "Slow": "transport._faults",
        "SpanStructure": "analysis._structure",
        "SqlError": "storage.errors",
        "SqlResult": "storage.sql_result",
        "Status": "transport._faults",
        "TableError": "errors",
        "TailSampled": "sampling.tail_sampled",
        "TailSampler": "sampling.tail",
        "Telemetry": "telemetry",
        "Templates": "text.templates",
        "TemporalityReport": "histograms.temporality",
        "TensorError": "storage.errors",
        "Tensors": "storage.tensors",
        "TextColumnError": "text._arrow_strings",
        "Throttle": "transport._faults",
        "TraceHealth": "analysis.health",
        "TraceIdError": "errors",
        "TraceIdRatioBased": "sampling.head",
        "TraceStateError": "sampling.errors",
        "Traces": "traces",
        "TruncatedError": "errors",
        "UnknownFormatError": "errors",
        "UnknownKeyError": "errors",
        "UnsupportedPayloadError": "transport.errors",
        "WaitTimeoutError": "transport.errors",
        "Written": "storage.writing",
        "adjusted_counts": "sampling.sampled",
        "check_traces": "analysis.health",
        "clock_skew": "analysis.skew",
        "compare": "analysis.comparison",
        "concat": "decoder",
        "convert": "storage.converting",
        "corrected_times": "analysis.skew",
        "critical_paths": "analysis.critical",
        "decode_threshold": "sampling.tracestate",
        "encode_threshold": "sampling.tracestate",
        "estimate": "sampling.estimates",
        "explain": "analysis.attributes",
        "find_faults": "analysis.faults",
        "mine_templates": "text.mining",
        "policies": "sampling.tail",
        "probability_to_threshold": "sampling.tracestate",
        "read": "storage.reading",
        "read_batches": "storage.reading",
        "red": "analysis.red",
        "search": "text.searching",
        "service_graph": "analysis.servicing",
        "threshold_to_probability": "sampling.tracestate",
        "to_cumulative": "histograms.temporality",
        "to_delta": "histograms.temporality",
        "traces_started": "analysis.windowing",
        "write": "storage.writing",
    },
)
