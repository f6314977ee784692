"""RED metrics of 10 million spans against DuckDB and polars: one core, interleaved, CPU time, as ratios.

python tests/benchmarks/red.py [rows]

Everyone groups by service and name, which are dictionary-encoded (ENUM in DuckDB, Categorical in polars, so
that all know their few values beforehand; plain integer keys are measured as well), and gives the count, the
share of errors, and a distribution of durations: ours as exponential histograms, from which p50 and p99 come;
theirs as p50 and p99, exact or approximate, or as the same kind of histogram, by grouping a logarithm once
more.
"""

import os

os.environ["POLARS_MAX_THREADS"] = "1"

import sys
import time

import duckdb
import numpy as np
import polars as pl
import pyarrow as pa

from workbench import kernels
from workbench.otlp.analysis._groups import encode
from workbench.otlp.analysis.red import measured

RUNS = 7
SERVICES, NAMES = 32, 60
QUANTILES = (0.5, 0.99)


def spans(rows):
    rng = np.random.default_rng(1)
    service = rng.integers(0, SERVICES, rows).astype(np.int32)
    name = rng.integers(0, NAMES, rows).astype(np.int32)
    return {
        "service": pa.DictionaryArray.from_arrays(service, [f"service-{k}" for k in range(SERVICES)]),
        "name": pa.DictionaryArray.from_arrays(name, [f"GET /resource/{k}" for k in range(NAMES)]),
        "service_id": service,
        "name_id": name,
        "start": 1_700_000_000_000_000_000 + np.sort(rng.integers(0, 3_600_000_000_000, rows)),
        "failed": rng.random(rows) < 0.02,
        "duration": np.exp(rng.normal(16, 1.5, rows)).astype(np.int64),
    }


def ours(data):
    columns = {"service": encode(data["service"]), "name": encode(data["name"])}
    return measured(columns, data["start"], data["duration"], data["failed"])


def duckdb_peers(data):
    connection = duckdb.connect()
    connection.execute("set threads=1")
    source = pa.table({key: pa.array(value) for key, value in data.items() if key != "start"})
    connection.register("source", source)
    connection.execute("create table spans as select * from source")
    peers = {}
    for label, keys in (("", "service, name"), (" integer keys", "service_id, name_id")):
        for kind, quantile in (("exact", "quantile_disc"), ("approximate", "approx_quantile")):
            query = (
                f"select {keys}, count(*), avg(failed::int), {quantile}(duration, [0.5, 0.99]) "
                f"from spans group by {keys}"
            )
            peers[f"DuckDB {kind}{label}"] = lambda query=query: connection.sql(query).to_arrow_table()
        histogram = (
            f"select {keys}, ceil(log2(duration) * 8)::int as bucket, count(*), sum(failed::int), "
            f"sum(duration), min(duration), max(duration) from spans group by {keys}, bucket"
        )
        peers[f"DuckDB histogram{label}"] = lambda query=histogram: connection.sql(query).to_arrow_table()
    return peers


def polars_peers(data):
    frame = pl.DataFrame(
        {
            "service": pl.Series(pl.from_arrow(data["service"])).cast(pl.Categorical),
            "name": pl.Series(pl.from_arrow(data["name"])).cast(pl.Categorical),
            **{key: data[key] for key in ("service_id", "name_id", "failed", "duration")},
        }
    )
    counts = [pl.len(), pl.col("failed").mean()]
    quantiles = [pl.col("duration").quantile(q).alias(f"p{100 * q:g}") for q in QUANTILES]
    totals = [
        pl.len(),
        pl.col("failed").sum(),
        *(getattr(pl.col("duration"), how)().alias(how) for how in ("sum", "min", "max")),
    ]
    bucket = (pl.col("duration").log(2) * 8).ceil().cast(pl.Int32).alias("bucket")
    peers = {}
    for label, keys in (("", ("service", "name")), (" integer keys", ("service_id", "name_id"))):
        peers[f"polars exact{label}"] = lambda keys=keys: frame.group_by(keys).agg(*counts, *quantiles)
        peers[f"polars histogram{label}"] = lambda keys=keys: frame.group_by(*keys, bucket).agg(*totals)
    return peers


def check(data):
    """Ours and DuckDB's exact answer agree: equal counts, and every true quantile within our bounds."""
    red = ours(data).to_arrow().sort_by([("service", "ascending"), ("name", "ascending")]).to_pydict()
    connection = duckdb.connect()
    connection.register("spans", pa.table({key: pa.array(value) for key, value in data.items()}))
    exact = connection.execute(
        "select count(*), avg(failed::int), quantile_disc(duration, [0.5, 0.99]) from spans "
        "group by service, name order by service::varchar, name::varchar"
    ).fetchall()
    for row, (count, errors, (median, p99)) in enumerate(exact):
        assert red["count"][row] == count
        assert abs(red["error_ratio"][row] - errors) < 1e-12
        assert red["p50_lower_s"][row] <= median / 1e9 <= red["p50_upper_s"][row]
        assert red["p99_lower_s"][row] <= p99 / 1e9 <= red["p99_upper_s"][row]
    print(f"{len(exact):,} groups equal DuckDB's exact count, errors and quantile bounds")


def main(rows):
    kernels.warm()
    data = spans(rows)
    check(data)
    everyone = {"ours": lambda: ours(data), **duckdb_peers(data), **polars_peers(data)}
    times = {who: [] for who in everyone}
    for run in everyone.values():
        run()
    for _ in range(RUNS):
        for who, run in everyone.items():
            start = time.process_time()
            run()
            times[who].append(time.process_time() - start)
    least, middle = min(times["ours"]), sorted(times["ours"])[RUNS // 2]
    print(f"ours: {1000 * least:.0f} ms least, {1000 * middle:.0f} ms median, {RUNS} runs of {rows:,} spans")
    for who, seconds in times.items():
        ratios = f"{min(seconds) / least:5.1f}x least, {sorted(seconds)[RUNS // 2] / middle:5.1f}x median"
        print(f"  {who:34} {ratios}")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 10_000_000)
