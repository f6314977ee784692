"""Progress is told when asked for, up to the whole, and never otherwise."""

import sys
from types import ModuleType, SimpleNamespace

import pytest

from workbench import otlp
from workbench.otlp.storage._progress import ProgressBar

DATASET = "datasets/checkout/traces.otlp.zst"


def test_a_callable_hears_of_every_batch(tmp_path):
    heard = []
    batches = otlp.read_batches(
        DATASET, batch_bytes=1, progress=lambda done, total: heard.append((done, total))
    )
    count = sum(1 for _ in batches)
    (size,) = {total for _, total in heard}
    assert heard[-1] == (size, size)
    assert [done for done, _ in heard] == sorted(done for done, _ in heard)
    assert len(heard) >= count
    folder = tmp_path / "t.parquet"
    otlp.convert(DATASET, folder)
    heard.clear()
    otlp.read([folder, folder], progress=lambda done, total: heard.append((done, total)))
    assert heard[-1][0] == heard[-1][1] == 2 * sum(path.stat().st_size for path in folder.iterdir())


def test_a_terminal_is_silent_unless_asked(capsys):
    otlp.read(DATASET)
    assert capsys.readouterr() == ("", "")
    otlp.read(DATASET, progress=True)
    assert capsys.readouterr().out == ""


def test_a_notebook_shows_a_bar_that_ends_the_same_on_every_run(monkeypatch, capsys):
    shown = []

    class Handle:
        def update(self, bar):
            shown.append((repr(bar), bar._repr_html_()))

    def display(bar, *, display_id):
        assert display_id
        shown.append((repr(bar), bar._repr_html_()))
        return Handle()

    notebook = ModuleType("IPython")
    notebook.get_ipython = lambda: SimpleNamespace(kernel=object())
    monkeypatch.setitem(sys.modules, "IPython", notebook)
    monkeypatch.setitem(sys.modules, "IPython.display", SimpleNamespace(display=display))
    otlp.read(DATASET)
    assert shown == []
    otlp.read(DATASET, progress=True)
    assert shown[0][0] == "0.0 of 0.8 MB"
    assert shown[-1][0] == "0.8 of 0.8 MB"
    assert '<progress style="width:20em' in shown[-1][1]
    assert capsys.readouterr() == ("", "")


@pytest.mark.parametrize(("done", "total"), [(0, 0), (5_000_000, 12_345_678)])
def test_a_bar_draws_itself(done, total):
    bar = ProgressBar(total)
    bar.done = done
    assert f'value="{done}"' in bar._repr_html_()
    assert repr(bar) in bar._repr_html_()
