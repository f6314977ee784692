"""Hypothesis strategies: official OTLP messages of every shape that has records, and names for text."""

from hypothesis import strategies as st
from opentelemetry.proto.common.v1 import common_pb2 as common
from opentelemetry.proto.logs.v1 import logs_pb2 as logs
from opentelemetry.proto.metrics.v1 import metrics_pb2 as metrics
from opentelemetry.proto.resource.v1 import resource_pb2 as resource
from opentelemetry.proto.trace.v1 import trace_pb2 as trace

TEXT = st.text(max_size=6)
BYTES = st.binary(max_size=6)
UINT32 = st.integers(0, 2**32 - 1)
UINT64 = st.integers(0, 2**64 - 1)
INT64 = st.integers(-(2**63), 2**63 - 1)
INT32 = st.integers(-(2**31), 2**31 - 1)
DOUBLE = st.floats()
TRACE_ID = st.one_of(st.just(b""), st.binary(min_size=16, max_size=16))
SPAN_ID = st.one_of(st.just(b""), st.binary(min_size=8, max_size=8))


def _lists(items, most=2):
    return st.lists(items, max_size=most)


SCALARS = st.one_of(
    st.just(common.AnyValue()),
    st.builds(common.AnyValue, string_value=TEXT),
    st.builds(common.AnyValue, bool_value=st.booleans()),
    st.builds(common.AnyValue, int_value=INT64),
    st.builds(common.AnyValue, double_value=DOUBLE),
    st.builds(common.AnyValue, bytes_value=BYTES),
)


def _nested(values):
    pairs = st.builds(common.KeyValue, key=TEXT, value=values)
    arrays = st.builds(common.ArrayValue, values=_lists(values))
    maps = st.builds(common.KeyValueList, values=_lists(pairs))
    return st.one_of(
        st.builds(common.AnyValue, array_value=arrays), st.builds(common.AnyValue, kvlist_value=maps)
    )


VALUES = st.one_of(SCALARS, st.recursive(SCALARS, _nested, max_leaves=3))
KEYS = st.one_of(TEXT, st.sampled_from(["service.name", "http.route", "n"]))
ATTRIBUTES = _lists(st.builds(common.KeyValue, key=KEYS, value=VALUES))

RESOURCES = st.builds(
    resource.Resource,
    attributes=ATTRIBUTES,
    dropped_attributes_count=UINT32,
    entity_refs=_lists(
        st.builds(
            common.EntityRef,
            schema_url=TEXT,
            type=TEXT,
            id_keys=_lists(TEXT),
            description_keys=_lists(TEXT),
        ),
        most=1,
    ),
)
SCOPES = st.builds(
    common.InstrumentationScope,
    name=TEXT,
    version=TEXT,
    attributes=ATTRIBUTES,
    dropped_attributes_count=UINT32,
)
STATUSES = st.builds(trace.Status, code=st.integers(0, 2), message=TEXT)
EVENTS = st.builds(
    trace.Span.Event, time_unix_nano=UINT64, name=TEXT, attributes=ATTRIBUTES, dropped_attributes_count=UINT32
)
LINKS = st.builds(
    trace.Span.Link,
    trace_id=TRACE_ID,
    span_id=SPAN_ID,
    trace_state=TEXT,
    attributes=ATTRIBUTES,
    dropped_attributes_count=UINT32,
    flags=UINT32,
)
SPANS = st.builds(
    trace.Span,
    trace_id=TRACE_ID,
    span_id=SPAN_ID,
    trace_state=TEXT,
    parent_span_id=SPAN_ID,
    flags=UINT32,
    name=TEXT,
    kind=st.integers(0, 5),
    start_time_unix_nano=UINT64,
    end_time_unix_nano=UINT64,
    attributes=ATTRIBUTES,
    dropped_attributes_count=UINT32,
    events=_lists(EVENTS, 2),
    dropped_events_count=UINT32,
    links=_lists(LINKS, 2),
    dropped_links_count=UINT32,
    status=st.none() | STATUSES,
)
LOG_RECORDS = st.builds(
    logs.LogRecord,
    time_unix_nano=UINT64,
    observed_time_unix_nano=UINT64,
    severity_number=st.integers(0, 24),
    severity_text=TEXT,
    body=st.none() | VALUES,
    attributes=ATTRIBUTES,
    dropped_attributes_count=UINT32,
    flags=UINT32,
    trace_id=TRACE_ID,
    span_id=SPAN_ID,
    event_name=TEXT,
)


def _number(kind):
    return st.one_of(
        st.just({}), st.fixed_dictionaries({"as_int": INT64}), st.fixed_dictionaries({"as_double": DOUBLE})
    ).flatmap(lambda value: kind(**{name: st.just(found) for name, found in value.items()}))


EXEMPLARS = _number(
    lambda **value: st.builds(
        metrics.Exemplar,
        filtered_attributes=ATTRIBUTES,
        time_unix_nano=UINT64,
        span_id=SPAN_ID,
        trace_id=TRACE_ID,
        **value,
    )
)
POINT = {"attributes": ATTRIBUTES, "start_time_unix_nano": UINT64, "time_unix_nano": UINT64, "flags": UINT32}
NUMBERS = _number(
    lambda **value: st.builds(metrics.NumberDataPoint, exemplars=_lists(EXEMPLARS, 1), **POINT, **value)
)
OPTIONAL = st.none() | DOUBLE
HISTOGRAMS = st.builds(
    metrics.HistogramDataPoint,
    count=UINT64,
    sum=OPTIONAL,
    min=OPTIONAL,
    max=OPTIONAL,
    bucket_counts=_lists(UINT64),
    explicit_bounds=_lists(DOUBLE),
    exemplars=_lists(EXEMPLARS, 1),
    **POINT,
)
BUCKETS = st.none() | st.builds(
    metrics.ExponentialHistogramDataPoint.Buckets, offset=INT32, bucket_counts=_lists(UINT64)
)
EXPONENTIALS = st.builds(
    metrics.ExponentialHistogramDataPoint,
    count=UINT64,
    sum=OPTIONAL,
    min=OPTIONAL,
    max=OPTIONAL,
    scale=INT32,
    zero_count=UINT64,
    zero_threshold=DOUBLE,
    positive=BUCKETS,
    negative=BUCKETS,
    exemplars=_lists(EXEMPLARS, 1),
    **POINT,
)
SUMMARIES = st.builds(
    metrics.SummaryDataPoint,
    count=UINT64,
    sum=DOUBLE,
    quantile_values=_lists(
        st.builds(metrics.SummaryDataPoint.ValueAtQuantile, quantile=DOUBLE, value=DOUBLE)
    ),
    **POINT,
)
TEMPORALITY = st.integers(0, 2)
DATA = st.one_of(
    st.just({}),
    st.fixed_dictionaries({"gauge": st.builds(metrics.Gauge, data_points=_lists(NUMBERS))}),
    st.fixed_dictionaries(
        {
            "sum": st.builds(
                metrics.Sum,
                data_points=_lists(NUMBERS),
                aggregation_temporality=TEMPORALITY,
                is_monotonic=st.booleans(),
            )
        }
    ),
    st.fixed_dictionaries(
        {
            "histogram": st.builds(
                metrics.Histogram, data_points=_lists(HISTOGRAMS), aggregation_temporality=TEMPORALITY
            )
        }
    ),
    st.fixed_dictionaries(
        {
            "exponential_histogram": st.builds(
                metrics.ExponentialHistogram,
                data_points=_lists(EXPONENTIALS),
                aggregation_temporality=TEMPORALITY,
            )
        }
    ),
    st.fixed_dictionaries({"summary": st.builds(metrics.Summary, data_points=_lists(SUMMARIES))}),
)
METRICS = DATA.flatmap(
    lambda data: st.builds(
        metrics.Metric,
        name=TEXT,
        description=TEXT,
        unit=TEXT,
        metadata=ATTRIBUTES,
        **{name: st.just(value) for name, value in data.items()},
    )
)


def _filled(records):
    return st.lists(records, min_size=1, max_size=2)


TRACES_DATA = st.builds(
    trace.TracesData,
    resource_spans=_lists(
        st.builds(
            trace.ResourceSpans,
            resource=RESOURCES,
            schema_url=TEXT,
            scope_spans=_filled(
                st.builds(trace.ScopeSpans, scope=SCOPES, schema_url=TEXT, spans=_filled(SPANS))
            ),
        ),
        2,
    ),
)
LOGS_DATA = st.builds(
    logs.LogsData,
    resource_logs=_lists(
        st.builds(
            logs.ResourceLogs,
            resource=RESOURCES,
            schema_url=TEXT,
            scope_logs=_filled(
                st.builds(logs.ScopeLogs, scope=SCOPES, schema_url=TEXT, log_records=_filled(LOG_RECORDS))
            ),
        ),
        2,
    ),
)
METRICS_DATA = st.builds(
    metrics.MetricsData,
    resource_metrics=_lists(
        st.builds(
            metrics.ResourceMetrics,
            resource=RESOURCES,
            schema_url=TEXT,
            scope_metrics=_filled(
                st.builds(metrics.ScopeMetrics, scope=SCOPES, schema_url=TEXT, metrics=_filled(METRICS))
            ),
        ),
        2,
    ),
)
MESSAGES = {"traces": TRACES_DATA, "metrics": METRICS_DATA, "logs": LOGS_DATA}
