"""A tail sampler's clock, memory, decisions, and what it says about them."""

import matplotlib as mpl
import numpy as np
import pytest

from workbench import otlp
from workbench.otlp import SamplerError, TailSampler
from workbench.otlp import policies as p

mpl.use("agg")
ALL = (p.AlwaysSample(),)
ERRORS = (p.StatusCode(("ERROR",), name="errors"),)


def kept(found):
    return sorted(int.from_bytes(span_id, "big") for span_id in found.traces["span_id"].to_pylist())


def span(system, number, *, trace=1, at_ms=0, **more):
    """Add a span that arrives `at_ms` after the first, which arrives when it starts."""
    return system.span("shop", trace, number, at_ms=at_ms, ms=0, **more)


@pytest.mark.parametrize(
    ("wait_s", "first_ms", "decided_s"), [(2, 0, 3), (2, 999, 3), (2, 1000, 4), (0, 0, 2)]
)
def test_a_trace_is_decided_between_the_wait_and_a_second_more_after_its_first_span(
    system, tmp_path, wait_s, first_ms, decided_s
):
    span(system, 1, trace=9)
    span(system, 2, at_ms=first_ms)
    found = TailSampler(ALL, decision_wait_s=wait_s).sample(system.traces(tmp_path))
    times = dict(
        zip(found.decisions["trace_id"].to_pylist(), found.decisions["time_s"].to_pylist(), strict=True)
    )
    assert times[(1).to_bytes(16, "big")] == decided_s


@pytest.mark.parametrize(("root_ms", "decided_s"), [(1500, 3), (4500, 6), (9900, 11)])
def test_a_root_brings_the_decision_forward_and_never_puts_it_off(system, tmp_path, root_ms, decided_s):
    span(system, 2, parent=1)
    span(system, 1, at_ms=root_ms)
    sampler = TailSampler(ALL, decision_wait_s=10, decision_wait_after_root_received_s=1)
    found = sampler.sample(system.traces(tmp_path))
    assert found.decisions["time_s"].to_pylist() == [decided_s]


def test_a_decision_knows_only_the_spans_that_have_arrived(system, tmp_path):
    span(system, 1)
    span(system, 2, at_ms=2500, error=True)
    traces = system.traces(tmp_path)
    assert kept(TailSampler(ERRORS, decision_wait_s=1).sample(traces)) == []
    assert kept(TailSampler(ERRORS, decision_wait_s=2).sample(traces)) == [1, 2]


def test_late_spans_follow_the_decision_while_it_is_in_memory(system, tmp_path):
    span(system, 1, error=True)
    span(system, 2, at_ms=5000)
    span(system, 3, trace=2)
    span(system, 4, trace=2, at_ms=6000, error=True)
    found = TailSampler(ERRORS, decision_wait_s=1).sample(system.traces(tmp_path))
    assert kept(found) == [1, 2]
    assert found.late_spans["age_s"].to_pylist() == [3.0, 4.0]
    assert found.late_spans["kept"].to_pylist() == [True, False]
    assert found.split_traces == 0


def late_after_eviction(system, tmp_path):
    span(system, 1, error=True)
    span(system, 2, trace=2, at_ms=3000)
    span(system, 3, at_ms=3500)
    return system.traces(tmp_path)


def test_a_forgotten_trace_begins_anew_and_is_split(system, tmp_path):
    """Users' pain with late spans: the second part no longer knows of the error in the first."""
    traces = late_after_eviction(system, tmp_path)
    found = TailSampler(ERRORS, decision_wait_s=1, num_traces=1).sample(traces)
    assert kept(found) == [1]
    assert found.split_traces == 1


def test_a_cache_of_decisions_remembers_what_memory_forgot(system, tmp_path):
    traces = late_after_eviction(system, tmp_path)
    sampler = TailSampler(ERRORS, decision_wait_s=1, num_traces=1, decision_cache_sampled=10)
    found = sampler.sample(traces)
    assert kept(found) == [1, 3]
    assert (found.split_traces, len(found.late_spans)) == (0, 1)
    assert found.memory["traces"].to_pylist()[-1] == 1  # trace 1 left at its decision, trace 2 is in no cache


def test_a_full_memory_loses_the_oldest_trace(system, tmp_path):
    for number in range(1, 6):
        span(system, number, trace=number, at_ms=number)
    found = TailSampler(ALL, decision_wait_s=1, num_traces=3).sample(system.traces(tmp_path))
    assert kept(found) == [3, 4, 5]
    lost = found.dropped_too_early
    assert [int.from_bytes(one, "big") for one in lost["trace_id"].to_pylist()] == [1, 2]
    assert lost["spans"].to_pylist() == [1, 1]
    assert lost["evicted_s"].to_pylist() == pytest.approx([0.003, 0.004])
    assert "2 traces dropped too early" in repr(found)


def test_a_trace_that_grows_too_large_is_given_up_with_all_its_spans(system, tmp_path):
    for number in range(1, 20):
        span(system, number, trace=1, at_ms=number)
    span(system, 99, trace=2)
    traces = system.traces(tmp_path)
    found = TailSampler(ALL, decision_wait_s=1, maximum_trace_size_bytes=600).sample(traces)
    assert kept(found) == [99]
    assert sorted(found.decisions["decision"].to_pylist()) == ["sampled", "too_large"]
    assert not any(found.late_spans["kept"].to_pylist())
    assert found.peak_bytes < 700


def test_a_shut_down_sampler_loses_what_waits(system, tmp_path):
    span(system, 1)
    span(system, 2, trace=2, at_ms=4000)
    traces = system.traces(tmp_path)
    found = TailSampler(ALL, decision_wait_s=2, drop_pending_traces_on_shutdown=True).sample(traces)
    assert kept(found) == [1]
    assert found.pending["spans"].to_pylist() == [1]
    assert kept(TailSampler(ALL, decision_wait_s=2).sample(traces)) == [1, 2]


def test_a_drop_beats_every_other_policy(shop):
    """drop > sample > not."""
    slow = p.Latency(400, name="slow")
    dropped = TailSampler((*ALL, p.Drop((slow,), name="no"))).sample(shop)
    assert len(dropped.traces.structure.root) == 4
    found = dropped.decisions.to_pandas().groupby("decision").policy.agg(list).to_dict()
    assert found == {"dropped": ["no"], "sampled": ["always_sample"] * 4}
    assert dropped.by_policy.to_pydict() == {
        "policy": ["no", "always_sample"],
        "type": ["drop", "always_sample"],
        "wanted": [1, 4],
        "decided": [1, 4],
        "spans": [5, 20],
    }


def test_the_first_match_spares_the_limiters_behind_it(shop):
    limited = (p.StatusCode(("UNSET",), name="any"), p.RateLimiting(5, name="few"))
    asked = TailSampler(limited).sample(shop).by_policy["wanted"].to_pylist()
    spared = TailSampler(limited, sample_on_first_match=True).sample(shop).by_policy["wanted"].to_pylist()
    assert (asked, spared) == ([5, 5], [5, 0])


def test_arrival_is_the_end_or_the_start_or_given(system, tmp_path):
    system.span("shop", 1, 1, ms=5000, error=True)
    system.span("shop", 1, 2, at_ms=100, ms=10)
    traces = system.traces(tmp_path)
    sampler = TailSampler(ERRORS, decision_wait_s=1)
    assert kept(sampler.sample(traces)) == []
    assert kept(sampler.sample(traces, arrival="start")) == [1, 2]
    assert kept(sampler.sample(traces, arrival=np.array([0, 1]))) == [1, 2]
    days = np.array(["2020-01-01", "2021-01-01"], "datetime64[ns]")
    assert sampler.sample(traces, arrival=days).memory["time_s"].to_pylist()[-1] > 3e7
    assert kept(sampler.sample(traces, arrival=[-(2**62), 2**62 - 1])) == [1, 2]
    for wrong in ("middle", [1], [0.5, 1.5], [-(2**62), 2**62], [0, 2**63], [-(2**63), 2**63 - 1]):
        with pytest.raises(SamplerError, match="arrival is"):
            sampler.sample(traces, arrival=wrong)
    with pytest.raises(SamplerError, match="got none \\(NaT\\) at 1"):
        sampler.sample(traces, arrival=np.array(["2020-01-01", "NaT"], "datetime64[ns]"))


def test_memory_counts_the_bytes_of_undecided_spans(system, tmp_path):
    for number in range(1, 4):
        span(system, number, trace=number, at_ms=1000 * number, text="x" * 100)
    traces = system.traces(tmp_path)
    found = TailSampler(ALL, decision_wait_s=1).sample(traces)
    curve = found.memory.to_pydict()
    assert curve["traces"] == [1, 2, 3, 3]
    assert curve["bytes"][0] > 100
    assert curve["bytes"][-1] == 0
    assert found.peak_bytes == max(curve["bytes"])


def test_an_empty_recording_gives_an_empty_result(shop):
    nothing = shop.filter(np.zeros(len(shop), bool))
    found = TailSampler(ALL).sample(nothing)
    assert repr(found) == "TailSampled: 0 of 0 spans, 0 of 0 traces, 0 traces in memory at most"
    assert (len(found.decisions), found.peak_bytes, found.split_traces) == (0, 0, 0)


def test_a_result_draws_itself(shop):
    found = TailSampler((p.Latency(400, name="slow"), p.Probabilistic(100, name="some"))).sample(shop)
    assert "traces wanted" in found._repr_html_()
    bars = found.plot()
    assert [label.get_text() for label in bars.get_yticklabels()] == ["some", "slow"]
    curve = found.plot_memory()
    assert curve.get_xlabel() == "time since the first arrival, s"
    assert curve.get_title(loc="left").startswith("At most 5 traces")
    mpl.pyplot.close("all")


def test_the_same_run_gives_the_same_result(shop):
    sampler = TailSampler((p.Probabilistic(50, "salt"),))
    assert sampler(shop) == sampler(shop)


def fnv1a(data):
    code = 0xCBF29CE484222325
    for byte in data:
        code = ((code ^ byte) * 0x100000001B3) % 2**64
    return code


@pytest.mark.parametrize("salt", ["", "test-salt"])
@pytest.mark.parametrize("percent", [0, 25, 33, 100, 150, -50])
def test_probabilistic_decisions_are_the_fnv_1a_hash_of_salt_and_trace_id(system, tmp_path, salt, percent):
    """The percentages of TestProbabilisticSampling in probabilistic_test.go."""
    for n in range(1, 400):
        span(system, n, trace=n * 2654435761)
    found = TailSampler((p.Probabilistic(percent, salt),)).sample(system.traces(tmp_path))
    threshold = (2**64 - 1) * min(max(percent, 0), 100) / 100
    seed = (salt or "default-hash-seed").encode()
    wanted = [n for n in range(1, 400) if fnv1a(seed + (n * 2654435761).to_bytes(16, "big")) <= threshold]
    assert kept(found) == wanted
    assert len(wanted) / 399 == pytest.approx(min(max(percent, 0), 100) / 100, abs=0.07)


def test_hashes_are_published_fnv_1a_values():
    """Test vectors of Fowler, Noll and Vo: 64-bit FNV-1a of "", "a" and "foobar"."""
    assert [fnv1a(text) for text in (b"", b"a", b"foobar")] == [
        0xCBF29CE484222325, 0xAF63DC4C8601EC8C, 0x85944171F73967E8,
    ]  # fmt: skip


CERTAIN = p.StatusCode(("ERROR",), name="errors")
HALF, TENTH = p.Probabilistic(50, name="half"), p.Probabilistic(10, name="tenth")
OTHER = p.Probabilistic(50, "pepper", name="other")
PROBABILITIES = [
    ((HALF,), 0.5),
    ((HALF, TENTH), 0.5),
    ((HALF, OTHER), 0.75),
    ((p.And((HALF, OTHER)),), 0.25),
    ((p.And((HALF, TENTH)),), 0.1),
    ((p.Not(TENTH),), 0.9),
    ((p.AlwaysSample(), p.Drop((HALF,))), 0.5),
    ((HALF, p.Drop((TENTH,))), 0.4),
    ((CERTAIN, HALF), 0.5),
    ((p.RateLimiting(10**9), HALF), None),
    ((p.And((HALF, p.RateLimiting(10**9))),), None),
    ((p.AlwaysSample(), p.RateLimiting(1)), 1.0),
    ((p.And((p.RateLimiting(10**9), p.Not(p.RateLimiting(1, 1)))),), None),
    ((p.AlwaysSample(), p.Drop((p.RateLimiting(1, 1),))), None),
]


@pytest.mark.parametrize(("chosen", "probability"), PROBABILITIES, ids=range(len(PROBABILITIES)))
def test_adjusted_counts_are_the_inverse_of_the_probability_to_be_kept(system, tmp_path, chosen, probability):
    """And over many trace ids about that share is kept."""
    for n in range(1, 1000):
        span(system, n, trace=n * 2654435761)
    span(system, 1000, trace=77, error=True)
    found = TailSampler(chosen).sample(system.traces(tmp_path))
    ordinary = np.array(found.traces["status.code"].to_pylist()) == 0
    counts = found.adjusted_count[ordinary]
    if probability is None:
        assert np.isnan(counts).all()
        assert "unknown adjusted count" in repr(found)
        return
    assert counts == pytest.approx(1 / probability)
    assert ordinary.sum() / 999 == pytest.approx(probability, abs=0.06)
    if CERTAIN in chosen:
        assert found.adjusted_count[~ordinary].tolist() == [1.0]


def test_too_many_salts_are_refused_by_name(shop):
    many = tuple(p.Probabilistic(50, str(n), name=str(n)) for n in range(13))
    with pytest.raises(SamplerError, match="13 salts make 8192 different outcomes"):
        TailSampler(many).sample(shop)


def test_head_and_tail_multiply(system, tmp_path):
    for n in range(1, 2000):
        span(system, n, trace=(n << 45) | n)
    head = otlp.ConsistentProbability(0.5).sample(system.traces(tmp_path))
    both = TailSampler((HALF,)).sample(head.traces)
    assert set(both.adjusted_count) == {4.0}


def test_a_predicate_stands_for_an_ottl_condition(shop):
    amounts = p.OttlCondition(("attributes['amount'] > 2",), predicate=lambda t: t["amount"].to_numpy() > 2)
    assert len(TailSampler((amounts,))(shop)) == 5
    wrong = p.OttlCondition(predicate=lambda t: [True], name="it")
    with pytest.raises(otlp.PolicyError, match="predicate of 'it' returned no mask"):
        TailSampler((wrong,)).sample(shop)


def test_what_policies_keep_for_certain_is_known_to_be_complete(shop, system, tmp_path):
    """Unless a drop overrules them, a span came too late or was lost, or chance decided before."""
    policies = (p.Latency(400), p.Latency(300, 900, name="both"), p.StatusCode(("ERROR",)), HALF)

    def known(traces, more=(), **settings):
        found = TailSampler((*policies, *more), **settings).sample(traces)
        return found.complete_beyond_ms, found.complete_errors

    assert known(shop) == (400.0, True)
    assert known(shop, [p.Drop((p.SpanCount(1000),))]) == (np.inf, False)
    assert known(shop, num_traces=1) == (np.inf, False)
    span(system, 1).trace_state = "ot=th:8"
    assert known(system.traces(tmp_path)) == (np.inf, False)
    alone = TailSampler((p.StatusCode(("OK",)),)).sample(shop)
    assert (alone.complete_beyond_ms, alone.complete_errors) == (np.inf, False)
