"""Search and templates of text against their peers: interleaved in one process, CPU time, as ratios.

POLARS_MAX_THREADS=1 python tests/benchmarks/text.py [--rows 10_000_000] [--runs 9]

The bodies are 200,000 different ones of six templates, repeated to 10 million rows and about 585 MB. Under
each question stand the median and the minimum of the runs of everybody, and how many times longer their
median is than ours, which comes first. The first line is numpy's maximum over the same bytes: one reading of
them in order, without what a search also touches (where rows start, around each match, and the answers). It
is no lower bound: from pages of 4 KiB one can read faster in another order (`workbench.kernels._substring`).
How fast memory is read differs from process to process, by a quarter, and with it everybody's times: compare
only what was measured together.
"""

import argparse
import statistics
import time
from collections.abc import Callable

import numpy as np
import polars as pl
import pyarrow as pa
import pyarrow.compute as pc

from workbench import kernels, otlp

DISTINCT = 200_000
TEMPLATES = {
    "Order {} captured for user {} amount={} EUR": 0.25,
    "GET /api/v1/orders/{} completed in {} ms status={}": 0.25,
    "Cache miss for key product:{}:{} loading from db took {}ms": 0.20,
    "Retrying payment {} attempt {} after {}ms": 0.15,
    "Consumer group rebalanced partitions={} generation={} members={}": 0.13,
    "connection TIMEOUT upstream {} pool={} after {}ms": 0.02,
}


def log_bodies(rows: int) -> pa.ChunkedArray:
    rng = np.random.default_rng(3)
    templates, weights = list(TEMPLATES), list(TEMPLATES.values())
    kinds = rng.choice(len(templates), DISTINCT, p=weights).tolist()
    numbers = [rng.integers(0, most, DISTINCT).tolist() for most in (10**6, 10**5, 2000)]
    bodies = [templates[kind].format(*values) for kind, *values in zip(kinds, *numbers, strict=True)]
    base = pa.array(bodies, pa.large_string())
    whole, rest = divmod(rows, DISTINCT)
    return pa.chunked_array([pa.concat_arrays([*[base] * whole, base.slice(0, rest)])])


def compare(name: str, size: int, runs: int, everyone: dict[str, Callable[[], object]]) -> None:
    """Print medians and minima; who comes first is ours. Everything runs once before it is timed."""
    milliseconds: dict[str, list[float]] = {who: [] for who in everyone}
    for run in everyone.values():
        run()
    for _ in range(runs):
        for who, run in everyone.items():
            start = time.process_time()
            run()
            milliseconds[who].append(1000 * (time.process_time() - start))
    ours = statistics.median(next(iter(milliseconds.values())))
    print(f"{name}: {size / ours / 1e6:.1f} GB/s")
    for who, times in milliseconds.items():
        median, least = statistics.median(times), min(times)
        print(f"    {who:30} median {median:8.1f} ms  min {least:8.1f} ms  {median / ours:6.1f}x")


def search(bodies: pa.ChunkedArray, runs: int) -> None:
    series = pl.from_arrow(bodies)
    array = bodies.chunk(0)
    size = array.get_total_buffer_size()
    raw = np.frombuffer(array.buffers()[2], np.uint8)
    compare("reading", len(raw), runs, {"numpy max": raw.max})
    for text, share in (("TIMEOUT", "2%"), ("loading from", "20%"), (" 4711", "0.01%")):
        expected = pc.match_substring(bodies, text).to_numpy()
        found = otlp.search(bodies, text)
        assert (found == expected).all()
        compare(
            f"substring {text!r}, {share} hits ({found.mean():.2%})",
            size,
            runs,
            {
                "otlp.search": lambda text=text: otlp.search(bodies, text),
                "polars contains, literal": lambda text=text: series.str.contains(text, literal=True),
                "pyarrow match_substring": lambda text=text: pc.match_substring(bodies, text),
                "otlp.search, ignore_case": lambda text=text: otlp.search(bodies, text, ignore_case=True),
            },
        )
    prefix = "GET /api/v1/orders"
    assert (otlp.search(bodies, prefix, how="prefix") == pc.starts_with(bodies, prefix).to_numpy()).all()
    compare(
        f"prefix {prefix!r}",
        size,
        runs,
        {
            "otlp.search": lambda: otlp.search(bodies, prefix, how="prefix"),
            "polars starts_with": lambda: series.str.starts_with(prefix),
            "pyarrow starts_with": lambda: pc.starts_with(bodies, prefix),
        },
    )
    for glob in ("GET *completed in*404", "*TIMEOUT*pool=7*"):
        like, regex = glob.replace("*", "%"), "^" + glob.replace("*", ".*") + "$"
        assert (otlp.search(bodies, glob, how="glob") == pc.match_like(bodies, like).to_numpy()).all()
        compare(
            f"glob {glob!r}",
            size,
            runs,
            {
                "otlp.search": lambda glob=glob: otlp.search(bodies, glob, how="glob"),
                "polars contains, regex": lambda regex=regex: series.str.contains(regex),
                "pyarrow match_like": lambda like=like: pc.match_like(bodies, like),
            },
        )


def templates(bodies: pa.ChunkedArray, runs: int) -> None:
    """Against Drain3, on the first distinct bodies, without masks, so that both do the same."""
    some = bodies.slice(0, DISTINCT)
    everyone: dict[str, Callable[[], object]] = {
        "otlp.mine_templates, no masks": lambda: otlp.mine_templates(some, masks=()),
        "otlp.mine_templates": lambda: otlp.mine_templates(some),
    }
    try:
        from drain3.drain import Drain
    except ImportError:
        print("drain3 is not installed: no peer for templates")
    else:
        everyone["drain3, no masks"] = lambda: _drain3(Drain, some.to_pylist())
        ours = otlp.mine_templates(some, masks=())
        theirs = _drain3(Drain, some.to_pylist())
        pairs = len(set(zip(ours.ids.tolist(), theirs, strict=True)))
        print(f"{len(ours)} templates, drain3 {len(set(theirs))}; both group alike: {pairs == len(ours)}")
    compare(f"templates of {DISTINCT:,} bodies", some.nbytes, max(3, runs // 3), everyone)


def _drain3(drain: Callable[..., object], lines: list[str]) -> list[int]:
    miner = drain(depth=4, sim_th=0.4, max_children=100)
    return [miner.add_log_message(line)[0].cluster_id for line in lines]  # type: ignore[attr-defined]


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--rows", type=int, default=10_000_000)
    parser.add_argument("--runs", type=int, default=9)
    options = parser.parse_args()
    kernels.warm()
    made = log_bodies(options.rows)
    print(f"{len(made):,} bodies, {made.nbytes / 1e6:,.0f} MB")
    search(made, options.runs)
    templates(made, options.runs)
