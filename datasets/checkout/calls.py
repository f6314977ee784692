"""How the gateway calls another service: a time-out, two retries, exponential backoff with full jitter.

Every attempt is one CLIENT span (of the httpx instrumentation), from the second on with
`http.request.resend_count`. A call is repeated after a time-out, a broken connection and a 5xx; a 4xx is an
answer.
"""

from __future__ import annotations

import asyncio
import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import httpx
from opentelemetry import trace
from opentelemetry.instrumentation.httpx import HTTPXClientInstrumentor

if TYPE_CHECKING:
    import random

    from opentelemetry.instrumentation.httpx import RequestInfo

TIMEOUT_S = 0.400
RETRIES = 2
BACKOFF_S = 0.050  # the first delay is uniform in [0, 50 ms], the second in [0, 100 ms]

_log = logging.getLogger("shop.gateway")


class CallFailedError(Exception):
    """Raised when no attempt was answered: `reason` is the last attempt's, `timeout` or `error`."""

    def __init__(self, reason: str, attempts: int) -> None:
        super().__init__(f"{reason} after {attempts} attempts")
        self.reason = reason
        self.attempts = attempts


@dataclass(frozen=True, slots=True)
class Answer:
    """What a service answered, and at which attempt."""

    status: int
    body: Any
    attempts: int


class Caller:
    """Calls services by their base addresses."""

    def __init__(self, addresses: dict[str, str], rng: random.Random) -> None:
        self._addresses = addresses
        self._rng = rng
        self._client = httpx.AsyncClient(timeout=TIMEOUT_S, trust_env=False)
        HTTPXClientInstrumentor.instrument_client(self._client, request_hook=_mark_resend)

    async def close(self) -> None:
        """Close the connections."""
        await self._client.aclose()

    async def call(self, service: str, method: str, path: str, json: Any = None) -> Answer:
        """Return the answer of the first attempt that has one."""
        for attempt in range(1, RETRIES + 2):
            outcome = await self._attempt(service, method, path, json, attempt)
            if isinstance(outcome, Answer):
                return outcome
            if attempt <= RETRIES:
                await self._back_off(service, outcome, attempt)
        raise CallFailedError(outcome, RETRIES + 1)

    async def _attempt(self, service: str, method: str, path: str, json: Any, attempt: int) -> Answer | str:
        url = self._addresses[service] + path
        try:
            response = await self._client.request(
                method, url, json=json, extensions={"resend_count": attempt - 1}
            )
        except httpx.TimeoutException:
            _log.warning("%s timed out", service, extra={"peer.service": service, "retry.attempt": attempt})
            return "timeout"
        except httpx.TransportError as broken:
            problem = type(broken).__name__
            _log.warning("%s unreachable", service, extra={"peer.service": service, "error.type": problem})
            return "error"
        if response.status_code >= 500:
            return "error"
        return Answer(response.status_code, response.json() if response.content else None, attempt)

    async def _back_off(self, service: str, reason: str, attempt: int) -> None:
        delay = self._rng.uniform(0, BACKOFF_S * 2 ** (attempt - 1))
        facts = {
            "peer.service": service,
            "retry.attempt": attempt,
            "retry.delay": delay,
            "retry.reason": reason,
        }
        trace.get_current_span().add_event("retry", facts)
        _log.info("retrying %s after %s", service, reason, extra=facts)
        await asyncio.sleep(delay)


async def _mark_resend(span: trace.Span, request: RequestInfo) -> None:
    resend_count = (request.extensions or {}).get("resend_count", 0)
    if resend_count:
        span.set_attribute("http.request.resend_count", resend_count)
