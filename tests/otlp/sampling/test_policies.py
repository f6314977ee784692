"""Each policy decides as the Collector's own tests expect."""

import pytest

from workbench.otlp import PolicyError, TailSampler
from workbench.otlp import policies as p


def keeps(policy, traces):
    return len(TailSampler((policy,))(traces)) > 0


@pytest.mark.parametrize(
    ("spans", "threshold", "upper", "kept"),
    [
        ([(0, 4500)], 5000, 0, False),
        ([(0, 5000)], 5000, 0, True),
        ([(0, 3000), (2500, 3000)], 5000, 0, True),
        ([(0, 5000)], 5000, 10000, False),
        ([(0, 5001)], 5000, 10000, True),
        ([(0, 10000)], 5000, 10000, True),
        ([(0, 10001)], 5000, 10000, False),
        ([(0, 6000), (0, 11000)], 5000, 10000, True),
    ],
)
def test_latency(system, tmp_path, spans, threshold, upper, kept):
    """TestEvaluate_Latency and its bounded form; the last trace lasted 6 s before it lasted 11."""
    for number, (at, ms) in enumerate(spans, 1):
        system.span("shop", 1, number, at_ms=at, ms=ms)
    assert keeps(p.Latency(threshold, upper), system.traces(tmp_path)) == kept


INT32 = 2**31
NUMBERS = [
    ({"other": -INT32}, False),
    ({"example": -INT32}, True),
    ({"example": INT32 - 1}, True),
    ({"example": -INT32 - 1}, False),
    ({"example": INT32}, False),
    ({"example": "text"}, True),
    ({"example": 1e9}, True),
]


@pytest.mark.parametrize(("attributes", "kept"), NUMBERS)
def test_numeric_attribute(system, tmp_path, attributes, kept):
    """TestNumericTagFilter; another type reads as 0, which lies in the range."""
    system.span("shop", 1, 1, **attributes)
    traces = system.traces(tmp_path)
    policy = p.NumericAttribute("example", -INT32, INT32 - 1)
    assert keeps(policy, traces) == kept
    inverted = p.NumericAttribute("example", -INT32, INT32 - 1, invert_match=True)
    assert keeps(inverted, traces) != kept


TEXTS = [
    ({"other": "value"}, ("value",), False, False),
    ({"example": "value"}, ("value",), False, True),
    ({"example": "not"}, ("value",), False, False),
    ({"example": "v(alue"}, ("v.+",), True, True),
    ({"example": "grpc.health"}, ("health$",), True, True),
    ({"example": "grpc.health.x"}, ("health$", "^y"), True, False),
    ({"example": 3}, ("",), False, False),
    ({"example": ""}, ("",), False, False),
    ({"example": 3}, (".*",), True, False),
]


@pytest.mark.parametrize(("attributes", "values", "regex", "kept"), TEXTS)
def test_string_attribute(system, tmp_path, attributes, values, regex, kept):
    """TestStringTagFilter: exact values, expressions found anywhere, no match of an empty text."""
    system.span("shop", 1, 1, **attributes)
    traces = system.traces(tmp_path)
    assert keeps(p.StringAttribute("example", values, regex), traces) == kept
    assert keeps(p.StringAttribute("example", values, regex, invert_match=True), traces) != kept


def test_a_resources_attributes_count_even_where_a_span_has_its_own(system, tmp_path):
    system.span("shop", 1, 1, service__name="other")
    traces = system.traces(tmp_path)
    for name in ("shop", "other"):
        assert keeps(p.StringAttribute("service.name", (name,)), traces)
    assert not keeps(p.StringAttribute("service.name", ("third",)), traces)


@pytest.mark.parametrize(
    ("attributes", "value", "kept"),
    [
        ({"example": True}, True, True),
        ({"example": True}, False, False),
        ({"example": False}, False, True),
        ({"other": True}, True, False),
        ({"example": "text"}, False, True),
    ],
)
def test_boolean_attribute(system, tmp_path, attributes, value, kept):
    """TestBooleanTagFilter; another type reads as false."""
    system.span("shop", 1, 1, **attributes)
    assert keeps(p.BooleanAttribute("example", value), system.traces(tmp_path)) == kept


@pytest.mark.parametrize(
    ("codes", "kept"),
    [(("ERROR",), True), (("OK",), False), (("UNSET", "OK"), True), (("OK", "ERROR"), True)],
)
def test_status_code(system, tmp_path, codes, kept):
    system.span("shop", 1, 1)
    system.span("shop", 1, 2, error=True)
    assert keeps(p.StatusCode(codes), system.traces(tmp_path)) == kept


@pytest.mark.parametrize(
    ("least", "most", "kept"),
    [(1, 0, True), (2, 0, True), (3, 0, False), (0, 2, True), (0, 1, False), (2, 2, True)],
)
def test_span_count(system, tmp_path, least, most, kept):
    """TestEvaluate_SpanCount: both ends inclusive, no upper end when it is zero."""
    system.span("shop", 1, 1)
    system.span("shop", 1, 2)
    assert keeps(p.SpanCount(least, most), system.traces(tmp_path)) == kept


@pytest.mark.parametrize(
    ("state", "values", "kept"),
    [
        ("example=value", ("value",), True),
        ("example=value,other=x", ("x", "value"), True),
        ("other=value", ("value",), False),
        ("example=no", ("value",), False),
        ("", ("",), False),
        ("example=value,,,example=value", ("value",), False),
    ],
)
def test_trace_state(system, tmp_path, state, values, kept):
    """TestTraceStateFilter; a malformed list matches nothing."""
    system.span("shop", 1, 1).trace_state = state
    assert keeps(p.TraceState("example", values), system.traces(tmp_path)) == kept


def test_trace_flags(system, tmp_path):
    system.span("shop", 1, 1).flags = 0x100
    system.span("shop", 2, 2).flags = 0x301
    traces = system.traces(tmp_path)
    found = TailSampler((p.TraceFlags(),))(traces)
    assert found["span_id"].to_pylist() == [(2).to_bytes(8, "big")]


def rate(system, tmp_path, policy, seconds, *, spans=1, each=1):
    """Return in which of some seconds a trace that is decided then is kept, `each` traces a second."""
    number = 0
    for second in seconds:
        for _ in range(each):
            number += 1
            for at in range(spans):
                system.span("shop", number, number * 100 + at, at_ms=1000 * second + number % 900, ms=0)
    found = TailSampler((policy,), decision_wait_s=1).sample(system.traces(tmp_path))
    return [said == "sampled" for said in found.decisions["decision"].to_pylist()]


def test_rate_limiting_lets_a_burst_of_twice_the_rate_through(system, tmp_path):
    """A bucket that is full at first and refilled continuously, as golang.org/x/time/rate."""
    assert rate(system, tmp_path, p.RateLimiting(3), [0], each=8) == [True] * 6 + [False] * 2


def test_rate_limiting_refills(system, tmp_path):
    found = rate(system, tmp_path, p.RateLimiting(2), [0, 1, 2], each=5)
    assert found == [True] * 4 + [False] + [True] * 2 + [False] * 3 + [True] * 2 + [False] * 3


def test_a_trace_larger_than_the_bucket_is_never_kept(system, tmp_path):
    assert rate(system, tmp_path, p.RateLimiting(10, 3), [0], spans=4) == [False]


def test_a_trace_that_finds_no_tokens_leaves_them_to_smaller_ones(system, tmp_path):
    for number, spans in enumerate((3, 3, 1), 1):
        for at in range(spans):
            system.span("shop", number, number * 10 + at, at_ms=number, ms=0)
    found = TailSampler((p.RateLimiting(2, 5),), decision_wait_s=1).sample(system.traces(tmp_path))
    assert found.decisions["decision"].to_pylist() == ["sampled", "not_sampled", "sampled"]


def test_bytes_limiting_counts_bytes(system, tmp_path):
    for number in range(1, 4):
        system.span("shop", number, number, at_ms=number, ms=0, text="x" * 1000)
    traces = system.traces(tmp_path)
    found = TailSampler((p.BytesLimiting(1200),), decision_wait_s=0).sample(traces)
    assert found.decisions["decision"].to_pylist() == ["sampled", "sampled", "not_sampled"]
    assert all(1000 < size < 1300 for size in found.decisions["bytes"].to_pylist())


def tagged(system, tmp_path, values):
    for number, value in enumerate(values, 1):
        system.span("shop", number, number, at_ms=number, ms=0, tag=value)
    return system.traces(tmp_path)


def in_range(name):
    return p.NumericAttribute("tag", 0, 100, name=name)


def test_composite_gives_each_policy_its_room(system, tmp_path):
    """TestCompositeEvaluator_OverflowAlwaysSampled: 10 fits, 11 has no room, 1001 is the second's."""
    policy = p.Composite((in_range("a"), p.AlwaysSample(name="b")), 3, {"a": 34, "b": 34})
    assert policy.allocated == (1, 1)
    found = TailSampler((policy,), decision_wait_s=1).sample(tagged(system, tmp_path, [10, 11, 1001]))
    assert found.decisions["decision"].to_pylist() == ["sampled", "not_sampled", "sampled"]


def test_composite_starts_again_every_second(system, tmp_path):
    """TestCompositeEvaluatorThrottling: totalSPS traces a second, and no more."""
    policy = p.Composite((p.AlwaysSample(name="all"),), 4, {"all": 100})
    assert rate(system, tmp_path, policy, [0, 1], each=6) == ([True] * 4 + [False] * 2) * 2


def test_composite_shares_equally_where_no_percentage_is_said():
    parts = (in_range("a"), in_range("b"), in_range("c"))
    assert p.Composite(parts, 99, {"a": 0, "b": 50}).allocated == (33, 49, 0)


def test_and_asks_limiters_only_about_what_the_others_want(system, tmp_path):
    policy = p.And((in_range("wanted"), p.RateLimiting(1, 2)))
    found = TailSampler((policy,), decision_wait_s=1).sample(tagged(system, tmp_path, [500, 500, 1, 2, 3]))
    assert found.decisions["decision"].to_pylist() == ["not_sampled"] * 2 + ["sampled"] * 2 + ["not_sampled"]


def test_not_keeps_what_its_policy_does_not(system, tmp_path):
    found = TailSampler((p.Not(in_range("x")),))(tagged(system, tmp_path, [1, 500]))
    assert found["tag"].to_pylist() == [500]


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: p.Latency(-1), "threshold_ms is 0 or more"),
        (lambda: p.NumericAttribute("", 1), "key is the name"),
        (lambda: p.NumericAttribute("k", 2**70), "at most max_value"),
        (lambda: p.Probabilistic(float("nan")), "not a number"),
        (lambda: p.StringAttribute("k"), "at least one text"),
        (lambda: p.TraceState(""), "key is that of a tracestate member"),
        (lambda: p.BytesLimiting(0), "bytes_per_second is positive"),
        (lambda: p.RateLimiting(1, -1), "burst_capacity is 0 or more"),
        (lambda: p.SpanCount(-1), "min_spans is 0 or more"),
        (lambda: p.Composite((in_range("a"), in_range("a")), 1), "names must differ"),
        (lambda: p.Composite((in_range("a"),), 1, {"a": 101}), "0 to 100 percent"),
    ],
)
def test_policies_that_cannot_be_are_refused(make, message):
    with pytest.raises(PolicyError, match=message):
        make()


def test_a_limiter_that_is_used_twice_has_two_buckets(system, tmp_path):
    """As the two limiters of a Collector's configuration, which has no other way to write it."""
    limiter = p.RateLimiting(1, 1)
    low, high = p.NumericAttribute("tag", 0, 9), p.NumericAttribute("tag", 10, 99)
    policies = (p.And((low, limiter), name="low"), p.And((high, limiter), name="high"))
    found = TailSampler(policies, decision_wait_s=1).sample(tagged(system, tmp_path, [1, 2, 11, 12]))
    assert found.decisions["decision"].to_pylist() == ["sampled", "not_sampled"] * 2


def test_a_trace_that_ends_a_little_before_it_starts_lasts_no_time(system, tmp_path):
    """In whole milliseconds, rounded towards zero as in Go."""
    span = system.span("shop", 1, 1)
    span.end_time_unix_nano = span.start_time_unix_nano - 500_000
    assert keeps(p.Latency(0), system.traces(tmp_path))
    span.end_time_unix_nano = span.start_time_unix_nano - 1_000_000
    assert not keeps(p.Latency(0), system.traces(tmp_path))
