"""Readers see what was written before or after, never something between."""

import sys
from pathlib import Path

import pytest

from workbench import otlp
from workbench.otlp.storage import _places, _table_folder

NONE = otlp.Traces.from_otlp(b"")


@pytest.mark.parametrize("moment", range(1, 14))
def test_a_folder_that_is_replaced_while_it_is_opened_is_read_as_one(moment, shop, tmp_path, monkeypatch):
    folder = tmp_path / "traces.parquet"
    otlp.write(NONE, folder)
    opened = []

    def replace_at_the_moment(path):
        opened.append(path)
        if len(opened) == moment:
            otlp.write(shop, folder)
        return open_table(path)

    open_table = _table_folder.open_table
    monkeypatch.setattr(_table_folder, "open_table", replace_at_the_moment)
    assert otlp.read(folder) == shop


def test_a_folder_that_goes_while_it_is_opened_is_an_error(shop, tmp_path, monkeypatch):
    folder = tmp_path / "traces.parquet"
    otlp.write(shop, folder)

    def remove(path):
        for file in folder.iterdir():
            file.unlink()
        folder.rmdir()
        return open_table(path)

    open_table = _table_folder.open_table
    monkeypatch.setattr(_table_folder, "open_table", remove)
    with pytest.raises(FileNotFoundError):
        otlp.read(folder, signal="traces")


@pytest.mark.skipif(sys.platform != "linux", reason="others have no exchange of two names")
def test_a_folder_is_replaced_without_a_moment_between(shop, tmp_path, monkeypatch):
    folder = tmp_path / "traces.parquet"
    otlp.write(NONE, folder)
    monkeypatch.delattr(Path, "rename")
    otlp.write(shop, folder)
    assert otlp.read(folder) == shop
    assert not list(tmp_path.glob(".*"))


def test_where_names_cannot_be_exchanged_there_are_two_renames(shop, tmp_path, monkeypatch):
    folder = tmp_path / "traces.parquet"
    otlp.write(NONE, folder)
    monkeypatch.setattr(_places, "exchange_names", lambda _first, _second: False)
    otlp.write(shop, folder)
    assert otlp.read(folder) == shop
    assert not list(tmp_path.glob(".*"))
