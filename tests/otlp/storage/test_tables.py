"""Folders of tables: every table comes back, whoever wrote it, in whatever order; others can read them."""

import random

import duckdb
import pandas as pd
import polars as pl
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from wire_fuzz import OFFICIAL, random_message

from workbench import otlp
from workbench.otlp._schema import LAYOUTS
from workbench.otlp.codec._join import join_stars
from workbench.otlp.storage import _table_writer


def telemetry(signal, seed):
    return otlp.Decoder(signal).decode(
        random_message(random.Random(seed), OFFICIAL[signal]).SerializeToString()
    )


def joined(batches):
    batches = list(batches)
    return type(batches[0])._of(join_stars([batch._columns() for batch in batches]))


@pytest.mark.parametrize("form", ["parquet", "arrow"])
@pytest.mark.parametrize("signal", OFFICIAL)
@settings(max_examples=8)
@given(seeds=st.lists(st.integers(0, 10**6), min_size=1, max_size=3), batch_bytes=st.integers(1, 10**6))
def test_what_was_written_is_read(signal, form, seeds, batch_bytes, tmp_path_factory):
    path = tmp_path_factory.mktemp("tables") / f"{signal}.{form}"
    parts = [telemetry(signal, seed) for seed in seeds]
    written = otlp.write(parts, path)
    assert written.records == sum(map(len, parts))
    assert otlp.read(path) == joined(parts)
    assert joined(otlp.read_batches(path, batch_bytes=batch_bytes)) == joined(parts)


def test_tables_have_their_schemas_and_say_their_signal(shop, tmp_path):
    otlp.write(shop, tmp_path / "shop.parquet")
    found = {path.stem: pq.read_schema(path) for path in (tmp_path / "shop.parquet").iterdir()}
    assert set(found) == set(LAYOUTS["traces"].schemas)
    for name, schema in LAYOUTS["traces"].schemas.items():
        assert found[name].equals(schema)
        assert found[name].metadata[b"otlp.signal"] == b"traces"
    assert otlp.read(tmp_path / "shop.parquet") == shop
    assert otlp.read(tmp_path / "shop.parquet", signal="traces") == shop
    with pytest.raises(otlp.AmbiguousSignalError, match="expected logs, found tables of traces"):
        otlp.read(tmp_path / "shop.parquet", signal="logs")


def test_many_small_groups_are_read_a_run_of_resources_at_a_time(monkeypatch, tmp_path):
    monkeypatch.setattr(_table_writer, "GROUP_ROWS", 7)
    traces = otlp.read("datasets/checkout/traces.otlp.zst").filter(pa.array([True] * 500 + [False] * 24529))
    for form in ("parquet", "arrow"):
        otlp.write(traces, tmp_path / f"t.{form}")
        batches = list(otlp.read_batches(tmp_path / f"t.{form}", batch_bytes=20_000))
        assert len(batches) > 3
        assert max(map(len, batches)) < 500
        assert joined(batches) == traces


def test_duckdb_polars_and_pandas_read_the_files(shop, tmp_path):
    folder = tmp_path / "shop.parquet"
    otlp.write(shop, folder)
    otlp.write(shop, tmp_path / "flat.parquet", layout="flat")
    names = shop["name"].to_pylist()
    query = f"""select s.name, a.str from '{folder}/spans.parquet' s
        join '{folder}/span_attrs.parquet' a on a.parent_id = s.id where a.key = 'http.route' order by s.id"""
    found = duckdb.sql(query).fetchall()
    assert found == [(n, r) for n, r in zip(names, shop["http.route"].to_pylist(), strict=True) if r]
    assert pl.read_parquet(folder / "spans.parquet")["name"].to_list() == names
    assert pl.read_parquet(folder / "spans.parquet")["start_time_unix_nano"].dtype == pl.Datetime("ns", "UTC")
    assert pd.read_parquet(folder / "spans.parquet")["name"].tolist() == names
    for flat in (pl.read_parquet(tmp_path / "flat.parquet"), pd.read_parquet(tmp_path / "flat.parquet")):
        assert list(flat["service.name"]) == shop["service.name"].to_pylist()
    assert duckdb.sql(f"select count(\"http.route\") from '{tmp_path}/flat.parquet'").fetchall() == [(10,)]


def test_tables_that_others_wrote_in_another_order_mean_the_same(shop, tmp_path):
    folder = tmp_path / "shop.parquet"
    otlp.write(shop, folder)
    for name, order in (("span_attrs", "hash(parent_id, key)"), ("spans", "id desc")):
        file = folder / f"{name}.parquet"
        found = duckdb.sql(f"select * from '{file}' order by {order}").to_arrow_table()
        pq.write_table(found, file, row_group_size=5)
    again = otlp.read(folder)
    key = pc.binary_slice(shop["span_id"], 7, 8)
    assert len(again) == len(shop)
    assert len(key) == len(shop)
    for column in ("name", "service.name", "http.route", "amount"):
        assert sorted(
            zip(
                again["trace_id"].to_pylist(),
                again["span_id"].to_pylist(),
                again[column].to_pylist(),
                strict=True,
            ),
            key=str,
        ) == sorted(
            zip(
                shop["trace_id"].to_pylist(),
                shop["span_id"].to_pylist(),
                shop[column].to_pylist(),
                strict=True,
            ),
            key=str,
        )


def test_rows_without_their_parents_are_refused_or_counted(shop, tmp_path):
    folder = tmp_path / "shop.parquet"
    otlp.write(shop, folder)
    spans = pq.read_table(folder / "spans.parquet")
    pq.write_table(spans.slice(0, len(spans) - 1), folder / "spans.parquet")
    with pytest.raises(otlp.MalformedError, match="belong to no row of their parent's table"):
        otlp.read(folder)
    lenient = otlp.read(folder, on_error="skip")
    assert len(lenient) == len(shop) - 1
    lost = [error.args[0] for error in lenient.skipped.errors]
    counts = [int(message.partition(" ")[0].replace(",", "")) for message in lost]
    assert lenient.skipped == sum(counts) > 0
    assert all("in shop.parquet belong to no row of their parent's table" in message for message in lost)
    assert sum("'span_attrs'" in message for message in lost) == 1


def test_unknown_fields_of_no_message_are_refused(shop, tmp_path):
    folder = tmp_path / "shop.parquet"
    otlp.write(shop, folder)
    path = folder / "unknown_fields.parquet"
    entry = {"table": "spans", "row": 0, "field": "Nothing", "value": b"\x98\x06\x01"}
    pq.write_table(pa.Table.from_pylist([entry], schema=shop.tables["unknown_fields"].schema), path)
    with pytest.raises(
        otlp.MalformedError, match=r"shop\.parquet: .*'unknown_fields', column 'field', row 0"
    ):
        otlp.read(folder)


@pytest.mark.parametrize("form", ["parquet", "arrow"])
@pytest.mark.parametrize("table", ["spans", "span_attrs", "resources"])
def test_a_copy_without_one_of_the_tables_that_were_written_is_an_error(shop, form, table, tmp_path):
    folder = tmp_path / f"shop.{form}"
    otlp.write(shop, folder)
    (folder / f"{table}.{form}").unlink()
    for on_error in ("raise", "skip"):
        with pytest.raises(otlp.MalformedError, match=f"incomplete: its tables {table} are not there"):
            otlp.read(folder, on_error=on_error)


def test_a_missing_table_of_somebody_else_is_empty_and_a_broken_one_an_error(shop, tmp_path):
    folder = tmp_path / "shop.parquet"
    folder.mkdir()
    for name in ("spans", "resources", "scopes"):
        pq.write_table(shop.tables[name].replace_schema_metadata(None), folder / f"{name}.parquet")
    assert "http.route" not in otlp.read(folder)
    assert otlp.read(folder)["name"].to_pylist() == shop["name"].to_pylist()
    (folder / "spans.parquet").write_bytes(b"PAR1 and nothing")
    with pytest.raises(otlp.MalformedError, match=r"spans\.parquet cannot be read"):
        otlp.read(folder)


def test_a_column_of_another_type_is_an_error(shop, tmp_path):
    folder = tmp_path / "shop.parquet"
    otlp.write(shop, folder)
    spans = pq.read_table(folder / "spans.parquet")
    pq.write_table(spans.drop_columns(["name"]), folder / "spans.parquet")
    with pytest.raises(otlp.MalformedError, match="lacks the column 'name'"):
        otlp.read(folder)


def test_a_folder_of_several_signals_needs_to_be_told_which(shop, tmp_path):
    day = tmp_path / "day"
    day.mkdir()
    logs = otlp.Logs.from_otlp(b'{"resourceLogs": [{"scopeLogs": [{"logRecords": [{}]}]}]}', encoding="json")
    otlp.write(shop, day / "a.parquet")
    assert otlp.read(day) == shop
    otlp.write(logs, day / "b.arrow")
    assert otlp.read(day, signal="traces") == shop
    assert otlp.read(day, signal="logs") == logs
    for signal in (None, "metrics"):
        with pytest.raises(otlp.AmbiguousSignalError, match="holds logs, traces; pass signal="):
            otlp.read(day, signal=signal)


def test_all_folders_of_a_signal_are_read_by_name_and_none_that_is_being_written(shop, tmp_path):
    day = tmp_path / "day"
    (day / "later").mkdir(parents=True)
    halves = [shop.filter(pa.array(mask)) for mask in ([True] * 3 + [False] * (len(shop) - 3),)]
    halves.append(shop.filter(pa.array([False] * 3 + [True] * (len(shop) - 3))))
    otlp.write(halves[1], day / "later" / "a.parquet")
    otlp.write(halves[0], day / "b.arrow")
    otlp.write(shop, day / "unfinished.parquet")
    (day / "unfinished.parquet").rename(day / ".unfinished.parquet")
    assert otlp.read(day) == joined([halves[0], halves[1]])
    assert [len(batch) for batch in otlp.read_batches(day)] == [3, len(shop) - 3]


def test_a_folder_is_replaced_whole_and_only_one_of_ours(shop, tmp_path):
    folder = tmp_path / "shop.parquet"
    otlp.write(shop, folder)
    half = shop.filter(pa.array([True, False] * 12 + [True]))
    otlp.write(half, folder)
    assert otlp.read(folder) == half
    with pytest.raises(ValueError, match="expected traces as before, got logs"):
        otlp.write([shop, otlp.Logs.from_otlp(b"")], folder)
    assert otlp.read(folder) == half
    (folder / "notes.txt").write_text("mine")
    with pytest.raises(FileExistsError, match="not overwritten"):
        otlp.write(shop, folder)
    assert (folder / "notes.txt").read_text() == "mine"
    assert {path.name for path in tmp_path.iterdir()} == {"shop.parquet", "traces.binpb"}


def test_what_is_no_telemetry_is_not_written(tmp_path):
    with pytest.raises(ValueError, match="nothing to write"):
        otlp.write([], tmp_path / "traces.otlp")
    with pytest.raises(TypeError, match="got a bytes"):
        otlp.write([b""], tmp_path / "traces.otlp")
    for wrong in (None, 5):
        with pytest.raises(TypeError, match=f"got a {type(wrong).__name__}"):
            otlp.write(wrong, tmp_path / "traces.otlp")
        with pytest.raises(TypeError, match=f"got a {type(wrong).__name__}"):
            otlp.write([otlp.Traces.from_otlp(b""), wrong], tmp_path / "traces.parquet")
    with pytest.raises(otlp.UnknownFormatError, match=r"leave \.zst away"):
        otlp.write(otlp.Logs.from_otlp(b""), tmp_path / "logs.parquet.zst")
    with pytest.raises(ValueError, match="layout must be"):
        otlp.write(otlp.Logs.from_otlp(b""), tmp_path / "logs.parquet", layout="wide")
    assert list(tmp_path.iterdir()) == []
