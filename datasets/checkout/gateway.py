"""The gateway: the door of the shop, and the saga behind `POST /checkout`.

    cart ──▶ reserve ──▶ charge ──▶ confirm ──▶ 201
                │          │
                └──────────┴──▶ release ──▶ 402 declined, 502 failed, 504 timed out

`reserve`, `charge`, `confirm` and `release` are INTERNAL spans below one span `checkout`; each calls one
service. A reservation is released when the charge fails, and when the reservation itself was not answered
and so may exist. A sold out item (409) leaves nothing to release. After the charge there is no way back: if
`confirm` fails, the order is `unconfirmed` and needs a person. `GET /products` and `GET /carts/{cart_id}`
pass questions on.
"""

from __future__ import annotations

import itertools
import logging
import random
from contextlib import asynccontextmanager, contextmanager
from typing import TYPE_CHECKING, Any

from calls import Caller, CallFailedError
from opentelemetry import baggage, context, metrics, trace
from opentelemetry.trace import Link, Status, StatusCode
from starlette.applications import Starlette
from starlette.responses import JSONResponse
from starlette.routing import Route

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

    from calls import Answer
    from opentelemetry.trace import Span
    from starlette.requests import Request
    from starlette.responses import Response

CONFIRMED, DECLINED, SOLD_OUT = "confirmed", "declined", "sold_out"
FAILED, UNCONFIRMED, TIMED_OUT = "failed", "unconfirmed", "timed_out"
STATUS_OF = {CONFIRMED: 201, DECLINED: 402, SOLD_OUT: 409, FAILED: 502, UNCONFIRMED: 502, TIMED_OUT: 504}

_log = logging.getLogger("shop.gateway")
_tracer = trace.get_tracer("shop.gateway")


class RefusedError(Exception):
    """Raised when a step ends the order; `outcome` is a key of `STATUS_OF`."""

    def __init__(self, outcome: str) -> None:
        super().__init__(outcome)
        self.outcome = outcome


class Checkout:
    """The saga, and the instruments that count it."""

    def __init__(self, caller: Caller) -> None:
        self._caller = caller
        self._numbers = itertools.count(1)
        self._in_flight = 0
        meter = metrics.get_meter("shop.gateway")
        self._orders = meter.create_counter(
            "checkout.orders", unit="{order}", description="Orders by outcome."
        )
        self._amounts = meter.create_histogram(
            "checkout.order.amount", unit="EUR", description="Value of orders."
        )
        meter.create_observable_gauge(
            "checkout.orders.in_flight",
            callbacks=[lambda _options: [metrics.Observation(self._in_flight)]],
            unit="{order}",
            description="Orders that are being worked on.",
        )

    async def run(self, cart_id: str, card: str) -> tuple[str, str]:
        """Work one order through; return its identity and outcome."""
        order_id = f"order-{next(self._numbers):05d}"
        trace.get_current_span().set_attribute("order.id", order_id)
        self._in_flight += 1
        try:
            with _order_in_baggage(order_id), _tracer.start_as_current_span("checkout") as span:
                span.set_attribute("cart.id", cart_id)
                outcome = await self._outcome(order_id, cart_id, card)
                _finish(span, order_id, outcome)
        finally:
            self._in_flight -= 1
        self._orders.add(1, {"checkout.outcome": outcome})
        return order_id, outcome

    async def _outcome(self, order_id: str, cart_id: str, card: str) -> str:
        try:
            items = await self._items(cart_id)
            await self._buy(order_id, items, card)
        except RefusedError as refused:
            return refused.outcome
        return CONFIRMED

    async def _items(self, cart_id: str) -> list[dict[str, Any]]:
        try:
            answer = await self._caller.call("cart", "GET", f"/carts/{cart_id}")
        except CallFailedError as failed:
            raise RefusedError(_outcome_of(failed)) from failed
        items = answer.body["items"]
        trace.get_current_span().set_attribute("cart.skus", [item["sku"] for item in items])
        return items

    async def _buy(self, order_id: str, items: list[dict[str, Any]], card: str) -> None:
        amount = round(sum(item["price"] * item["quantity"] for item in items), 2)
        trace.get_current_span().set_attribute("order.amount", amount)
        self._amounts.record(amount)
        _log.info("order accepted", extra={"order.id": order_id, "order.amount": amount})
        reservation = trace.INVALID_SPAN
        try:
            with _step("reserve") as reservation:
                await self._reserve(order_id, items)
            with _step("charge"):
                await self._charge(order_id, card, amount)
        except RefusedError as refused:
            if refused.outcome != SOLD_OUT:
                await self._release(order_id, refused.outcome, reservation)
            raise
        with _step("confirm"):
            await self._confirm(order_id)

    async def _reserve(self, order_id: str, items: list[dict[str, Any]]) -> None:
        wanted = [{"sku": item["sku"], "quantity": item["quantity"]} for item in items]
        answer = await self._call("inventory", "/reservations", {"order_id": order_id, "items": wanted})
        if answer.status == 409:
            raise RefusedError(SOLD_OUT)

    async def _charge(self, order_id: str, card: str, amount: float) -> None:
        answer = await self._call(
            "payment", "/charges", {"order_id": order_id, "card": card, "amount": amount}
        )
        if answer.status == 402:
            raise RefusedError(DECLINED)

    async def _confirm(self, order_id: str) -> None:
        try:
            await self._call("inventory", f"/reservations/{order_id}/confirm")
        except RefusedError as refused:
            _log.error("order is charged but not confirmed", extra={"order.id": order_id})
            raise RefusedError(UNCONFIRMED) from refused

    async def _release(self, order_id: str, outcome: str, reservation: Span) -> None:
        _log.warning("releasing the reservation", extra={"order.id": order_id, "checkout.outcome": outcome})
        undone = Link(reservation.get_span_context(), {"checkout.link": "compensates"})
        try:
            with _step("release", [undone]):
                await self._call("inventory", f"/reservations/{order_id}/release")
        except RefusedError:
            _log.error("reservation is not released", extra={"order.id": order_id})

    async def _call(self, service: str, path: str, body: Any = None) -> Answer:
        span = trace.get_current_span()
        try:
            answer = await self._caller.call(service, "POST", path, body)
        except CallFailedError as failed:
            span.set_attribute("retry.count", failed.attempts - 1)
            raise RefusedError(_outcome_of(failed)) from failed
        span.set_attribute("retry.count", answer.attempts - 1)
        return answer


def build(addresses: dict[str, str], seed: int) -> Starlette:
    """Return the application that calls the services at `addresses`."""
    caller = Caller(addresses, random.Random(f"{seed}-jitter"))
    checkout = Checkout(caller)

    async def post_checkout(request: Request) -> Response:
        body = await request.json()
        order_id, outcome = await checkout.run(body["cart_id"], body["card"])
        return JSONResponse({"order_id": order_id, "outcome": outcome}, STATUS_OF[outcome])

    async def list_products(_request: Request) -> Response:
        return await _pass_on(caller, "inventory", "/products")

    async def read_cart(request: Request) -> Response:
        return await _pass_on(caller, "cart", f"/carts/{request.path_params['cart_id']}")

    @asynccontextmanager
    async def lifespan(_app: Starlette) -> AsyncIterator[None]:
        yield
        await caller.close()

    routes = [
        Route("/checkout", post_checkout, methods=["POST"]),
        Route("/products", list_products),
        Route("/carts/{cart_id}", read_cart),
    ]
    return Starlette(routes=routes, lifespan=lifespan)


async def _pass_on(caller: Caller, service: str, path: str) -> Response:
    try:
        answer = await caller.call(service, "GET", path)
    except CallFailedError as failed:
        return JSONResponse({"error": str(failed)}, STATUS_OF[_outcome_of(failed)])
    return JSONResponse(answer.body, answer.status)


def _outcome_of(failed: CallFailedError) -> str:
    return TIMED_OUT if failed.reason == "timeout" else FAILED


@contextmanager
def _order_in_baggage(order_id: str) -> Iterator[None]:
    token = context.attach(baggage.set_baggage("order.id", order_id))
    try:
        yield
    finally:
        context.detach(token)


@contextmanager
def _step(name: str, links: list[Link] | None = None) -> Iterator[Span]:
    """Trace one step of the saga; a refusal is its outcome, and an error unless the customer's own."""
    attributes = {"checkout.step": name}
    with _tracer.start_as_current_span(
        name, attributes=attributes, links=links, record_exception=False, set_status_on_exception=False
    ) as span:
        try:
            yield span
        except RefusedError as refused:
            _mark(span, "checkout.step.outcome", refused.outcome)
            raise
        span.set_attribute("checkout.step.outcome", "ok")


def _mark(span: Span, attribute: str, outcome: str) -> None:
    span.set_attribute(attribute, outcome)
    if STATUS_OF[outcome] >= 500:
        span.set_attribute("error.type", outcome)
        span.set_status(Status(StatusCode.ERROR, outcome.replace("_", " ")))


def _finish(span: Span, order_id: str, outcome: str) -> None:
    _mark(span, "checkout.outcome", outcome)
    level = logging.ERROR if STATUS_OF[outcome] >= 500 else logging.INFO
    _log.log(
        level,
        "order %s",
        outcome.replace("_", " "),
        extra={"order.id": order_id, "checkout.outcome": outcome},
    )
