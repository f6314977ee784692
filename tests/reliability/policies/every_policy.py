"""One policy of each kind, such that a call passes through it."""

from workbench.backoff import Constant
from workbench.reliability.pipeline import Pipeline
from workbench.reliability.policies.adaptive import AdaptiveLimit
from workbench.reliability.policies.breaker import CircuitBreaker
from workbench.reliability.policies.bulkhead import Bulkhead
from workbench.reliability.policies.cache import Cache
from workbench.reliability.policies.chaos import Chaos
from workbench.reliability.policies.deadline import Deadline
from workbench.reliability.policies.fallback import Fallback
from workbench.reliability.policies.hedge import Hedge
from workbench.reliability.policies.limiter import RateLimiter
from workbench.reliability.policies.retry import Retry
from workbench.reliability.policies.shedder import LoadShedder
from workbench.reliability.policies.throttle import ClientThrottle
from workbench.reliability.policies.timeout import Timeout

MAKERS = {
    "retry": lambda **more: Retry(attempts=3, backoff=Constant(0.0), **more),
    "breaker": lambda **more: CircuitBreaker(window=10, **more),
    "breaker by time": lambda **more: CircuitBreaker(window_s=10.0, slow_rate=0.5, **more),
    "timeout": lambda **more: Timeout(60.0, **more),
    "deadline": lambda **more: Deadline(60.0, **more),
    "limiter": lambda **more: RateLimiter.gcra(rate_hz=1e6, burst=1000, **more),
    "limiter by log": lambda **more: RateLimiter.sliding_log(limit=1000, window_s=1.0, **more),
    "bulkhead": lambda **more: Bulkhead(50, queue=5, **more),
    "hedge": lambda **more: Hedge(60.0, **more),
    "fallback": lambda **more: Fallback.value("instead", on=OSError, **more),
    "cache": lambda **more: Cache(60.0, **more),
    "adaptive limit": lambda **more: AdaptiveLimit("vegas", **more),
    "load shedder": lambda **more: LoadShedder(50, **more),
    "throttle": lambda **more: ClientThrottle(window_s=10.0, **more),
    "chaos": lambda **more: Chaos.error(0.0, error=OSError, **more),
    "pipeline": lambda **more: Pipeline(Retry(attempts=2, **more), Bulkhead(50, **more), name="both"),
}
