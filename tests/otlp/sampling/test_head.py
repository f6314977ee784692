"""Head samplers decide as the official SDK's do, and know with which probability."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from opentelemetry import trace
from opentelemetry.sdk.trace import sampling as official
from opentelemetry.sdk.trace._sampling_experimental import (
    composable_parent_threshold,
    composable_traceid_ratio_based,
    composite_sampler,
)
from opentelemetry.trace.span import NonRecordingSpan, SpanContext, TraceFlags, TraceState
from otlp.sampling.forests import forests, in_row_order, message, parent_id, read

from workbench import otlp
from workbench.otlp import (
    AlwaysOff,
    AlwaysOn,
    ConsistentProbability,
    ParentBased,
    ParentThreshold,
    SamplerError,
    TraceIdRatioBased,
)

ratios = st.one_of(st.floats(0, 1), st.sampled_from([0.0, 1.0, 0.5, 2**-64, 1 - 2**-53]))
leaves = st.one_of(
    st.builds(AlwaysOn),
    st.builds(AlwaysOff),
    st.builds(TraceIdRatioBased, ratios),
)
samplers = st.recursive(leaves, lambda one: st.builds(ParentBased, one, one, one, one, one), max_leaves=8)


def twin(sampler):
    """Return the official sampler."""
    if isinstance(sampler, AlwaysOn):
        return official.ALWAYS_ON
    if isinstance(sampler, AlwaysOff):
        return official.ALWAYS_OFF
    if isinstance(sampler, TraceIdRatioBased):
        return official.TraceIdRatioBased(sampler.ratio)
    delegates = (
        "remote_parent_sampled",
        "remote_parent_not_sampled",
        "local_parent_sampled",
        "local_parent_not_sampled",
    )
    return official.ParentBased(
        twin(sampler.root), *(twin(getattr(sampler, delegate)) for delegate in delegates)
    )


def decide_officially(sampler, spans):
    """Start every span below its parent as an SDK would; return which are sampled, and their states."""
    by_id = {(span["trace"], span["span_id"]): span for span in spans}
    results = {}

    def result(span):
        key = (span["trace"], span["span_id"])
        if key not in results:
            results[key] = sampler.should_sample(
                context(span), int.from_bytes(span["trace_id"], "big"), "name", trace_state=state_above(span)
            )
        return results[key]

    def above(span):
        return by_id.get((span["trace"], parent_id(spans, span)))

    def state_above(span):
        return result(above(span)).trace_state if above(span) else None

    def context(span):
        named = parent_id(spans, span)
        if not named:
            return None
        sampled = result(above(span)).decision.is_sampled() if above(span) else True
        parent = SpanContext(
            int.from_bytes(span["trace_id"], "big"),
            int.from_bytes(named, "big"),
            is_remote=is_remote(span, above(span)),
            trace_flags=TraceFlags(int(sampled)),
            trace_state=state_above(span) or TraceState(),
        )
        return trace.set_span_in_context(NonRecordingSpan(parent))

    return [result(span).decision.is_sampled() for span in spans], [
        result(span).trace_state for span in spans
    ]


def is_remote(span, parent):
    if span["flags"] & 0x100:
        return bool(span["flags"] & 0x200)
    return parent is None or parent["service"] != span["service"]


def sampled_names(traces):
    return sorted(traces["name"].to_pylist())


def names(spans, chosen):
    return sorted(f"span {span['span_id'].hex()}" for span, kept in zip(spans, chosen, strict=True) if kept)


@settings(max_examples=25)
@given(forests(), samplers)
def test_decisions_are_those_of_the_official_sdk(spans, sampler):
    """Oracle: opentelemetry.sdk.trace.sampling, TraceIdRatioBased and ParentBased with all delegates."""
    rows = in_row_order(spans)
    chosen, _ = decide_officially(twin(sampler), rows)
    assert sampled_names(sampler(read(message(spans)))) == names(rows, chosen)


@given(st.integers(0, 2**128 - 1), st.floats(0, 1))
def test_a_ratios_bound_is_the_official_one(trace_id, ratio):
    assert TraceIdRatioBased(ratio).bound == official.TraceIdRatioBased(ratio).bound


@settings(max_examples=25)
@given(forests(), st.floats(2**-20, 1))
def test_consistent_decisions_and_their_tracestates_are_those_of_the_official_sdk(spans, ratio):
    """Oracle: the SDK's experimental composite samplers, which keep all 56 bits of a threshold."""
    spans = [{**span, "state": "", "orphan": False} for span in spans]
    rows = in_row_order(spans)
    chosen, states = decide_officially(composite_sampler(composable_traceid_ratio_based(ratio)), rows)
    found = ConsistentProbability(ratio, precision=None)(read(message(spans)))
    assert sampled_names(found) == names(rows, chosen)
    expected = {state.to_header() for state, kept in zip(states, chosen, strict=True) if kept}
    assert set(found["trace_state"].to_pylist()) == expected


@settings(max_examples=25)
@given(forests(), st.floats(2**-20, 1))
def test_children_follow_their_parents_threshold_as_in_the_official_sdk(spans, ratio):
    spans = [{**span, "state": "", "orphan": False} for span in spans]
    rows = in_row_order(spans)
    root = composable_traceid_ratio_based(ratio)
    chosen, _ = decide_officially(composite_sampler(composable_parent_threshold(root)), rows)
    sampler = ParentThreshold(ConsistentProbability(ratio, precision=None))
    found = sampler.sample(read(message(spans)))
    assert sampled_names(found.traces) == names(rows, chosen)
    assert np.allclose(found.adjusted_count, otlp.adjusted_counts(found.traces))


@settings(max_examples=25)
@given(forests(), st.tuples(st.floats(0.001, 1), st.floats(0.001, 1)))
def test_a_lower_ratio_keeps_a_subset_of_what_a_higher_one_keeps(spans, pair):
    traces = read(message(spans))
    fewer, more = (set(sampled_names(ConsistentProbability(ratio)(traces))) for ratio in sorted(pair))
    assert fewer <= more


def test_randomness_in_the_tracestate_decides_instead_of_the_trace_id(system, tmp_path):
    low = system.span("shop", 1, 1)
    high = system.span("shop", (1 << 56) - 1, 2)
    low.trace_state, high.trace_state = "ot=rv:ffffffffffffff", "ot=rv:00000000000000"
    found = ConsistentProbability(0.5)(system.traces(tmp_path))
    assert found["trace_state"].to_pylist() == ["ot=rv:ffffffffffffff;th:8"]


def test_a_malformed_tracestate_is_left_alone_and_has_no_adjusted_count(system, tmp_path):
    system.span("shop", (1 << 56) - 1, 1).trace_state = "ot=th:xyz"
    traces = system.traces(tmp_path)
    assert np.isnan(otlp.adjusted_counts(traces)).all()
    assert ConsistentProbability(0.5)(traces)["trace_state"].to_pylist() == ["ot=th:xyz"]


@pytest.fixture
def even(system, tmp_path):
    """1024 traces whose ids' last 8 and last 7 bytes are spread evenly.

    In each front (1) calls itself (2) and stock (3), which calls itself (4).
    """
    for n in range(1024):
        trace_id = (1 << 64) | ((n & 0xFF) << 56) | (n << 46)
        system.span("front", trace_id, 1)
        system.span("front", trace_id, 2, parent=1, name="local")
        system.span("stock", trace_id, 3, parent=1, name="remote")
        system.span("stock", trace_id, 4, parent=3, name="below")
    return system.traces(tmp_path)


COMBINATIONS = [
    ParentBased(TraceIdRatioBased(0.25)),
    ParentBased(TraceIdRatioBased(0.5), remote_parent_sampled=TraceIdRatioBased(0.25)),
    ParentBased(TraceIdRatioBased(0.25), local_parent_not_sampled=TraceIdRatioBased(0.5)),
    ParentBased(TraceIdRatioBased(0.25), AlwaysOff(), AlwaysOn()),
    ParentBased(TraceIdRatioBased(0.25), TraceIdRatioBased(0.125), TraceIdRatioBased(0.5)),
    ParentBased(ConsistentProbability(0.25), remote_parent_sampled=ConsistentProbability(0.125)),
    ParentBased(AlwaysOn(), local_parent_sampled=TraceIdRatioBased(0.5)),
    ParentThreshold(ConsistentProbability(0.125)),
]


@pytest.mark.parametrize("sampler", COMBINATIONS, ids=range(len(COMBINATIONS)))
def test_adjusted_counts_are_the_inverse_of_how_often_a_span_is_kept(even, sampler):
    """Over trace ids that are spread evenly, the share kept is the probability: an exact count."""
    found = sampler.sample(even)
    name = np.array(found.traces["name"].to_pylist())
    for kind in set(name):
        counts = found.adjusted_count[name == kind]
        known = counts[~np.isnan(counts)]
        assert known == pytest.approx(1024 / len(counts))
    assert not np.isnan(found.adjusted_count[name == "front work"]).any()


def test_a_mixture_of_two_sources_of_chance_has_no_adjusted_count(even):
    sampler = ParentBased(TraceIdRatioBased(0.5), remote_parent_sampled=ConsistentProbability(0.5))
    found = sampler.sample(even)
    name = np.array(found.traces["name"].to_pylist())
    assert np.isnan(found.adjusted_count[name == "remote"]).all()
    assert (found.adjusted_count[name == "local"] == 2).all()


def test_a_sampled_recording_sampled_again_multiplies(even):
    once = ConsistentProbability(0.5).sample(even)
    assert set(once.adjusted_count) == {2.0}
    twice = TraceIdRatioBased(0.5).sample(once.traces)
    assert set(twice.adjusted_count) == {4.0}


def test_a_result_says_what_it_kept(even):
    found = TraceIdRatioBased(0.5).sample(even)
    assert repr(found) == "Sampled: 2,048 of 4,096 spans, 512 of 1,024 traces"
    assert "adjusted count" in found._repr_html_()
    assert found.to_pandas()["adjusted_count"].tolist() == [2.0] * 2048
    assert found.to_arrow()["adjusted_count"].to_pylist() == [2.0] * 2048
    assert repr(AlwaysOff().sample(even)) == "Sampled: 0 of 4,096 spans, 0 of 1,024 traces"


def test_nothing_is_sampled_of_nothing(even):
    nothing = even.filter(np.zeros(len(even), bool))
    for sampler in (AlwaysOn(), ConsistentProbability(0.5), ParentBased(TraceIdRatioBased(0.5))):
        assert len(sampler(nothing)) == 0


@pytest.mark.parametrize("ratio", [-0.1, 1.1, float("nan")])
def test_ratios_outside_0_to_1_are_refused(ratio):
    for sampler in (TraceIdRatioBased, ConsistentProbability):
        with pytest.raises(SamplerError, match="between 0 and 1"):
            sampler(ratio)


def test_a_deep_trace_is_decided_from_the_top(system, tmp_path):
    for depth in range(1, 400):
        system.span("front", 1 << 100, depth, parent=depth - 1)
    traces = system.traces(tmp_path)
    alternating = ParentBased(
        AlwaysOn(), local_parent_sampled=AlwaysOff(), local_parent_not_sampled=AlwaysOn()
    )
    assert len(ParentBased(AlwaysOn())(traces)) == 399
    assert len(alternating(traces)) == 200


def test_a_recording_of_stray_times_is_sampled_and_its_period_is_known():
    sent = message([])
    spans = sent.resource_spans.add().scope_spans.add().spans
    for number, time in enumerate((1, 1 << 63), start=1):
        spans.add(trace_id=bytes([number]) * 16, span_id=bytes([number]) * 8, start_time_unix_nano=time)
    found = AlwaysOn().sample(read(sent))
    assert found.period_s == pytest.approx(2**63 / 1e9)
