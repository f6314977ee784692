"""Whatever became of a file of tables: telemetry, or an `OtlpError`; never a crash, never anything else."""

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from workbench import otlp


@pytest.fixture(scope="module")
def folders(tmp_path_factory):
    """Return a folder of each form, and the bytes of its files."""
    traces = otlp.read("datasets/checkout/traces.otlp.zst").filter(pa.array([True] * 200 + [False] * 24829))
    found = {}
    for form in ("parquet", "arrow"):
        folder = tmp_path_factory.mktemp("damaged") / f"traces.{form}"
        otlp.write(traces, folder)
        found[form] = folder, {path: path.read_bytes() for path in sorted(folder.iterdir())}
    return traces, found


def outcome(folder):
    try:
        return otlp.read(folder)
    except otlp.OtlpError as error:
        return error


@pytest.mark.parametrize("form", ["parquet", "arrow"])
@settings(max_examples=60)
@given(data=st.data())
def test_damaged_tables_are_read_or_refused_by_name(form, data, folders):
    traces, forms = folders
    folder, files = forms[form]
    path = data.draw(
        st.sampled_from([path for path in files if path.stem in ("spans", "span_attrs", "scopes")])
    )
    content = bytearray(files[path])
    at = data.draw(st.integers(0, len(content) - 1))
    if data.draw(st.booleans()):
        content[at] ^= 1 << data.draw(st.integers(0, 7))
    else:
        del content[at:]
    path.write_bytes(content)
    try:
        found = outcome(folder)
    finally:
        path.write_bytes(files[path])
    if isinstance(found, otlp.OtlpError):
        assert path.name in str(found) or folder.name in str(found)
    else:
        assert len(found) <= len(traces)


def test_a_damaged_page_of_parquet_is_refused_whatever_it_decodes_to(folders):
    """zstd has no checksum of its own here: some flipped bits give other values of the same number."""
    traces, forms = folders
    folder, files = forms["parquet"]
    path = folder / "span_attrs.parquet"
    pages = files[path].rindex(b"PAR1") - int.from_bytes(files[path][-8:-4], "little") - 100
    for at in range(4, pages, pages // 100):
        content = bytearray(files[path])
        content[at] ^= 1
        path.write_bytes(content)
        found = outcome(folder)
        assert isinstance(found, otlp.MalformedError) or found == traces
    path.write_bytes(files[path])


def test_text_of_an_arrow_file_that_reaches_beyond_it_is_refused(tmp_path):
    """Arrow maps offsets as they lie there: unlooked at, they end the process."""
    attributes = ", ".join(f'{{"key": "{key}", "value": {{"bytesValue": "QUJD"}}}}' for key in "ab")
    span = f'{{"name": "a", "attributes": [{attributes}]}}'
    text = f'{{"resourceSpans": [{{"scopeSpans": [{{"spans": [{span}]}}]}}]}}'
    otlp.write(otlp.Traces.from_otlp(text.encode(), encoding="json"), tmp_path / "traces.arrow")
    path = tmp_path / "traces.arrow" / "span_attrs.arrow"
    table = pa.ipc.open_file(path.read_bytes()).read_all()
    at = table.schema.get_field_index("bytes")
    offsets = np.array([0, 0x7F000000, 3], np.int32)
    beyond = pa.Array.from_buffers(pa.binary(), 2, [None, pa.py_buffer(offsets), pa.py_buffer(b"ABC")])
    broken = table.set_column(at, table.schema.field(at), beyond)
    with pa.OSFile(str(path), "wb") as file, pa.ipc.new_file(file, table.schema) as writer:
        writer.write_table(broken)
    with pytest.raises(otlp.MalformedError, match=r"span_attrs\.arrow cannot be read"):
        otlp.read(tmp_path / "traces.arrow")


def test_names_that_are_no_text_are_refused(tmp_path):
    otlp.write(otlp.Logs.from_otlp(b""), tmp_path / "logs.arrow")
    path = tmp_path / "logs.arrow" / "log_attrs.arrow"
    path.write_bytes(path.read_bytes().replace(b"double", b"doubl\xff"))
    with pytest.raises(otlp.MalformedError, match=r"log_attrs\.arrow cannot be read"):
        otlp.read(tmp_path / "logs.arrow")


def test_names_within_a_struct_that_are_no_text_are_refused(tmp_path):
    otlp.write(otlp.Traces.from_otlp(SPANS, encoding="json"), tmp_path / "traces.arrow")
    path = tmp_path / "traces.arrow" / "spans.arrow"
    path.write_bytes(path.read_bytes().replace(b"version", b"versio\xff"))
    with pytest.raises(otlp.MalformedError, match=r"spans\.arrow cannot be read"):
        otlp.read(tmp_path / "traces.arrow")


def test_ids_that_are_no_numbers_are_refused(tmp_path):
    otlp.write(otlp.Logs.from_otlp(b""), tmp_path / "logs.parquet")
    path = tmp_path / "logs.parquet" / "log_attrs.parquet"
    table = pq.read_table(path)
    at = table.schema.get_field_index("parent_id")
    pq.write_table(table.set_column(at, "parent_id", pa.array([], pa.string())), path)
    with pytest.raises(
        otlp.MalformedError, match="'log_attrs' has no whole numbers in the column 'parent_id'"
    ):
        otlp.read(tmp_path / "logs.parquet")


def rewritten(folder, name, column, change):
    """Replace a column of a folder's table by what `change` makes of it."""
    path = folder / f"{name}.parquet"
    table = pq.read_table(path)
    at = table.schema.get_field_index(column)
    pq.write_table(table.set_column(at, column, change(table[column].combine_chunks())), path)
    return folder


SPANS = b'{"resourceSpans": [{"scopeSpans": [{"spans": [{"name": "a", "attributes": [{"key": "k"}]}, {}]}]}]}'
SUMMARY = b'{"resourceMetrics": [{"scopeMetrics": [{"metrics": [{"summary": {"dataPoints": [{}]}}]}]}]}'


@pytest.fixture
def spans(tmp_path):
    otlp.write(otlp.Traces.from_otlp(SPANS, encoding="json"), tmp_path / "traces.parquet")
    return tmp_path / "traces.parquet"


@pytest.fixture
def summary(tmp_path):
    otlp.write(otlp.Metrics.from_otlp(SUMMARY, encoding="json"), tmp_path / "metrics.parquet")
    return tmp_path / "metrics.parquet"


def test_empty_lists_that_another_library_wrote_without_a_type_are_lists(summary):
    """As pandas writes a column in which no list has an element."""
    expected = otlp.read(summary)
    rewritten(summary, "summary_data_points", "quantile", lambda lists: pa.nulls(len(lists)))
    assert otlp.read(summary) == expected


@pytest.mark.parametrize("kind", [pa.int64(), pa.string(), pa.struct([("a", pa.int64())])])
def test_what_is_no_list_is_refused(summary, kind):
    rewritten(summary, "summary_data_points", "quantile", lambda lists: pa.nulls(len(lists), kind))
    with pytest.raises(otlp.MalformedError, match="has no lists in the column 'quantile'"):
        otlp.read(summary)


def test_numbers_for_a_resource_or_names_that_are_none_are_refused(spans):
    rewritten(spans, "unknown_fields", "table", lambda names: pa.nulls(len(names), pa.list_(pa.int8())))
    with pytest.raises(otlp.MalformedError, match="'unknown_fields' has no texts in the column 'table'"):
        otlp.read(spans)
    rewritten(spans, "spans", "scope", lambda scopes: pa.array([0] * len(scopes)))
    with pytest.raises(otlp.MalformedError, match="'spans' has no whole numbers in the column 'scope'"):
        otlp.read(spans)


@pytest.mark.parametrize("name", [".ame", "nam", "", "name.name", "id"])
@pytest.mark.parametrize("struct", ["resource", "scope"])
def test_a_struct_whose_field_has_another_name_is_refused(spans, struct, name):
    def renamed(structs):
        names = [name if field.name in ("name", "schema_url") else field.name for field in structs.type]
        return pa.StructArray.from_arrays(structs.flatten(), names)

    rewritten(spans, "spans", struct, renamed)
    with pytest.raises(otlp.MalformedError, match=rf"traces\.parquet.*'{struct}"):
        otlp.read(spans)


def with_ids(structs, ids):
    fields = [pa.array(ids) if f.name == "id" else structs.field(f.name) for f in structs.type]
    return pa.StructArray.from_arrays(fields, [f.name for f in structs.type])


NO_RESOURCE = [None, -1, 4_000_000_000, 1 << 62]


@pytest.mark.parametrize("wrong", NO_RESOURCE)
def test_a_record_belongs_to_the_resource_of_its_scope_whatever_number_it_has(spans, wrong):
    """Room for as many resources as a wrong number says would fill the memory."""
    expected = otlp.read(spans)
    rewritten(spans, "spans", "resource", lambda structs: with_ids(structs, [0, wrong]))
    assert otlp.read(spans) == expected


@pytest.mark.parametrize("wrong", NO_RESOURCE)
def test_a_record_of_an_impossible_resource_is_refused_where_there_are_no_resources(spans, wrong):
    rewritten(spans, "spans", "resource", lambda structs: with_ids(structs, [0, wrong]))
    (spans / "resources.parquet").unlink()
    with pytest.raises(otlp.MalformedError, match=r"traces\.parquet"):
        otlp.read(spans)


@pytest.mark.parametrize("wrong", [None, -1, 5, 4_000_000_000])
def test_an_attribute_of_no_record_is_refused_or_left_out_whatever_its_number(spans, wrong):
    rewritten(spans, "span_attrs", "parent_id", lambda ids: pa.array([wrong], pa.int64()))
    with pytest.raises(otlp.MalformedError, match="1 rows of 'span_attrs'"):
        otlp.read(spans)
    found = otlp.read(spans, on_error="skip")
    assert len(found) == 2
    assert found.skipped == 1
