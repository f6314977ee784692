"""The obligations of the OTLP specification 1.11, one row for each keyword, in our own words.

Counted are the words in capitals: 47 MUST, 8 MUST NOT, 54 SHOULD, 1 SHOULD NOT; 7 RECOMMENDED and 22 MAY are
choices, and ours is told. An id is the section and a number within it. ``since`` marks what version 1.11
added or changed: its size limits.
"""

from collections import Counter
from dataclasses import dataclass

__all__ = ["CLAUSES", "Clause", "keyword_counts"]


@dataclass(frozen=True, slots=True)
class Clause:
    """One obligation, or one choice."""

    id: str
    keyword: str
    side: str  # client, server, both
    wording: str
    choice: str = ""
    since: str = ""

    @property
    def binds(self) -> bool:
        """Tell an obligation from a choice."""
        return self.keyword not in ("RECOMMENDED", "MAY")


def _section(slug, *rows):
    return [Clause(f"{slug}-{number}", *row) for number, row in enumerate(rows, 1)]


NEW = "1.11"

CLAUSES = [
    *_section("general", ("MUST", "server", "takes requests without compression and with gzip")),
    *_section(
        "grpc-request",
        ("MUST", "server", "bounds the size of a request, after decompression too", "", NEW),
        ("MUST", "server", "refuses a larger request with RESOURCE_EXHAUSTED", "", NEW),
        ("SHOULD", "server", "lets its user set that bound", "", NEW),
        ("SHOULD", "client", "bounds the size of its requests, before compression too", "", NEW),
        ("SHOULD", "client", "lets its user set that bound", "", NEW),
        ("MUST NOT", "client", "sends a request over its bound", "", NEW),
        ("SHOULD", "client", "records that such a request was discarded", "", NEW),
        ("RECOMMENDED", "server", "64 MiB as the default bound", "64 MiB", NEW),
        ("RECOMMENDED", "client", "64 MiB as the default bound", "64 MiB", NEW),
    ),
    *_section(
        "grpc-concurrent",
        ("SHOULD", "client", "supports concurrent calls, where throughput matters"),
        ("SHOULD", "client", "sends on while earlier requests are unanswered"),
        ("SHOULD", "client", "lets its user set how many requests are under way"),
        ("SHOULD", "client", "lets its user choose whether a shutdown waits for acknowledgements"),
        ("SHOULD", "client", "records data that could not be delivered"),
        ("MAY", "client", "waits for each response before the next request", "by default: one at a time"),
    ),
    *_section(
        "grpc-response",
        ("MUST", "server", "answers with the message that belongs to the case"),
        ("MUST", "client", "bounds the size of a response, after decompression too", "", NEW),
        ("SHOULD", "client", "lets its user set that bound", "", NEW),
        ("MUST", "client", "does not retry after a response over the bound", "", NEW),
        ("MUST", "server", "bounds its responses, before compression", "", NEW),
        ("SHOULD", "server", "lets its user set that bound", "", NEW),
        ("SHOULD", "server", "makes a partial success fit, and say the same", "", NEW),
        ("MUST", "server", "fails with RESOURCE_EXHAUSTED where it cannot fit", "", NEW),
        ("RECOMMENDED", "server", "4 MiB as the default bound", "4 MiB", NEW),
        ("MAY", "server", "shortens diagnostics to make a response fit", "the error message is cut", NEW),
    ),
    *_section(
        "grpc-full-success",
        ("SHOULD", "server", "answers an empty request with success"),
        ("MUST", "server", "answers success with the response message of the service"),
        ("MUST", "server", "leaves partial_success unset then"),
    ),
    *_section(
        "grpc-partial-success",
        ("MUST", "server", "answers a partial success with the same message as a success"),
        ("MUST", "server", "sets partial_success then"),
        ("MUST", "server", "tells there how many records it rejected"),
        ("SHOULD", "server", "tells there, for people, why"),
        ("MUST", "server", "rejects none in a mere warning"),
        ("MUST", "server", "says something in a warning"),
        ("MUST NOT", "client", "retries after a partial success"),
        (
            "MAY",
            "server",
            "warns although it accepted everything",
            "a receiver that is told to (PartialSuccess(0))",
        ),
    ),
    *_section(
        "grpc-failures",
        ("SHOULD", "client", "records an error that may be retried"),
        ("MUST NOT", "client", "retries an error that may not"),
        ("MUST", "client", "drops the data of such an error"),
        ("SHOULD", "client", "counts what it dropped"),
        ("SHOULD", "server", "says UNAVAILABLE where a retry may help"),
        ("SHOULD", "client", "reads the codes as the table does"),
        ("SHOULD", "client", "backs off exponentially"),
        ("SHOULD", "client", "retries RESOURCE_EXHAUSTED only if the server says that it can recover"),
        ("SHOULD", "client", "takes RESOURCE_EXHAUSTED without RetryInfo as final"),
        ("MAY", "server", "adds RetryInfo to a retryable error", "always"),
        ("MAY", "server", "adds BadRequest to bad data", "always, with the field where it is known"),
        ("MAY", "server", "uses other codes that fit better", "UNIMPLEMENTED, RESOURCE_EXHAUSTED, INTERNAL"),
    ),
    *_section(
        "grpc-throttling",
        ("SHOULD", "server", "says so when it cannot keep up"),
        ("MUST", "client", "throttles itself then"),
        ("SHOULD", "server", "says it with UNAVAILABLE"),
        ("SHOULD", "client", "follows RetryInfo: waits as long, and longer the next time"),
        ("SHOULD", "server", "chooses a delay in which it can recover, not so long that data is lost"),
        ("MAY", "server", "adds RetryInfo", "always: 1 s when busy"),
    ),
    *_section(
        "http",
        ("SHOULD", "client", "falls back to HTTP/1.1 where HTTP/2 is not possible"),
        ("MAY", "both", "uses HTTP/1.1 or HTTP/2", "HTTP/1.1"),
    ),
    *_section(
        "http-protobuf", ("MUST", "both", "names application/x-protobuf as the type of protobuf bodies")
    ),
    *_section(
        "http-json",
        ("MUST", "both", "writes enum values as integers"),
        ("MUST NOT", "both", "writes names of enum values"),
        ("MUST", "server", "ignores fields with unknown names"),
        ("MUST", "server", "reads the rest as if they were not there"),
        ("MUST", "both", "names application/json as the type of JSON bodies"),
    ),
    *_section(
        "http-request",
        ("MUST", "client", "says Content-Encoding: gzip when it compresses"),
        ("MUST", "server", "bounds the size of a body, after decompression too"),
        ("SHOULD", "server", "lets its user set that bound", "", NEW),
        ("MUST", "server", "refuses a larger body with 413", "", NEW),
        ("SHOULD", "client", "bounds the size of its bodies, before compression too", "", NEW),
        ("SHOULD", "client", "lets its user set that bound", "", NEW),
        ("MUST NOT", "client", "sends a body over its bound", "", NEW),
        ("SHOULD", "client", "records that such a body was discarded", "", NEW),
        ("RECOMMENDED", "server", "64 MiB as the default bound", "64 MiB", NEW),
        ("RECOMMENDED", "client", "64 MiB as the default bound", "64 MiB", NEW),
        ("MAY", "client", "compresses with gzip", "on request; zstd as well"),
        ("MAY", "client", "says that it takes gzip responses", "always, and bounds what they inflate to"),
        (
            "MAY",
            "both",
            "uses other URL paths",
            "the exporter, by a signal's variable; not the receiver",
        ),
    ),
    *_section(
        "http-response",
        ("MUST", "server", "answers with the message that belongs to the case"),
        ("MUST", "server", "names the type of a protobuf response"),
        ("MUST", "server", "names the type of a JSON response"),
        ("MUST", "server", "answers in the type that it was asked in"),
        ("MUST", "client", "bounds the size of a response, after decompression too", "", NEW),
        ("SHOULD", "client", "lets its user set that bound", "", NEW),
        ("MUST", "client", "does not retry after a response over the bound", "", NEW),
        ("SHOULD", "client", "records that such a response was discarded", "", NEW),
        ("MUST", "server", "bounds its responses, before compression", "", NEW),
        ("SHOULD", "server", "lets its user set that bound", "", NEW),
        ("SHOULD", "server", "makes a partial success fit, and say the same", "", NEW),
        ("MUST", "server", "fails with 500 where it cannot fit", "", NEW),
        ("RECOMMENDED", "client", "4 MiB as the default bound", "4 MiB", NEW),
        ("RECOMMENDED", "server", "4 MiB as the default bound", "4 MiB", NEW),
        ("MAY", "server", "compresses a response where the client takes gzip", "from 1 KiB on"),
        ("MAY", "server", "shortens diagnostics to make a response fit", "the error message is cut", NEW),
    ),
    *_section(
        "http-full-success",
        ("SHOULD", "server", "answers an empty request with success"),
        ("MUST", "server", "answers success with 200"),
        ("MUST", "server", "answers success with the response message of the service"),
        ("MUST", "server", "leaves partial_success unset then"),
    ),
    *_section(
        "http-partial-success",
        ("MUST", "server", "answers a partial success with 200"),
        ("MUST", "server", "answers it with the same message as a success"),
        ("MUST", "server", "sets partial_success then"),
        ("MUST", "server", "tells there how many records it rejected"),
        ("SHOULD", "server", "tells there, for people, why"),
        ("MUST", "server", "rejects none in a mere warning"),
        ("MUST", "server", "says something in a warning"),
        ("MUST NOT", "client", "retries after a partial success"),
        (
            "MAY",
            "server",
            "warns although it accepted everything",
            "a receiver that is told to (PartialSuccess(0))",
        ),
    ),
    *_section(
        "http-failures",
        ("MUST", "server", "answers a failure with a fitting 4xx or 5xx"),
        ("MUST", "server", "sends google.rpc.Status as the body of every 4xx and 5xx"),
        ("SHOULD", "server", "says there, for developers, what went wrong"),
        ("SHOULD", "server", "tells by its status whether a retry may help"),
        ("SHOULD", "client", "goes by that"),
        ("MAY", "server", "leaves Status.code out", "it is set, to the gRPC code of the same failure"),
        ("MAY", "client", "records Status.code", "only the message is recorded"),
        ("MAY", "server", "adds Status.details", "BadRequest, RetryInfo"),
    ),
    *_section(
        "http-retryable",
        ("SHOULD", "client", "retries after 429, 502, 503 and 504"),
        ("MUST NOT", "client", "retries after any other 4xx or 5xx"),
    ),
    *_section(
        "http-bad-data",
        ("MUST", "server", "refuses what cannot be decoded with 400"),
        ("SHOULD", "server", "describes it in Status.details as BadRequest"),
        ("MUST NOT", "client", "retries after 400"),
    ),
    *_section(
        "http-throttling",
        ("SHOULD", "server", "says 429 or 503 when it is overloaded"),
        ("SHOULD", "client", "waits as long as Retry-After says"),
        ("SHOULD", "client", "backs off exponentially where it does not say"),
        ("MAY", "server", "adds Retry-After", "always: 1 s when busy"),
    ),
    *_section(
        "http-other",
        ("SHOULD", "client", "sends again when the server disconnects without an answer"),
        ("SHOULD", "client", "backs off exponentially then"),
    ),
    *_section(
        "http-connection",
        ("SHOULD", "client", "tries again to connect, backing off exponentially"),
        ("SHOULD", "client", "keeps connections alive between requests"),
        ("SHOULD", "server", "takes protobuf and JSON on one port"),
        ("MAY", "server", "takes gRPC and HTTP on one port", "two ports"),
    ),
    *_section(
        "http-concurrent",
        ("SHOULD", "client", "lets its user set how many connections are parallel"),
        ("MAY", "client", "uses parallel connections", "on request: max_concurrent_requests"),
    ),
    *_section(
        "multi-destination",
        ("SHOULD", "client", "queues, acknowledges and retries for each destination apart"),
        ("SHOULD", "client", "lets the queues share immutable data"),
    ),
    *_section(
        "empty-envelopes",
        ("SHOULD NOT", "client", "sends requests without a record"),
        ("MAY", "server", "ignores empty envelopes", "they are kept as they came, and hold no record"),
        ("MAY", "both", "drops empty envelopes when it forwards", "the exporter sends none"),
    ),
    *_section(
        "versions",
        ("MUST", "both", "talks to peers of other versions"),
        ("SHOULD", "both", "discovers optional capabilities over the connection"),
        ("SHOULD", "both", "follows a written mechanism of discovery"),
        ("MUST", "both", "does without a capability that the peer lacks"),
    ),
]


def keyword_counts():
    """Return how often each keyword occurs."""
    return Counter(clause.keyword for clause in CLAUSES)
