"""One name, one column, whatever level it lives on."""

import json

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, KeyValue, KeyValueList
from systems import attribute

from workbench import otlp


@pytest.fixture
def levels(system, tmp_path):
    """Attributes of the same key on span, scope and resource; an intrinsic column of the same name."""
    span = system.span("one", 1, 1, name="own", where="span")
    span.attributes.append(attribute("name", "attribute"))
    system.span("one", 1, 2)
    system.span("two", 1, 3)
    for number, envelope in enumerate(system.message.resource_spans):
        envelope.resource.attributes.append(attribute("where", "resource"))
        if number == 0:
            envelope.scope_spans[0].scope.attributes.append(attribute("where", "scope"))
    span.attributes.append(attribute("empty", "x"))
    span.attributes[-1].value.Clear()
    return system.traces(tmp_path)


def test_nearest_level_with_a_value_gives_it(levels):
    assert levels["where"].to_pylist() == ["span", "scope", "resource"]


def test_own_columns_come_before_attributes(levels):
    assert levels["name"].to_pylist() == ["own", "one work", "two work"]
    assert levels["service.name"].to_pylist() == ["one", "one", "two"]
    assert levels["scope.name"].to_pylist() == ["made by hand"] * 3
    assert levels["resource.schema_url"].to_pylist() == ["https://example.com/schema"] * 3


def test_an_empty_value_is_null_and_its_key_is_known(levels):
    assert levels["empty"].to_pylist() == [None, None, None]


def test_unknown_key_lists_near_names(levels):
    with pytest.raises(otlp.UnknownKeyError, match=r"'service.nam'.*near names: service.name") as caught:
        levels["service.nam"]
    assert isinstance(caught.value, KeyError)
    with pytest.raises(KeyError, match="no column and no attribute"):
        levels["qqqq"]
    with pytest.raises(TypeError, match=r"the name of a column, such as 'service\.name', got 0"):
        levels[0]
    assert "service.nam" not in levels
    assert "service.name" in levels


def test_every_key_is_a_column_of_full_length(levels):
    assert all(len(levels[key]) == len(levels) for key in levels.keys())  # noqa: SIM118 - not a dict
    assert levels._ipython_key_completions_() == levels.keys()


@pytest.mark.parametrize(
    ("values", "expected", "kind"),
    [
        (["a", "b"], ["a", "b"], pa.string()),
        ([1, 2], [1, 2], pa.int64()),
        ([1, 2.5], [1.0, 2.5], pa.float64()),
        ([True, False], [True, False], pa.bool_()),
        (["a", 1], ["a", "1"], pa.string()),
        ([True, 1], ["true", "1"], pa.string()),
        ([["x", "y"], "a"], ['["x", "y"]', "a"], pa.string()),
    ],
)
def test_a_column_has_the_type_of_its_values(values, expected, kind, system, tmp_path):
    for number, value in enumerate(values, 1):
        system.span("one", 1, number, key=value)
    column = system.traces(tmp_path)["key"]
    assert column.to_pylist() == expected
    assert column.type == kind


def test_of_equal_keys_the_first_counts_in_attributes_and_in_maps(system, tmp_path):
    span = system.span("one", 1, 1)
    twice = [attribute("k", value) for value in ("first", "second")]
    inner = KeyValue(key="inner", value=AnyValue(kvlist_value=KeyValueList(values=twice)))
    outer = AnyValue(kvlist_value=KeyValueList(values=[inner, *twice]))
    span.attributes.extend([*twice, KeyValue(key="map", value=outer)])
    traces = system.traces(tmp_path)
    assert traces["k"].to_pylist() == ["first"]
    assert json.loads(traces["map"][0].as_py()) == {"inner": {"k": "first"}, "k": "first"}


def test_a_span_without_status_is_unset(shop):
    assert shop["status.code"].to_pylist().count(0) == len(shop) - 2
    assert shop["status.message"].to_pylist() == [""] * len(shop)


def test_end_is_start_plus_duration(shop):
    start, end = shop["start_time_unix_nano"], shop["end_time_unix_nano"]
    lasted = np.asarray(end.cast("int64")) - np.asarray(start.cast("int64"))
    assert lasted.tolist() == np.asarray(shop["duration_time_unix_nano"].cast("int64")).tolist()


def test_pandas_gets_names_and_readable_ids(shop):
    frame = shop.to_pandas()
    assert len(frame) == len(shop)
    assert set(frame["trace_id"].str.len()) == {32}
    assert frame["http.route"].notna().sum() == 10
    assert isinstance(frame["start_time_unix_nano"].dtype, pd.DatetimeTZDtype)
    assert "id" not in frame


def test_a_selection_knows_the_columns_of_what_it_was_selected_from(shop):
    import pickle

    none = shop.filter(np.zeros(len(shop), bool))
    assert none["http.route"].to_pylist() == []
    assert set(none.keys()) == set(shop.keys())
    pay = pickle.loads(pickle.dumps(shop.filter(shop["amount"].is_valid())))
    assert pay["http.route"].to_pylist() == [None] * 5
    with pytest.raises(KeyError):
        pay["nothing"]


def test_pandas_keeps_integers_exact(system, tmp_path):
    system.span("one", 1, 1, uid=2**53 + 1)
    system.span("one", 1, 2)
    assert system.traces(tmp_path).to_pandas()["uid"].tolist() == [2**53 + 1, pd.NA]


def test_an_attribute_called_as_an_own_column_goes_by_another_name():
    from opentelemetry.proto.logs.v1.logs_pb2 import LogsData

    data = LogsData()
    record = data.resource_logs.add().scope_logs.add().log_records.add()
    record.body.string_value = "the body"
    for key in ("body", "body.str", "trace_id", "attributes.body", "x"):
        record.attributes.add(key=key).value.string_value = f"the attribute {key}"
    logs = otlp.Logs.from_otlp(data.SerializeToString())
    assert logs["body"].to_pylist() == ["the body"]
    names = {
        "attributes.attributes.body": "body",
        "attributes.body": "attributes.body",
        "attributes.trace_id": "trace_id",
        "body.str": "body.str",
        "x": "x",
    }
    assert logs.keys()[-5:] == list(names)
    for name, key in names.items():
        assert logs[name].to_pylist() == [f"the attribute {key}"]
    none = logs.filter([False])
    assert none.keys() == logs.keys()
    assert none["attributes.trace_id"].to_pylist() == []
    with pytest.raises(otlp.UnknownKeyError):
        logs["attributes.x"]
    assert len(set(logs.to_arrow().column_names)) == logs.to_arrow().num_columns


def test_unknown_fields_that_were_counted_stay_counted_in_copies():
    import copy
    import pickle

    traces = otlp.Traces.from_otlp(b"\xfa\x3f\x01x", unknown="count")
    assert traces.unknown == 1
    for made in (pickle.loads(pickle.dumps(traces)), copy.copy(traces), copy.deepcopy(traces)):
        assert (made.unknown, made) == (1, traces)
