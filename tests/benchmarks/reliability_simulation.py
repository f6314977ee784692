"""The simulator against SimPy, M/M/10 at load 0.8; ours with a full pipeline, SimPy's without any.

Interleaved in one process, CPU time; the pipelines hardly ever interfere, so that both simulate the same
queue. Then decisions of single policies over recorded calls.
"""

import random
import statistics
import time

import numpy as np
import simpy

from workbench.backoff import Exponential as Backoff
from workbench.reliability import (
    Bulkhead,
    CircuitBreaker,
    Exponential,
    Pipeline,
    Poisson,
    RateLimiter,
    Retry,
    Service,
    Timeout,
    decisions,
    simulate,
)

SERVERS, RATE_HZ, MEAN_S, DURATION_S = 10, 80.0, 0.1, 20_000.0
PEER_DURATION_S = 500.0
RUNS = 5


def full_pipeline():
    return Pipeline(
        RateLimiter.gcra(rate_hz=1000.0, burst=1000),
        Bulkhead(1000),
        CircuitBreaker(),
        Retry(attempts=3, backoff=Backoff(0.05)),
    )


def ours(pipeline):
    service = Service(servers=SERVERS, service_time=Exponential(mean_s=MEAN_S))
    result = simulate(pipeline, service, Poisson(RATE_HZ), seed=1, duration_s=DURATION_S)
    return result.customers, result.mean_wait_s


def peer():
    environment = simpy.Environment()
    servers = simpy.Resource(environment, SERVERS)
    rng, waits = random.Random(1), []

    def customer():
        came = environment.now
        with servers.request() as request:
            yield request
            waits.append(environment.now - came)
            yield environment.timeout(rng.expovariate(1 / MEAN_S))

    def source():
        while True:
            yield environment.timeout(rng.expovariate(RATE_HZ))
            environment.process(customer())

    environment.process(source())
    environment.run(PEER_DURATION_S)
    return len(waits), statistics.fmean(waits)


def timed(function, *arguments):
    start = time.process_time()
    customers, wait_s = function(*arguments)
    return customers / (time.process_time() - start), wait_s


def compare_simulators():
    cases = {
        "no pipeline": (ours, None),
        "four policies": (ours, full_pipeline()),
        "and a timeout": (ours, Pipeline(*full_pipeline().policies, Timeout(10.0))),
        "SimPy": (peer,),
    }
    found = {name: [] for name in cases}
    ours(None)
    for _ in range(RUNS):
        for name, case in cases.items():
            found[name].append(timed(*case))
    slowest = statistics.median(rate for rate, _ in found["SimPy"])
    for name, runs in found.items():
        rate = statistics.median(rate for rate, _ in runs)
        waits = statistics.fmean(wait for _, wait in runs)
        ratio = f"{rate / slowest:5.1f}x SimPy"
        print(f"{name:14s} {rate / 1e6:6.3f} M customers/s  {ratio}  mean wait {waits:.4f} s")


def count_decisions(calls=5_000_000):
    rng = np.random.default_rng(0)
    at_s = np.cumsum(rng.exponential(0.01, calls))
    failed = rng.random(calls) < 0.1
    for policy, more in (
        (RateLimiter.gcra(rate_hz=90.0, burst=10), ()),
        (CircuitBreaker(open_s=5.0), (failed,)),
    ):
        decisions(policy, at_s[:10], *(each[:10] for each in more))
        taken = []
        for _ in range(RUNS):
            start = time.process_time()
            decisions(policy, at_s, *more)
            taken.append(time.process_time() - start)
        print(f"{type(policy).__name__:14s} {calls / statistics.median(taken) / 1e6:6.0f} M decisions/s")


if __name__ == "__main__":
    compare_simulators()
    count_decisions()
