"""The same telemetry in DuckDB, polars and torch."""

import sys

import duckdb
import polars as pl
import pytest
from opentelemetry.proto.trace.v1.trace_pb2 import TracesData

from workbench import otlp
from workbench.errors import MissingExtraError


@pytest.fixture
def torch():
    """The learning extra is large: the other Pythons do without it."""
    return pytest.importorskip("torch")


def test_records_have_their_attributes_as_columns(shop):
    query = """select "service.name", count(*) as n, max(duration_time_unix_nano) as longest
        from spans where "http.route" is not null group by all order by all"""
    found = shop.sql(query)
    assert found.to_pandas().to_dict("list") == {
        "service.name": ["shop", "stock"],
        "n": [5, 5],
        "longest": [500_000_000, 16_000_000],
    }
    assert len(found) == 2
    assert found["n"].to_pylist() == [5, 5]
    assert found.to_polars().equals(pl.DataFrame(found))
    assert repr(found).splitlines()[0] == "2 rows"
    assert "<td" in found._repr_html_()


def test_every_column_says_what_the_telemetry_says(shop):
    everything = shop.sql("select * from spans order by id").to_arrow()
    for name in ("service.name", "amount", "status.code", "scope.name", "n"):
        assert everything[name].to_pylist() == shop[name].to_pylist()
    assert everything["trace_id"].to_pylist() == [found.hex() for found in shop["trace_id"].to_pylist()]
    assert everything["start_time_unix_nano"].cast("int64").equals(shop["start_time_unix_nano"].cast("int64"))


def test_children_join_by_the_records_id(shop):
    query = """select s.name, a.key from spans s join span_attrs a on a.parent_id = s.id
        join resource_attrs r on r.parent_id = s."resource.id"
        where r.str = 'stock' and a.key = 'http.route'"""
    assert shop.sql(query)["key"].to_pylist() == ["http.route"] * 5


def test_a_refused_query_says_what_there_is(shop):
    with pytest.raises(otlp.SqlError, match=r"near names: .*service\.name.*; tables: spans, span_attrs"):
        shop.sql('select "service.nam" from spans')
    with pytest.raises(otlp.SqlError, match="spanz"):
        shop.sql("select * from spanz")
    with pytest.raises(otlp.SqlError, match="syntax"):
        shop.sql("select from where")


def test_a_query_sees_no_variables_of_python(shop):
    secret = pl.DataFrame({"x": [1]})
    with pytest.raises(otlp.SqlError, match="secret"):
        shop.sql("select * from secret")
    assert len(secret) == 1


ROWS = [
    "from spans",
    "table spans",
    "select columns(*) from spans",
    "select unnest(s) from spans s",
    "select columns (lambda name: true) from spans",
    "select spans.* from spans",
    "select t.* from (from spans) t",
    "from spans union all by name from spans",
    "create table kept as from spans; from kept",
    "select * from query('from spans')",
]


@pytest.mark.parametrize("query", ROWS)
def test_a_query_for_whole_rows_finds_every_column_however_it_says_so(shop, query):
    assert set(shop.sql(query).to_arrow().column_names) == set(shop.to_duckdb().sql("from spans").columns)


WHOLE = [
    "select spans from spans",
    "select to_json(s) from spans as s",
    "select count(distinct s) from spans s",
    "select count(*) from spans natural join (from spans)",
    "select #6 from spans",
    "select * from (pivot spans on kind using count(*)) order by all",
    'select a.id from spans a join spans b using ("http.route") order by all',
    'with t as (select id, "http.route" from spans) select t from t order by all',
    'select Amount, N from Spans S where S."HTTP.route" is not null order by all',
    'select max(n) over (partition by "service.name" order by amount) from spans order by all',
    'select id from spans order by "http.route", id desc',
    'select sum(n) filter (where amount > 1) from spans having count(distinct "http.route") > 0',
    "select (select max(o.amount) from spans o where o.n = s.n) as most from spans s order by all",
]


@pytest.mark.parametrize("query", WHOLE)
def test_a_query_finds_what_it_finds_in_the_registered_views(shop, query):
    assert shop.sql(query).to_arrow().to_pylist() == shop.to_duckdb().sql(query).to_arrow_table().to_pylist()


def test_a_name_with_quotes_is_asked_for_by_doubling_them():
    quoted = otlp.Logs.from_otlp(
        b'{"resourceLogs": [{"scopeLogs": [{"logRecords": [{"attributes": '
        b'[{"key": "a\\"b", "value": {"intValue": 5}}]}]}]}]}',
        encoding="json",
    )
    assert quoted.sql('select "a""b" from logs')['a"b'].to_pylist() == [5]


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ("select id, kind as id, 3 as id_1 from spans", ["id", "id_2", "id_1"]),  # DuckDB: id, id_1, id_1_1
        ("select 1 as a, 2 as A, 3 as a_1, 4 as a", ["a", "A_2", "a_1", "a_3"]),
    ],
)
def test_columns_of_one_name_are_told_apart_and_the_others_keep_theirs(shop, query, names):
    assert shop.sql(query).table.column_names == names


def test_columns_of_a_join_are_told_apart_as_duckdb_does_for_frames(shop):
    query = "select * from spans as one join spans as other using (id)"
    found = shop.sql(query)
    assert found.table.column_names == shop.to_duckdb().sql(query).df().columns.tolist()
    assert len(set(found.table.column_names)) == found.table.num_columns
    assert found.to_polars().columns == found.table.column_names
    assert repr(found).splitlines()[1].split() == found.table.column_names


def test_names_that_differ_in_case_are_the_same_in_a_query_and_in_the_views():
    telemetry = otlp.Traces.from_otlp(
        spans_with([("A", "upper"), ("a", "lower"), ("a_1", "one"), ("Name", "capital")])
    )
    for ask in (
        lambda query: telemetry.sql(query).table,
        lambda query: telemetry.to_duckdb().sql(query).to_arrow_table(),
    ):
        assert ask('select "a_1" from spans').to_pylist() == [{"a_1": "one"}]
        assert ask('select "a_2" from spans').to_pylist() == [{"a_2": "lower"}]
        assert ask('select "A", "a_1", "a_2", "Name_1" from spans').to_pylist() == [
            {"A": "upper", "a_1": "one", "a_2": "lower", "Name_1": "capital"}
        ]


def spans_with(attributes):
    data = TracesData()
    span = data.resource_spans.add().scope_spans.add().spans.add(name="one")
    for key, value in attributes:
        span.attributes.add(key=key).value.string_value = value
    return data.SerializeToString()


def test_attributes_called_as_own_columns_are_columns_too():
    telemetry = otlp.Traces.from_otlp(
        spans_with([("name", "x"), ("id", "y"), ("status.status_message", "z")])
    )
    (row,) = telemetry.sql("select * from spans").to_pandas().to_dict("records")
    found = {key: row[key] for key in ("name", "attributes.name", "attributes.id", "status.status_message")}
    assert found == {
        "name": "one",
        "attributes.name": "x",
        "attributes.id": "y",
        "status.status_message": "z",
    }
    assert telemetry.to_polars()["attributes.name"].to_list() == ["x"]


def test_a_query_is_a_text_and_views_need_a_connection(shop):
    with pytest.raises(TypeError, match="expected a query as a str, got None"):
        shop.sql(None)
    with pytest.raises(TypeError, match=r"expected a DuckDB connection, got 'file\.db'"):
        shop.to_duckdb("file.db")


def test_tensors_are_asked_for_by_a_list_of_names(shop, torch):
    with pytest.raises(TypeError, match=r"expected a sequence of names, such as \['kind'\], got 'kind'"):
        shop.to_torch("kind")


def test_views_are_registered_where_one_likes(shop):
    with duckdb.connect() as connection:
        assert shop.to_duckdb(connection) is connection
        names = {name for (name,) in connection.sql("show tables").fetchall()}
        assert names == set(shop.tables)
        assert connection.sql('select count("http.route") from spans').fetchall() == [(10,)]
    with shop.to_duckdb() as own:
        assert own.sql("select count(*) from span_attrs").fetchall() == [(len(shop.tables["span_attrs"]),)]


def test_statements_without_rows_draw_as_such(shop):
    assert len(shop.sql("set threads = 1")) == 0
    assert repr(shop.sql("select 1 as x where false")).startswith("0 rows")
    many = shop.sql("select * from range(100)")
    assert repr(many).startswith("100 rows, the first 20 shown")


def test_polars_has_a_row_a_record(shop):
    frame = shop.to_polars()
    assert frame["service.name"].to_list() == shop["service.name"].to_pylist()
    assert frame["trace_id"][0] == "0" * 31 + "1"
    assert frame["start_time_unix_nano"].dtype == pl.Datetime("ns", "UTC")
    assert frame["amount"].null_count() == 20


def test_tensors_stand_for_columns(shop, torch):
    found = shop.to_torch()
    assert {"service.name", "duration_time_unix_nano", "amount", "trace_id"} <= set(found)
    assert all(len(tensor) == len(shop) for tensor in found.values())
    services = [found.vocabularies["service.name"][code] for code in found["service.name"].tolist()]
    assert services == shop["service.name"].to_pylist()
    assert found["duration_time_unix_nano"].dtype == torch.int64
    assert found["trace_id"].shape == (25, 16)
    assert bytes(found["trace_id"][0].tolist()) == (1).to_bytes(16, "big")
    assert found.present["amount"].tolist() == shop["amount"].is_valid().to_pylist()
    assert torch.isnan(found["amount"][~found.present["amount"]]).all()
    assert found["n"][~found.present["n"]].tolist() == [0] * 20
    assert (found["http.route"] == -1).sum() == 15
    assert repr(found).startswith(f"Tensors: {len(found)} columns of 25 records")


def test_tensors_are_their_own_memory(shop, torch):
    found = shop.to_torch(["amount", "kind"])
    found["kind"][:] = 7
    assert list(found) == ["amount", "kind"]
    assert 7 not in shop["kind"].to_pylist()


def test_what_is_no_tensor_is_an_error(shop, torch):
    with pytest.raises(otlp.UnknownKeyError, match="amont"):
        shop.to_torch(["amont"])
    metrics = otlp.Logs.from_otlp(
        b'{"resourceLogs": [{"scopeLogs": [{"logRecords": [{"attributes": '
        b'[{"key": "b", "value": {"bytesValue": "AAE="}}]}]}]}]}',
        encoding="json",
    )
    assert "b" not in metrics.to_torch()
    with pytest.raises(otlp.TensorError, match="'b' holds values of type binary"):
        metrics.to_torch(["b"])


@pytest.mark.parametrize(
    ("module", "extra", "method", "arguments"),
    [
        ("duckdb", "tables", "sql", ["select 1"]),
        ("duckdb", "tables", "to_duckdb", []),
        ("polars", "tables", "to_polars", []),
        ("torch", "learning", "to_torch", []),
    ],
)
def test_a_missing_library_names_its_extra(module, extra, method, arguments, shop, monkeypatch):
    monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(
        MissingExtraError, match=rf"needs {module}: pip install 'reliability-workbench\[{extra}\]'"
    ):
        getattr(shop, method)(*arguments)
