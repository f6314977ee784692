"""The policies, one a file: what users make, around the machines that decide.

Defaults are published ones:

================ ================ ========= ==========================================================
policy           argument         default   source; where Polly and resilience4j differ, and why
================ ================ ========= ==========================================================
Retry            attempts         3         AWS SDKs, standard mode; resilience4j 3, Polly 4
backoff          base_s           1.0       AWS SDKs; resilience4j 0.5 s and Polly 2 s, both constant
backoff          cap_s            20.0      AWS SDKs; full jitter, as clients that fail together part
RetryBudget      ratio            0.2       Finagle and Envoy; neither Polly nor resilience4j has one
RetryBudget      burst            10.0      Finagle's 10 s of `minimum_hz`; gRPC's usual maximum
CircuitBreaker   failure_rate     0.5       resilience4j; Polly 0.1, which opens on noise
CircuitBreaker   minimum_calls    100       resilience4j and Polly
CircuitBreaker   open_s           60.0      resilience4j; Polly 5 s
CircuitBreaker   slow_s           60.0      resilience4j; slow calls count only with a `slow_rate`
Bulkhead         limit            25        resilience4j; Polly 1,000, more than most pools have
Bulkhead         queue            0         Polly; in resilience4j nobody waits either
Hedge            quantile         0.95      Dean and Barroso, The Tail at Scale (2013)
Cache            max_entries      128       `functools.lru_cache`
Cache            stale_if_error_s 0.0       RFC 5861, without its directive
LoadShedder      target_s         0.005     RFC 8289, section 4.4
LoadShedder      interval_s       0.1       RFC 8289, section 4.4
ClientThrottle   ratio            2.0       Beyer et al., Site Reliability Engineering, chapter 21
ClientThrottle   window_s         120.0     the same
ClientThrottle   max_rejection    1.0       the same; failsafe-go 0.9
AdaptiveLimit    window_s         1.0       Netflix concurrency-limits, `WindowedLimit`
Gradient2        tolerance        1.5       Netflix concurrency-limits
Gradient2        smoothing        0.2       Netflix concurrency-limits
Chaos.latency    rate             0.001     Polly's chaos strategies
================ ================ ========= ==========================================================

A `RateLimiter`, a `Timeout` and a `Deadline` have none: only you know how many calls there may be, and how
long they take.
"""
