"""The payment service: charges a card once an order.

`POST /charges` answers 201 when the card is charged, 200 when this order was charged before (so a retry is
safe), and 402 when the card is declined. The card's token is verified with PBKDF2, real work of some
milliseconds.
"""

from __future__ import annotations

import hashlib
import logging
from typing import TYPE_CHECKING

from opentelemetry import trace
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.responses import JSONResponse
from starlette.routing import Route

if TYPE_CHECKING:
    from database import Database
    from fault import Fault
    from starlette.requests import Request
    from starlette.responses import Response

DECLINED_CARD = "card-declined"
PBKDF2_ROUNDS = 10_000

_SCHEMA = """CREATE TABLE charges (order_id TEXT PRIMARY KEY, amount REAL NOT NULL)"""

_log = logging.getLogger("shop.payment")


def build(database: Database, fault: Fault, _seed: int) -> Starlette:
    """Return the application over a fresh database."""
    tracer = trace.get_tracer("shop.payment")
    database.create(_SCHEMA, {})

    def verify(card: str) -> bool:
        with tracer.start_as_current_span("verify card") as span:
            span.set_attribute("payment.verify.rounds", PBKDF2_ROUNDS)
            hashlib.pbkdf2_hmac("sha256", card.encode(), b"shop", PBKDF2_ROUNDS)
            return card != DECLINED_CARD

    def charge(order_id: str, card: str, amount: float) -> int:
        trace.get_current_span().set_attribute("order.amount", amount)
        if not verify(card):
            _log.warning("card declined", extra={"order.id": order_id, "order.amount": amount})
            return 402
        with database.cursor() as cursor:
            cursor.execute("INSERT OR IGNORE INTO charges VALUES (?, ?)", (order_id, amount))
            fresh = cursor.rowcount == 1
        if not fresh:
            _log.info("order was charged before", extra={"order.id": order_id})
        return 201 if fresh else 200

    async def post_charge(request: Request) -> Response:
        body = await request.json()
        status = await run_in_threadpool(charge, body["order_id"], body["card"], body["amount"])
        return JSONResponse({"order_id": body["order_id"]}, status)

    return Starlette(routes=[Route("/charges", fault.disturb(post_charge, "card network"), methods=["POST"])])
