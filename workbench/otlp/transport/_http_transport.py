"""httpx's requests over connections with a deadline: a pool of httpcore's, direct or through a proxy.

httpx has a transport of its own, which takes no other connections than its own. The proxy is the one that
``HTTP_PROXY``, ``HTTPS_PROXY``, ``ALL_PROXY`` and ``NO_PROXY`` name, as the standard library reads them.
"""

import ssl
from collections.abc import Iterator
from contextlib import AbstractContextManager
from typing import cast
from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass

import httpcore
import httpx

from workbench.otlp.transport._deadline import DeadlineBackend
from workbench.otlp.transport._settings import Target

__all__ = ["DeadlineTransport"]

KEEP_ALIVE_S = 5.0


class DeadlineTransport(httpx.BaseTransport):
    """Carries requests to one target; threads may share it.

    Its errors are httpcore's.
    """

    def __init__(self, target: Target, context: ssl.SSLContext | None, connections: int) -> None:
        self._backend = DeadlineBackend()
        self._pool = httpcore.ConnectionPool(
            ssl_context=context,
            proxy=_proxy(target),
            max_connections=connections,
            max_keepalive_connections=connections,
            keepalive_expiry=KEEP_ALIVE_S,
            network_backend=self._backend,
        )

    def attempt(self, timeout_s: float) -> AbstractContextManager[None]:
        """Bound all that this thread asks within, from the connection to the response's last byte."""
        return self._backend.attempt(timeout_s)

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Send a request, and return the response when its head is there."""
        sent = httpcore.Request(
            method=request.method,
            url=_url(request.url),
            headers=request.headers.raw,
            content=cast("httpx.SyncByteStream", request.stream),
            extensions=request.extensions,
        )
        found = self._pool.handle_request(sent)
        return httpx.Response(
            found.status,
            headers=found.headers,
            stream=_Body(found),
            extensions=found.extensions,
        )

    def close(self) -> None:
        """Close the connections."""
        self._pool.close()


class _Body(httpx.SyncByteStream):
    def __init__(self, response: httpcore.Response) -> None:
        self._response = response

    def __iter__(self) -> Iterator[bytes]:
        return self._response.iter_stream()

    def close(self) -> None:
        self._response.close()


def _url(url: httpx.URL) -> httpcore.URL:
    return httpcore.URL(scheme=url.raw_scheme, host=url.raw_host, port=url.port, target=url.raw_path)


def _proxy(target: Target) -> httpcore.Proxy | None:
    """Return the proxy for a target; a target on this machine has none."""
    parts, known = urlsplit(target.url), getproxies()
    address = known.get(parts.scheme) or known.get("all")
    if target.is_local or not address or proxy_bypass(parts.netloc.rpartition("@")[2]):
        return None
    proxy = httpx.Proxy(address if "://" in address else f"http://{address}")
    return httpcore.Proxy(_url(proxy.url), auth=proxy.raw_auth, headers=proxy.headers.raw)
