"""The cart service: reads what a customer wants to buy.

`GET /carts/{cart_id}` answers 200 with the items and their prices, or 404.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import catalogue
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.responses import JSONResponse
from starlette.routing import Route

if TYPE_CHECKING:
    from database import Database
    from fault import Fault
    from starlette.requests import Request
    from starlette.responses import Response

_SCHEMA = """
CREATE TABLE products (sku TEXT PRIMARY KEY, price REAL NOT NULL);
CREATE TABLE items (cart_id TEXT, sku TEXT, quantity INTEGER, PRIMARY KEY (cart_id, sku));
"""
_ITEMS = """SELECT sku, quantity, price FROM items JOIN products USING (sku) WHERE cart_id = ? ORDER BY sku"""


def build(database: Database, fault: Fault, seed: int) -> Starlette:
    """Return the application over a fresh database."""
    database.create(
        _SCHEMA,
        {
            "INSERT INTO products VALUES (?, ?)": [(sku, p[0]) for sku, p in catalogue.PRODUCTS.items()],
            "INSERT INTO items VALUES (?, ?, ?)": catalogue.carts(seed),
        },
    )

    async def read_cart(request: Request) -> Response:
        cart_id = request.path_params["cart_id"]
        rows = await run_in_threadpool(database.query, _ITEMS, cart_id)
        items = [{"sku": sku, "quantity": quantity, "price": price} for sku, quantity, price in rows]
        return JSONResponse({"cart_id": cart_id, "items": items}, 200 if items else 404)

    return Starlette(routes=[Route("/carts/{cart_id}", fault.disturb(read_cart, "cart store"))])
