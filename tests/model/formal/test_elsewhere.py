"""Searches that are put aside and taken up again, and searches over other processes."""

from concurrent.futures import ProcessPoolExecutor

import pytest
from agreement import summary
from small_models import Bounded, Cube, Jugs, Overflowing, Tokens

import workbench.model.formal as wb


@pytest.mark.parametrize("limits", [{"max_states": 700}, {"max_depth": 12}, {"timeout_s": 0.0}])
@pytest.mark.parametrize("model", [Cube(14), Tokens(40)], ids=["one word", "two words"])
def test_a_search_goes_on_where_it_ended(tmp_path, model, limits):
    whole = wb.check(model, engine="compiled")
    kept = tmp_path / "search.npz"
    begun = wb.check(model, engine="compiled", checkpoint=kept, **limits)
    assert begun.holds is None
    assert kept.exists()
    assert summary(wb.check(model, engine="compiled", checkpoint=kept)) == summary(whole)
    assert not kept.exists()


def test_a_search_that_is_interrupted_is_put_aside(tmp_path):
    kept = tmp_path / "search.npz"

    def interrupt(seen):
        raise KeyboardInterrupt

    model = Cube(60)
    with pytest.raises(KeyboardInterrupt):
        interrupted(model, kept, interrupt)
    assert kept.exists()
    assert wb.check(model, checkpoint=kept).distinct == 60**3


def interrupted(model, kept, interrupt):
    """Check a model until it is interrupted: progress is told at most every fifth of a second."""
    from workbench.model.formal import _watching as watching

    had, watching.EVERY_S = watching.EVERY_S, 0.0
    try:
        wb.check(model, engine="compiled", checkpoint=kept, progress=interrupt)
    finally:
        watching.EVERY_S = had


def test_a_file_of_another_model_is_refused(tmp_path):
    kept = tmp_path / "search.npz"
    wb.check(Cube(14), engine="compiled", checkpoint=kept, max_states=500)
    with pytest.raises(wb.CheckpointError, match="was written for another model"):
        wb.check(Cube(15), engine="compiled", checkpoint=kept)


@pytest.mark.parametrize("cut", [0, 10, 0.5, -1])
def test_a_damaged_file_is_refused(tmp_path, cut):
    kept = tmp_path / "search.npz"
    wb.check(Cube(14), engine="compiled", checkpoint=kept, max_states=500)
    data = kept.read_bytes()
    kept.write_bytes(data[: int(cut * len(data)) if isinstance(cut, float) else cut])
    with pytest.raises(wb.CheckpointError, match="is no checkpoint, or damaged"):
        wb.check(Cube(14), engine="compiled", checkpoint=kept)


def test_what_does_not_go_together_is_refused(tmp_path):
    with pytest.raises(wb.ModelError, match="compiled engine only"):
        wb.check(Jugs, engine="python", checkpoint=tmp_path / "x")
    with pytest.raises(wb.ModelError, match="neither a checkpoint nor an executor"):
        wb.check(Jugs, threads=2, checkpoint=tmp_path / "x")
    with pytest.raises(wb.ModelError, match="plain exploration only"):
        wb.check(Jugs, reduction=True, threads=2)


@pytest.mark.slow
def test_other_processes_find_the_same_in_the_same_order():
    with ProcessPoolExecutor(2) as pool:
        for model in (Jugs, Cube(14), Tokens(40), Bounded):
            assert summary(wb.check(model, executor=pool)) == summary(wb.check(model, engine="compiled"))
        with pytest.raises(wb.ActionError, match=r"up\(\) in Overflowing"):
            wb.check(Overflowing, executor=pool)


@pytest.mark.slow
def test_a_dask_cluster_finds_the_same():
    distributed = pytest.importorskip("distributed")
    with (
        distributed.LocalCluster(
            n_workers=2, threads_per_worker=1, dashboard_address="127.0.0.1:0", processes=False
        ) as cluster,
        distributed.Client(cluster) as client,
    ):
        assert summary(wb.check(Cube(14), executor=client)) == summary(wb.check(Cube(14), engine="compiled"))
