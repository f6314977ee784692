"""Which spans match a policy of spans or of attributes."""

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from workbench.otlp._masks import to_mask
from workbench.otlp.errors import MaskError
from workbench.otlp.sampling import policies as p
from workbench.otlp.sampling._columns import attribute_matches, trace_state_texts
from workbench.otlp.sampling.errors import PolicyError, TraceStateError
from workbench.otlp.sampling.tracestate import parse_members

if TYPE_CHECKING:
    from workbench.otlp.sampling._columns import AttributeValues
    from workbench.otlp.traces import Traces

__all__ = ["matching_spans"]

Mask = npt.NDArray[np.bool_]


def matching_spans(policy: p.Policy, traces: "Traces") -> Mask:
    """Tell which spans match, `(n,) bool`; whether the policy inverts that is not asked."""
    return MATCHERS[type(policy)](policy, traces)


def _status_code(policy: p.StatusCode, traces: "Traces") -> Mask:
    wanted = [p.STATUS_CODES.index(code) for code in policy.status_codes]
    return np.isin(traces["status.code"].fill_null(0).to_numpy(), wanted)


def _trace_flags(_: p.TraceFlags, traces: "Traces") -> Mask:
    return (traces.spans["flags"].fill_null(0).to_numpy() & 1) != 0


def _trace_state(policy: p.TraceState, traces: "Traces") -> Mask:
    texts = trace_state_texts(traces)
    matches = [_has_member(text, policy) for text in texts.dictionary.to_pylist()]
    return np.array(matches, bool)[texts.indices.to_numpy()] if len(texts) else np.zeros(0, bool)


def _has_member(text: str, policy: p.TraceState) -> bool:
    try:
        value = dict(parse_members(text)).get(policy.key, "")
    except TraceStateError:
        return False
    return value != "" and value in policy.values


def _string_attribute(policy: p.StringAttribute, traces: "Traces") -> Mask:
    def matching(found: "AttributeValues", *, allow_empty: bool) -> Mask:
        texts, code = found.texts()
        answers = [(allow_empty or text != "") and policy.matches(text) for text in texts]
        return np.array(answers, bool)[code] if texts else np.zeros(len(code), bool)

    return attribute_matches(
        traces,
        policy.key,
        lambda found: matching(found, allow_empty=False),
        lambda found: matching(found, allow_empty=True),
    )


def _numeric_attribute(policy: p.NumericAttribute, traces: "Traces") -> Mask:
    low, high = policy.bounds

    def matching(found: "AttributeValues") -> Mask:
        values = found.integers()
        return (values >= low) & (values <= high)

    return attribute_matches(traces, policy.key, matching, matching)


def _boolean_attribute(policy: p.BooleanAttribute, traces: "Traces") -> Mask:
    def matching(found: "AttributeValues") -> Mask:
        return found.booleans() == policy.value

    return attribute_matches(traces, policy.key, matching, matching)


def _ottl_condition(policy: p.OttlCondition, traces: "Traces") -> Mask:
    assert policy.predicate is not None  # noqa: S101 - the policy has checked it
    try:
        return to_mask(policy.predicate(traces), len(traces))
    except MaskError as error:
        msg = f"the predicate of {policy.label!r} returned no mask of the spans: {error}"
        raise PolicyError(msg) from error


MATCHERS: Mapping[type[p.Policy], Callable[..., Mask]] = {
    p.StatusCode: _status_code,
    p.TraceFlags: _trace_flags,
    p.TraceState: _trace_state,
    p.StringAttribute: _string_attribute,
    p.NumericAttribute: _numeric_attribute,
    p.BooleanAttribute: _boolean_attribute,
    p.OttlCondition: _ottl_condition,
}
