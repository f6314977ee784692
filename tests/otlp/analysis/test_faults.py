"""Faults are found where they were made, blamed on who made them, and not found where there are none."""

import tracemalloc

import numpy as np
import pytest

from workbench import otlp

SECONDS = 60


def record(system, tmp_path, *, slow=None, failing=None, seed=7, chatty=False):
    """Six checkouts a second: shop calls stock, then pay, which is slow or fails from .. to seconds."""
    rng = np.random.default_rng(seed)
    for n in range(1, 6 * SECONDS):
        at = n * 1000 // 6
        stock, pay = rng.lognormal(2, 0.5), rng.lognormal(2.5, 0.3)
        failed = failing is not None and failing[0] <= at / 1000 < failing[1] and rng.random() < 0.6
        if slow is not None and slow[0] <= at / 1000 < slow[1]:
            pay += rng.lognormal(5.5, 0.2)
        stock, pay = int(stock) + 1, int(pay) + 1
        backoff = 150 if failed else 0
        system.span(
            "shop", n, 1, at_ms=at, ms=stock + pay + backoff + 10, name="POST /checkout", error=failed
        )
        system.span("shop", n, 2, parent=1, at_ms=at + 2, ms=stock, kind=3)
        system.span("stock", n, 3, parent=2, at_ms=at + 2, ms=stock, name="reserve")
        system.span("shop", n, 4, parent=1, at_ms=at + stock + 4, ms=pay, kind=3, error=failed)
        system.span("pay", n, 5, parent=4, at_ms=at + stock + 4, ms=pay, name="charge", error=failed)
        if chatty:
            system.span("stock", n, 6, parent=5, at_ms=at + stock + 4, ms=1, name="look")
    return system.traces(tmp_path)


def windows(faults):
    return [
        (row["kind"], row["service"], row["operation"], round(row["from_s"]), round(row["to_s"]))
        for row in faults.windows.to_pylist()
    ]


def test_a_quiet_system_has_none(system, tmp_path):
    faults = otlp.find_faults(record(system, tmp_path))
    assert repr(faults) == "Faults: none"
    assert faults.services == []


def test_slow_and_failing_windows_are_found_and_blamed(system, tmp_path):
    faults = otlp.find_faults(record(system, tmp_path, slow=(10, 20), failing=(35, 45)))
    assert windows(faults) == [
        ("slow", "pay", "charge", 10, 20),
        ("failing", "pay", "charge", 35, 45),
    ]
    assert faults.services == ["pay"]
    assert repr(faults) == "Faults: pay slow 10-20 s; pay failing 35-45 s"
    assert "<table" in faults._repr_html_()
    assert (faults.to_pandas()["end"] - faults.to_pandas()["start"]).dt.total_seconds().tolist() == [10, 10]


def test_who_waits_or_retries_is_not_blamed(system, tmp_path):
    """Shop's own time grows by its pauses between retries, while pay fails."""
    faults = otlp.find_faults(record(system, tmp_path, failing=(20, 40)))
    assert faults.services == ["pay"]


def test_services_that_call_each_other_do_not_excuse_each_other(system, tmp_path):
    faults = otlp.find_faults(record(system, tmp_path, slow=(10, 20), chatty=True))
    assert faults.services == ["pay"]


def test_wider_bins_find_the_same_less_precisely(system, tmp_path):
    faults = otlp.find_faults(record(system, tmp_path, slow=(10, 20)), bin_s=5)
    assert windows(faults) == [("slow", "pay", "charge", 10, 20)]


@pytest.mark.parametrize("threshold", ["bin_s", "slow_factor", "min_rate"])
def test_thresholds_must_be_positive(threshold, shop):
    with pytest.raises(ValueError, match=f"{threshold} must be positive, got 0"):
        otlp.find_faults(shop, **{threshold: 0})
    with pytest.raises(ValueError, match="positive"):
        otlp.find_faults(shop, **{threshold: float("nan")})


def test_stray_times_are_refused_with_a_way_out(system):
    """Times are 64 bits: from the least to the greatest there is more than a difference of 64 bits holds."""
    system.span("a", 1, 1)
    system.span("a", 1, 2).start_time_unix_nano = 1 << 63
    traces = otlp.Traces.from_otlp(system.message.SerializeToString())
    with pytest.raises(otlp.BinError, match="leave out spans with stray times"):
        otlp.find_faults(traces)
    with pytest.raises(otlp.BinError, match="leave out spans with stray times"):
        traces.latency_heatmap(bin_s=1)


def test_a_short_recording_has_none(shop):
    assert len(otlp.find_faults(shop)) == 0


def test_one_long_name_does_not_make_all_names_long(system):
    for number in range(1, 1001):
        system.span("shop", number, 1, at_ms=number, name="long" * 20_000 if number == 1 else "short")
    traces = otlp.Traces.from_otlp(system.message.SerializeToString())
    tracemalloc.start()
    assert len(otlp.find_faults(traces)) == 0
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 50e6  # a thousand times the long name are 80 MB
