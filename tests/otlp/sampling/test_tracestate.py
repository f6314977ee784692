"""Thresholds and tracestates are read, written and raised as the specification and the Collector do it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workbench import otlp
from workbench.otlp import OtelTraceState, SamplerError, TraceStateError

M = 1 << 56
PUBLISHED = {  # 1-in-N: thresholds of precision 3, 4, 5
    1: ("0", "0", "0"),
    2: ("8", "8", "8"),
    3: ("aab", "aaab", "aaaab"),
    4: ("c", "c", "c"),
    5: ("ccd", "cccd", "ccccd"),
    8: ("e", "e", "e"),
    10: ("e66", "e666", "e6666"),
    16: ("f", "f", "f"),
    100: ("fd71", "fd70a", "fd70a4"),
    1000: ("ffbe7", "ffbe77", "ffbe76d"),
    10000: ("fff972", "fff9724", "fff97247"),
    100000: ("ffff584", "ffff583a", "ffff583a5"),
    1000000: ("ffffef4", "ffffef39", "ffffef391"),
}
thresholds = st.integers(0, M - 1)


@pytest.mark.parametrize("n", PUBLISHED)
@pytest.mark.parametrize("precision", [3, 4, 5])
def test_thresholds_are_those_of_the_specifications_table(n, precision):
    """Specification, "TraceState: Probability Sampling", table of 1-in-N sampling."""
    threshold = otlp.probability_to_threshold(1 / n, precision)
    assert otlp.encode_threshold(threshold) == PUBLISHED[n][precision - 3]


@pytest.mark.parametrize(("th", "count"), [("c", 4), ("8", 2), ("0", 1), ("fd70a", 99.99771123402633)])
def test_adjusted_counts_are_those_of_the_specifications_table(th, count):
    assert OtelTraceState.parse(f"ot=th:{th}").adjusted_count == pytest.approx(count, rel=1e-14)


@given(thresholds)
def test_encoding_and_decoding_are_inverse_and_leave_no_trailing_zero(threshold):
    text = otlp.encode_threshold(threshold)
    assert otlp.decode_threshold(text) == threshold
    assert text == "0" or not text.endswith("0")
    assert 1 <= len(text) <= 14


@given(st.floats(2**-56, 1), st.integers(1, 14))
def test_a_precision_rounds_to_its_digits(probability, precision):
    exact = otlp.probability_to_threshold(probability, None)
    rounded = otlp.probability_to_threshold(probability, precision)
    assert exact == M - round(probability * M)
    assert 0 <= rounded < M
    assert abs(rounded - exact) <= 16 ** (14 - precision)
    assert abs(otlp.threshold_to_probability(exact) - probability) <= 2**-56


@pytest.mark.parametrize("probability", [0, -0.1, 1.1, float("nan"), 2**-57])
def test_probabilities_that_no_threshold_has_are_refused(probability):
    with pytest.raises(SamplerError, match="between 2\\^-56 and 1"):
        otlp.probability_to_threshold(probability)


def test_precisions_and_thresholds_outside_their_range_are_refused():
    with pytest.raises(SamplerError, match="precision is 1 to 14"):
        otlp.probability_to_threshold(0.5, 0)
    with pytest.raises(SamplerError, match=r"in \[0, 2\^56\)"):
        otlp.encode_threshold(M)
    with pytest.raises(TraceStateError, match="randomness lies"):
        OtelTraceState(randomness=M)


VALID = {  # Collector Contrib, pkg/sampling/oteltracestate_test.go
    "th:2": (2 << 52, None, ()),
    "th:ab": (0xAB << 48, None, ()),
    "th:abcdefabcdefab": (0xABCDEFABCDEFAB, None, ()),
    "th:1000": (1 << 52, None, ()),
    "e100:1": (None, None, (("e100", "1"),)),
    "extra:stuff;th:2": (2 << 52, None, (("extra", "stuff"),)),
    "e100:100;th:1;e101:101": (1 << 52, None, (("e100", "100"), ("e101", "101"))),
    "rv:22222222222222;extra:stuff": (None, 0x22222222222222, (("extra", "stuff"),)),
    "rv:ffffffffffffff": (None, M - 1, ()),
    "x:": (None, None, (("x", ""),)),
    "x:0X1FFF;y:.-_-.;z:": (None, None, (("x", "0X1FFF"), ("y", ".-_-."), ("z", ""))),
    "x:" + "_" * 254: (None, None, (("x", "_" * 254),)),
}
INVALID = [
    "th:1;", "th:$", "th:0x1p+3", "th:-1", "th:ffffffffffffffff", "th:100000000000000", ":1;p:2", ":", "th:",
    "1:1;u:V", "X:1;u:V", "rv:100000000000000", "rv:3;p:2", "x:1;", "th:1;th:2", "x:" + "_" * 255,
]  # fmt: skip


@pytest.mark.parametrize("text", VALID)
def test_members_that_the_collector_reads_are_read(text):
    state = OtelTraceState.parse(f"ot={text}")
    assert (state.threshold, state.randomness, state.rest) == VALID[text]
    assert OtelTraceState.parse(str(state)) == state


@pytest.mark.parametrize("text", INVALID)
def test_members_that_the_collector_refuses_are_refused(text):
    with pytest.raises(TraceStateError):
        OtelTraceState.parse(f"ot={text}")


MANY = ",".join(f"k{n}=v" for n in range(33))


@pytest.mark.parametrize("text", ["k", "=v", "K=v", "k=v,k=w", "k=a=b", MANY])
def test_lists_that_w3c_forbids_are_refused(text):
    with pytest.raises(TraceStateError, match="tracestate"):
        OtelTraceState.parse(text)


def test_other_vendors_stay_and_ours_comes_first():
    state = OtelTraceState.parse("a=1 , t@v=2,ot=p:8;th:8")
    assert str(state.with_threshold(0)) == "ot=th:0;p:8,a=1,t@v=2"
    assert str(OtelTraceState.parse("")) == ""
    assert OtelTraceState.parse("").adjusted_count is None


def test_what_does_not_fit_into_256_characters_is_left_out_and_the_threshold_stays():
    state = OtelTraceState.parse("ot=x:" + "_" * 254).with_threshold(8 << 52)
    assert str(state) == "ot=th:8"


RAISED = [  # Collector Contrib, TestUpdateTValueWithSampling
    ("th:8", 0x2 / 16, "th:e"),
    ("th:8", 0xE / 16, "th:8"),
    ("th:f", 0x8 / 16, "th:f"),
    ("th:0", 0x1 / 16, "th:f"),
    ("", 1 / 16, "th:f"),
    ("", 1, "th:0"),
    ("th:8", 1, "th:8"),
    ("th:0", 2**-56, "th:ffffffffffffff"),
    ("th:555", 0x555 / 4096, "th:aab"),
]


@pytest.mark.parametrize(("before", "probability", "after"), RAISED)
def test_a_stage_raises_a_threshold_and_never_lowers_it(before, probability, after):
    state = OtelTraceState.parse(f"ot={before}" if before else "")
    assert str(state.raised_to(otlp.probability_to_threshold(probability, None))) == f"ot={after}"


@given(st.one_of(st.none(), thresholds), st.one_of(st.none(), thresholds), thresholds)
def test_states_survive_the_trip_through_text(threshold, randomness, other):
    state = OtelTraceState(threshold, randomness, (("p", "8"),), (("v", "1"),))
    assert OtelTraceState.parse(str(state)) == state
    assert state.is_consistent(other) == (threshold is None or other >= threshold)
