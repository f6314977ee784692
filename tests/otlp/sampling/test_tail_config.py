"""Tail samplers are read from the Collector's configuration, and what is wrong is said with its path."""

import pickle

import numpy as np
import pytest

from workbench.otlp import OttlEngineError, PolicyError, TailSampler
from workbench.otlp import policies as p

README = """
processors:
  batch:
  tail_sampling:
    decision_wait: 10s
    num_traces: 100
    expected_new_traces_per_sec: 10
    decision_cache: {sampled_cache_size: 100_000, non_sampled_cache_size: 200_000}
    policies:
      - {name: one, type: always_sample}
      - {name: two, type: latency, latency: {threshold_ms: 5000, upper_threshold_ms: 10000}}
      - {name: three, type: numeric_attribute, numeric_attribute: {key: key1, min_value: 50, max_value: 100}}
      - {name: four, type: probabilistic, probabilistic: {sampling_percentage: 10}}
      - {name: five, type: status_code, status_code: {status_codes: [ERROR, UNSET]}}
      - {name: six, type: string_attribute, string_attribute: {key: key2, values: [value1, value2]}}
      - name: seven
        type: string_attribute
        string_attribute: {key: key2, values: [v1, val*], enabled_regex_matching: true, cache_max_size: 10}
      - {name: eight, type: rate_limiting, rate_limiting: {spans_per_second: 35}}
      - name: nine
        type: bytes_limiting
        bytes_limiting: {bytes_per_second: 1024000, burst_capacity: 2048000}
      - {name: ten, type: span_count, span_count: {min_spans: 2, max_spans: 20}}
      - {name: eleven, type: trace_state, trace_state: {key: key3, values: [value1, value2]}}
      - {name: twelve, type: boolean_attribute, boolean_attribute: {key: key4, value: true}}
      - name: thirteen
        type: ottl_condition
        ottl_condition:
          error_mode: ignore
          span: ['attributes["a"] == "b"']
          spanevent: ['name != "c"']
      - {name: flags, type: trace_flags}
      - name: and-1
        type: and
        and:
          and_sub_policy:
            - {name: a, type: numeric_attribute, numeric_attribute: {key: key1, min_value: 50}}
            - {name: b, type: string_attribute, string_attribute: {key: key2, values: [value1]}}
      - name: drop-1
        type: drop
        drop:
          drop_sub_policy:
            - {name: d, type: string_attribute, string_attribute: {key: url.path, values: [/health]}}
      - name: not-1
        type: not
        not: {not_sub_policy: {name: n, type: latency, latency: {threshold_ms: 1}}}
      - name: composite-1
        type: composite
        composite:
          max_total_spans_per_second: 1000
          policy_order: [c1, c2, c3]
          composite_sub_policy:
            - {name: c1, type: numeric_attribute, numeric_attribute: {key: key1, min_value: 50}}
            - {name: c2, type: string_attribute, string_attribute: {key: key2, values: [value1]}}
            - {name: c3, type: always_sample}
          rate_allocation: [{policy: c1, percent: 50}, {policy: c2, percent: 25}]
"""
PREDICATES = {"thirteen": lambda traces: np.zeros(len(traces), bool)}


def test_the_readmes_policies_are_understood():
    """Every policy of the processor's README, names as there."""
    sampler = TailSampler.from_config(README, predicates=PREDICATES)
    assert (sampler.decision_wait_s, sampler.num_traces) == (10, 100)
    assert (sampler.decision_cache_sampled, sampler.decision_cache_non_sampled) == (100_000, 200_000)
    by_name = {policy.name: policy for policy in sampler.policies}
    assert [policy.type for policy in sampler.policies[:4]] == [
        "always_sample", "latency", "numeric_attribute", "probabilistic",
    ]  # fmt: skip
    assert by_name["two"] == p.Latency(5000, 10000, name="two")
    assert by_name["three"] == p.NumericAttribute("key1", 50, 100, name="three")
    assert by_name["eight"].bucket == (35, 70)
    assert by_name["nine"].bucket == (1024000, 2048000)
    assert by_name["and-1"] == p.And(
        (p.NumericAttribute("key1", 50, name="a"), p.StringAttribute("key2", ("value1",), name="b")),
        name="and-1",
    )
    assert by_name["composite-1"].allocated == (500, 250, 0)
    assert by_name["not-1"].policy.threshold_ms == 1
    assert by_name["thirteen"].span == ('attributes["a"] == "b"',)
    assert set(p.POLICIES) == {policy.type for policy in sampler.policies}


def test_files_mappings_and_parts_are_the_same(tmp_path):
    path = tmp_path / "collector.yaml"
    path.write_text(README)
    whole = TailSampler.from_config(README, predicates=PREDICATES)
    assert TailSampler.from_config(path, predicates=PREDICATES) == whole
    assert TailSampler.from_config(str(path), predicates=PREDICATES) == whole
    small = {"policies": [{"name": "all", "type": "always_sample"}], "decision_wait": "1m30s"}
    assert TailSampler.from_config(small) == TailSampler((p.AlwaysSample(name="all"),), 90)
    assert TailSampler.from_config({"tail_sampling/two": small}).decision_wait_s == 90
    settings = {
        "sample_on_first_match": True,
        "drop_pending_traces_on_shutdown": True,
        "decision_wait_after_root_received": "500ms",
        "maximum_trace_size_bytes": 0,
        "block_on_overflow": False,
        "sampling_strategy": "trace-complete",
    }
    sampler = TailSampler.from_config({**small, **settings})
    assert sampler.sample_on_first_match
    assert sampler.drop_pending_traces_on_shutdown
    assert sampler.maximum_trace_size_bytes is None
    assert sampler.decision_wait_after_root_received_s == 0.5


def policy(kind, **settings):
    return {"policies": [{"name": "it", "type": kind, kind: settings}]}


WRONG = [
    ({}, "", "has no policies"),
    ({"policies": []}, "", "at least one policy"),
    ({"policies": {}}, "policies", "expected a list"),
    ({"policies": [3]}, "policies[0]", "expected a mapping"),
    ({"policies": [{"type": "always_sample"}]}, "policies[0].name", "needs a name"),
    ({"policies": [{"name": "a", "type": "loud"}]}, "policies[0].type", "no policy of type 'loud'"),
    ({"policies": [{"name": "a", "type": "latency", "latncy": {}}]}, "policies[0].latncy", "not known here"),
    (policy("latency", threshold="5s"), "policies[0].latency.threshold", "known are threshold_ms"),
    (policy("latency", threshold_ms="5s"), "policies[0].latency.threshold_ms", "an integer, got '5s'"),
    (policy("latency", threshold_ms=True), "policies[0].latency.threshold_ms", "an integer"),
    (policy("latency", threshold_ms=-1), "policies[0].latency", "0 or more milliseconds"),
    (policy("status_code"), "policies[0].status_code", "at least one of ERROR"),
    (policy("status_code", status_codes=["BAD"]), "policies[0].status_code", "ERROR, OK or UNSET, got 'BAD'"),
    (policy("status_code", status_codes=[1]), "policies[0].status_code.status_codes[0]", "expected text"),
    (policy("numeric_attribute", min_value=1), "policies[0].numeric_attribute", "key is needed"),
    (policy("numeric_attribute", key="k"), "policies[0].numeric_attribute", "min_value, max_value or both"),
    (policy("numeric_attribute", key="k", min_value=2, max_value=1),
     "policies[0].numeric_attribute", "at most"),
    (policy("string_attribute", key="k", values=["("], enabled_regex_matching=True),
     "policies[0].string_attribute", "no regular expression"),
    (policy("rate_limiting"), "policies[0].rate_limiting", "spans_per_second is needed"),
    (policy("rate_limiting", spans_per_second=0), "policies[0].rate_limiting", "is positive"),
    (policy("boolean_attribute", key="k", value="yes"),
     "policies[0].boolean_attribute.value", "true or false"),
    (policy("and", and_sub_policy=[{"name": "x", "type": "latency", "latency": {"threshold_ms": "1"}}]),
     "policies[0].and.and_sub_policy[0].latency.threshold_ms", "an integer"),
    (policy("and"), "policies[0].and", "and_sub_policy is needed"),
    (policy("and", and_sub_policy=[]), "policies[0].and", "at least one policy"),
    (policy("composite", composite_sub_policy=[{"name": "x", "type": "always_sample"}]),
     "policies[0].composite", "max_total_spans_per_second is positive"),
    (policy("composite", composite_sub_policy=[{"name": "x", "type": "always_sample"}], policy_order=["y"],
            max_total_spans_per_second=1), "policies[0].composite.policy_order[0]", "no policy 'y'"),
    (policy("composite", composite_sub_policy=[{"name": "x", "type": "always_sample"}],
            max_total_spans_per_second=1, rate_allocation=[{"policy": "z", "percent": 5}]),
     "policies[0].composite", "names 'z'"),
    ({**policy("always_sample"), "decision_wait": 10}, "decision_wait", "with a unit"),
    ({**policy("always_sample"), "decision_wayt": "10s"}, "decision_wayt", "not known here"),
    ({**policy("always_sample"), "block_on_overflow": True}, "block_on_overflow", "only False can be"),
    ({**policy("always_sample"), "sampling_strategy": "span-ingest"}, "sampling_strategy", "trace-complete"),
    ({**policy("always_sample"), "decision_cache": {"size": 1}}, "decision_cache.size", "sampled_cache_size"),
    ({"policies": policy("always_sample")["policies"] * 2}, "", "two policies are called 'it'"),
    ({"tail_sampling": {}, "tail_sampling/b": {}}, "", "several tail samplers"),
    ("policies: [", "", "no YAML"),
]  # fmt: skip


@pytest.mark.parametrize(("config", "path", "message"), WRONG)
def test_what_is_wrong_is_named_with_its_path(config, path, message):
    with pytest.raises(PolicyError) as raised:
        TailSampler.from_config(config)
    assert raised.value.path == path
    assert message in str(raised.value)
    assert str(raised.value).startswith(path)


def test_ottl_conditions_need_an_engine_or_a_predicate():
    config = policy("ottl_condition", span=["duration > 3"])
    with pytest.raises(OttlEngineError, match="'duration > 3' needs the OTTL engine") as raised:
        TailSampler.from_config(config)
    assert raised.value.path == "policies[0].ottl_condition"
    copy = pickle.loads(pickle.dumps(raised.value))
    assert (type(copy), copy.path, str(copy)) == (OttlEngineError, raised.value.path, str(raised.value))
    with pytest.raises(OttlEngineError, match="needs the OTTL engine"):
        p.OttlCondition(("duration > 3",))


def test_a_drop_stands_by_itself():
    with pytest.raises(PolicyError, match="can only stand by itself"):
        TailSampler((p.And((p.Drop((p.AlwaysSample(),)),)),))


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("decision_wait_s", -1),
        ("num_traces", 0),
        ("decision_cache_sampled", -1),
        ("maximum_trace_size_bytes", 0),
        ("decision_wait_s", float("nan")),
        ("num_traces", 2.5),
        ("num_traces", float("inf")),
    ],
)
def test_parameters_outside_their_range_are_refused(name, value):
    with pytest.raises(ValueError, match=f"{name} is a .*number, [01] or more, got {value}"):
        TailSampler((p.AlwaysSample(),), **{name: value})


def test_policies_say_only_what_is_not_usual():
    assert repr(p.Latency(500)) == "Latency(threshold_ms=500)"
    assert repr(p.AlwaysSample()) == "AlwaysSample()"
    assert repr(p.NumericAttribute("k", 1, name="n")) == "NumericAttribute(name='n', key='k', min_value=1)"
