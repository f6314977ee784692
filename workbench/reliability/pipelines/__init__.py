"""What pipelines can do beyond calling: be checked, explained, configured, reloaded and observed.

A specification of a pipeline is a mapping, as YAML and TOML files have it::

    name: checkout
    budgets:                        # shared by the layers that name them
      payments: {ratio: 0.1}
    layers:                         # the first is outermost
      - {kind: deadline, timeout_s: 2s}
      - kind: retry
        attempts: 4
        backoff: {kind: exponential, base_s: 100ms, cap_s: 1s}
        on: [ConnectionError, httpx.TimeoutException, ErrorClass.OVERLOAD]
        budget: payments
      - {kind: breaker, name: payments, consecutive: 5, open_s: 30s}
      - {kind: limiter.gcra, rate_hz: 100, burst: 20}
      - {kind: timeout, timeout_s: 250ms}

In TOML each layer is a ``[[layers]]``. Keys are the arguments of the policies' constructors, spelled alike;
values are numbers, texts, durations such as ``250ms`` or ``1m30s``, names of exceptions, and functions as
``module:name``. A specification is trusted as the program is: what it names is imported. Nothing else is
accepted: a key that is not known is an error that says where.
"""
