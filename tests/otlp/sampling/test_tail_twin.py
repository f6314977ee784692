"""The compiled tail sampler does to every span what a plain transcript of the Collector does."""

import dataclasses

import numpy as np
import pyarrow.compute as pc
from hypothesis import given, settings
from hypothesis import strategies as st
from otlp.sampling.collector_twin import Twin
from otlp.sampling.forests import START, forests, in_row_order, message, read

from workbench.otlp import TailSampler
from workbench.otlp import policies as p
from workbench.otlp.sampling._sizes import arrival_bytes

KEYS = st.sampled_from(["a", "b", "service.name"])
SIMPLE = [
    st.builds(p.AlwaysSample),
    st.builds(p.Latency, st.integers(0, 4000), st.sampled_from([0, 0, 3000, 5000])),
    st.builds(p.Probabilistic, st.sampled_from([0.5, 25.0, 50.0, 100.0]), st.sampled_from(["", "salt"])),
    st.builds(p.StatusCode, st.sampled_from([("ERROR",), ("OK", "ERROR"), ("UNSET",)])),
    st.builds(p.SpanCount, st.integers(0, 4), st.integers(0, 6)),
    st.builds(p.TraceFlags),
    st.builds(p.TraceState, st.just("k"), st.sampled_from([("v",), ("v", "w")])),
    st.builds(
        p.StringAttribute, KEYS, st.sampled_from([("x",), ("x", "pay"), ("^x", "a")]), st.booleans(),
        st.just(0), st.booleans(),
    ), st.builds(p.NumericAttribute, KEYS, st.integers(-3, 0), st.one_of(st.none(), st.integers(0, 3)),
    st.booleans()), st.builds(p.BooleanAttribute, KEYS, st.booleans(), st.booleans()),
]  # fmt: skip
LIMITED = [
    st.builds(p.RateLimiting, st.integers(1, 8), st.sampled_from([0, 3, 30])),
    st.builds(p.BytesLimiting, st.integers(50, 500), st.sampled_from([0, 300, 3000])),
]


def named(policies):
    """Give every policy of a list a name of its own."""
    return tuple(_renamed(policy, f"{number}") for number, policy in enumerate(policies))


def _renamed(policy, name):
    fields = {field.name: getattr(policy, field.name) for field in dataclasses.fields(policy)}
    if "policies" in fields:
        fields["policies"] = tuple(_renamed(part, f"{name}.{at}") for at, part in enumerate(policy.policies))
    if "policy" in fields:
        fields["policy"] = _renamed(policy.policy, f"{name}.0")
    if isinstance(policy, p.Composite):
        names = [part.name for part in fields["policies"]]
        fields["rate_allocation"] = dict(zip(names, policy.rate_allocation.values(), strict=False))
    return type(policy)(**{**fields, "name": name})


parts = st.lists(st.one_of(*SIMPLE, *LIMITED), min_size=1, max_size=3)
composites = st.builds(
    lambda made, total, shares: p.Composite(
        named(made), total, dict(zip([part.name for part in named(made)], shares, strict=False))
    ),
    parts,
    st.integers(1, 20),
    st.lists(st.sampled_from([0, 25, 50, 100]), max_size=3),
)
policies = st.lists(
    st.one_of(
        *SIMPLE,
        *LIMITED,
        composites,
        parts.map(tuple).map(p.And),
        parts.map(tuple).map(p.Drop),
        st.one_of(*SIMPLE).map(p.Not),
    ),
    min_size=1,
    max_size=4,
).map(named)
samplers = st.builds(
    TailSampler,
    policies,
    decision_wait_s=st.sampled_from([0, 1, 2, 2.5, 30]),
    num_traces=st.sampled_from([1, 2, 3, 50]),
    decision_cache_sampled=st.sampled_from([0, 1, 50]),
    decision_cache_non_sampled=st.sampled_from([0, 1, 50]),
    sample_on_first_match=st.booleans(),
    decision_wait_after_root_received_s=st.sampled_from([0, 0.5, 1, 3]),
    maximum_trace_size_bytes=st.sampled_from([None, None, 200, 500]),
)


def ids(spans):
    return sorted(span["span_id"].hex() for span in spans)


@settings(max_examples=40)
@given(forests(max_traces=6), samplers)
def test_every_span_and_every_decision_is_the_transcripts(spans, sampler):
    rows = in_row_order(spans)
    traces = read(message(spans))
    for span in rows:
        span["start"] = START + span["start_ms"] * 1_000_000
        span["end"] = span["arrival"] = span["start"] + span["ms"] * 1_000_000
    arrival = sorted(range(len(rows)), key=lambda row: rows[row]["arrival"])
    sizes = arrival_bytes(traces, traces.structure.trace, np.array(arrival))
    for span, size in zip(rows, sizes.tolist(), strict=True):
        span["size"] = size
    want, got = Twin(sampler).run(rows), sampler.sample(traces)
    assert sorted(name.removeprefix("span ") for name in got.traces["name"].to_pylist()) == ids(want.kept)
    assert len(got.late_spans) == len(want.late)
    assert sum(got.late_spans["kept"].to_pylist()) == sum(span in want.kept for span in want.late)
    assert sum(got.dropped_too_early["spans"].to_pylist()) == len(want.evicted)
    is_large = pc.equal(got.decisions["decision"], "too_large")
    rows_of = got.decisions.filter(pc.invert(is_large)).to_pylist()
    found = [(row["trace_id"], row["decision"] == "sampled", row["time_s"], row["spans"]) for row in rows_of]
    assert sorted(found) == sorted(want.decisions)
    assert sum(got.decisions.filter(is_large)["spans"].to_pylist()) == len(want.too_large)
