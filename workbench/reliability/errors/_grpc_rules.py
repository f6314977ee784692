"""What gRPC's exceptions mean: the status code decides, of the synchronous and the asyncio client."""

from typing import Any

from workbench.reliability.errors._rules import Answer, Rules
from workbench.reliability.errors.status import classify_grpc_code
from workbench.reliability.errors.taxonomy import ErrorClass

__all__ = ["GRPC_RULES"]


def _by_code(exc: Any) -> Answer:
    """Ask ``code()``, which servers' abstract RpcError has not."""
    code = exc.code() if callable(getattr(exc, "code", None)) else None
    name = getattr(code, "name", "OK")
    return None if name == "OK" else classify_grpc_code(name)


GRPC_RULES: Rules = {
    "grpc.RpcError": _by_code,
    "grpc.FutureTimeoutError": ErrorClass.TIMEOUT,
    "grpc.FutureCancelledError": ErrorClass.CANCELLED,
    "grpc.aio._base_call.UsageError": ErrorClass.PERMANENT,
}
