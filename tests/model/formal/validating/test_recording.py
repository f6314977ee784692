"""The recorded orders, the saga that they follow, and wrong sagas."""

from pathlib import Path

import pytest

import workbench.model.formal as wb
from workbench import otlp

RECORDING = Path(__file__).parents[4] / "datasets" / "checkout" / "traces.otlp.zst"
ACTIONS = {
    "ok": None,
    "declined": "decline",
    "sold_out": "find_sold_out",
    "failed": ("give_up", {"reason": "failed"}),
    "timed_out": ("give_up", {"reason": "timed out"}),
}
Saga = wb.library.CheckoutSaga()


def mapping(span):
    """Map the gateway's steps with their retries, and what the customer was told; nothing of the services."""
    if span.name == "checkout":
        told = span.attributes["checkout.outcome"].replace("_", " ")
        return wb.Observed(state={"at": "ended", "outcome": told}, at="end")
    if span.attributes.get("checkout.step") != span.name:
        return None
    outcome = span.attributes["checkout.step.outcome"]
    unanswered = span.attributes["retry.count"] + (outcome in ("failed", "timed_out"))
    return ["get_no_answer"] * unanswered + [ACTIONS[outcome] or span.name]


@pytest.fixture(scope="module")
def recording():
    return otlp.read(RECORDING)


@pytest.mark.slow
def test_every_recorded_order_is_shown_and_what_only_the_model_knows_stays_open(recording):
    found = wb.validate(Saga, recording, mapping, hidden=["read_cart", "arrive_late"], complete=True)
    assert (len(found), len(found.conforming), found.without_events) == (957, 957, 541)
    unpaid = [trace for trace in found.traces if trace.final_states[0].outcome in ("failed", "timed out")]
    assert len(unpaid) == 35
    for trace in unpaid:  # whether a charge arrived late is not seen: both may be
        assert {state.charged for state in trace.final_states} == {0, 1}


@pytest.mark.slow
def test_a_saga_with_one_attempt_less_does_not_show_the_orders_that_needed_it(recording):
    found = wb.validate(wb.library.CheckoutSaga(2), recording, mapping, hidden=["read_cart", "arrive_late"])
    needed = {
        span["trace_id"].as_py().hex() for span in _spans_with(recording, outcome=("failed", "timed_out"))
    }
    assert {trace.trace_id for trace in found.failing} == needed
    assert len(needed) == 35


def _spans_with(recording, outcome):
    outcomes = recording["checkout.step.outcome"].to_pylist()
    for row, value in enumerate(outcomes):
        if value in outcome:
            yield {"trace_id": recording.spans["trace_id"][row]}
