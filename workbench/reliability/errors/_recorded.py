"""Exceptions that spans recorded, as OpenTelemetry's events named ``exception`` say them.

A recorded exception is a name, a message and a stack trace as text; there is no object to ask. Its class is
found, in this order, from a rule for the name; from the class itself where this process has its module
loaded already; from the HTTP or gRPC status of its span; and from its root cause. Where none knows, it is
TRANSIENT, as for `classify`.
"""

import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pyarrow.compute as pc

from workbench.reliability.errors import classification
from workbench.reliability.errors._call_sites import CallSite
from workbench.reliability.errors._causes import Cause, masked, shortened
from workbench.reliability.errors._stack_text import root_of, site_in
from workbench.reliability.errors.status import StatusError, classify_grpc_code, classify_http_status
from workbench.reliability.errors.taxonomy import ErrorClass

if TYPE_CHECKING:
    from workbench.otlp import Traces

__all__ = ["RecordedError", "recorded_errors"]

HTTP_STATUS = ("http.response.status_code", "http.status_code")
GRPC_STATUS = ("rpc.response.status_code", "rpc.grpc.status_code")
KEYS = ("exception.type", "exception.message", "exception.stacktrace")
Statuses = list[tuple[Any, Any]]


@dataclass(frozen=True, slots=True)
class RecordedError:
    """One recorded exception, classified."""

    error_class: ErrorClass
    cause: Cause
    site: CallSite
    message: str


def recorded_errors(traces: "Traces") -> Iterator[RecordedError]:
    """Yield the exceptions that spans recorded, in the order of their events."""
    statuses: Statuses | None = None
    for span, said in _events(traces):
        statuses = _statuses(traces) if statuses is None else statuses
        name, message, stack = (said.get(key, "") for key in KEYS)
        own = (name or "unknown", shortened(message))
        root = root_of(stack)
        cause_name, cause_message = (root[0], shortened(root[1])) if root else own
        found = _class_of(name) or _of_status(*statuses[span]) or _class_of(cause_name)
        yield RecordedError(
            found or ErrorClass.TRANSIENT,
            Cause(cause_name, masked(cause_message)),
            site_in(stack),
            cause_message,
        )


def _events(traces: "Traces") -> Iterator[tuple[int, dict[str, str]]]:
    """Yield row of the span, and attributes, of each event that is an exception."""
    events, attributes = traces.tables["span_events"], traces.tables["span_event_attrs"]
    chosen = events.filter(pc.equal(events["name"], "exception"))
    said: dict[int, dict[str, str]] = {identity: {} for identity in chosen["id"].to_pylist()}
    known = attributes.filter(pc.is_in(attributes["key"].cast("string"), pc.cast(list(KEYS), "string")))
    for parent, key, value in zip(
        *(known[name].to_pylist() for name in ("parent_id", "key", "str")), strict=True
    ):
        if parent in said:
            said[parent].setdefault(key, value or "")
    rows = {identity: row for row, identity in enumerate(traces.spans["id"].to_pylist())}
    for identity, span in zip(chosen["id"].to_pylist(), chosen["parent_id"].to_pylist(), strict=True):
        yield rows[span], said[identity]


def _statuses(traces: "Traces") -> Statuses:
    """Return the HTTP and the gRPC status of each span, None where it has none."""
    columns = [_first_column(traces, keys) for keys in (HTTP_STATUS, GRPC_STATUS)]
    return list(zip(*columns, strict=True))


def _first_column(traces: "Traces", keys: Iterable[str]) -> list[Any]:
    key = next((key for key in keys if key in traces), None)
    return [None] * len(traces) if key is None else traces[key].to_pylist()


def _class_of(name: str) -> ErrorClass | None:
    """Return what rules say of a name, or of the class of that name where it is loaded."""
    if not name:
        return None
    qualified = name if "." in name else f"builtins.{name}"
    module, _, attribute = qualified.rpartition(".")
    loaded = sys.modules.get(module)
    kind = vars(loaded).get(attribute) if loaded else None  # not getattr: a lazy module would import
    return (
        classification.class_of_type(kind)
        if isinstance(kind, type)
        else classification.class_of_name(qualified)
    )


def _of_status(http: Any, grpc: Any) -> ErrorClass | None:
    try:
        if isinstance(http, int) and http >= 400:
            return classify_http_status(http)
        return classify_grpc_code(grpc) if grpc not in (None, 0, "OK") else None
    except StatusError:
        return None
