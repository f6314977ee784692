"""The inventory service: one SQLite file, several writers, and so a lock that is really waited for.

`POST /reservations` takes the units out of stock (201; 200 if it was done before; 409 if one is sold out),
`POST /reservations/{order_id}/confirm` and `/release` end it (204), `GET /products` lists the stock. Every
writer begins with `BEGIN IMMEDIATE`, which waits until no other transaction writes. Besides the requests, a
stocktake recounts the ledger every two seconds inside one such transaction; who comes meanwhile waits.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import random
import time
from contextlib import asynccontextmanager, contextmanager
from typing import TYPE_CHECKING, Any

import catalogue
from opentelemetry import metrics, trace
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import AsyncIterator, Iterator

    from database import Database
    from fault import Fault
    from starlette.requests import Request

STOCKTAKE_INTERVAL_S = 2.0
LEDGER_ROWS = 100_000
LONG_WAIT_S = 0.020  # a wait for the lock that is worth a log record

_SCHEMA = """
CREATE TABLE stock (sku TEXT PRIMARY KEY, available INTEGER NOT NULL, reserved INTEGER NOT NULL);
CREATE TABLE reservations (order_id TEXT PRIMARY KEY, state TEXT NOT NULL, items TEXT NOT NULL);
CREATE TABLE ledger (id INTEGER PRIMARY KEY, sku TEXT NOT NULL, moved INTEGER NOT NULL);
"""
_RESERVE = """INSERT OR IGNORE INTO reservations VALUES (?, 'reserved', ?)"""
_TAKE = """UPDATE stock SET available = available - ?1, reserved = reserved + ?1
WHERE sku = ?2 AND available >= ?1"""
_FINISH = """UPDATE reservations SET state = ? WHERE order_id = ? AND state = 'reserved'"""
_GIVE_BACK = """UPDATE stock
SET available = available + json_extract(value, '$.quantity'),
    reserved = reserved - json_extract(value, '$.quantity')
FROM reservations, json_each(items) WHERE order_id = ? AND stock.sku = json_extract(value, '$.sku')"""
_RECOUNT = """SELECT sku, count(*), sum(moved), sum(abs(moved)) FROM ledger GROUP BY sku"""
_RESTOCK = """UPDATE stock SET available = 1 WHERE sku = 'antique-clock' AND available = 0"""

_log = logging.getLogger("shop.inventory")


class SoldOutError(Exception):
    """Raised when a reservation asks for more units than there are."""


class Store:
    """The stock, and the lock around it."""

    def __init__(self, database: Database, seed: int) -> None:
        self._database = database
        self._tracer = trace.get_tracer("shop.inventory")
        self._lock_wait = metrics.get_meter("shop.inventory").create_histogram(
            "inventory.lock.wait", unit="s", description="Time from BEGIN IMMEDIATE until the lock is held."
        )
        database.create(_SCHEMA, _first_rows(seed))

    def products(self) -> list[tuple[Any, ...]]:
        """Return the rows (sku, available)."""
        return self._database.query("SELECT sku, available FROM stock ORDER BY sku")

    def reserve(self, order_id: str, items: list[dict[str, Any]]) -> bool:
        """Take the items out of stock; False if this order did so before."""
        with self._writing("reserve") as cursor:
            cursor.execute(_RESERVE, (order_id, json.dumps(items)))
            fresh = cursor.rowcount == 1
            for item in items if fresh else ():
                self._take(cursor, item["sku"], item["quantity"])
            cursor.execute("COMMIT")
            return fresh

    def confirm(self, order_id: str) -> None:
        """Make a reservation final."""
        with self._writing("confirm") as cursor:
            cursor.execute(_FINISH, ("confirmed", order_id))
            cursor.execute("COMMIT")

    def release(self, order_id: str) -> None:
        """Put the items back, once."""
        with self._writing("release") as cursor:
            cursor.execute(_FINISH, ("released", order_id))
            if cursor.rowcount == 1:
                cursor.execute(_GIVE_BACK, (order_id,))
            cursor.execute("COMMIT")

    def stocktake(self) -> None:
        """Recount the ledger while holding the lock, and restock what is rare."""
        with self._tracer.start_as_current_span("stocktake") as span:
            with self._writing("stocktake") as cursor:
                cursor.execute(_RECOUNT)
                counted = sum(row[1] for row in cursor.fetchall())
                cursor.execute(_RESTOCK)
                restocked = cursor.rowcount == 1
                cursor.execute("COMMIT")
            span.set_attributes({"inventory.counted": counted, "inventory.restocked": restocked})
            _log.info("stocktake counted %d movements", counted, extra={"inventory.counted": counted})

    @staticmethod
    def _take(cursor: sqlite3.Cursor, sku: str, quantity: int) -> None:
        cursor.execute(_TAKE, (quantity, sku))
        if cursor.rowcount == 0:
            raise SoldOutError(sku)

    @contextmanager
    def _writing(self, operation: str) -> Iterator[sqlite3.Cursor]:
        with self._database.cursor() as cursor:
            asked = time.perf_counter()
            cursor.execute("BEGIN IMMEDIATE")
            waited = time.perf_counter() - asked
            self._lock_wait.record(waited, {"inventory.operation": operation})
            if waited > LONG_WAIT_S:
                _log.warning("waited %.0f ms for the stock lock", 1e3 * waited, extra={"lock.wait": waited})
            yield cursor


def build(database: Database, fault: Fault, seed: int) -> Starlette:
    """Return the application over a fresh database."""
    store = Store(database, seed)

    async def list_products(_request: Request) -> Response:
        rows = await run_in_threadpool(store.products)
        return JSONResponse([{"sku": sku, "available": available} for sku, available in rows])

    async def reserve(request: Request) -> Response:
        body = await request.json()
        try:
            fresh = await run_in_threadpool(store.reserve, body["order_id"], body["items"])
        except SoldOutError as sold_out:
            _log.warning(
                "%s is sold out", sold_out, extra={"order.id": body["order_id"], "item.sku": str(sold_out)}
            )
            return JSONResponse({"sold_out": str(sold_out)}, 409)
        return JSONResponse({"order_id": body["order_id"]}, 201 if fresh else 200)

    async def confirm(request: Request) -> Response:
        await run_in_threadpool(store.confirm, request.path_params["order_id"])
        return Response(status_code=204)

    async def release(request: Request) -> Response:
        await run_in_threadpool(store.release, request.path_params["order_id"])
        return Response(status_code=204)

    routes = [
        Route("/products", list_products),
        Route("/reservations", fault.disturb(reserve, "stock ledger"), methods=["POST"]),
        Route("/reservations/{order_id}/confirm", confirm, methods=["POST"]),
        Route("/reservations/{order_id}/release", release, methods=["POST"]),
    ]
    return Starlette(routes=routes, lifespan=_with_stocktakes(store))


def _with_stocktakes(store: Store) -> Any:
    async def repeat() -> None:
        while True:
            await asyncio.sleep(STOCKTAKE_INTERVAL_S)
            await run_in_threadpool(store.stocktake)

    @asynccontextmanager
    async def lifespan(_app: Starlette) -> AsyncIterator[None]:
        task = asyncio.create_task(repeat())
        yield
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task

    return lifespan


def _first_rows(seed: int) -> dict[str, list[tuple[Any, ...]]]:
    rng = random.Random(f"{seed}-ledger")
    skus = list(catalogue.PRODUCTS)
    movements = [(rng.choice(skus), rng.randint(-3, 3)) for _ in range(LEDGER_ROWS)]
    return {
        "INSERT INTO stock VALUES (?, ?, 0)": [(sku, p[1]) for sku, p in catalogue.PRODUCTS.items()],
        "INSERT INTO ledger (sku, moved) VALUES (?, ?)": movements,
    }
