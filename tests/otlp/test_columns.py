"""One name, one column, whatever level it lives on."""

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
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
