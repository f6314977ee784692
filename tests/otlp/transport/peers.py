"""The two sides of a clause's test: servers and exporters, ours or sabotaged."""

import contextlib
import random
import time
from dataclasses import replace

from asking import DETAILS_KEY, Answer, send
from building import SERVICES, TYPES, encoded, logs, metrics, spans
from wiretap import Gate, Wiretap, Wrong

from workbench import otlp

__all__ = [
    "DETAILS_KEY",
    "SERVICES",
    "TYPES",
    "Answer",
    "Gate",
    "Observer",
    "Peer",
    "VirtualClock",
    "Wrong",
    "encoded",
    "logs",
    "metrics",
    "send",
    "spans",
]


class VirtualClock:
    """Time that passes only by waiting, and then at once."""

    def __init__(self):
        self.at_s = 0.0
        self.waits = []

    def now_s(self):
        return self.at_s

    def unix_s(self):
        return time.time()  # of the peers, which are real

    def wait(self, condition, timeout_s):
        if timeout_s is None:
            condition.wait()
            return
        self.waits.append(timeout_s)
        self.at_s += timeout_s


class Observer:
    """A sound receiver that a client is watched by."""

    def __init__(self, clock, gate=None, **options):
        self.requests = []

        def see(seen):
            self.requests.append(replace(seen, at_s=clock.at_s))

        self.receiver = _receiver(Wrong(), see, gate, options)
        self.http_endpoint, self.grpc_endpoint = self.receiver.http_endpoint, self.receiver.grpc_endpoint

    def close(self):
        self.receiver.close()


def _receiver(wrong, see, gate, options):
    tap = {"wrong": wrong, "see": staticmethod(see), "gate": staticmethod(gate or contextlib.nullcontext)}
    servers = type("Servers", (Wiretap,), tap)
    return type("Receiver", (otlp.Receiver,), {"_servers": servers})(**(options | wrong.options))


class Peer:
    """What a clause's test talks to; everything it made is closed at the end."""

    def __init__(self, run):
        self.run = run
        self.over = run.over
        self.clock = VirtualClock()
        self._open = contextlib.ExitStack()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._open.close()

    def server(self, **options):
        """Return the server under test."""
        wrong = self.run.wrong if self.run.is_wrong else Wrong()
        made = _receiver(wrong, lambda _seen: None, None, options)
        self._open.callback(made.close)
        return made

    def send(self, server, message, **how):
        """Send one request over the clause's protocol."""
        return send(server, message, how.pop("over", self.over), **how)

    def observer(self, *faults, gate=None, **options):
        """Return a sound server that sees what a client does."""
        observer = Observer(self.clock, gate, faults=faults, **options)
        self._open.callback(observer.close)
        return observer

    def endpoint(self, observer):
        return observer.grpc_endpoint if self.over == "grpc" else observer.http_endpoint

    def exporter(self, observer, **options):
        """Return the exporter under test."""
        endpoint = observer if isinstance(observer, str) else self.endpoint(observer)
        wrong = self.run.wrong if self.run.is_wrong else None
        if isinstance(wrong, dict):
            options |= wrong
        steady = otlp.RetryPolicy(jitter=0)
        known = {"protocol": self.over, "clock": self.clock, "rng": random.Random(7), "retry": steady}
        exporter = otlp.Exporter(endpoint, schedule_delay_s=0, **(known | options))
        self._open.callback(exporter.shutdown, 0)
        if callable(wrong):
            wrong(exporter)
        return exporter
