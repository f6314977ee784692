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
    found = outcome(folder)
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
