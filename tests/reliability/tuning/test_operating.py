"""Many settings over many recordings: each is judged as alone, and the curve is what no other beats."""

import re
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from workbench.reliability import CircuitBreaker
from workbench.reliability.tuning.course import breaker_course
from workbench.reliability.tuning.errors import TuningError
from workbench.reliability.tuning.operating import operating_curve
from workbench.reliability.tuning.recorded import KnownFault, RecordedCalls

RNG = np.random.default_rng(8)
AT_S = np.sort(RNG.uniform(0, 100, 1500))
IN_FAULT = (AT_S >= 40) & (AT_S < 50)
CALLS = RecordedCalls(
    AT_S,
    RNG.exponential(0.1, 1500),
    RNG.random(1500) < np.where(IN_FAULT, 0.6, 0.1),
    (KnownFault(40.0, 50.0, "failing"),),
    100.0,
)
SAMPLES = [CALLS.resampled(seed, healthy_s=200.0) for seed in range(8)]
SETTINGS = {
    **{
        f"{rate} of {window}": CircuitBreaker(
            window=window, minimum_calls=window, failure_rate=rate, open_s=2.0
        )
        for window in (5, 10, 20, 50)
        for rate in (0.2, 0.4, 0.5, 0.6)
    },
    "in a row": CircuitBreaker.consecutive(3, open_s=2.0),
    "in time": CircuitBreaker(window_s=2.0, minimum_calls=10, slow_rate=0.3, slow_s=0.2, open_s=2.0),
    "never": CircuitBreaker(failure_rate=1.0),
}
CURVE = operating_curve(SETTINGS, SAMPLES)


def test_each_setting_is_judged_as_alone():
    for name, setting in SETTINGS.items():
        row = CURVE.number(name)
        for column, calls in enumerate(SAMPLES):
            course = breaker_course(setting, calls)
            assert CURVE.delays_s[row, column].tolist() == course.detection_s.tolist()
            assert CURVE.false_openings[row, column] == course.false_openings
            assert (CURVE.exposed_s[row, column], CURVE.lost_s[row, column]) == (
                course.exposed_s,
                course.lost_s,
            )
    assert CURVE.decisions == len(SETTINGS) * sum(len(each.at_s) for each in SAMPLES)


def test_the_curve_has_what_no_other_beats():
    false, delay = CURVE.false_per_hour.mean(axis=1), CURVE.detection_s.mean(axis=1)
    kept = {
        name
        for row, name in enumerate(CURVE.names)
        if not (
            (false <= false[row]) & (delay <= delay[row]) & ((false < false[row]) | (delay < delay[row]))
        ).any()
    }
    assert set(CURVE.frontier) <= kept
    points = {(false[CURVE.number(name)], delay[CURVE.number(name)]) for name in kept}
    assert len(CURVE.frontier) == len(points) > 2
    assert sorted(CURVE.frontier, key=lambda name: false[CURVE.number(name)]) == [*CURVE.frontier]


def test_a_missed_fault_counts_its_length():
    row = CURVE.number("never")
    assert CURVE.missed[row].tolist() == [1.0]
    assert CURVE.detection_s[row] == pytest.approx([10.0] * len(SAMPLES))
    assert CURVE.exposed_s[row] == pytest.approx([10.0] * len(SAMPLES))


def test_the_cheapest_depends_on_what_exposure_costs():
    assert CURVE.cheapest(0.0) == "never"
    for weight in (0.5, 5.0, 50.0):
        by_hand = (weight * CURVE.exposed_s + CURVE.lost_s) / 210.0 * 3600
        assert CURVE.cost(weight) == pytest.approx(by_hand)
        assert CURVE.cheapest(weight) == CURVE.names[by_hand.mean(axis=1).argmin()]
    cheap, dear = CURVE.number(CURVE.cheapest(0.5)), CURVE.number(CURVE.cheapest(500.0))
    assert CURVE.exposed_s[dear].mean() < CURVE.exposed_s[cheap].mean()


def test_intervals_are_percentiles_over_the_recordings():
    values = CURVE.cost(3.0)
    found = CURVE.interval("in a row", values, 0.5)
    mine = values[CURVE.number("in a row")]
    assert (found.mean, found.lower, found.upper) == (mine.mean(), *np.quantile(mine, [0.25, 0.75]))
    paired = CURVE.difference("in a row", "in time", values, 0.5)
    other = mine - values[CURVE.number("in time")]
    assert (paired.mean, paired.lower, paired.upper) == (other.mean(), *np.quantile(other, [0.25, 0.75]))


def test_settings_are_called_by_their_own_names_or_by_what_they_are():
    settings = [
        CircuitBreaker(window=20, minimum_calls=5, slow_rate=0.3, slow_s=0.1),
        CircuitBreaker.time_window(5.0, failure_rate=0.2),
        CircuitBreaker.consecutive(4),
        CircuitBreaker(name="the default"),
    ]
    assert operating_curve(settings, SAMPLES[:1]).names == (
        "window 20, failure_rate 0.5, minimum_calls 5, slow_rate 0.3, slow_s 0.1, open_s 60",
        "window_s 5, failure_rate 0.2, minimum_calls 100, open_s 60",
        "consecutive 4, open_s 60",
        "the default",
    )


def test_an_executor_gives_the_same():
    with ThreadPoolExecutor(2) as pool:
        found = operating_curve(SETTINGS, SAMPLES, executor=pool)
    for name in ("delays_s", "false_openings", "exposed_s", "lost_s"):
        assert (getattr(found, name) == getattr(CURVE, name)).all()


@pytest.mark.parametrize(
    ("settings", "recordings", "message"),
    [
        ({}, SAMPLES, "one setting at least"),
        ([CircuitBreaker(), CircuitBreaker()], SAMPLES, "names where two are alike"),
        ([5], SAMPLES, "expected a CircuitBreaker, got 5"),
        ({"five": 5}, SAMPLES, "expected a CircuitBreaker, got 5"),
        (SETTINGS, [], "same faults"),
        (SETTINGS, [RecordedCalls([1.0], [1.0], [True])], "one at least"),
        (SETTINGS, [*SAMPLES, RecordedCalls([1.0], [1.0], [True], (), 2.0)], "same faults"),
    ],
    ids=["no-settings", "alike", "no-breaker", "named-no-breaker", "no-recordings", "no-faults", "others"],
)
def test_what_cannot_be_judged_is_refused(settings, recordings, message):
    with pytest.raises(TuningError, match=message):
        operating_curve(settings, recordings)


def test_unknown_names_and_senseless_numbers_are_refused():
    with pytest.raises(TuningError, match=re.escape("no setting is called 'x'")):
        CURVE.interval("x", CURVE.detection_s)
    with pytest.raises(TuningError, match="confidence"):
        CURVE.interval("never", CURVE.detection_s, 1.0)
    for weight in (-1.0, np.nan, np.inf):
        with pytest.raises(TuningError, match="exposure_weight"):
            CURVE.cost(weight)


def test_it_draws_itself():
    ax = CURVE.plot(marks=["in a row", "never"])
    labels = [text.get_text() for text in ax.get_legend().get_texts()]
    assert labels == ["19 settings", "the curve", "in a row", "never"]
    assert repr(CURVE).startswith("OperatingCurve: 19 settings over 8 recordings, ")
    assert all(name in CURVE._repr_html_() for name in CURVE.frontier)
    table = CURVE.to_pandas()
    assert table.loc["in a row", "consecutive"] == 3
    assert table.loc["never", "missed failing"] == 1
    assert (table.detection_s.to_numpy() == CURVE.detection_s.mean(axis=1)).all()
