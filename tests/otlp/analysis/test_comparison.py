"""The cause of a difference is named, in a recording and in systems made by hand; or that there is none."""

import re

import numpy as np
import pandas as pd
import pytest
from scipy import stats
from systems import CLIENT, System

from workbench import otlp

SECOND = pd.Timedelta("1s")
TRUTH = re.compile(r"^\| (slow|failing) \| (\w+) \| [\d.]+ \| [\d.]+ \| (\S+Z) \| (\S+Z) \|$", re.MULTILINE)


@pytest.fixture(scope="module")
def windows(recording, checkout):
    """The windows of the recording by what happened in them, and the healthy rest in three parts."""
    truth = TRUTH.findall((checkout / "README.md").read_text())
    (slow_from, slow_to), (failing_from, failing_to) = (
        (pd.Timestamp(start), pd.Timestamp(end)) for _, _, start, end in truth
    )
    cuts = {
        "healthy": (None, slow_from - 2 * SECOND),
        "slow": (slow_from, slow_to),
        "healthy again": (slow_to + 2 * SECOND, failing_from - 2 * SECOND),
        "failing": (failing_from, failing_to),
        "healthy at last": (failing_to + 2 * SECOND, None),
    }
    return {name: otlp.traces_started(recording, *cut) for name, cut in cuts.items()}


def test_slow_is_payments_fault(windows):
    comparison = otlp.compare(windows["healthy"], windows["slow"])
    culprit = comparison.culprit
    assert (culprit.service, culprit.name, culprit.what) == ("payment", "POST /charges", "slower")
    assert culprit.after > 100 * culprit.before
    growth = comparison.mean_latency_ms[1] - comparison.mean_latency_ms[0]
    assert 0.75 * growth < culprit.contribution < growth
    assert {change.explained_by for change in comparison.changes[1:]} == {"payment"}


def test_failing_is_payments_fault_although_it_is_the_gateway_that_got_slower(windows):
    comparison = otlp.compare(windows["healthy"], windows["failing"])
    culprit = comparison.culprit
    assert (culprit.service, culprit.name, culprit.what) == ("payment", "POST /charges", "more errors")
    assert 0.55 < culprit.after < 0.7  # the README: 60 % are answered 500 or 503
    slower = [change for change in comparison.changes if change.what == "slower"]
    assert [(change.service, change.explained_by) for change in slower] == [("gateway", "payment")]


@pytest.mark.parametrize(
    ("before", "after"),
    [("healthy", "healthy again"), ("healthy again", "healthy at last"), ("healthy", "healthy at last")],
)
def test_nothing_changed_between_healthy_windows(windows, before, after):
    comparison = otlp.compare(windows[before], windows[after])
    assert comparison.culprit is None
    assert comparison.changes == ()
    assert repr(comparison).endswith("traces: nothing changed")
    with pytest.raises(otlp.ComparisonError, match="nothing changed, so there is nothing to explain"):
        comparison.explain()


def test_recovery_is_named_as_such(windows):
    comparison = otlp.compare(windows["slow"], windows["healthy again"])
    assert (comparison.culprit.service, comparison.culprit.what) == ("payment", "faster")
    assert not any(change.is_worse for change in comparison.changes)


def test_contributions_sum_to_the_change_of_the_mean_latency(windows):
    for after in ("slow", "failing", "healthy again"):
        comparison = otlp.compare(windows["healthy"], windows[after])
        total = sum(comparison.latency["contribution_ms"].to_pylist())
        assert total == pytest.approx(comparison.mean_latency_ms[1] - comparison.mean_latency_ms[0])


def halves(traces, rng):
    """Split whole traces at random."""
    chosen = rng.random(len(traces.structure.root)) < 0.5
    mask = chosen[traces.structure.trace]
    return traces.filter(mask), traces.filter(~mask)


def false_alarms(traces, splits, alpha):
    rng = np.random.default_rng(3)
    found = (otlp.compare(*halves(traces, rng), alpha=alpha, min_impact=0) for _ in range(splits))
    return sum(bool(comparison.changes) for comparison in found)


def test_random_halves_of_healthy_traces_differ_no_more_often_than_the_level(windows):
    """With the smallest differences admitted, of 25 splits at a level of 0.05 no more than chance allows."""
    alarms = false_alarms(windows["healthy"], 25, 0.05)
    assert stats.binom.sf(alarms - 1, 25, 0.05) > 0.01


@pytest.mark.slow
def test_the_level_holds_over_many_random_halves(windows):
    alarms = false_alarms(windows["healthy again"], 300, 0.05)
    assert stats.binom.sf(alarms - 1, 300, 0.05) > 0.01


def chain(fault="", *, traces=40, ms=0, error=0.0, extra=0, version="1", seed=0):
    """Make traces of web -> cart -> stock, and web -> pay; `fault` is slower, fails or is called more."""
    rng, system = np.random.default_rng(seed), System()
    for number in range(1, traces + 1):
        work = {service: 20 + int(rng.integers(0, 10)) for service in ("web", "cart", "stock", "pay")}
        failed = {service: service == fault and rng.random() < error for service in work}
        if fault in work:
            work[fault] += ms
        calls = 1 + (extra if fault == "calls" else 0)
        stock = calls * (work["stock"] + 2)
        cart, pay = work["cart"] + stock + 2, work["pay"] + 2
        at = 10_000 * number
        spans = iter(range(1, 99))
        bad = any(failed.values())
        web = next(spans)
        system.span("web", number, web, at_ms=at, ms=work["web"] + cart + pay, name="GET /", error=bad)
        to_cart, in_cart, to_pay, in_pay = (next(spans) for _ in range(4))
        upstream = failed["cart"] or failed["stock"]
        at += 5
        system.span(
            "web", number, to_cart, parent=web, at_ms=at, ms=cart, kind=CLIENT, name="cart", error=upstream
        )
        system.span(
            "cart",
            number,
            in_cart,
            parent=to_cart,
            at_ms=at + 1,
            ms=cart - 2,
            name="GET /cart",
            error=upstream,
        )
        for n in range(calls):
            begin = at + 5 + n * (work["stock"] + 2)
            span, served = next(spans), next(spans)
            down = failed["stock"]
            system.span(
                "cart",
                number,
                span,
                parent=in_cart,
                at_ms=begin,
                ms=work["stock"] + 2,
                kind=CLIENT,
                name="stock",
                error=down,
            )
            system.span(
                "stock",
                number,
                served,
                parent=span,
                at_ms=begin + 1,
                ms=work["stock"],
                name="GET /stock",
                error=down,
                version=version if number % 2 else "1",
            )
        at += cart
        system.span(
            "web", number, to_pay, parent=web, at_ms=at, ms=pay, kind=CLIENT, name="pay", error=failed["pay"]
        )
        system.span(
            "pay",
            number,
            in_pay,
            parent=to_pay,
            at_ms=at + 1,
            ms=pay - 2,
            name="POST /pay",
            error=failed["pay"],
        )
    return otlp.Traces.from_otlp(system.message.SerializeToString())


NAMES = {"web": "GET /", "cart": "GET /cart", "stock": "GET /stock", "pay": "POST /pay"}


@pytest.mark.parametrize("service", NAMES)
def test_whichever_service_gets_slower_is_the_culprit(service):
    comparison = otlp.compare(chain(seed=1), chain(service, ms=60, seed=2))
    culprit = comparison.culprit
    assert (culprit.service, culprit.name, culprit.what) == (service, NAMES[service], "slower")
    assert culprit.contribution == pytest.approx(60, abs=5)
    assert len(comparison) == 1


@pytest.mark.parametrize("service", NAMES)
def test_whichever_service_begins_to_fail_is_the_culprit(service):
    comparison = otlp.compare(chain(seed=1), chain(service, error=0.5, seed=2))
    culprit = comparison.culprit
    assert (culprit.service, culprit.name, culprit.what) == (service, NAMES[service], "more errors")
    assert culprit.before == 0
    assert culprit.after == pytest.approx(0.5, abs=0.2)
    assert len(comparison) == 1


def test_calls_that_multiply_are_the_fault_of_who_makes_them():
    comparison = otlp.compare(chain(seed=1), chain("calls", extra=3, seed=2))
    culprit = comparison.culprit
    assert (culprit.service, culprit.name, culprit.what) == ("cart", "GET /cart", "more calls")
    assert culprit.call == "web GET / > web cart > cart GET /cart > cart stock"
    assert (culprit.before, culprit.after) == (1, 4)
    assert culprit.contribution == pytest.approx(3 * 26.5, abs=3)
    assert str(culprit).endswith("more calls, 1 -> 4 per call, +79.2 ms a trace")
    back = otlp.compare(chain("calls", extra=3, seed=2), chain(seed=1)).culprit
    assert (back.service, back.what) == ("cart", "fewer calls")


def test_calls_that_are_new_or_gone_are_said_to_be():
    without = chain("calls", extra=-1, seed=1)
    (new,) = otlp.compare(without, chain(seed=2)).changes
    assert (new.service, new.name, new.what, new.before) == ("cart", "GET /cart", "new call", 0)
    (gone,) = otlp.compare(chain(seed=2), without).changes
    assert (gone.service, gone.name, gone.what, gone.after) == ("cart", "GET /cart", "call gone", 0)


def test_other_traffic_is_a_change_of_its_own(windows):
    first, second = halves(windows["healthy"], np.random.default_rng(5))
    structure = second.structure
    names = second.spans["name"].to_numpy(zero_copy_only=False)[structure.root]
    fewer = second.filter((names != "GET /products")[structure.trace])
    changes = otlp.compare(first, fewer).changes
    assert [(change.name, change.what) for change in changes] == [("GET /products", "less traffic")]


def test_lost_parents_are_no_change_of_the_system():
    after = chain(seed=2)
    lost = after.spans["name"].to_numpy(zero_copy_only=False) == "pay"
    comparison = otlp.compare(chain(seed=1), after.filter(~lost))
    assert comparison.orphans == (0, 40)
    assert {(change.what, change.name) for change in comparison.changes} == {
        ("call gone", "GET /"),  # what the spans below were called by
        ("slower", "GET /"),  # what looks like the caller's own time
    }


def test_too_few_traces_are_no_ground_for_a_judgement():
    comparison = otlp.compare(chain(traces=7, seed=1), chain("pay", traces=7, ms=500, seed=2))
    assert comparison.culprit is None
    assert comparison.latency["p"].null_count == len(comparison.latency)
    assert comparison.latency["contribution_ms"][0].as_py() == pytest.approx(500, abs=20)


def test_small_differences_are_not_worth_telling_unless_asked_for():
    before, after = chain(seed=1, traces=200), chain("pay", ms=2, seed=2, traces=200)
    assert otlp.compare(before, after).culprit is None
    assert otlp.compare(before, after, min_impact=0.01).culprit.service == "pay"


def test_an_attribute_that_goes_along_with_the_slow_spans_is_found():
    after = chain("stock", ms=60, version="2", seed=2)
    version = after["version"].to_pylist()
    comparison = otlp.compare(chain(seed=1), after)
    rows = comparison.attributes.significant().to_pylist()
    found = {(row["key"], row["value"]): (row["targets"], row["others"]) for row in rows}
    assert found == {("version", "1"): (20, 40), ("version", "2"): (version.count("2"), 0)}
    explained = comparison.explain()
    assert (explained.targets, explained.others) == (40, 40)
    assert {row["key"] for row in explained.significant().to_pylist()} == {"version"}


def test_the_recorded_failures_are_explained_by_their_status(windows):
    explained = otlp.compare(windows["healthy"], windows["failing"]).explain()
    found = {(row["key"], row["value"]): row for row in explained.significant().to_pylist()}
    for status in ("500", "503"):
        row = found["http.response.status_code", status]
        assert row["others"] == 0
        assert row["targets"] > 50
    assert repr(explained).startswith("Explanation: 170 failed spans of payment POST /charges against")


def test_traces_in_both_sets_and_traces_that_were_cut_are_told(windows):
    healthy = windows["healthy"]
    comparison = otlp.compare(healthy, healthy)
    assert comparison.shared == len(healthy.structure.root)
    cut = otlp.compare(healthy, healthy.filter(np.arange(len(healthy)) % 3 > 0))
    assert cut.orphans[0] == 0 < cut.orphans[1]
    assert "orphaned spans" in cut._repr_html_()
    assert "traces are in both" in comparison._repr_html_()


def test_a_comparison_draws_itself(windows):
    comparison = otlp.compare(windows["healthy"], windows["slow"])
    html = comparison._repr_html_()
    assert "payment" in html
    assert "mean latency" in html
    assert comparison.to_pandas()["what"][0] == "slower"
    assert comparison.to_arrow().column_names[:3] == ["service", "name", "what"]
    assert comparison.plot().get_title(loc="left").startswith("Mean latency 41.")
    assert comparison.explain().plot().get_title(loc="left") == "What tells them apart"
    for table in (comparison.latency, comparison.errors, comparison.structure):
        assert {"service", "name", "p", "q", "effect"} <= set(table.column_names)


def test_what_cannot_be_compared_is_refused(shop):
    none = shop.filter(np.zeros(len(shop), bool))
    with pytest.raises(otlp.ComparisonError, match="there are no spans after: choose a window that has some"):
        otlp.compare(shop, none)
    with pytest.raises(ValueError, match="alpha must be between 0 and 1, got 5"):
        otlp.compare(shop, shop, alpha=5)


def test_windows_hold_whole_traces(recording):
    structure = recording.structure
    middle = int(np.median(structure.start))
    early, late = otlp.traces_started(recording, end=middle), otlp.traces_started(recording, middle)
    assert len(early) + len(late) == len(recording)
    assert len(early.structure.root) + len(late.structure.root) == len(structure.root)
    assert (early.structure.start[early.structure.root] < middle).all()
    assert otlp.check_traces(early).count("orphan") == otlp.check_traces(late).count("orphan") == 0
    with pytest.raises(otlp.InstantError, match="ends before it starts"):
        otlp.traces_started(recording, middle, middle - 1)
