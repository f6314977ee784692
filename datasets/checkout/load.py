"""Open-loop Poisson load: arrivals come when they come, whether or not earlier ones have been answered.

The plan is drawn from a seed before the first request; the driver is not instrumented, so the gateway's
SERVER span is the root of every trace.
"""

from __future__ import annotations

import asyncio
import random
import time
from dataclasses import dataclass

import catalogue
import httpx
from payment import DECLINED_CARD

BROWSING = 0.5  # browsing requests for every checkout
DECLINED_SHARE = 0.02
GIVE_UP_S = 30.0
NO_ANSWER = 0  # in place of a status


@dataclass(frozen=True, slots=True)
class Arrival:
    """One request: when it comes, in seconds since the start, and what it asks."""

    at_s: float
    method: str
    path: str
    body: dict[str, str] | None = None


@dataclass(frozen=True, slots=True)
class Seen:
    """What the driver saw of one request, which may be `NO_ANSWER`."""

    arrival: Arrival
    late_s: float  # how much later than planned it was sent
    duration_s: float
    status: int


def plan(seconds: float, rate_hz: float, seed: int) -> list[Arrival]:
    """Draw all arrivals of a recording, in order."""
    rng = random.Random(f"{seed}-load")
    checkouts = [_checkout(at_s, rng) for at_s in _poisson(seconds, rate_hz, rng)]
    browsing = [_browse(at_s, rng) for at_s in _poisson(seconds, rate_hz * BROWSING, rng)]
    return sorted(checkouts + browsing, key=lambda arrival: arrival.at_s)


async def drive(arrivals: list[Arrival], address: str, t0_s: float) -> list[Seen]:
    """Send each arrival at its time after `t0_s` (seconds since 1970), and wait for all answers."""
    limits = httpx.Limits(max_connections=None)
    async with httpx.AsyncClient(
        base_url=address, timeout=GIVE_UP_S, limits=limits, trust_env=False
    ) as client:
        async with asyncio.TaskGroup() as group:
            tasks = []
            for arrival in arrivals:
                await asyncio.sleep(max(0.0, t0_s + arrival.at_s - time.time()))
                late_s = time.time() - t0_s - arrival.at_s
                tasks.append(group.create_task(_send(client, arrival, late_s)))
        return [task.result() for task in tasks]


async def _send(client: httpx.AsyncClient, arrival: Arrival, late_s: float) -> Seen:
    started = time.perf_counter()
    try:
        response = await client.request(arrival.method, arrival.path, json=arrival.body)
        status = response.status_code
    except httpx.TransportError:
        status = NO_ANSWER
    return Seen(arrival, late_s, time.perf_counter() - started, status)


def _poisson(seconds: float, rate_hz: float, rng: random.Random) -> list[float]:
    times: list[float] = []
    at_s = rng.expovariate(rate_hz)
    while at_s < seconds:
        times.append(at_s)
        at_s += rng.expovariate(rate_hz)
    return times


def _checkout(at_s: float, rng: random.Random) -> Arrival:
    card = DECLINED_CARD if rng.random() < DECLINED_SHARE else f"card-{rng.randrange(10_000):04d}"
    return Arrival(at_s, "POST", "/checkout", {"cart_id": _any_cart(rng), "card": card})


def _browse(at_s: float, rng: random.Random) -> Arrival:
    path = rng.choice(("/products", f"/carts/{_any_cart(rng)}"))
    return Arrival(at_s, "GET", path)


def _any_cart(rng: random.Random) -> str:
    return catalogue.cart_id(rng.randrange(catalogue.CARTS))
