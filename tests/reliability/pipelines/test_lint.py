"""`Pipeline.lint`: each rule finds what it is for, and nothing where that is right."""

import math
from pathlib import Path

import pytest

from workbench.backoff import Constant, Exponential
from workbench.reliability.errors import CircuitOpenError, RateLimitedError
from workbench.reliability.pipeline import Pipeline
from workbench.reliability.pipelines._lint import RULES
from workbench.reliability.pipelines.errors import PipelineError
from workbench.reliability.policies.adaptive import AdaptiveLimit
from workbench.reliability.policies.breaker import CircuitBreaker
from workbench.reliability.policies.budget import RetryBudget
from workbench.reliability.policies.bulkhead import Bulkhead
from workbench.reliability.policies.deadline import Deadline
from workbench.reliability.policies.fallback import Fallback
from workbench.reliability.policies.hedge import Hedge
from workbench.reliability.policies.limiter import RateLimiter
from workbench.reliability.policies.retry import Retry
from workbench.reliability.policies.shedder import LoadShedder
from workbench.reliability.policies.throttle import ClientThrottle
from workbench.reliability.policies.timeout import Timeout

FAST = Constant(0.01)


def good():
    return (
        Fallback.value("none"),
        Deadline(2.0),
        RateLimiter.gcra(rate_hz=100),
        Retry(attempts=3, backoff=FAST, budget=RetryBudget()),
        CircuitBreaker(),
        Bulkhead(10),
        Timeout(0.5),
    )


def only(rule, *policies, **more):
    found = Pipeline(*policies).lint(**more).of(rule)
    assert len(found) == 1, found
    return found[0]


def none(rule, *policies, **more):
    assert Pipeline(*policies).lint(**more).of(rule) == ()


def test_a_good_order_with_good_numbers_has_no_findings():
    findings = Pipeline(*good()).lint(load=0.7, deadline_s=2.0)
    assert list(findings) == []
    assert (findings.worst_attempts, findings.worst_time_s) == (3.0, pytest.approx(1.52))
    assert repr(findings) == "Findings(nothing found; at worst 3 attempts and 1.52 s)"


def test_attempts_of_nested_retries_multiply():
    found = only("attempts_multiply", Retry(attempts=3), Retry(attempts=4, name="inner"))
    assert found.numbers["attempts"] == 12
    assert found.layers == ("retry", "retry 'inner'")
    assert "3 x 4 = 12 attempts" in found.problem
    assert only("attempts_multiply", Retry(attempts=11)).numbers["attempts"] == 11
    none("attempts_multiply", Retry(attempts=3))
    none("attempts_multiply", Retry(attempts=3), Retry(attempts=1), CircuitBreaker())


def test_attempts_without_end():
    assert only("endless_attempts", Retry(attempts=None)).severity == "error"
    assert Pipeline(Retry(attempts=None)).lint().worst_attempts == math.inf
    for policies in (
        [Retry(attempts=9)],
        [Retry(attempts=None, timeout_s=9.0)],
        [Retry(attempts=None, budget=RetryBudget())],
        [Deadline(5.0), Retry(attempts=None)],
    ):
        none("endless_attempts", *policies)
    assert only("endless_attempts", Retry(attempts=None), Deadline(5.0))


def test_the_worst_time_against_what_callers_wait():
    slow = [Retry(attempts=3, backoff=Constant(1.0)), Timeout(1.0)]
    found = only("time_over_deadline", *slow, deadline_s=4.0)
    assert (found.severity, found.numbers) == ("warning", {"worst_time_s": 5.0, "deadline_s": 4.0})
    none("time_over_deadline", *slow, deadline_s=5.0)
    none("time_over_deadline", *slow)
    endless = only("time_over_deadline", Retry(), deadline_s=4.0)
    assert endless.severity == "error"
    assert "endless s" in endless.problem
    assert only("time_over_deadline", Timeout(5.0), deadline_s=1.0).layers == ("timeout",)


def test_attempts_that_do_not_fit_into_the_deadline_around_them():
    slow = [Retry(attempts=3, backoff=Constant(1.0)), Timeout(1.0)]
    found = only("time_over_deadline", Deadline(3.0), *slow)
    assert found.layers == ("deadline", "retry")
    assert found.numbers == {"worst_time_s": 5.0, "deadline_s": 3.0}
    none("time_over_deadline", Deadline(5.0), *slow)
    none("time_over_deadline", Deadline(0.5), Timeout(1.0))  # nothing is tried again


def test_a_retry_must_not_try_again_what_a_breaker_refuses():
    eager = Retry(on=Exception)
    found = only("retry_outside_breaker", eager, CircuitBreaker(open_s=30.0))
    assert found.layers == ("retry", "breaker")
    assert found.numbers["open_s"] == 30.0
    assert "CircuitOpenError" in found.remedy
    none("retry_outside_breaker", Retry(), CircuitBreaker())  # the default spares it
    none("retry_outside_breaker", Retry(on=Exception, ignore=CircuitOpenError), CircuitBreaker())
    none("retry_outside_breaker", Retry(on=ConnectionError), CircuitBreaker())
    none("retry_outside_breaker", CircuitBreaker(), eager)
    none("retry_outside_breaker", Retry(on=Exception, attempts=1), CircuitBreaker())


def test_a_predicate_that_knows_its_own_errors_only_is_no_finding():
    none("retry_outside_breaker", Retry(on=lambda error: error.code == 503), CircuitBreaker())


def test_a_limit_shorter_than_the_first_back_off():
    patient = Retry(attempts=3, backoff=Constant(1.0))
    found = only("timeout_shorter_than_backoff", Deadline(0.5), patient)
    assert found.layers == ("deadline", "retry")
    assert found.numbers == {"limit_s": 0.5, "first_backoff_s": 1.0, "backoffs_s": 2.0}
    assert only("timeout_shorter_than_backoff", Timeout(1.0), patient).layers == ("timeout", "retry")
    own = Retry(attempts=3, backoff=Constant(1.0), timeout_s=0.5)
    assert only("timeout_shorter_than_backoff", own).layers == ("retry",)
    none("timeout_shorter_than_backoff", Deadline(1.5), patient)
    none("timeout_shorter_than_backoff", patient, Timeout(0.5))  # of one attempt
    none("timeout_shorter_than_backoff", Deadline(0.5), Retry(attempts=1))


def test_no_timeout_at_all():
    assert only("no_timeout", Retry(), CircuitBreaker()).numbers["worst_time_s"] == math.inf
    assert only("no_timeout").layers == ("the call",)
    none("no_timeout", Timeout(1.0))
    none("no_timeout", Deadline(1.0), Retry())


def test_one_attempt_may_use_up_all_time():
    assert only("no_attempt_timeout", Deadline(5.0), Retry()).severity == "info"
    none("no_attempt_timeout", Deadline(5.0), Retry(), Timeout(1.0))
    none("no_attempt_timeout", Retry())
    none("no_attempt_timeout", Deadline(5.0), Retry(attempts=1))


@pytest.mark.parametrize("holder", [Bulkhead, LoadShedder, AdaptiveLimit])
def test_places_that_are_held_during_back_off(holder):
    retry = Retry(attempts=3, backoff=Constant(1.0))
    found = only("bulkhead_outside_retry", holder(), retry)
    assert found.numbers == {"held_s": 2.0}
    none("bulkhead_outside_retry", retry, holder())
    none("bulkhead_outside_retry", holder(), Retry(attempts=1))
    none("bulkhead_outside_retry", holder(), Retry(backoff=Constant(0.0)))


def test_a_limiter_within_a_retry():
    limiter = RateLimiter.gcra(rate_hz=10)
    assert only("limiter_inside_retry", Retry(), limiter).severity == "warning"
    assert only("limiter_inside_retry", Retry(on=OSError), limiter).severity == "info"
    none("limiter_inside_retry", limiter, Retry())
    none("limiter_inside_retry", Retry(attempts=1), limiter)
    none("limiter_inside_retry", Retry(ignore=RateLimitedError), RateLimiter.gcra(rate_hz=10, wait_s=1.0))


def test_a_hedge_within_a_retry():
    found = only("hedge_inside_retry", Retry(attempts=3), Hedge(0.1, hedges=2))
    assert found.numbers == {"attempts": 9.0}
    none("hedge_inside_retry", Hedge(0.1), Retry())
    none("hedge_inside_retry", Retry(attempts=1), Hedge(0.1))


def test_a_fallback_hides_failures_from_what_is_around_it():
    found = only("fallback_hides_failures", Retry(), Fallback("x"))
    assert (found.severity, found.layers) == ("error", ("retry", "fallback"))
    assert "never tries again" in found.problem
    assert "never opens" in only("fallback_hides_failures", CircuitBreaker(), Fallback("x")).problem
    none("fallback_hides_failures", Fallback("x"), Retry(), CircuitBreaker())
    none("fallback_hides_failures", Retry(on=ConnectionError), Fallback(by_type={KeyError: 1}))
    none("fallback_hides_failures", Retry(on=ConnectionError), Fallback("x", ignore=OSError))
    none("fallback_hides_failures", Retry(attempts=1), Fallback("x"))


def test_one_policy_in_two_places():
    limiter = RateLimiter.gcra(rate_hz=10)
    found = only("same_policy_twice", limiter, Timeout(1.0), limiter)
    assert found.layers == ("limiter", "limiter #2")
    none("same_policy_twice", limiter, RateLimiter.gcra(rate_hz=10))
    limit = Timeout(1.0)
    none("same_policy_twice", limit, Retry(), limit)  # it counts nothing that matters


def test_load_times_attempts_of_one_or_more_is_metastable():
    found = only("metastable", Retry(attempts=3), Timeout(1.0), load=0.34)
    assert found.severity == "error"
    assert found.numbers == pytest.approx({"load": 0.34, "attempts": 3.0, "offered_load": 1.02})
    assert "HotOS 2021" in found.problem
    assert "below a load of 0.3333" in found.remedy
    none("metastable", Retry(attempts=3), load=0.33)
    none("metastable", Retry(attempts=3))  # nobody says how much load
    none("metastable", Timeout(1.0), load=0.99)
    assert only("metastable", Hedge(0.1, budget=None), load=0.5).numbers["attempts"] == 2.0


def test_budgets_bound_the_load_that_attempts_make():
    none("metastable", Retry(attempts=3, budget=RetryBudget(ratio=0.2)), load=0.8)
    found = only("metastable", Retry(attempts=3, budget=RetryBudget(ratio=0.2)), load=0.84)
    assert found.numbers["attempts"] == pytest.approx(1.2)
    none("metastable", Hedge(0.1, budget=0.2), load=0.8)


@pytest.mark.parametrize("brake", [CircuitBreaker, ClientThrottle, AdaptiveLimit])
def test_what_may_end_a_retry_storm_makes_it_a_warning(brake):
    assert only("metastable", Retry(attempts=3), brake(), load=0.5).severity == "warning"


def test_more_load_than_there_is_capacity_is_said_for_what_it_is():
    assert "before anything is tried again" in only("metastable", Timeout(1.0), load=1.0).problem


@pytest.mark.parametrize(
    "numbers", [{"load": 0}, {"load": -1.0}, {"load": True}, {"deadline_s": "2 s"}, {"deadline_s": math.nan}]
)
def test_numbers_out_of_range_are_refused(numbers):
    with pytest.raises(PipelineError, match=next(iter(numbers))):
        Pipeline(Retry()).lint(**numbers)


def test_every_rule_is_tested_here():
    text = Path(__file__).read_text(encoding="utf-8")
    for rule in RULES:
        assert f'only("{rule.__name__}"' in text, rule
        assert f'none("{rule.__name__}"' in text, rule


def test_findings_are_sorted_and_show_themselves():
    findings = Pipeline(Bulkhead(), Retry(backoff=Exponential()), Fallback("x")).lint(
        load=0.9, deadline_s=1.0
    )
    severities = [finding.severity for finding in findings]
    assert severities == sorted(severities, key=["error", "warning", "info"].index)
    assert findings[0] is findings[0:1][0]
    assert len(findings.table.rows) == len(findings) == findings.to_arrow().num_rows
    assert set(findings.rules) == {finding.rule for finding in findings}
    html = findings._repr_html_()
    assert html.count("<tr>") == len(findings) + 1
    for finding in findings:
        assert finding.remedy in str(findings)
        assert finding.layers
        assert finding.numbers
    assert findings.to_pandas().numbers[0]
    assert Pipeline().lint().to_arrow().num_rows == 1


def test_a_check_changes_nothing():
    policies = good()
    pipeline = Pipeline(*policies)
    source, statistics = pipeline.source(), pipeline.statistics
    pipeline.lint(load=0.9, deadline_s=1.0)
    assert pipeline.source() == source
    assert pipeline.statistics == statistics
