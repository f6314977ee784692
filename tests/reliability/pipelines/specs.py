"""Specifications of pipelines as Hypothesis makes them: every kind, with some of what it takes."""

from hypothesis import strategies as st

__all__ = ["LAYERS", "layers_of", "specs"]

SECONDS = st.one_of(st.floats(0.001, 1000.0), st.sampled_from(["250ms", "2s", "1m30s", "1.5 h", 3]))
COUNT = st.integers(1, 500)
SHARE = st.floats(0.01, 1.0)
ERRORS = st.sampled_from(
    [
        "ConnectionError",
        "CircuitOpenError",
        "asyncio.TimeoutError",
        "json.JSONDecodeError",
        "ErrorClass.OVERLOAD",
        "operator:truth",
    ]
)
ON = st.one_of(ERRORS, st.lists(ERRORS, max_size=3))
ORDER = st.sampled_from(["fifo", "lifo", "priority"])
PLAIN = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(-9, 9), st.floats(-1, 1), st.text(max_size=5)),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3), st.dictionaries(st.text(max_size=3), inner, max_size=3)
    ),
    max_leaves=5,
)
FUNCTION = st.sampled_from(
    ["operator:truth", "builtins:len", "workbench.reliability.errors.classification:is_retryable"]
)
BACKOFF = st.one_of(
    st.fixed_dictionaries({"kind": st.just("constant")}, optional={"base_s": SECONDS, "jitter": SHARE}),
    st.fixed_dictionaries({"kind": st.just("linear"), "cap_s": st.just("3h")}, optional={"base_s": SECONDS}),
    st.fixed_dictionaries(
        {"kind": st.just("exponential"), "cap_s": st.just("3h")},
        optional={"base_s": SECONDS, "jitter": st.sampled_from(["none", "full", "equal", "decorrelated"])},
    ),
)
BUDGETS = ("one", "two")


def layer(kind, needed=None, **optional):
    return st.fixed_dictionaries(
        {"kind": st.just(kind), **(needed or {})},
        optional={"name": st.text(min_size=1, max_size=6), **optional},
    )


RATES = {"rate_hz": st.one_of(st.integers(1, 99), st.floats(0.1, 99.0))}
WINDOW = {"limit": COUNT, "window_s": SECONDS}
LIMITER = {"wait_s": SECONDS, "max_keys": COUNT, "key": FUNCTION, "cost": FUNCTION}
SHARED = {"failure_rate": SHARE, "open_s": SECONDS, "half_open_calls": COUNT, "on": ON, "ignore": ON}
LAYERS = {
    "retry": layer(
        "retry",
        attempts=st.one_of(st.none(), COUNT),
        backoff=BACKOFF,
        on=st.sampled_from(["ConnectionError", "ErrorClass.TIMEOUT"]),
        ignore=ON,
        on_result=FUNCTION,
        budget=st.one_of(st.sampled_from(BUDGETS), st.just({"burst": 3.0})),
        timeout_s=st.one_of(SECONDS, st.just("inf")),
        retry_after=st.one_of(st.none(), FUNCTION),
        errors=st.sampled_from(["last", "group"]),
    ),
    "breaker": st.one_of(
        layer("breaker", **SHARED, window=COUNT, minimum_calls=COUNT),
        layer("breaker", {"window_s": SECONDS}, **SHARED, buckets=st.integers(1, 20)),
        layer("breaker", {"consecutive": COUNT}, **SHARED, slow_rate=SHARE, slow_s=SECONDS),
    ),
    "timeout": layer("timeout", {"timeout_s": SECONDS}, interrupt=st.sampled_from(["none", "thread"])),
    "deadline": layer("deadline", {"timeout_s": SECONDS}),
    "bulkhead": layer("bulkhead", limit=COUNT, queue=COUNT, max_wait_s=SECONDS, order=ORDER),
    "hedge": layer(
        "hedge", delay_s=SECONDS, hedges=st.integers(1, 3), budget=st.one_of(st.none(), SHARE), burst=COUNT
    ),
    "fallback": st.one_of(
        layer("fallback", {"value": PLAIN}, ignore=st.sampled_from(["KeyError", "ErrorClass.OPEN"])),
        layer("fallback", {"function": FUNCTION}),
        layer("fallback", {"by_type": st.just({"KeyError": [1], "OSError": None})}),
    ),
    "cache": layer(
        "cache",
        ttl_s=SECONDS,
        max_entries=COUNT,
        stale_if_error_s=SECONDS,
        store_if=FUNCTION,
        by_function=st.booleans(),
    ),
    "adaptive_limit": st.one_of(
        layer("adaptive_limit", queue=COUNT, order=ORDER, window_s=SECONDS, on=ON),
        layer(
            "adaptive_limit",
            {"algorithm": st.just("aimd"), "backoff": st.floats(0.5, 0.9)},
            timeout_s=SECONDS,
        ),
        layer(
            "adaptive_limit",
            {"algorithm": st.just({"kind": "gradient2", "queue": 8.0, "initial": 30})},
            queue=COUNT,
        ),
    ),
    "load_shedder": layer(
        "load_shedder",
        limit=COUNT,
        discipline=st.sampled_from(["codel", "adaptive_lifo", "none"]),
        weights=st.dictionaries(st.text(max_size=3), st.floats(1.0, 5.0), max_size=2),
    ),
    "client_throttle": layer(
        "client_throttle", ratio=st.floats(1.0, 5.0), max_rejection=SHARE, window_s=SECONDS
    ),
    "limiter.gcra": layer("limiter.gcra", RATES, burst=COUNT, **LIMITER),
    "limiter.token_bucket": layer("limiter.token_bucket", RATES, burst=COUNT, **LIMITER),
    "limiter.leaky_bucket": layer("limiter.leaky_bucket", RATES, **LIMITER),
    "limiter.fixed_window": layer("limiter.fixed_window", WINDOW, **LIMITER),
    "limiter.sliding_window": layer("limiter.sliding_window", WINDOW, **LIMITER),
    "limiter.sliding_log": layer("limiter.sliding_log", WINDOW, **LIMITER),
    "chaos.latency": layer("chaos.latency", rate=SHARE, delay_s=SECONDS, seed=st.integers(0, 9)),
    "chaos.error": layer(
        "chaos.error",
        rate=SHARE,
        error=st.sampled_from(["OSError", ["OSError", "KeyError"]]),
        enabled=st.booleans(),
    ),
    "chaos.outcome": layer("chaos.outcome", rate=SHARE, result=PLAIN),
    "chaos.behaviour": layer("chaos.behaviour", {"action": st.just("gc:collect")}, rate=SHARE),
}


def layers_of(*kinds):
    """Return lists of layers, of these kinds or of any."""
    return st.lists(st.one_of(*(LAYERS[kind] for kind in (kinds or LAYERS))), max_size=5)


def specs():
    """Return specifications."""
    return st.fixed_dictionaries(
        {
            "budgets": st.just({name: {"ratio": 0.1} for name in BUDGETS}),
            "layers": layers_of(),
        },
        optional={"name": st.text(min_size=1, max_size=9)},
    )
