"""Recorded calls, and longer recordings made of their blocks."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from workbench.reliability.tuning.errors import TuningError
from workbench.reliability.tuning.recorded import KnownFault, RecordedCalls

SIZE = 1000
RNG = np.random.default_rng(5)
AT_S = np.sort(RNG.uniform(0, 100, SIZE))
FAULTS = (KnownFault(20.0, 30.0, "slow"), KnownFault(60.0, 68.0, "failing"))
CALLS = RecordedCalls(AT_S, np.arange(SIZE) / 1000, (AT_S >= 60) & (AT_S < 68), FAULTS, 100.0)


def origin(calls):
    """Return which calls of CALLS others were taken from: each took a time of its own."""
    return np.rint(calls.took_s * 1000).astype(int)


@given(st.integers(0, 2**32), st.sampled_from([30.0, 500.0]), st.sampled_from([0.5, 2.0, 7.0]))
def test_a_resampled_recording_has_the_same_faults_made_of_the_same_calls(seed, healthy_s, block_s):
    found = CALLS.resampled(seed, healthy_s=healthy_s, block_s=block_s)
    assert found.healthy_s == pytest.approx(healthy_s)
    assert [fault.name for fault in found.faults] == ["slow", "failing"]
    source = AT_S[origin(found)]
    in_none = np.ones(len(source), bool)
    for mine, theirs in zip(found.faults, FAULTS, strict=True):
        assert mine.length_s == pytest.approx(theirs.length_s)
        inside = found.during(mine)
        assert ((source[inside] >= theirs.start_s) & (source[inside] < theirs.end_s)).all()
        in_none &= ~inside & ~((source >= theirs.start_s) & (source < theirs.end_s))
    assert in_none.sum() == len(source) - sum(found.during(fault).sum() for fault in found.faults)


def test_calls_stay_in_blocks_as_they_came():
    found = CALLS.resampled(3, healthy_s=300.0, block_s=5.0)
    follows = np.diff(origin(found)) == 1
    assert follows.mean() > 0.9
    gaps = np.diff(found.at_s)[follows]
    assert gaps == pytest.approx(np.diff(AT_S)[origin(found)[:-1][follows]], abs=1e-9)


def test_as_many_calls_come_as_in_the_recording():
    counts = [len(CALLS.resampled(seed, healthy_s=400.0).at_s) for seed in range(30)]
    assert np.mean(counts) == pytest.approx(4180, rel=0.03)


def test_the_blocks_of_one_sample_are_drawn_from_as_many_as_the_recording_has():
    """So the same blocks return: a long sample knows no more than the recording."""
    found = CALLS.resampled(1, healthy_s=5000.0, block_s=2.0)
    used = len(np.unique(origin(found)[~sum(map(found.during, found.faults)).astype(bool)]))
    healthy = int((~(CALLS.during(FAULTS[0]) | CALLS.during(FAULTS[1]))).sum())
    assert 0.45 * healthy < used < 0.8 * healthy  # 1 - 1/e, and what overlaps


def test_a_seed_gives_one_sample():
    one, same, other = (CALLS.resampled(seed, healthy_s=60.0) for seed in (1, 1, 2))
    assert one.at_s.tolist() == same.at_s.tolist()
    assert one.at_s.tolist() != other.at_s.tolist()


def test_without_faults_all_of_it_is_healthy():
    found = RecordedCalls([1.0, 2.0], [0.1, 0.1], [0, 1]).resampled(1, healthy_s=20.0, block_s=0.5)
    assert (found.faults, found.healthy_s) == ((), pytest.approx(20.0))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"at_s": [2.0, 1.0]}, "ascend"),
        ({"at_s": [-1.0, 1.0]}, "from 0"),
        ({"at_s": [1.0, np.nan]}, "ascend"),
        ({"at_s": [1.0, 99.0]}, "duration_s = 50.0"),
        ({"at_s": [1.0]}, r"got \(1,\), \(2,\), \(2,\)"),
        ({"at_s": [], "took_s": [], "failed": []}, "one call at least"),
        ({"took_s": [0.1, -0.1]}, "not negative"),
        ({"took_s": [0.1, np.inf]}, "finite"),
        ({"faults": (KnownFault(0, 10), KnownFault(5, 20))}, "follow each other"),
        ({"faults": (KnownFault(40, 60),)}, "within 50 s"),
    ],
    ids=[
        "descends",
        "negative",
        "nan",
        "late",
        "lengths",
        "none",
        "negative-duration",
        "endless",
        "overlap",
        "outside",
    ],
)
def test_what_cannot_be_a_recording_is_refused(change, message):
    good = {"at_s": [1.0, 2.0], "took_s": [0.1, 0.1], "failed": [0, 1], "duration_s": 50.0}
    with pytest.raises(TuningError, match=message):
        RecordedCalls(**{**good, **change})


@pytest.mark.parametrize("span", [(2, 1), (1, 1), (-1, 1), (0, np.inf), (np.nan, 1)], ids=str)
def test_what_cannot_be_a_fault_is_refused(span):
    with pytest.raises(TuningError, match="start_s < end_s"):
        KnownFault(*span)


@pytest.mark.parametrize(
    ("lengths", "message"),
    [
        ({"healthy_s": 10.0, "block_s": 9.0}, "no block of 9 s fits"),
        ({"healthy_s": 0.0}, "positive"),
        ({"healthy_s": 10.0, "block_s": np.nan}, "positive"),
    ],
    ids=["long", "none", "nan"],
)
def test_blocks_must_fit(lengths, message):
    with pytest.raises(TuningError, match=message):
        CALLS.resampled(1, **lengths)


def test_it_shows_what_came_during_each_fault():
    assert repr(CALLS) == f"RecordedCalls: 1,000 calls in 100 s, {CALLS.failed.sum()} failed, 2 known faults"
    shown = CALLS._repr_html_()
    assert "no fault" in shown
    assert "100.0%" in shown
    by_fault = CALLS.to_pandas().groupby("fault").failed.mean()
    assert by_fault.to_dict() == {"": 0.0, "slow": 0.0, "failing": 1.0}


def test_a_fault_without_calls_is_shown_all_the_same():
    assert "quiet" in RecordedCalls([0.0, 9.0], [0, 0], [0, 0], (KnownFault(2, 3, "quiet"),))._repr_html_()
