"""Clients and servers made wrong in one respect each."""

import json
from dataclasses import replace

from google.protobuf.duration_pb2 import Duration
from google.rpc.error_details_pb2 import RetryInfo
from google.rpc.status_pb2 import Status
from peers import SERVICES, Wrong

__all__ = [
    "altering",
    "altering_failure",
    "answering",
    "client",
    "forgetting_drops",
    "forgetting_errors",
    "impatient",
    "outcome",
    "refusing",
    "saying",
    "with_header",
    "without_header",
]


# Servers


def answering(**changes):
    """Return a server whose every answer has these changes."""
    return Wrong(answer=lambda _request, answer: replace(answer, **changes))


def refusing(status, when=lambda _request: True, body=b""):
    """Return a server that refuses requests with a status."""
    return Wrong(
        answer=lambda request, answer: replace(answer, status=status, body=body) if when(request) else answer
    )


def saying(change):
    """Return a server that says another thing in its responses: `change` edits the response message."""

    def altered(_request, answer):
        if not answer.ok:
            return answer
        response = SERVICES["traces"].response.FromString(answer.body)
        return replace(answer, body=change(response) or response.SerializeToString())

    return Wrong(answer=altered)


def altering(condition, **changes):
    """Return a server that changes answers of one status only."""
    return Wrong(
        answer=lambda _request, answer: replace(answer, **changes) if answer.status == condition else answer
    )


def altering_failure(change):
    """Return a server that says another thing in its failures: `change` edits the google.rpc.Status."""

    def altered(_request, answer):
        if answer.ok:
            return answer
        status = Status.FromString(answer.details if answer.over == "grpc" else answer.body)
        change(status)
        encoded = status.SerializeToString()
        return replace(answer, details=encoded) if answer.over == "grpc" else replace(answer, body=encoded)

    return Wrong(answer=altered)


def retry_delay(seconds):
    """Return a change of a status: another RetryInfo."""

    def change(status):
        del status.details[:]
        status.details.add().Pack(RetryInfo(retry_delay=Duration(seconds=seconds)))

    return change


def with_header(name, value):
    """Return a server that sets a header to something else."""
    return Wrong(answer=lambda _request, answer: replace(answer, headers=answer.headers | {name: value}))


def without_header(name):
    """Return a server that leaves a header out."""
    return Wrong(
        answer=lambda _request, answer: replace(
            answer, headers={key: value for key, value in answer.headers.items() if key != name}
        )
    )


# Clients


def client(wrap):
    """Return a sabotage that wraps the exporter's way to send: ``wrap(client) -> client``."""

    def apply(exporter):
        clients = exporter._shared.clients
        make = clients._make
        clients._make = lambda signal: wrap(make(signal))

    return apply


class Wrapped:
    """A client that passes everything on."""

    def __init__(self, inner):
        self.inner = inner
        self.encoding = inner.encoding

    def send(self, body):
        return self.inner.send(body)

    def close(self):
        self.inner.close()


def outcome(change):
    """Return a client that takes answers for something else."""

    class Misjudging(Wrapped):
        def send(self, body):
            return change(self.inner.send(body))

    return client(Misjudging)


def request(change):
    """Return a client that writes another request over HTTP: ``change(body, headers) -> body, headers``."""

    def wrap(inner):
        write = inner._request
        inner._request = lambda body: change(*write(body))
        return inner

    return client(wrap)


def header(name, value):
    """Return a client that sends a header with another value; None leaves it out."""

    def change(body, headers):
        kept = [pair for pair in headers if pair[0] != name]
        return body, kept if value is None else [*kept, (name, value)]

    return request(change)


def body(change):
    """Return a client that writes another JSON document."""
    return request(lambda found, headers: (json.dumps(change(json.loads(found))).encode(), headers))


def always_retrying(found):
    return replace(found, delivered=False, retryable=True)


def never_retrying(found):
    return replace(found, retryable=False)


def impatient(exporter):
    """A client that waits for nothing."""

    class Impatient:
        max_elapsed_s = 1e9

        def delay_s(self, _retry, _asked, _rng):
            return 0.0

    exporter._shared.policy = Impatient()


def forgetting_drops(exporter):
    """A client that does not count what it drops."""
    exporter._shared.stats.drop = lambda *_: None


def forgetting_errors(exporter):
    """A client that does not record errors."""

    class Nothing(dict):
        def __missing__(self, _key):
            return 0

        def __setitem__(self, _key, _value):
            pass

    exporter._shared.stats.errors = Nothing()
