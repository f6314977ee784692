"""Nothing is lost between the official messages and the tables."""

import naive
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from strategies import MESSAGES

from workbench import otlp


def read(tmp_path_factory, signal, message):
    path = tmp_path_factory.mktemp("otlp") / f"{signal}.otlp"
    data = message.SerializeToString(deterministic=True)
    path.write_bytes(len(data).to_bytes(4, "big") + data)
    return otlp.read(path)


def same(left, right):
    """NaN is NaN, whatever Python thinks: compare what would be sent."""
    return left.SerializeToString(deterministic=True) == right.SerializeToString(deterministic=True)


@pytest.mark.parametrize("signal", ["traces", "metrics", "logs"])
@given(data=st.data())
def test_tables_hold_every_field_of_every_message(signal, data, tmp_path_factory):
    message = data.draw(MESSAGES[signal])
    assert same(naive.rebuild(read(tmp_path_factory, signal, message)), message)


@pytest.mark.parametrize("signal", ["traces", "metrics", "logs"])
@given(data=st.data())
def test_filter_leaves_what_the_official_library_leaves(signal, data, tmp_path_factory):
    message = data.draw(MESSAGES[signal])
    telemetry = read(tmp_path_factory, signal, message)
    mask = np.array([data.draw(st.booleans()) for _ in range(len(telemetry))], bool)
    assert same(naive.rebuild(telemetry.filter(mask)), _without(message, signal, mask))


def _without(message, signal, mask):
    _, resources, scopes, records = naive.ENVELOPES[signal]
    keep = iter(mask)
    for in_resource in getattr(message, resources):
        for in_scope in getattr(in_resource, scopes):
            kept = [record for record in getattr(in_scope, records) if next(keep)]
            del getattr(in_scope, records)[:]
            getattr(in_scope, records).extend(kept)
        kept = [in_scope for in_scope in getattr(in_resource, scopes) if getattr(in_scope, records)]
        del getattr(in_resource, scopes)[:]
        getattr(in_resource, scopes).extend(kept)
    kept = [in_resource for in_resource in getattr(message, resources) if getattr(in_resource, scopes)]
    del getattr(message, resources)[:]
    getattr(message, resources).extend(kept)
    return message


@given(message=MESSAGES["traces"])
def test_filter_of_everything_changes_nothing(message, tmp_path_factory):
    traces = read(tmp_path_factory, "traces", message)
    assert traces.filter(np.ones(len(traces), bool)) == traces
    assert len(traces.filter(np.zeros(len(traces), bool))) == 0
