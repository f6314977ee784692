"""A fault that is really there: the handler of the culprit's main route sleeps, or answers with an error.

The recorder switches it by a line on the service's standard input (`slow`, `failing`, `none`), and the
service answers on standard output with the time at which it obeyed. No telemetry speaks of it: what the
recording shows is the effect. A request is disturbed if the fault is on when the request arrives.
"""

from __future__ import annotations

import asyncio
import json
import logging
import math
import time
from typing import TYPE_CHECKING

from starlette.responses import JSONResponse

if TYPE_CHECKING:
    import random
    from collections.abc import Awaitable, Callable

    from starlette.requests import Request
    from starlette.responses import Response

    Handler = Callable[[Request], Awaitable[Response]]

SLOW_MEDIAN_S = 0.300
SLOW_SIGMA = 0.5  # lognormal: 28 % of the delays exceed a time-out of 0.4 s
FAILING_SHARE = 0.6

_log = logging.getLogger("shop.dependency")


class Fault:
    """The state of the fault in one service."""

    def __init__(self, rng: random.Random) -> None:
        self._kind = "none"
        self._rng = rng

    def switch(self, kind: str) -> None:
        """Change to `kind` and tell the recorder when it happened."""
        self._kind = kind
        print(json.dumps({"fault": kind, "at_unix_ns": time.time_ns()}), flush=True)

    def disturb(self, handler: Handler, dependency: str) -> Handler:
        """Wrap the handler of the main route so that the fault acts on it, as if `dependency` were ill."""

        async def disturbed(request: Request) -> Response:
            await request.body()  # so that the handler can work even if the client has given up by then
            if self._kind == "slow":
                await asyncio.sleep(self._rng.lognormvariate(math.log(SLOW_MEDIAN_S), SLOW_SIGMA))
            elif self._kind == "failing" and self._rng.random() < FAILING_SHARE:
                return self._fail(dependency)
            return await handler(request)

        return disturbed

    def _fail(self, dependency: str) -> Response:
        status = self._rng.choice((500, 503))
        _log.error("%s unavailable", dependency, extra={"http.response.status_code": status})
        return JSONResponse({"error": f"{dependency} unavailable"}, status)
